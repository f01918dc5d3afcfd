"""The votes of a plan put straight into a store, as an import does: for many seeds, where HTTP takes too long."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store.imports import NewVote, add_votes
from reproduce.riggers.in_columns import Votes
from reproduce.riggers.population import NAMES, WINNERS

START = datetime(2026, 3, 1, tzinfo=UTC)
AT_ONCE = 2_000


def put(database: Database, votes: Votes, start: int = 0) -> None:
    """Add the votes in order of time, numbered from `start`."""
    rows = list(_new_votes(votes, start))
    for at in range(0, len(rows), AT_ONCE):
        with database.write() as session:
            add_votes(session, rows[at : at + AT_ONCE])


def account_name(kind: str, number: int) -> str:
    """The voter of an account."""
    return f"{kind} {number:04}"


def _new_votes(votes: Votes, start: int) -> Iterator[NewVote]:
    for n in range(len(votes)):
        yield NewVote(
            public_id=f"rigging-{start + n}",
            model_a=NAMES[votes.a[n]],
            model_b=NAMES[votes.b[n]],
            winner=WINNERS[votes.winner[n]],
            source=HUMAN,
            voter=account_name(str(votes.kind[n]), int(votes.voter[n])),
            created_at=START + timedelta(seconds=float(votes.time[n])),
            suggested=bool(votes.suggested[n]),
            turns=((str(votes.prompt[n]), "", ""),),
        )
