"""The pages that each page links to: in its header, and in its footer."""

from __future__ import annotations

from arena.rules.messages import gettext_noop

PAGES = (
    (gettext_noop("Battle"), "/"),
    (gettext_noop("Leaderboard"), "/leaderboard"),
    (gettext_noop("Battles"), "/battles"),
    (gettext_noop("Benchmarks"), "/benchmarks"),
    (gettext_noop("Me"), "/me"),
)
FOOTER_PAGES = (
    (gettext_noop("How it works"), "/how-it-works"),
    (gettext_noop("Trust"), "/trust"),
    (gettext_noop("Privacy"), "/privacy"),
    (gettext_noop("Terms"), "/terms"),
    (gettext_noop("API"), "/api/v1"),
)
