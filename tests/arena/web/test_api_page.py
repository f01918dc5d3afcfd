"""The page about the API."""

from __future__ import annotations

from arena.web.pages.api import grouped, operations


def test_every_operation_is_on_the_page_once() -> None:
    every = list(operations())
    shown = [one.id for _, members in grouped(every) for one in members]
    assert sorted(shown) == sorted(one.id for one in every)
    assert len(set(shown)) == len(shown)
    assert {"/api/v1/leaderboard", "/api/v1/votes", "/api/v1/badge.svg"} <= {one.path for one in every}


def test_an_operation_shows_its_parameters_and_an_example() -> None:
    moved = next(one for one in operations() if one.path == "/api/v1/moved")
    assert ("model", True, "") in moved.parameters
    assert moved.query.startswith("?model=MODEL&from=")
    assert '"change": 12.2' in moved.example
