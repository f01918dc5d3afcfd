"""Images that voters attach: decoded by content, never by name, and encoded again without metadata.

Whatever a file carries besides its pixels (EXIF with a place, comments, profiles, a script behind the last byte) is
lost, and so is every frame but the first.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from arena.rules.messages import gettext_noop
from arena.rules.refusals import Refusal

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # the decoders that Pillow may try
MEDIA_TYPES = ("image/png", "image/jpeg", "image/webp", "image/gif")
MOST_PIXELS = 50_000_000  # of a file: phones make up to 50 million; decoded it has at most 200 MB
MOST_SIDE = 2048  # of what is kept: models scale larger images down (OpenAI: into 2048 x 2048)
LARGEST_PNG = 1_500_000  # bytes; a larger one is a photograph, which JPEG keeps in a fifth
QUALITY = 90  # of JPEG
# What Pillow's decoders raise for damaged files
DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    ArithmeticError,
    LookupError,
    TypeError,
    struct.error,
    MemoryError,
    Image.DecompressionBombError,
    Warning,  # where they are errors
)

NO_IMAGE = gettext_noop("This file is not an image that is read here. Choose a PNG, JPEG, WebP or GIF file.")
IS_DAMAGED = gettext_noop("This image is damaged. Open it in a program, save it again, and attach the new file.")
TOO_MANY_PIXELS = gettext_noop(
    "This image has {width:,} × {height:,} pixels, which is too much. Choose a smaller one."
)
EMPTY = gettext_noop("This file is empty. Choose another one.")


class ImageRejected(Refusal):
    """The image cannot be attached. The text is for the voter."""


@dataclass(frozen=True)
class Picture:
    """An image as it is kept and sent to models."""

    data: bytes
    media_type: str
    width: int
    height: int


def picture_of(data: bytes) -> Picture:
    """The first frame of a PNG, JPEG, WebP or GIF file, at most `MOST_SIDE` a side. Raises `ImageRejected`."""
    if not data:
        raise ImageRejected(EMPTY, code="image_rejected")
    with _opened(data) as image:
        try:
            return _encoded(_pixels(image))
        except DAMAGED:
            raise ImageRejected(IS_DAMAGED, code="image_rejected") from None


def _opened(data: bytes) -> Image.Image:
    """The image with its header read, and nothing decoded. Raises `ImageRejected`."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageRejected(NO_IMAGE, code="image_rejected") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageRejected(
            "This image has too many pixels. Choose a smaller one.", code="image_rejected"
        ) from None
    except DAMAGED:
        raise ImageRejected(IS_DAMAGED, code="image_rejected") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ImageRejected(TOO_MANY_PIXELS, code="image_rejected", width=width, height=height)
    return image


def _pixels(image: Image.Image) -> Image.Image:
    """The decoded pixels as RGB, or as RGBA where some are transparent, upright and not too large."""
    image.draft(
        "RGB", (MOST_SIDE, MOST_SIDE)
    )  # a JPEG is decoded at a half, a quarter or an eighth if that suffices
    image.load()
    coloured = _coloured(_upright(image))
    coloured.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.LANCZOS)
    return coloured


def _upright(image: Image.Image) -> Image.Image:
    """The image turned as its EXIF data say; as it is where they cannot be read."""
    try:
        return ImageOps.exif_transpose(image)
    except DAMAGED:
        return image


def _coloured(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits a pixel: `convert` would clip them
        return image.convert("I").point([value >> 8 for value in range(65536)], "L").convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    return clear if clear.getchannel("A").getextrema() != (255, 255) else clear.convert("RGB")


def _encoded(image: Image.Image) -> Picture:
    """PNG where it is small or has transparent pixels and fits; else JPEG, on white."""
    plain = Image.new(image.mode, image.size)
    plain.paste(image)  # the pixels alone, without `info`
    png = _saved(plain, "PNG", optimize=False)
    if len(png) <= LARGEST_PNG:
        return Picture(png, "image/png", *image.size)
    if plain.mode == "RGBA":
        white = Image.new("RGB", plain.size, "white")
        white.paste(plain, mask=plain.getchannel("A"))
        plain = white
    return Picture(_saved(plain, "JPEG", quality=QUALITY), "image/jpeg", *image.size)


def _saved(image: Image.Image, name: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, name, **options)
    return file.getvalue()
