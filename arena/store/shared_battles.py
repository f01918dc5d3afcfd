"""Battles that anybody may read: those that their voters share, and those of judges over prompt sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, update
from sqlmodel import Session, col, or_, select

from arena.rules.modes import Mode
from arena.rules.seals import published_voter
from arena.rules.votes import HUMAN, OVERALL
from arena.store.battle_features import prompts_of_battle
from arena.store.conversations import Message, battle_contents
from arena.store.ledger import ledger_key
from arena.store.models import model_ids
from arena.store.query_filters import counting, in_category, is_control, is_hidden
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, BattleStatus, Vote
from arena.store.stored_battles import StoredBattle, find_battle
from arena.store.text_checks import Texts
from arena.store.verdicts import StoredVote, votes_on_record


@dataclass(frozen=True)
class ReadableBattle:
    """A battle with everything that may be read of it; `earlier` are the prompts of a set before the last one."""

    battle: StoredBattle
    created_at: datetime
    categories: tuple[str, ...]
    votes: tuple[StoredVote, ...]
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class PublicVote:
    """A vote as it is published: a person as a pseudonym, a judge by its source."""

    source: str
    voter: str
    winner: str


@dataclass(frozen=True)
class PublicBattle:
    """A battle with both conversations and its votes, as it is published."""

    public_id: str
    model_a: str
    model_b: str
    created_at: datetime
    categories: tuple[str, ...]
    conversation_a: tuple[Message, ...]
    conversation_b: tuple[Message, ...]
    votes: tuple[PublicVote, ...]


def readable(judged: bool) -> ColumnElement[bool]:
    """The condition on `Battle`. `judged` lets battles over prompt sets in, which hold no voter's words.

    Texts that are withheld, or that could not be checked yet, are left out.
    """
    blind = and_(col(Battle.mode) == Mode.BLIND, ~is_control(Battle.id))
    agreed = and_(col(Battle.shared), col(Battle.status) == BattleStatus.VOTED, blind)
    allowed = or_(agreed, col(Battle.status) == BattleStatus.JUDGED) if judged else agreed
    return and_(
        allowed, ~is_hidden(Battle.id), or_(col(Battle.texts).is_(None), col(Battle.texts) == Texts.CHECKED)
    )


def may_read(session: Session, public_id: str, voter: str | None, *, judged: bool) -> bool:
    """Whether this visitor may: everybody may read what is readable, and a voter what was their own, unless withheld."""
    allowed = readable(judged)
    if voter is not None:
        allowed = or_(allowed, (col(Battle.voter) == voter) & col(Battle.texts).is_distinct_from(Texts.WITHHELD))
    return session.exec(select(Battle.id).where(Battle.public_id == public_id, allowed)).first() is not None


def public_battles(
    session: Session, after: int, limit: int, *, model: str | None, category: str | None, judged: bool
) -> list[PublicBattle]:
    """Readable battles with votes and ids above `after`, the oldest first, at most `limit`."""
    names = model_ids(session)
    voted = select(Vote.id).where(Vote.battle_id == Battle.id, counting()).exists()
    where = [readable(judged), col(Battle.id) > after, voted]
    if model is not None:
        number = next((number for number, name in names.items() if name == model), None)
        where.append((col(Battle.model_a_id) == number) | (col(Battle.model_b_id) == number))
    if category is not None:
        where.append(in_category(category))
    battles = session.exec(select(Battle).where(*where).order_by(col(Battle.id)).limit(limit)).all()
    ids = [battle.id or 0 for battle in battles]
    texts, votes = battle_contents(session, ids), _public_votes(session, ids)
    return [
        PublicBattle(
            public_id=battle.public_id,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            created_at=battle.created_at,
            categories=texts[number].categories,
            conversation_a=texts[number].conversation_a,
            conversation_b=texts[number].conversation_b,
            votes=tuple(votes.get(number, ())),
        )
        for number, battle in zip(ids, battles, strict=True)
    ]


def battle_id(session: Session, public_id: str) -> int | None:
    """The id of a battle by its public one, or None."""
    return session.exec(select(Battle.id).where(Battle.public_id == public_id)).one_or_none()


def readable_battle(session: Session, public_id: str, *, judged: bool) -> ReadableBattle | None:
    """A battle to read, or None when there is none that may be."""
    battle = session.exec(select(Battle).where(Battle.public_id == public_id, readable(judged))).one_or_none()
    stored = find_battle(session, public_id=public_id) if battle else None
    if battle is None or stored is None:
        return None
    return ReadableBattle(
        battle=stored,
        created_at=battle.created_at,
        categories=categories_of(session, [battle])[stored.id],
        votes=tuple(votes_on_record(session, battle=stored.id)),
        earlier=tuple(prompts_of_battle(session, stored.id)[: -len(stored.turns)]),
    )


def share(session: Session, battle_id: int, agreed: bool) -> None:
    """Note whether the voter lets others read the battle; it can be taken back."""
    session.execute(update(Battle).where(col(Battle.id) == battle_id).values(shared=agreed))


def _public_votes(session: Session, battles: Sequence[int]) -> Mapping[int, list[PublicVote]]:
    key = ledger_key(session)
    votes: dict[int, list[PublicVote]] = {}
    query = select(Vote).where(col(Vote.battle_id).in_(battles), counting()).order_by(col(Vote.id))
    for vote in session.exec(query):
        known = vote.source == HUMAN and vote.voter != HUMAN
        voter = published_voter(key, vote.voter) if known else vote.source
        votes.setdefault(vote.battle_id, []).append(PublicVote(vote.source, voter, vote.winner))
    return votes


def categories_of(session: Session, battles: Sequence[Battle]) -> dict[int, tuple[str, ...]]:
    """The categories of each battle by its id, that of its prompt set first."""
    by_battle: dict[int, dict[str, Any]] = {
        battle.id or 0: ({battle.category: None} if battle.category != OVERALL else {}) for battle in battles
    }
    rows = select(BattleCategory).where(col(BattleCategory.battle_id).in_(list(by_battle)))
    for row in session.exec(rows.order_by(col(BattleCategory.category))):
        by_battle[row.battle_id][row.category] = None
    return {number: tuple(names) for number, names in by_battle.items()}
