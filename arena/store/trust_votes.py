"""The newest votes of people as columns, for the checks of voters: held ones too, those of control battles not."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from arena.rules.vote_states import VoteState
from arena.rules.votes import HUMAN, NO_VOTER, WINNERS
from arena.store.models import model_ids
from arena.store.query_filters import is_control
from arena.store.schema.battles import Battle, Turn, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import VoteStateChange, VoteStateEvent
from arena.store.usage import voter_subject

MOST = 200_000  # newest votes: what a check reads is bounded, however long the arena has run
BEGINNING = 400  # characters of a prompt that tell it from others
ROWS = 10_000  # at a time
OUTCOMES = {winner: number for number, winner in enumerate(WINNERS)}

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class TrustVotes:
    """One entry per vote, in the order in which they were given.

    Models and voters are numbers into `models` and `voters`, the winner is one into `WINNERS`. `prompt` is a number for
    each first prompt of a voter's own, 0 for a suggested one; `address` one for each address of the last day, 0 where
    it is not known any more. `released`: the vote was held once and released.
    """

    vote: Numbers
    model_a: Numbers
    model_b: Numbers
    winner: Numbers
    voter: Numbers
    seconds: NDArray[np.float64]
    prompt: Numbers
    address: Numbers
    released: NDArray[np.bool_]
    models: tuple[str, ...]
    voters: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.vote)


def trust_votes(session: Session, most: int = MOST) -> TrustVotes:
    """The newest votes of people whose voter is known."""
    query: Any = (
        select(
            col(Vote.id), col(Battle.model_a_id), col(Battle.model_b_id), col(Vote.winner), col(Vote.voter),
            col(Vote.created_at), col(Battle.suggested), func.substr(col(Turn.prompt), 1, BEGINNING),
        )
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .outerjoin(Turn, (col(Turn.battle_id) == col(Battle.id)) & (col(Turn.number) == 1))
        .where(col(Vote.source) == HUMAN, col(Vote.voter).not_in(NO_VOTER), ~is_control(Vote.battle_id))
        .order_by(col(Vote.id).desc())
        .limit(most)
    )  # fmt: skip
    names = model_ids(session)
    places = {number: place for place, number in enumerate(names)}
    voters: dict[str, int] = {}
    columns = np.empty((6, most), np.int64)
    seconds = np.empty(most)
    count = 0
    for number, a, b, winner, voter, at, suggested, prompt in session.execute(
        query, execution_options={"yield_per": ROWS}
    ):
        label = 0 if suggested or not prompt else prompt_label(prompt)
        who = voters.setdefault(voter, len(voters))
        columns[:, count] = number, places[a], places[b], OUTCOMES[winner], who, label
        seconds[count] = at.timestamp()
        count += 1
    vote, a, b, winner, voter, label = columns[:, :count][:, ::-1]
    by_voter = _addresses(session)
    addresses = np.array([by_voter.get(name, 0) for name in voters], np.int64)
    return TrustVotes(
        vote=vote,
        model_a=a,
        model_b=b,
        winner=winner,
        voter=voter,
        seconds=seconds[:count][::-1],
        prompt=label,
        address=addresses[voter] if count else vote,
        released=np.isin(vote, _released(session, int(vote[0]) if count else 0)),
        models=tuple(names.values()),
        voters=tuple(voters),
    )


def prompt_label(prompt: str) -> int:
    """A number for a prompt apart from letter case and spaces, never 0."""
    folded = " ".join(prompt[:BEGINNING].split()).casefold()
    return int.from_bytes(hashlib.blake2b(folded.encode(errors="replace"), digest_size=7).digest()) + 1


def votes_version(session: Session) -> tuple[int, int]:
    """Two numbers of which one changes with a new vote and with a release: then a check is worth its time."""
    newest = session.execute(select(func.max(col(Vote.id)))).scalar_one() or 0
    released = select(func.count()).where(col(VoteStateEvent.state) == VoteState.RELEASED)
    return int(newest), int(session.execute(released).scalar_one())


def _released(session: Session, since: int) -> list[int]:
    query = (
        select(col(VoteStateChange.vote_id))
        .join(VoteStateEvent, col(VoteStateEvent.id) == col(VoteStateChange.event_id))
        .where(col(VoteStateEvent.state) == VoteState.RELEASED, col(VoteStateChange.vote_id) >= since)
    )
    return [int(number) for number in session.execute(query).scalars()]


def _addresses(session: Session) -> dict[str, int]:
    """A number for the address of each voter who voted within a day: limits count both at one time."""
    other = aliased(UsageEvent)
    query = (
        select(col(UsageEvent.subject), col(other.subject), col(UsageEvent.created_at))
        .join(other, col(other.created_at) == col(UsageEvent.created_at))
        .where(
            col(UsageEvent.action) == "vote",
            col(UsageEvent.subject).startswith(voter_subject("")),
            col(other.action) == "vote",
            col(other.subject).startswith("address "),
        )
    )
    return _single((voter, address, at) for voter, address, at in session.execute(query))


def _single(rows: Iterable[tuple[str, str, datetime]]) -> dict[str, int]:
    """The number of the last address of each voter; times that several voters share tell nothing."""
    at: dict[datetime, list[tuple[str, str]]] = {}
    for voter, address, time in rows:
        at.setdefault(time, []).append((voter.removeprefix(voter_subject("")), address))
    numbers: dict[str, int] = {}
    found = {}
    for time in sorted(at):
        if len(at[time]) == 1:
            ((voter, address),) = at[time]
            found[voter] = numbers.setdefault(address, len(numbers) + 1)
    return found
