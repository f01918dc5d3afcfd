"""Fonts of preview images: those of the machine, by the characters that they have, else the one inside Pillow."""

from __future__ import annotations

from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageFont

# Regular and bold faces of Latin and CJK fonts, in the order in which they are tried.
FACES = {
    False: (
        "NotoSans-Regular.ttf", "DejaVuSans.ttf", "Arial.ttf", "Helvetica.ttc", "segoeui.ttf", "NotoSansCJK-Regular.ttc",
        "NotoSansSC-Regular.otf", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf", "PingFang.ttc", "msyh.ttc",
    ),
    True: (
        "NotoSans-Bold.ttf", "DejaVuSans-Bold.ttf", "Arial Bold.ttf", "Helvetica.ttc", "segoeuib.ttf",
        "NotoSansCJK-Bold.ttc", "NotoSansSC-Bold.otf", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf", "PingFang.ttc",
        "msyhbd.ttc",
    ),
}  # fmt: skip
FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "/System/Library/Fonts", "/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
MISSING = "\U0010fffd"  # private use: the glyph that a font shows for characters that it has not

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


def runs(text: str, size: int, bold: bool = False) -> list[tuple[str, Font]]:
    """The text in pieces, each with the first font that has its characters; others are left out."""
    chosen = ((character, _font_of(character, size, bold)) for character in text)
    pieces = groupby(((c, font) for c, font in chosen if font is not None), key=lambda pair: pair[1])
    return [("".join(c for c, _ in part), font) for font, part in pieces]


@lru_cache(maxsize=16)
def fonts(size: int, bold: bool) -> tuple[Font, ...]:
    """The fonts of this machine in order, and Pillow's own at the end. A file that is no font is skipped."""
    loaded: list[Font] = []
    for name in FACES[bold]:
        path = _files().get(name)
        if path is not None:
            try:
                loaded.append(ImageFont.truetype(str(path), size))
            except OSError:
                continue
    return (*loaded, ImageFont.load_default(size))


@lru_cache(maxsize=20_000)
def _font_of(character: str, size: int, bold: bool) -> Font | None:
    available = fonts(size, bold)
    if character.isspace():
        return available[0]
    return next((font for font in available if _has(font, character)), None)


def _has(font: Font, character: str) -> bool:
    """Whether a font has a glyph of its own for the character."""
    mask, missing = font.getmask(character), _missing(font)
    return (mask.size, bytes(mask)) != missing


@lru_cache(maxsize=256)
def _missing(font: Font) -> tuple[tuple[int, int], bytes]:
    mask = font.getmask(MISSING)
    return mask.size, bytes(mask)


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """The wanted font files of this machine by name."""
    wanted = {name for names in FACES.values() for name in names}
    found: dict[str, Path] = {}
    for folder in map(Path, FOLDERS):
        for path in folder.rglob("*.[to]t[fc]") if folder.is_dir() else ():
            if path.name in wanted:
                found.setdefault(path.name, path)
    return found
