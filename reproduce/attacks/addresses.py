"""Addresses that no page links to: every route with parameters that are too long, no text or no number."""

from __future__ import annotations

import random
from urllib.parse import quote

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.target import Target

PATHS = (
    "/leaderboard", "/leaderboard/moved", "/leaderboard/moved.json", "/leaderboard/fragility", "/battles", "/battles/x",
    "/models/canary-alpha", "/models/canary-alpha/strengths.json", "/plots/intervals.json", "/plots/over_time.csv",
    "/benchmarks", "/benchmarks/0", "/explain/x", "/api/v1/leaderboard", "/api/v1/votes", "/api/v1/battles",
    "/api/v1/moved", "/api/v1/badge.svg", "/api/v1/table.html", "/api/v1/seals",
)  # fmt: skip
NAMES = (
    "source", "category", "method", "style", "q", "sort", "columns", "beside", "at", "one", "model", "winner", "page",
    "start", "from", "to", "after", "limit", "format", "top",
)  # fmt: skip
VALUES = (
    "judge:", "both", "a" * 60_000, "a+" * 400, "1" * 5_000, "%00", "%ED%A0%80", "%FF", "%C2%B2", "-1", "1e6", "9" * 23,
    "NaN", "inf", "0001-01-01", "9999-12-31", "%25_%5C", "'\"<>;--", "",
)  # fmt: skip
TRIES = 600


def odd_parameters(target: Target) -> Outcome:
    """Random routes with random bad parameters; a reply of 500 and above got through."""
    draw, tries = random.Random(14), []
    with target.visitor() as http:
        for _ in range(TRIES):
            words = "&".join(f"{draw.choice(NAMES)}={draw.choice(VALUES)}" for _ in range(draw.randint(1, 3)))
            address = f"{draw.choice(PATHS)}?{quote(words, safe='=&%+')}"
            if len(address) > 65_000:  # longer ones the client refuses
                continue
            try:
                status = http.get(address).status_code
            except httpx.HTTPError as error:
                status, address = 599, f"{error!r} {address}"
            tries.append(f"{status} {address}" if status >= 500 else None)
    return outcome("odd parameters of addresses", tries)
