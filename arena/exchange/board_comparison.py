"""Differences between a published leaderboard and the one that its votes give, key by key and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

Row = Mapping[str, Any]
Key = tuple[str, str, str]  # source, category, method
Name = TypeVar("Name")
POINTS = 0.001  # ratings are rounded at 0.0001, and machines add up in other orders
PARTS = 1e-5  # of parameters and style coefficients, which are in other units


def differences(published: Row, follows: Row, points: float = POINTS) -> Iterator[str]:
    """What differs, in words: values, missing and further keys, rows twice, missing or in another order.

    Ratings and intervals may differ by `points`.
    """
    for name, text in _keys(published, follows):
        if text:
            yield text
        elif name == "models":
            yield from _row_differences(published[name], follows[name], points)
        elif name == "style":
            yield from _style_differences(published[name], follows[name])
        elif not _same(published[name], follows[name], PARTS):
            yield f"{name} is {published[name]}, and {follows[name]} follows"


def older_differences(published: Row, follows: Row) -> Iterator[str]:
    """What differs in a board that was made before 0.3, of what still has its meaning.

    These are the votes, the models with votes, and their ratings and votes. Ranks, intervals and models without votes
    had other definitions.
    """
    place = {row["model"]: number for number, row in enumerate(follows["models"])}
    boards: list[Row] = []
    for board in (published, follows):
        rows = [
            {name: row[name] for name in ("model", "rating", "battles")}
            for row in board["models"]
            if row["battles"]
        ]
        boards.append(
            {"votes": board["votes"], "models": sorted(rows, key=lambda row: place.get(row["model"], -1))}
        )
    yield from differences(boards[0], boards[1])


def _keys(published: Row, follows: Row) -> Iterator[tuple[str, str]]:
    """Each key with the difference that it makes by being there, or nothing where both have it."""
    for name in dict.fromkeys((*published, *follows)):
        if name not in published:
            yield name, f"{name} is missing"
        else:
            yield name, "" if name in follows else f"{name} is there, and no such key follows"


def _row_differences(published: Sequence[Row], follows: Sequence[Row], points: float) -> Iterator[str]:
    stated = {row["model"]: row for row in published}
    computed = {row["model"]: row for row in follows}
    yield from (f"{model}: is on the board twice" for model in repeated(row["model"] for row in published))
    for model in dict.fromkeys((*stated, *computed)):
        if model not in stated or model not in computed:
            yield f"{model}: is {'not on the board' if model in computed else 'on the board, and has no place there'}"
            continue
        yield from _value_differences(model, stated[model], computed[model], points)
    for before, after in pairwise(model for model in stated if model in computed):
        high, low = computed[before]["rating"], computed[after]["rating"]
        if high is not None and low is not None and high < low - points:
            yield f"{after}: stands after {before}, which has a lower rating"


def _style_differences(published: Row, follows: Row) -> Iterator[str]:
    for name, text in _keys(published, follows):
        if text:
            yield f"style {text}"
            continue
        yield from _value_differences(f"style {name}", published[name], follows[name], PARTS)


def _value_differences(what: str, published: Row, follows: Row, tolerance: float) -> Iterator[str]:
    """The keys and values of one object that differ, in words that begin with `what`."""
    for name, text in _keys(published, follows):
        given, expected = published.get(name), follows.get(name)
        if text:
            yield f"{what}: {text}"
        elif not _same(given, expected, tolerance):
            yield f"{what}: {name} is {given}, and {expected} follows"


def repeated(names: Iterable[Name]) -> list[Name]:
    """The names that occur more than once, in order."""
    seen: dict[Name, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, times in seen.items() if times > 1]


def _same(given: Any, expected: Any, tolerance: float) -> bool:
    """Whether both have the same type and value, numbers within the tolerance."""
    if isinstance(given, bool) or isinstance(expected, bool):
        return given is expected
    if isinstance(given, float) and isinstance(expected, int | float):
        return abs(given - expected) <= (tolerance if isinstance(expected, float) else 0)
    if isinstance(given, dict) and isinstance(expected, dict):
        return list(given) == list(expected) and all(_same(given[k], expected[k], tolerance) for k in given)
    return type(given) is type(expected) and bool(given == expected)


def board_key(board: Row) -> Key:
    """What tells a board from the others of an export."""
    return board["source"], board["category"], board["board"]


def board_name(key: Key) -> str:
    return ", ".join(map(str, key))


def by_key(boards: Iterable[Row]) -> dict[Key, Row]:
    """The boards by key; of several with one key the first."""
    named: dict[Key, Row] = {}
    for board in boards:
        named.setdefault(board_key(board), board)
    return named
