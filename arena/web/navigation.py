"""The pages that each page links to: in its header, and in its footer."""

from __future__ import annotations

from arena.messages import gettext_noop

PAGES = (
    (gettext_noop("Battle"), "/"),
    (gettext_noop("Leaderboard"), "/leaderboard"),
    (gettext_noop("Battles"), "/battles"),
    (gettext_noop("Benchmarks"), "/benchmarks"),
)
FOOTER_PAGES = (
    (gettext_noop("How it works"), "/how-it-works"),
    (gettext_noop("Privacy"), "/privacy"),
    (gettext_noop("Terms"), "/terms"),
    (gettext_noop("API"), "/api/v1"),
)


def links(here: str) -> str:
    """The navigation bar as HTML, for the battle page, which no template renders."""
    marked = {here: ' aria-current="page"'}
    anchors = "".join(f'<a href="{path}"{marked.get(path, "")}>{name}</a>' for name, path in PAGES)
    return f'<nav class="pages" aria-label="Pages">{anchors}</nav>'
