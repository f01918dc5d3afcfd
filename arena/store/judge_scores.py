"""Scores of single completions by judges, averaged over a prompt set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, func, select

from arena.store.schema.battles import Model
from arena.store.schema.judging import Prompt, PromptCompletion, PromptSet, ScoreRow


@dataclass(frozen=True)
class MeanScore:
    """The mean score of a model's completions for a prompt set by one judge; `error` is its standard error."""

    judge: str
    prompts: str
    mean: float
    error: float | None  # None for a single completion
    completions: int


def mean_scores(session: Session, model: str) -> list[MeanScore]:
    """The scores of a model by prompt set and judge."""
    score = col(ScoreRow.score)
    columns: tuple[Any, ...] = (
        ScoreRow.source, PromptSet.name, func.avg(score), func.avg(score * score), func.count(),
    )  # fmt: skip
    query = (
        select(*columns)
        .join(PromptCompletion, col(PromptCompletion.id) == col(ScoreRow.completion_id))
        .join(Prompt, col(Prompt.id) == col(PromptCompletion.prompt_id))
        .join(PromptSet, col(PromptSet.id) == col(Prompt.set_id))
        .join(Model, col(Model.id) == col(PromptCompletion.model_id))
        .where(Model.name == model)
        .group_by(col(ScoreRow.source), col(PromptSet.name))
        .order_by(col(PromptSet.name), col(ScoreRow.source))
    )
    return [
        MeanScore(judge, prompts, float(mean), _standard_error(float(mean), float(square), number), number)
        for judge, prompts, mean, square, number in session.exec(query)
    ]


def delete_scores(session: Session, source: str) -> int:
    """Delete a judge's scores. Returns how many there were."""
    return int(session.execute(delete(ScoreRow).where(col(ScoreRow.source) == source)).rowcount)  # type: ignore[attr-defined]


def _standard_error(mean: float, square: float, number: int) -> float | None:
    """The standard error of a mean, from the mean of squares."""
    return (max(square - mean * mean, 0.0) / (number - 1)) ** 0.5 if number > 1 else None
