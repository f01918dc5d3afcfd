"""A voter's own battles, newest first, a page at a time, and the votes in them.

Before the vote nothing here leads to a model: a search then reads prompts only, since the text of a completion may name
the model, and filters by model skip such battles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, func, or_, select

from arena.rules.modes import Mode
from arena.rules.votes import HUMAN
from arena.store.battle_search import in_completions, in_prompts, like_pattern
from arena.store.models import model_ids
from arena.store.query_filters import is_control
from arena.store.schema.battles import Battle, BattleStatus, Turn, Vote
from arena.store.schema.vote_states import VoteHold

PAGE = 20  # battles
HISTORY_RESULTS = ("won", "lost", "decided", "tie", "both_bad", "not_voted", "not_counted")


@dataclass(frozen=True)
class HistoryConditions:
    """The conditions of a search; without any, every battle matches.

    `result` is one of `HISTORY_RESULTS`; won and lost refer to `model`.
    """

    q: str = ""
    model: str = ""
    result: str = ""
    page: int = 1


@dataclass(frozen=True)
class OwnBattle:
    """A battle of the voter. The models are None before the vote of a blind battle."""

    public_id: str
    prompt: str
    turns: int
    status: BattleStatus
    mode: Mode
    shared: bool
    winner: str | None
    model_a: str | None
    model_b: str | None
    created_at: datetime


def own_battles(
    session: Session, voter: str, wanted: HistoryConditions, page_size: int = PAGE
) -> tuple[list[OwnBattle], bool]:
    """A page of the voter's battles, and whether another page follows."""
    names = model_ids(session)
    conditions = _conditions(wanted, {name: number for number, name in names.items()})
    query = (
        select(Battle)
        .where(Battle.voter == voter, *conditions)
        .order_by(col(Battle.id).desc())
        .offset((wanted.page - 1) * page_size)
        .limit(page_size + 1)
    )
    battles = session.exec(query).all()
    return _entries(session, battles[:page_size], names), len(battles) > page_size


def own_models(session: Session, voter: str) -> list[str]:
    """The models that the voter has seen by name, in order."""
    names = model_ids(session)
    pairs = select(Battle.model_a_id, Battle.model_b_id).where(Battle.voter == voter, is_named()).distinct()
    return sorted({names[number] for pair in session.exec(pairs) for number in pair})


@dataclass(frozen=True)
class OwnVotes:
    """The voter's votes as columns, in order; `model_a` was shown on the left."""

    model_a: tuple[str, ...]
    model_b: tuple[str, ...]
    winner: tuple[str, ...]


def own_votes(session: Session, voter: str) -> OwnVotes:
    """The votes of a voter on their own battles, but for control battles."""
    names = model_ids(session)
    query = (
        select(Battle.model_a_id, Battle.model_b_id, Vote.winner)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .where(Battle.voter == voter, Vote.source == HUMAN, ~is_control(Battle.id))
        .order_by(col(Vote.id))
    )
    rows = session.exec(query).all()
    return OwnVotes(
        tuple(names[a] for a, _, _ in rows),
        tuple(names[b] for _, b, _ in rows),
        tuple(winner for *_, winner in rows),
    )


def battle_counts(session: Session, voter: str) -> tuple[int, int]:
    """The number of the voter's battles, and of those with a vote."""
    battles = session.exec(select(func.count()).select_from(Battle).where(Battle.voter == voter)).one()
    votes = select(func.count()).select_from(Vote).join(Battle).where(Battle.voter == voter, Vote.source == HUMAN)
    return battles, session.exec(votes).one()


def is_named() -> ColumnElement[bool]:
    """The condition on `Battle` that its voter may know the models."""
    return or_(col(Battle.status) == BattleStatus.VOTED, col(Battle.mode) != Mode.BLIND)


def _conditions(wanted: HistoryConditions, ids: Mapping[str, int]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for word in wanted.q.split():
        pattern = like_pattern(word)
        conditions.append(or_(in_prompts(pattern), and_(is_named(), in_completions(pattern))))
    number = ids.get(wanted.model)
    if wanted.model:
        conditions += [is_named(), or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number)]
    if wanted.result:
        conditions.append(_has_result(wanted.result, number))
    return conditions


def _has_result(result: str, model: int | None) -> ColumnElement[bool]:
    if result == "not_voted":
        return ~_voted()
    if result == "not_counted":
        held = select(Vote.battle_id).join(VoteHold, col(VoteHold.vote_id) == col(Vote.id))
        return col(Battle.id).in_(held.where(Vote.source == HUMAN))
    if result == "decided":
        return _voted("model_a", "model_b")
    if result in ("won", "lost"):
        left, right = ("model_a", "model_b") if result == "won" else ("model_b", "model_a")
        return or_(
            and_(col(Battle.model_a_id) == model, _voted(left)),
            and_(col(Battle.model_b_id) == model, _voted(right)),
        )
    return _voted(result)


def _voted(*winners: str) -> ColumnElement[bool]:
    """The condition on `Battle` that its voter chose one of the winners, or any."""
    chosen = [col(Vote.winner).in_(winners)] if winners else []
    return select(Vote.id).where(Vote.battle_id == Battle.id, Vote.source == HUMAN, *chosen).exists()


def _entries(session: Session, battles: Sequence[Battle], names: Mapping[int, str]) -> list[OwnBattle]:
    ids = [battle.id for battle in battles]
    first = select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(ids), Turn.number == 1)
    prompts = dict(session.exec(first).all())
    counted = (
        select(Turn.battle_id, func.count()).where(col(Turn.battle_id).in_(ids)).group_by(col(Turn.battle_id))
    )
    turns = dict(session.exec(counted).all())
    given = select(Vote.battle_id, Vote.winner).where(col(Vote.battle_id).in_(ids), Vote.source == HUMAN)
    winners = dict(session.exec(given).all())
    return [
        OwnBattle(
            public_id=battle.public_id,
            prompt=prompts.get(battle.id or 0, ""),
            turns=turns.get(battle.id or 0, 0),
            status=BattleStatus(battle.status),
            mode=Mode(battle.mode),
            shared=battle.shared,
            winner=winners.get(battle.id or 0),
            model_a=names[battle.model_a_id] if shows_names(battle) else None,
            model_b=names[battle.model_b_id] if shows_names(battle) else None,
            created_at=battle.created_at,
        )
        for battle in battles
    ]


def shows_names(battle: Battle) -> bool:
    """The same of a battle that was read."""
    return battle.status == BattleStatus.VOTED or battle.mode != Mode.BLIND
