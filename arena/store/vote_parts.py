"""Votes held and released in parts, a transaction each, so that voters vote meanwhile and a cut act can be run again.

Every part leaves the boards right. Votes that changed their state already are skipped by `hold` and `release`: the same act
run again does the rest.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from sqlmodel import Session

from arena.store.database import Database
from arena.store.set_aside import counted_by_source

PART = 2_000  # votes of one transaction: other writers wait for less than a second
LONGEST_PAUSE = 0.5  # seconds between parts, in which those who wait for the database write

Change = Callable[
    [Session, Sequence[int]], int
]  # changes votes by their ids; returns how many changed their state
Seen = Callable[[int, int], None]  # (votes that are done, all votes)


@dataclass(frozen=True)
class Changed:
    """How many votes changed their state, and the votes that count by source and category, before and after."""

    votes: int
    before: Mapping[tuple[str, str], int]
    after: Mapping[tuple[str, str], int]


def in_parts(database: Database, vote_ids: Sequence[int], change: Change, seen: Seen | None = None) -> int:
    """Change votes in parts of `PART`; returns how many changed their state.

    Between two parts others write for as long as a part took. An exception leaves the parts before it done.
    """
    changed = 0
    for start, end in _ends(vote_ids):
        began = time.perf_counter()
        with database.write() as session:
            changed += change(session, vote_ids[start:end])
        if seen is not None:
            seen(end, len(vote_ids))
        if end < len(vote_ids):
            time.sleep(min(LONGEST_PAUSE, time.perf_counter() - began))
    return changed


def changed_in_parts(
    database: Database, vote_ids: Sequence[int], change: Change, seen: Seen | None = None, *, dry_run: bool = False
) -> Changed:
    """As `in_parts`, with what counts before and after; a dry run takes every part back."""
    with database.read() as session:
        before = counted_by_source(session)
    if not dry_run:
        votes = in_parts(database, vote_ids, change, seen)
        with database.read() as session:
            return Changed(votes, before, counted_by_source(session))
    after = dict(before)

    def tried(session: Session, part: Sequence[int]) -> int:
        attempt, counted = session.begin_nested(), counted_by_source(session)
        votes, then = change(session, part), counted_by_source(session)
        attempt.rollback()
        for key in counted.keys() | then.keys():
            after[key] = after.get(key, 0) + then.get(key, 0) - counted.get(key, 0)
        return votes

    return Changed(in_parts(database, vote_ids, tried, seen), before, after)


def _ends(vote_ids: Sequence[int]) -> Sequence[tuple[int, int]]:
    """Where each part begins and ends."""
    return list(pairwise([*range(0, len(vote_ids), PART), len(vote_ids)]))
