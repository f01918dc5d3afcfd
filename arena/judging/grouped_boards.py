"""Boards of a judge's results by criterion of its rubric, by category and by subset of the prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from arena.judging.results import SCORES, Judged, rating_rows, score_rows, win_rate_rows
from judges import Score
from judges.pairwise import winner_of

TOTAL = "total"  # stands among the criteria for their weighted total
CRITERION, CATEGORY, SUBSET = GROUPS = ("criterion", "category", "subset")


def criterion_names(judged: Sequence[Judged]) -> list[str]:
    """The criteria of the results, in the order of the rubric."""
    return list(dict.fromkeys(row.name for given in judged for row in given.result.criteria))


def grouped_rows(judged: Sequence[Judged], baseline: str | None, by: Sequence[str]) -> list[dict[str, Any]]:
    """The rows of one board a group, with the group's values in columns of their own; `by` are some of GROUPS.

    Intervals are clustered by prompt, as on the board of all results. The total stands last among the criteria.
    """
    criteria = [*criterion_names(judged), TOTAL] if CRITERION in by else [TOTAL]
    columns = [name for name in by if name != CRITERION]
    values = [sorted({getattr(row, name) for row in judged}) for name in columns]
    rows = []
    for criterion, *group in product(criteria, *values):
        named = dict(zip(columns, group, strict=True))
        members = [row for row in judged if all(getattr(row, name) == value for name, value in named.items())]
        head = ({CRITERION: criterion} if CRITERION in by else {}) | named
        rows += [{**head, **row} for row in _board(members, criterion, baseline)]
    return rows


def rows_by_judge(judged: Sequence[Judged], baseline: str | None) -> dict[str, list[dict[str, Any]]]:
    """The rows of the board of each judge of a panel, over the cases that it has a verdict on."""
    names = dict.fromkeys(row.name for given in judged for row in given.result.judges)
    alone = [
        row._replace(
            result=replace(
                row.result, criteria=tuple(of._replace(name=f"by {of.name}") for of in row.result.judges)
            )
        )
        for row in judged
    ]
    return {name: _board(alone, f"by {name}", baseline) for name in names}


def _board(judged: Sequence[Judged], criterion: str, baseline: str | None) -> list[dict[str, Any]]:
    scored = [row for row in judged if criterion == TOTAL or _has(row, criterion)]
    if not scored:
        return []
    if isinstance(scored[0].result, Score):
        return score_rows(list(_scored(scored, criterion)), _scale(scored[0], criterion))
    compared = list(_compared(scored, criterion))
    return rating_rows(compared) if baseline is None else win_rate_rows(compared, baseline, length_control=False)


def _has(row: Judged, criterion: str) -> bool:
    return any(given.name == criterion for given in row.result.criteria)


def _value(row: Judged, criterion: str) -> float:
    return next(float(given.value) for given in row.result.criteria if given.name == criterion)


def _scale(row: Judged, criterion: str) -> tuple[float, float]:
    """The ends of the scale of a criterion, or of the total."""
    return next(((g.low, g.high) for g in row.result.criteria if g.name == criterion), SCORES)


def _scored(judged: Iterable[Judged], criterion: str) -> Iterator[Judged]:
    for row in judged:
        if criterion == TOTAL:
            yield row
        else:
            yield row._replace(result=replace(row.result, score=_value(row, criterion)))


def _compared(judged: Iterable[Judged], criterion: str) -> Iterator[Judged]:
    for row in judged:
        if criterion == TOTAL:
            yield row
        else:
            value = _value(row, criterion)
            yield row._replace(result=replace(row.result, preference=value, winner=winner_of(value)))
