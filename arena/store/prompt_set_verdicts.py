"""Verdicts and scores of a prompt set, for exports."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.store.criteria import criteria_of
from arena.store.query_filters import counting
from arena.store.schema.battles import Model, Vote
from arena.store.schema.judging import JudgedBattle, Prompt, PromptCompletion, PromptSet, ScoreRow, VerdictRow
from judges.judge import OnScale


@dataclass(frozen=True)
class SetVerdict:
    """A judge's verdict on a prompt of a set."""

    prompt: str  # its key
    model_a: str
    model_b: str
    source: str
    winner: str
    preference: float
    strength: int
    orders: tuple[str, ...]
    reason: str
    criteria: tuple[OnScale, ...] = ()  # preference for model_a by criterion of a rubric


def verdicts_of_set(session: Session, name: str, *, counting_only: bool = False) -> list[SetVerdict]:
    """All verdicts on a prompt set, or those that count, in the order in which they were given."""
    names: dict[int | None, str] = dict(session.exec(select(Model.id, Model.name)).all())
    query = (
        select(Vote, VerdictRow, JudgedBattle, Prompt.key)
        .join(VerdictRow, col(VerdictRow.vote_id) == col(Vote.id))
        .join(JudgedBattle, col(JudgedBattle.battle_id) == col(Vote.battle_id))
        .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id))
        .join(PromptSet, col(PromptSet.id) == col(Prompt.set_id))
        .where(PromptSet.name == name)
        .order_by(col(Vote.id))
    )
    if counting_only:
        query = query.where(counting())
    return [
        SetVerdict(
            prompt=key,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            source=vote.source,
            winner=vote.winner,
            preference=row.preference,
            strength=row.strength,
            orders=tuple(row.orders.split(",")) if row.orders else (),
            reason=row.reason,
            criteria=criteria_of(row.criteria),
        )
        for vote, row, battle, key in session.exec(query)
    ]


@dataclass(frozen=True)
class SetScore:
    """A judge's score of a completion of a set; `turns` are the scores that it is the mean of."""

    prompt: str
    model: str
    source: str
    score: float
    turns: tuple[float, ...]
    reason: str
    created_at: datetime
    criteria: tuple[OnScale, ...] = ()  # value by criterion of a rubric


def scores_of_set(session: Session, name: str) -> list[SetScore]:
    """All scores of completions of a prompt set, in the order in which they were given."""
    query = (
        select(ScoreRow, Prompt.key, Model.name)
        .join(PromptCompletion, col(PromptCompletion.id) == col(ScoreRow.completion_id))
        .join(Prompt, col(Prompt.id) == col(PromptCompletion.prompt_id))
        .join(PromptSet, col(PromptSet.id) == col(Prompt.set_id))
        .join(Model, col(Model.id) == col(PromptCompletion.model_id))
        .where(PromptSet.name == name)
        .order_by(col(ScoreRow.id))
    )
    return [
        SetScore(
            key,
            model,
            row.source,
            row.score,
            _numbers(row.turns),
            row.reason,
            row.created_at,
            criteria_of(row.criteria),
        )
        for row, key, model in session.exec(query)
    ]


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split(","))) if text else ()


def has_other_config(session: Session, source: str, config_hash: str, name: str | None, *, scores: bool) -> bool:
    """Whether a judge has verdicts or scores on a prompt set (None: on people's battles) with another configuration."""
    if scores:
        query = (
            select(ScoreRow.id)
            .join(PromptCompletion, col(PromptCompletion.id) == col(ScoreRow.completion_id))
            .join(Prompt, col(Prompt.id) == col(PromptCompletion.prompt_id))
            .where(ScoreRow.source == source, ScoreRow.config_hash != config_hash)
        )
    else:
        query = (
            select(Vote.id)
            .join(VerdictRow, col(VerdictRow.vote_id) == col(Vote.id))
            .join(JudgedBattle, col(JudgedBattle.battle_id) == col(Vote.battle_id), isouter=True)
            .join(Prompt, col(Prompt.id) == col(JudgedBattle.prompt_id), isouter=True)
            .where(Vote.source == source, VerdictRow.config_hash != config_hash)
        )
    query = query.join(PromptSet, col(PromptSet.id) == col(Prompt.set_id), isouter=True)
    wanted = col(PromptSet.name).is_(None) if name is None else PromptSet.name == name
    return session.exec(query.where(wanted).limit(1)).first() is not None
