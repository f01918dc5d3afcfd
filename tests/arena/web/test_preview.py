"""Preview images of shared battles: their size, their words in any script, and who may load them."""

from __future__ import annotations

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from arena.config import Settings, WebSettings
from arena.web import preview_fonts
from arena.web.app import create_app
from arena.web.preview import PROMPT_LINES, SIZE, Preview, PreviewCache, drawn, wrapped
from tests.support.arenas import ready
from tests.support.own_votes import own_battle

PLAIN = Preview("Arena", "Why is the sky blue?", ("amber", "birch"), "A voter chose amber", 0)


def ink(png: bytes, box: tuple[int, int, int, int]) -> int:
    """The pixels in a part of the picture that are not the page's colour."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    part = picture.crop(box)
    background = picture.getpixel((5, 300))
    return sum(count for count, colour in part.getcolors(part.width * part.height) if colour != background)


@pytest.mark.parametrize(
    "prompt",
    ["", "Hi", "word " * 2000, "天空为什么是蓝色的？" * 60, "لماذا السماء زرقاء؟", "🙂\u0000\n" * 30, "x" * 5000],
)
def test_a_picture_has_the_size_of_previews_and_a_few_kilobytes(prompt):
    png = drawn(Preview("Arena", prompt, ("amber" * 40, "birch"), "A tie"))
    assert Image.open(io.BytesIO(png)).size == SIZE
    assert len(png) < 150_000


def test_no_line_is_wider_than_the_picture():
    for text in ("word " * 300, "天空为什么是蓝色的" * 40, "x" * 900):
        lines = wrapped(text.strip(), 46, 1000)
        assert len(lines) > PROMPT_LINES
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_the_winner_has_a_mark_that_a_tie_has_not():
    beside, tie = (250, 400, 420, 470), Preview("Arena", PLAIN.prompt, PLAIN.names, PLAIN.outcome)
    assert ink(drawn(PLAIN), beside) > ink(drawn(tie), beside)


def test_without_any_font_of_the_machine_pillows_own_is_used(monkeypatch):
    monkeypatch.setattr(preview_fonts, "_files", dict)
    for cached in (preview_fonts.fonts, preview_fonts._font_of):
        cached.cache_clear()
    try:
        assert ink(drawn(PLAIN), (72, 130, 700, 200)) > 500
        assert Image.open(io.BytesIO(drawn(Preview("竞技场", "天空", ("a", "b"), "平局")))).size == SIZE
    finally:
        for cached in (preview_fonts.fonts, preview_fonts._font_of):
            cached.cache_clear()


def test_a_picture_is_drawn_once():
    pictures = PreviewCache()
    assert pictures.get(PLAIN) is pictures.get(PLAIN)


def test_only_what_readers_may_read_has_a_preview_at_an_absolute_address(sqlite):
    voter = "a" * 32
    shared = own_battle(
        sqlite, voter, ("amber", "birch"), "model_b", prompt="Mail me at jo@example.org", shared=True
    )
    private = own_battle(sqlite, voter, ("amber", "birch"), "model_b")
    blind = own_battle(sqlite, voter, ("amber", "birch"))
    settings = Settings(web=WebSettings(public_url="https://arena.example.org"))
    with TestClient(create_app(settings, sqlite, ready())) as client:
        page = client.get(f"/battles/{shared}").text
        picture = client.get(f"/battles/{shared}/preview.png")
        again = client.get(f"/battles/{shared}/preview.png", headers={"if-none-match": picture.headers["etag"]})
        others = [client.get(f"/battles/{name}/preview.png").status_code for name in (private, blind, "nosuch")]
    assert f'"og:image" content="https://arena.example.org/battles/{shared}/preview.png"' in page
    assert 'content="amber against birch"' in page
    head = page.split("</head>")[0]
    assert "A voter chose birch" in head
    assert "jo@example.org" not in head
    assert picture.headers["content-type"] == "image/png"
    assert again.status_code == 304
    assert others == [404, 404, 404]
