"""Battles that anybody may read: those whose voters agreed, and those that judges fought over prompt sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import Session, col, or_, select

from arena.rules.votes import OVERALL
from arena.store.battles import StoredBattle, find_battle
from arena.store.query_filters import given_by, in_category
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, Model, Turn, Vote
from arena.store.schema.traits import BattleCategory
from arena.store.traits import prompts_of_battle
from arena.store.verdicts import StoredVote, votes_on_record

PAGE = 20  # battles
OUTCOMES = ("won", "lost", "decided", "tie", "both_bad", "disputed")


@dataclass(frozen=True)
class Search:
    """What a reader looks for; empty words ask for nothing. `winner` won and lost are said of `model`."""

    q: str = ""
    model: str = ""
    category: str = ""
    winner: str = ""
    source: str = ""
    page: int = 1


@dataclass(frozen=True)
class Listed:
    """One battle in a list; `votes` are (source, winner) in order."""

    public_id: str
    model_a: str
    model_b: str
    prompt: str
    turns: int
    categories: tuple[str, ...]
    votes: tuple[tuple[str, str], ...]
    created_at: datetime


@dataclass(frozen=True)
class Opened:
    """A battle with everything that may be read of it; `earlier` are a set's prompts before its last."""

    battle: StoredBattle
    created_at: datetime
    categories: tuple[str, ...]
    votes: tuple[StoredVote, ...]
    earlier: tuple[str, ...]


def readable(judged: bool) -> ColumnElement[bool]:
    """The condition on `Battle`. `judged` lets battles over prompt sets in, which hold no voter's words."""
    agreed = and_(col(Battle.shared), col(Battle.status) == BattleStatus.VOTED)
    return or_(agreed, col(Battle.status) == BattleStatus.JUDGED) if judged else agreed


def may_read(session: Session, public_id: str, voter: str | None, *, judged: bool) -> bool:
    """Whether this visitor may: everybody may read what is readable, and a voter what was their own."""
    allowed = readable(judged)
    if voter is not None:
        allowed = or_(allowed, col(Battle.voter) == voter)
    return session.exec(select(Battle.id).where(Battle.public_id == public_id, allowed)).first() is not None


def search(session: Session, wanted: Search, *, judged: bool) -> tuple[list[Listed], bool]:
    """A page of battles, newest first, and whether there are more."""
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    query = (
        select(Battle)
        .where(readable(judged), *_conditions(wanted, {name: number for number, name in names.items()}))
        .order_by(col(Battle.id).desc())
        .offset((wanted.page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    found = session.exec(query).all()
    return _listed(session, found[:PAGE], names), len(found) > PAGE


def opened(session: Session, public_id: str, *, judged: bool) -> Opened | None:
    """A battle to read, or None when there is none that may be."""
    battle = session.exec(select(Battle).where(Battle.public_id == public_id, readable(judged))).one_or_none()
    stored = find_battle(session, public_id=public_id) if battle else None
    if battle is None or stored is None:
        return None
    return Opened(
        battle=stored,
        created_at=battle.created_at,
        categories=_categories(session, [battle])[stored.id],
        votes=tuple(votes_on_record(session, battle=stored.id)),
        earlier=tuple(prompts_of_battle(session, stored.id)[: -len(stored.turns)]),
    )


def _conditions(wanted: Search, ids: dict[str, int | None]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.q:
        conditions.append(_holding(wanted.q))
    if wanted.model:
        number = ids.get(wanted.model)
        conditions.append(or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number))
    if wanted.category:
        conditions.append(in_category(wanted.category))
    if wanted.source:
        conditions.append(_voted(given_by(Vote.source, wanted.source)))
    if wanted.winner:
        conditions.append(_ended(wanted, ids))
    return conditions


def _holding(words: str) -> ColumnElement[bool]:
    """Every word occurs in a prompt or completion of the battle, in any case of letters."""
    conditions = []
    for word in words.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
        asked = select(Turn.id).where(Turn.battle_id == Battle.id, col(Turn.prompt).ilike(pattern, escape="\\"))
        said = (
            select(CompletionRow.id)
            .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
            .where(Turn.battle_id == Battle.id, col(CompletionRow.text).ilike(pattern, escape="\\"))
        )
        conditions.append(or_(asked.exists(), said.exists()))
    return and_(*conditions)


def _voted(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Vote.id).where(Vote.battle_id == Battle.id, *conditions).exists()


def _ended(wanted: Search, ids: dict[str, int | None]) -> ColumnElement[bool]:
    by = given_by(Vote.source, wanted.source or None)
    if wanted.winner == "disputed":
        different = select(func.count(func.distinct(Vote.winner))).where(Vote.battle_id == Battle.id)
        return different.scalar_subquery() > 1
    if wanted.winner == "decided":
        return _voted(by, col(Vote.winner).in_(("model_a", "model_b")))
    if wanted.winner in ("won", "lost"):
        number = ids.get(wanted.model)
        sides = {"model_a": Battle.model_a_id, "model_b": Battle.model_b_id}
        if wanted.winner == "lost":
            sides = {"model_b": Battle.model_a_id, "model_a": Battle.model_b_id}
        return or_(
            *(and_(col(side) == number, _voted(by, col(Vote.winner) == won)) for won, side in sides.items())
        )
    return _voted(by, col(Vote.winner) == wanted.winner)


def _listed(session: Session, battles: Sequence[Battle], names: dict[int | None, str]) -> list[Listed]:
    ids = [battle.id for battle in battles]
    categories = _categories(session, battles)
    prompts: dict[int, list[str]] = {}
    turns = select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(ids)).order_by(col(Turn.number))
    for battle_id, prompt in session.exec(turns):
        prompts.setdefault(battle_id, []).append(prompt)
    votes: dict[int, list[tuple[str, str]]] = {}
    given = (
        select(Vote.battle_id, Vote.source, Vote.winner).where(col(Vote.battle_id).in_(ids)).order_by(col(Vote.id))
    )
    for battle_id, source, winner in session.exec(given):
        votes.setdefault(battle_id, []).append((source, winner))
    return [
        Listed(
            public_id=battle.public_id,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            prompt=prompts.get(battle.id or 0, [""])[0],
            turns=len(prompts.get(battle.id or 0, [])),
            categories=categories[battle.id or 0],
            votes=tuple(votes.get(battle.id or 0, [])),
            created_at=battle.created_at,
        )
        for battle in battles
    ]


def _categories(session: Session, battles: Sequence[Battle]) -> dict[int, tuple[str, ...]]:
    """By battle, its prompt set's own category first."""
    found: dict[int, dict[str, Any]] = {
        battle.id or 0: ({battle.category: None} if battle.category != OVERALL else {}) for battle in battles
    }
    rows = select(BattleCategory).where(col(BattleCategory.battle_id).in_(list(found)))
    for row in session.exec(rows.order_by(col(BattleCategory.category))):
        found[row.battle_id][row.category] = None
    return {number: tuple(names) for number, names in found.items()}


def share(session: Session, battle_id: int, agreed: bool) -> None:
    """Note whether the voter lets others read the battle; it can be taken back."""
    session.get_one(Battle, battle_id).shared = agreed
