"""The design tokens: contrast in light and dark, and one dark theme."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = (files("arena.web") / "static" / "tokens.css").read_text(encoding="utf-8")
TEXT, CONTROL = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
SURFACES = ("page", "surface", "sunken", "raised", "code-page")
INKS = ("text", "subdued", "accent", "link", "side-a", "side-b", "success", "warning", "danger")
SOFT = ("accent-soft", "side-a-soft", "side-b-soft", "success-soft", "warning-soft", "danger-soft")
SOLID = (
    ("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-side-a", "side-a"), ("on-side-b", "side-b"),
    ("text", "mark"), ("page", "text"),
)  # fmt: skip


def _blocks() -> tuple[str, str, str]:
    """The declarations of the light theme, of the dark one that the system asks for, and of the chosen dark one."""
    light = CSS[CSS.index(":root {") : CSS.index("@media (prefers-color-scheme")]
    system = CSS[CSS.index(':root:not([data-theme="light"]) {') : CSS.index(':root[data-theme="dark"] {')]
    chosen = CSS[CSS.index(':root[data-theme="dark"] {') : CSS.index(":lang(ja)")]
    return light, system, chosen


def _values(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block))


def _luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_both_dark_themes_are_the_same() -> None:
    _, system, chosen = _blocks()
    assert _values(system) == _values(chosen)


def test_the_dark_theme_has_every_colour_of_the_light_one() -> None:
    light, _, dark = map(_values, _blocks())
    colours = {name for name, value in light.items() if value.startswith("#")}
    assert colours == {name for name, value in dark.items() if value.startswith("#")}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_and_controls_have_the_contrast_of_wcag_aa(theme: int) -> None:
    values = _values(_blocks()[theme])
    pairs = [
        *((ink, surface, TEXT) for ink in INKS for surface in SURFACES),
        *((ink, soft, TEXT) for ink in ("text", "subdued", "link") for soft in SOFT),
        *((soft.removesuffix("-soft"), soft, TEXT) for soft in SOFT),
        *((ink, surface, TEXT) for ink, surface in SOLID),
        *(("line-strong", surface, CONTROL) for surface in SURFACES),
    ]
    low = [(ink, on) for ink, on, least in pairs if contrast(values[ink], values[on]) < least]
    assert low == []


def test_no_surface_of_the_dark_theme_is_black() -> None:
    dark = _values(_blocks()[1])
    assert all(_luminance(dark[name]) > 0.005 for name in SURFACES)


@pytest.mark.parametrize("name", ["components.css", "reading.css", "conversation.css"])
def test_no_other_style_names_a_colour(name: str) -> None:
    style = re.sub(
        r"/\*.*?\*/", "", (files("arena.web") / "static" / name).read_text(encoding="utf-8"), flags=re.S
    )
    assert re.findall(r"#[0-9a-f]{3,8}\b|rgba?\(", style) == []
