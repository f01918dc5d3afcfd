"""`/battles/ID/preview.png`: the picture that chats and networks show beside a link to a shared battle."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from PIL import Image, ImageDraw

from arena.web.preview_fonts import Font, runs

SIZE = (1200, 630)  # of link previews everywhere
MARGIN, BAR = 72, 12
PAGE, TEXT, SUBDUED, ACCENT = "#fafaf8", "#17201f", "#53605d", "#0c6661"  # tokens.css, light
SIDES = ("#1f5fbf", "#a84b00")
PROMPT_LINES, PROMPT_CHARACTERS, NAME_CHARACTERS = 4, 400, 60
KEPT = 128  # pictures in memory, about 30 kB each
DRAWN_AT_ONCE = 2  # a picture takes a tenth of a second of a core


@dataclass(frozen=True)
class Preview:
    """The words of a picture. `winner` is 0 or 1 for the winning name, None otherwise."""

    site: str
    prompt: str
    names: tuple[str, str]
    outcome: str
    winner: int | None = None


class PreviewCache:
    """Pictures by key, the last used stay; a few are drawn at once."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._guard = threading.Lock()
        self._drawing = threading.BoundedSemaphore(DRAWN_AT_ONCE)

    def get(self, preview: Preview) -> bytes:
        """The PNG of a preview."""
        with self._guard:
            if preview in self._kept:
                self._kept.move_to_end(preview)
                return self._kept[preview]
        with self._drawing:
            png = drawn(preview)
        with self._guard:
            self._kept[preview] = png
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return png


def drawn(preview: Preview) -> bytes:
    """The picture as PNG."""
    image = Image.new("RGB", SIZE, PAGE)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, SIZE[0], BAR), fill=ACCENT)
    write = Pen(draw)
    write(preview.site[:NAME_CHARACTERS], (MARGIN, 56), 34, ACCENT, bold=True)
    prompt = " ".join(preview.prompt.split())
    lines = wrapped(prompt[:PROMPT_CHARACTERS], 46, SIZE[0] - 2 * MARGIN, bold=True)
    for number, line in enumerate(_cut(lines, len(prompt) > PROMPT_CHARACTERS)):
        write(line, (MARGIN, 132 + 62 * number), 46, TEXT, bold=True)
    for side, name in enumerate(preview.names):
        top = 412 + 66 * side
        won = preview.winner == side
        draw.rounded_rectangle((MARGIN, top, MARGIN + 46, top + 46), 8, fill=SIDES[side])
        write("AB"[side], (MARGIN + 13, top + 5), 32, "#ffffff", bold=True)
        shown = _fitted(name, 36, 720, bold=won)
        end = write(
            shown, (MARGIN + 68, top + 3), 36, TEXT if won or preview.winner is None else SUBDUED, bold=won
        )
        if won:
            _check(draw, end + 24, top + 24)
    write(_fitted(preview.outcome, 32, SIZE[0] - 2 * MARGIN), (MARGIN, 556), 32, SUBDUED)
    file = io.BytesIO()
    image.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


@dataclass(frozen=True)
class Pen:
    """Writes text of any script at a place; returns where it ends."""

    draw: ImageDraw.ImageDraw

    def __call__(self, text: str, place: tuple[float, float], size: int, colour: str, bold: bool = False) -> float:
        x, y = place
        for piece, font in runs(text, size, bold):
            self.draw.text((x, y + size), piece, colour, font, anchor="ls" if _is_outline(font) else None)
            x += font.getlength(piece)
        return x


def width(text: str, size: int, bold: bool = False) -> float:
    """The width of a text in pixels."""
    return sum(font.getlength(piece) for piece, font in runs(text, size, bold))


def wrapped(text: str, size: int, room: int, bold: bool = False) -> list[str]:
    """The lines of a text; a word that is wider than a line, and Chinese or Japanese, break anywhere."""
    lines, line = [], ""
    for part in _parts(text):
        if line and width(line + part, size, bold) > room:
            lines.append(line.rstrip())
            line = ""
        for character in part if width(part, size, bold) > room else (part,):
            if line and width(line + character, size, bold) > room:
                lines.append(line)
                line = ""
            line += character
    return [*lines, line.rstrip()] if line.strip() else lines


def _parts(text: str) -> list[str]:
    """Words with the space that follows, and single characters of scripts without spaces."""
    parts = [""]
    for character in text:
        if character >= "\u2e80":
            parts += [character, ""]
        elif character == " ":
            parts[-1] += character
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]


def _cut(lines: list[str], is_longer: bool) -> list[str]:
    shown = lines[:PROMPT_LINES]
    if shown and (is_longer or len(lines) > PROMPT_LINES):
        shown[-1] = shown[-1].rstrip(" .,…") + " …"
    return shown


def _fitted(text: str, size: int, room: int, bold: bool = False) -> str:
    """The text, cut where it would not fit."""
    if width(text, size, bold) <= room:
        return text
    while text and width(f"{text}…", size, bold) > room:
        text = text[:-1]
    return f"{text}…"


def _check(draw: ImageDraw.ImageDraw, x: float, y: float) -> None:
    """The mark of the winner, drawn: few fonts have one."""
    draw.line(((x, y), (x + 10, y + 11), (x + 28, y - 14)), fill=ACCENT, width=7, joint="curve")


def _is_outline(font: Font) -> bool:
    return hasattr(font, "font_variant")
