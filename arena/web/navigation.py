"""The pages that every page leads to."""

from __future__ import annotations

PAGES = (("Battle", "/"), ("Leaderboard", "/leaderboard"), ("Battles", "/battles"), ("Benchmarks", "/benchmarks"))


def links(here: str) -> str:
    """The way to all pages, for one that no template makes."""
    marked = {here: ' aria-current="page"'}
    anchors = "".join(f'<a href="{path}"{marked.get(path, "")}>{name}</a>' for name, path in PAGES)
    return f'<nav class="pages" aria-label="Pages">{anchors}</nav>'
