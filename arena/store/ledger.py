"""Seals in the store, and votes as they are sealed. Every function works in the session of its caller."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import bindparam, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from arena.errors import DatabaseFailed
from arena.rules.seals import Seal, SealedVote, published_voter
from arena.rules.votes import HUMAN
from arena.store.models import model_ids
from arena.store.query_filters import VoteSelection
from arena.store.schema.battles import Battle, CompletionRow, Model, Turn, Vote
from arena.store.schema.clusters import BattlePrompt
from arena.store.schema.controls import ControlBattle
from arena.store.schema.ledger import LedgerKey, SealRow

PAGE = 5_000  # votes read at a time, so that memory stays flat however many there are
EVERY_VOTE = VoteSelection()


class SealExists(DatabaseFailed):
    """Another run has added a seal of this number; nothing was written."""


def block_new_votes(session: Session) -> None:
    """Wait for uncommitted votes, and block new ones until this transaction ends.

    PostgreSQL assigns ids before commit: without this, a vote could appear with an id that a seal has passed.
    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE vote IN SHARE ROW EXCLUSIVE MODE"))


def ledger_key(session: Session) -> bytes:
    """The secret key of the voters' pseudonyms, which never leaves the database."""
    return bytes.fromhex(session.get_one(LedgerKey, 1).key)


def sealed_votes(
    session: Session, after: int = 0, selection: VoteSelection = EVERY_VOTE, page_size: int = PAGE
) -> Iterator[SealedVote]:
    """The selected votes with ids above `after` in the order of their ids, as a seal has them.

    `page_size` votes are read at a time.
    """
    key = ledger_key(session)
    names = model_ids(session)
    conditions = selection.conditions()
    last = after
    while rows := session.execute(_page(last).where(*conditions).limit(page_size)).all():
        yield from (_sealed(row, key, names) for row in rows)
        last = rows[-1][0].id
        session.expunge_all()


def sealed_vote(session: Session, number: int) -> SealedVote | None:
    """The vote with this number as a seal has it, or None if there is none."""
    return next(sealed_votes(session, number - 1, VoteSelection(until=number), page_size=1), None)


def voters_vote(session: Session, battle_id: int) -> SealedVote | None:
    """The vote of its voter on a battle as a seal has it, or None before it counts."""
    row = session.execute(_of_voter(), {"of_battle": battle_id}).one_or_none()
    if row is None:
        return None
    models = select(Model.id, Model.name).where(col(Model.id).in_(row[2:4]))
    return _sealed(row, ledger_key(session), {number or 0: name for number, name in session.exec(models)})


def _sealed(row: Any, key: bytes, names: Mapping[int, str]) -> SealedVote:
    """A vote as a seal has it, from a row of `_page`."""
    vote, public_id, a, b, leaked, suggested, prompt, control = row
    return SealedVote(
        vote=vote.id,
        battle=public_id,
        model_a=names[a],
        model_b=names[b],
        winner=vote.winner,
        source=vote.source,
        voter=vote.source if vote.voter == vote.source else published_voter(key, vote.voter),
        stopped_early=vote.stopped_early,
        leaked=leaked,
        created_at=as_sealed(vote.created_at),
        suggested=suggested,
        prompt=prompt,
        control=control,
    )


def seal_of_vote(session: Session, number: int) -> Seal | None:
    """The seal that holds a vote, or None before it is sealed."""
    query = select(SealRow).where(SealRow.last_vote >= number, SealRow.first_vote <= number)
    row = session.exec(query.order_by(col(SealRow.number)).limit(1)).one_or_none()
    return None if row is None else _seal(row)


def vote_counts(session: Session, selection: VoteSelection = EVERY_VOTE) -> list[tuple[str, str, str, str, int]]:
    """(source, model_a, model_b, winner, votes) of the selected votes."""
    keys = (col(Vote.source), col(Battle.model_a_id), col(Battle.model_b_id), col(Vote.winner))
    query = (
        select(*keys, func.count())  # type: ignore[call-overload]
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(*selection.conditions())
        .group_by(*keys)
    )
    names = model_ids(session)
    return [(source, names[a], names[b], winner, n) for source, a, b, winner, n in session.execute(query)]


def votes_from(session: Session, moment: datetime) -> Sequence[int]:
    """The ids of the votes at or after a moment."""
    return [number or 0 for number in session.exec(select(Vote.id).where(col(Vote.created_at) >= moment))]


def as_sealed(moment: datetime) -> str:
    """A time in the form of seals: UTC with microseconds."""
    return moment.isoformat(timespec="microseconds")


def first_vote_at(session: Session) -> datetime | None:
    """The time of the oldest vote, imported ones included."""
    return session.exec(select(Vote.created_at).order_by(col(Vote.created_at)).limit(1)).first()


def earliest_vote_at(session: Session) -> datetime | None:
    """The time of the vote with the lowest id: fast among millions, but imported votes may be older."""
    return session.exec(select(Vote.created_at).order_by(col(Vote.id)).limit(1)).first()


def latest_vote_at(session: Session) -> datetime | None:
    """The time of the latest of the last thousand votes; an import may have left later ones before them."""
    last = select(col(Vote.created_at).label("at")).order_by(col(Vote.id).desc()).limit(1000).subquery()
    return session.exec(select(last.c.at).order_by(last.c.at.desc()).limit(1)).first()


def last_seal(session: Session, at: datetime | None = None) -> Seal | None:
    """The newest seal, now or at a past time."""
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
    """Append a seal to the chain. Raises `SealExists` when another run has added this number."""
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
            columns=None if seal.columns is None else json.dumps(seal.columns),
            set_aside=None if seal.set_aside is None else json.dumps(seal.set_aside, ensure_ascii=False),
            sealed_at=datetime.fromisoformat(seal.sealed_at),
            sha256=seal.sha256,
        )
    )
    try:
        session.flush()
    except IntegrityError as error:
        raise SealExists(f"Seal {seal.number} exists already. Run the command again.") from error


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
        columns=None if row.columns is None else json.loads(row.columns),
        set_aside=None if row.set_aside is None else json.loads(row.set_aside),
    )


@cache
def _of_voter() -> Any:
    """The query of the voter's vote on a battle, built once: every reveal needs it."""
    return _page(0).where(col(Vote.battle_id) == bindparam("of_battle"), Vote.source == HUMAN)


def _page(after: int) -> Any:
    leaked = (
        select(CompletionRow.id)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(col(Turn.battle_id) == col(Vote.battle_id), col(CompletionRow.leaked).is_(True))
        .exists()
    )
    columns: tuple[Any, ...] = (
        Vote,
        Battle.public_id,
        Battle.model_a_id,
        Battle.model_b_id,
        leaked,
        Battle.suggested,
        BattlePrompt.cluster,
        ControlBattle.kind,
    )
    return (
        select(*columns)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(BattlePrompt, col(BattlePrompt.battle_id) == col(Vote.battle_id), isouter=True)
        .join(ControlBattle, col(ControlBattle.battle_id) == col(Vote.battle_id), isouter=True)
        .where(col(Vote.id) > after)
        .order_by(col(Vote.id))
    )
