"""The pages that every page leads to."""

from __future__ import annotations

PAGES = [("Battle", "/"), ("Leaderboard", "/leaderboard"), ("Battles", "/battles")]
