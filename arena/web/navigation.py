"""The pages that each page links to: in its header, and in its footer."""

from __future__ import annotations

PAGES = (("Battle", "/"), ("Leaderboard", "/leaderboard"), ("Battles", "/battles"), ("Benchmarks", "/benchmarks"))
FOOTER_PAGES: tuple[tuple[str, str], ...] = ()


def links(here: str) -> str:
    """The navigation bar as HTML, for the battle page, which no template renders."""
    marked = {here: ' aria-current="page"'}
    anchors = "".join(f'<a href="{path}"{marked.get(path, "")}>{name}</a>' for name, path in PAGES)
    return f'<nav class="pages" aria-label="Pages">{anchors}</nav>'
