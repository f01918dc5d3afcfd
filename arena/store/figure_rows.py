"""The rows behind the single figures for operators (`operator_figures`), newest first, a page at a time.

Each list has the conditions of its figure, so that without more filters it has as many rows as the figure says.
`total` counts the rows of every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, case
from sqlmodel import Session, col, func, select

from arena.rules.limits import ACCOUNT, OWN_CHANGE, Action, account_subject
from arena.rules.vote_states import VoteState
from arena.store.ledger import last_seal
from arena.store.schema.accounts import Account
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.ledger import SealRow
from arena.store.schema.usage import UsageDay, UsageEvent
from arena.store.schema.vote_states import VoteHold

PAGE = 100


@dataclass(frozen=True)
class HeldVoter:
    """A voter, judge or import with held votes; `newest` is the largest number of such a vote."""

    voter: str
    pending: int
    quarantined: int
    newest: int


@dataclass(frozen=True)
class SignIn:
    """An attempt to sign in; `account` is None for a name that no account has."""

    id: int
    at: datetime
    account: str | None


@dataclass(frozen=True)
class UnsealedVote:
    """A vote after the last seal; `state` is whether it counts now."""

    id: int
    battle: str
    at: datetime
    source: str
    voter: str
    winner: str
    state: str


def unsealed_votes(session: Session) -> ColumnElement[bool]:
    """The condition of votes after the last seal."""
    seal = last_seal(session)
    return col(Vote.id) > (seal.last_vote if seal else 0)


def attempts(since: datetime) -> tuple[ColumnElement[bool], ...]:
    """The conditions of attempts to sign in from a moment on, right ones included. They are kept for a day."""
    return (
        col(UsageEvent.action) == Action.LOGIN,
        col(UsageEvent.created_at) >= since,
        col(UsageEvent.subject).startswith(ACCOUNT),
    )


def held_voters(
    session: Session, state: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[int, list[HeldVoter]]:
    """The total, and the voters with held votes, in a state if one is given; `before` is the last row's `newest`."""
    newest = func.max(Vote.id)

    def of(one: VoteState) -> Any:
        return func.sum(case((col(VoteHold.state) == one, 1), else_=0))

    grouped: Any = (
        select(Vote.voter, of(VoteState.PENDING), of(VoteState.QUARANTINED), newest.label("newest"))
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        .group_by(col(Vote.voter))
    )
    if state:
        grouped = grouped.where(col(VoteHold.state) == state)
    total = session.execute(select(func.count()).select_from(grouped.subquery())).scalar_one()
    page = grouped if before is None else grouped.having(newest < before)
    rows = session.execute(page.order_by(newest.desc()).limit(limit))
    return total, [HeldVoter(voter, int(p), int(q), number) for voter, p, q, number in rows]


def sign_ins(
    session: Session, since: datetime, account: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[int, list[SignIn]]:
    """The total, and the attempts to sign in since a moment, with `account` on one name, known or not.

    The store has hashes of the names; those of accounts are recognised by them.
    """
    names = {subject: name for name in session.exec(select(Account.name)) for subject in _subjects(name)}
    where = [*attempts(since)]
    if account:
        where.append(col(UsageEvent.subject).in_(_subjects(account)))
    total = session.exec(select(func.count()).select_from(UsageEvent).where(*where)).one()
    if before is not None:
        where.append(col(UsageEvent.id) < before)
    query = select(UsageEvent).where(*where).order_by(col(UsageEvent.id).desc()).limit(limit)
    return total, [SignIn(row.id or 0, row.created_at, names.get(row.subject)) for row in session.exec(query)]


def _subjects(name: str) -> list[str]:
    """Under which an account's attempts are counted. Those of a browser that has signed in before have one of their own."""
    return [account_subject(name), account_subject(f"{name} {OWN_CHANGE}")]


def unsealed(
    session: Session, source: str = "", before: int | None = None, limit: int = PAGE
) -> tuple[int, list[UnsealedVote]]:
    """The total, and the votes after the last seal, with `source` of one source."""
    where = [unsealed_votes(session)]
    if source:
        where.append(col(Vote.source) == source)
    total = session.exec(select(func.count()).select_from(Vote).where(*where)).one()
    if before is not None:
        where.append(col(Vote.id) < before)
    query: Any = (
        select(Vote, Battle.public_id, VoteHold.state)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(VoteHold, col(VoteHold.vote_id) == col(Vote.id), isouter=True)
        .where(*where)
        .order_by(col(Vote.id).desc())
        .limit(limit)
    )
    return total, [
        UnsealedVote(
            vote.id, battle, vote.created_at, vote.source, vote.voter, vote.winner, state or VoteState.ACCEPTED
        )
        for vote, battle, state in session.execute(query)
    ]


def unsealed_sources(session: Session) -> list[str]:
    """The sources of the votes after the last seal."""
    return sorted(session.exec(select(Vote.source).where(unsealed_votes(session)).distinct()))


def seal_rows(session: Session, before: int | None = None, limit: int = PAGE) -> tuple[int, Sequence[SealRow]]:
    """The total, and the seals."""
    query = select(SealRow).order_by(col(SealRow.number).desc()).limit(limit)
    if before is not None:
        query = query.where(col(SealRow.number) < before)
    return session.exec(select(func.count()).select_from(SealRow)).one(), session.exec(query).all()


def spending_days(
    session: Session, day: str = "", before: str = "", limit: int = PAGE
) -> tuple[int, Sequence[UsageDay]]:
    """The total, and what the turns of each day have cost; with `day` of that one."""
    where = [col(UsageDay.day) == day] if day else []
    total = session.exec(select(func.count()).select_from(UsageDay).where(*where)).one()
    if before:
        where.append(col(UsageDay.day) < before)
    query = select(UsageDay).where(*where).order_by(col(UsageDay.day).desc()).limit(limit)
    return total, session.exec(query).all()
