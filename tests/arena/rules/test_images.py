"""Images are decoded by content and keep nothing but their pixels; hostile files are refused."""

from __future__ import annotations

import pytest
from PIL import Image

from arena.rules.images import MOST_SIDE, ImageRejected, picture_of
from tests.support.image_files import bomb, huge_header, photograph, png, read, saved, with_place

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
BMP = saved(Image.new("RGB", (4, 4)), "BMP")


@pytest.mark.parametrize(
    "data",
    [SVG, b"<!doctype html><script>alert(1)</script>", BMP, b"\x00" * 100, b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0"],
    ids=["svg", "html", "bmp", "zeros", "gif-header", "eps"],
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises(ImageRejected, match=r"not an image|damaged") as refused:
        picture_of(data)
    assert refused.value.code == "image_rejected"


def test_an_empty_file_is_refused():
    with pytest.raises(ImageRejected, match="is empty"):
        picture_of(b"")


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_truncated_file_is_refused(name):
    whole = saved(photograph(200, 200), name)
    with pytest.raises(ImageRejected):
        picture_of(whole[: len(whole) // 2])


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("data", [huge_header(), huge_header(9_000), bomb()], ids=["header", "9000", "bomb"])
def test_too_many_pixels_are_refused_before_they_are_decoded(data):
    with pytest.raises(ImageRejected, match="pixels"):
        picture_of(data)


def test_a_place_a_maker_and_a_comment_are_removed_and_the_image_is_upright():
    picture = picture_of(with_place())
    image = read(picture.data)
    assert (picture.width, picture.height) == image.size == (20, 40)
    assert not image.getexif()
    assert not set(image.info) - {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert b"SecretPhone" not in picture.data
    assert b"home" not in picture.data


def test_bytes_behind_an_image_are_removed():
    picture = picture_of(png() + b"<script>alert(1)</script>")
    assert b"script" not in picture.data


def test_the_first_frame_of_an_animation_is_kept():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    for name in ("GIF", "WEBP", "PNG"):
        options = {"lossless": True} if name == "WEBP" else {}
        picture = picture_of(saved(frames[0], name, save_all=True, append_images=frames[1:], **options))
        image = read(picture.data)
        assert getattr(image, "n_frames", 1) == 1
        assert image.convert("RGB").getpixel((4, 4)) == (255, 0, 0)


def test_cmyk_16_bits_palettes_and_transparency_keep_their_colours():
    grey = picture_of(saved(Image.new("I;16", (4, 4), 32_768), "PNG"))
    assert read(grey.data).getpixel((0, 0)) == (128, 128, 128)
    red = picture_of(saved(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG"))
    assert read(red.data).getpixel((4, 4))[0] > 200 > 80 > read(red.data).getpixel((4, 4))[1]
    clear = picture_of(saved(Image.new("RGBA", (4, 4), (1, 2, 3, 4)), "PNG"))
    assert read(clear.data).getpixel((0, 0)) == (1, 2, 3, 4)
    palette = picture_of(saved(Image.new("RGB", (4, 4), "lime").quantize(2), "PNG"))
    assert read(palette.data).getpixel((0, 0)) == (0, 255, 0)


def test_a_large_image_is_scaled_down_and_a_photograph_becomes_a_jpeg():
    picture = picture_of(saved(photograph(2500, 600), "PNG", compress_level=0))
    assert (picture.width, picture.media_type) == (MOST_SIDE, "image/jpeg")
    assert len(picture.data) < 2_000_000


def test_an_image_keeps_its_size_and_what_is_kept_is_an_image_again():
    once = picture_of(png(100, 50))
    assert picture_of(once.data) == once
    assert (once.width, once.height, once.media_type) == (100, 50, "image/png")
