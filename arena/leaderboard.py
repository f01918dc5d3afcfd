"""The leaderboard: pair counts in, ratings out. It never looks at single votes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlmodel import Session

import ratings
from arena.store.tables import HUMAN, OVERALL, now
from arena.store.votes import JUDGES, Counted, model_names, pair_counts


@dataclass(frozen=True)
class Published:
    """A leaderboard with what it was made from."""

    board: ratings.Leaderboard
    source: str
    category: str
    as_of: datetime

    def to_dict(self) -> dict[str, object]:
        """The JSON of `GET /api/v1/leaderboard` and `arena leaderboard --format json`."""
        return {
            "as_of": self.as_of.isoformat(timespec="seconds"),
            "votes": self.board.battles,
            "source": self.source,
            "category": self.category,
            **self.board.to_dict(),
        }


# what `--source` takes, and the votes each stands for (None: every source)
SOURCES = {"human": HUMAN, "judges": JUDGES, "all": None}


def publish(session: Session, source: str = "human", category: str = OVERALL) -> Published:
    """Rate all registered models on the votes of one source in one category."""
    counted = pair_counts(session, SOURCES.get(source, source), category)
    names = tuple(model_names(session))
    return Published(ratings.leaderboard(pair_columns(names, counted)), source, category, now())


def pair_columns(models: Sequence[str], counted: Iterable[Counted]) -> ratings.PairCounts:
    """The counts between these models, whether or not they have met."""
    names = tuple(models)
    code = {name: number for number, name in enumerate(names)}
    known = [c for c in counted if c.model_a in code and c.model_b in code]
    rows = [(code[c.model_a], code[c.model_b], c.wins, c.losses, c.ties, c.both_bad) for c in known]
    a, b, wins, losses, ties, both_bad = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    return ratings.PairCounts(
        models=names, model_a=a, model_b=b, wins=wins, losses=losses, ties=ties, both_bad=both_bad
    )
