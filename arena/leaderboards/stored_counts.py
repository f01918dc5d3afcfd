"""Pair counts of the store as columns of `ratings`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

import numpy as np

import ratings
from arena.rules.model_states import is_private
from arena.rules.votes import OVERALL
from arena.store import Session
from arena.store.models import model_ids
from arena.store.votes import PairVotes, count_rows


def counts_of(
    session: Session, source: str | None, category: str = OVERALL, without: Collection[str] = ()
) -> ratings.PairCounts:
    """The pair counts of a source (see `of_source`) as columns over all registered models that are not private."""
    ids = {number: name for number, name in model_ids(session).items() if not is_private(name)}
    names = sorted(ids.values())
    flat = chain.from_iterable(count_rows(session, source, category, without))
    rows = np.fromiter(flat, dtype=np.int64).reshape(-1, 6)
    place = np.zeros(max(ids, default=0) + 1, dtype=np.int64)
    order = {name: number for number, name in enumerate(names)}
    for number, name in ids.items():
        place[number] = order[name]
    wins, losses, ties, both_bad = rows[:, 2:].T
    return ratings.PairCounts(tuple(names), place[rows[:, 0]], place[rows[:, 1]], wins, losses, ties, both_bad)


def pair_columns(models: Sequence[str], counted: Iterable[PairVotes]) -> ratings.PairCounts:
    """The pair counts between these models, including those without battles."""
    names = tuple(models)
    code = {name: number for number, name in enumerate(names)}
    between = [c for c in counted if c.model_a in code and c.model_b in code]
    rows = [(code[c.model_a], code[c.model_b], c.wins, c.losses, c.ties, c.both_bad) for c in between]
    a, b, wins, losses, ties, both_bad = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return ratings.PairCounts(
        models=names, model_a=a, model_b=b, wins=wins, losses=losses, ties=ties, both_bad=both_bad
    )
