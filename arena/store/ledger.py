"""Seals in the store, and votes as they are sealed. Every function works in the caller's session."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, text
from sqlmodel import Session, col, func, select

from arena.rules.seals import Seal, SealedVote, pseudonym
from arena.store.schema.battles import Battle, CompletionRow, Model, Turn, Vote
from arena.store.schema.ledger import LedgerKey, SealRow

PAGE = 5_000  # votes read at once, so that memory stays flat however many there are


def hold_votes(session: Session) -> None:
    """Wait until no vote is half written, and let none in until this transaction ends.

    PostgreSQL gives ids before it commits: without this, a vote could appear behind a seal that has passed its
    id by. SQLite's writers come one at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE vote IN SHARE ROW EXCLUSIVE MODE"))


def ledger_key(session: Session) -> bytes:
    """The secret behind the voters' pseudonyms; it never leaves the database."""
    return bytes.fromhex(session.get_one(LedgerKey, 1).key)


def sealed_votes(
    session: Session,
    after: int = 0,
    until: int | None = None,
    where: Sequence[ColumnElement[bool]] = (),
    at_once: int = PAGE,
) -> Iterator[SealedVote]:
    """Votes with ids in (after, until] in the order of their ids, as a seal sees them.

    `where` are further conditions on votes and battles; `at_once` votes are read at a time.
    """
    key = ledger_key(session)
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    last = after
    while rows := session.execute(_page(last, until).where(*where).limit(at_once)).all():
        for vote, public_id, a, b, leaked in rows:
            yield SealedVote(
                vote=vote.id,
                battle=public_id,
                model_a=names[a],
                model_b=names[b],
                winner=vote.winner,
                source=vote.source,
                voter=vote.source if vote.voter == vote.source else pseudonym(key, vote.voter),
                stopped_early=vote.stopped_early,
                leaked=leaked,
                created_at=as_sealed(vote.created_at),
            )
        last = rows[-1][0].id
        session.expunge_all()


def vote_counts(session: Session, *where: ColumnElement[bool]) -> list[tuple[str, str, str, str, int]]:
    """(source, model_a, model_b, winner, votes) of the votes of which the conditions hold."""
    keys = (col(Vote.source), col(Battle.model_a_id), col(Battle.model_b_id), col(Vote.winner))
    query = (
        select(*keys, func.count())  # type: ignore[call-overload]
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(*where)
        .group_by(*keys)
    )
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    return [(source, names[a], names[b], winner, n) for source, a, b, winner, n in session.execute(query)]


def as_sealed(moment: datetime) -> str:
    """A time as seals have it: UTC with microseconds, always in the same form."""
    return moment.isoformat(timespec="microseconds")


def last_vote_id(session: Session) -> int:
    return session.exec(select(func.max(Vote.id))).one() or 0


def first_vote_at(session: Session) -> datetime | None:
    return session.exec(select(Vote.created_at).order_by(col(Vote.created_at)).limit(1)).first()


def earliest_vote_at(session: Session) -> datetime | None:
    """When the vote of the lowest number was given: at once, also among millions, but imports may bring older ones."""
    return session.exec(select(Vote.created_at).order_by(col(Vote.id)).limit(1)).first()


def last_seal(session: Session, at: datetime | None = None) -> Seal | None:
    """The newest seal, or the newest at that time."""
    query = select(SealRow).order_by(col(SealRow.number).desc()).limit(1)
    if at is not None:
        query = query.where(col(SealRow.sealed_at) <= at)
    row = session.exec(query).one_or_none()
    return None if row is None else _seal(row)


def seals(session: Session, after: int = 0, limit: int | None = None) -> list[Seal]:
    """Seals with numbers above `after`, in order."""
    query = select(SealRow).where(SealRow.number > after).order_by(col(SealRow.number)).limit(limit)
    return [_seal(row) for row in session.exec(query)]


def add_seal(session: Session, seal: Seal) -> None:
    """Raises `sqlalchemy.exc.IntegrityError` when there is a seal of this number."""
    session.add(
        SealRow(
            number=seal.number,
            previous=seal.previous,
            first_vote=seal.first_vote,
            last_vote=seal.last_vote,
            votes=seal.votes,
            root=seal.root,
            filter=seal.filter,
            boards=json.dumps(seal.boards, ensure_ascii=False),
            sealed_at=datetime.fromisoformat(seal.sealed_at),
            sha256=seal.sha256,
        )
    )
    session.flush()


def _seal(row: SealRow) -> Seal:
    return Seal(
        number=row.number,
        previous=row.previous,
        first_vote=row.first_vote,
        last_vote=row.last_vote,
        votes=row.votes,
        root=row.root,
        filter=row.filter,
        sealed_at=as_sealed(row.sealed_at),
        boards=json.loads(row.boards),
    )


def _page(after: int, until: int | None) -> Any:
    leaked = (
        select(CompletionRow.id)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(col(Turn.battle_id) == col(Vote.battle_id), col(CompletionRow.leaked).is_(True))
        .exists()
    )
    columns: tuple[Any, ...] = (Vote, Battle.public_id, Battle.model_a_id, Battle.model_b_id, leaked)
    query = (
        select(*columns)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(col(Vote.id) > after)
        .order_by(col(Vote.id))
    )
    return query if until is None else query.where(col(Vote.id) <= until)
