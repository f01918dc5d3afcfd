"""What a judge run returns: its board, its counts, and whether its verdicts were published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.engine import RunResult
from arena.judging import results
from arena.judging.grouped_boards import CRITERION, TOTAL, grouped_rows, rows_by_judge
from arena.judging.preparation import PreparedRun
from arena.judging.results import RunVerdicts
from judges.completion_rate import completion_rate
from judges.control_pairs import ControlPairReport
from judges.repeats import RepeatVariance


@dataclass(frozen=True)
class JudgeRunResult:
    """One judge run. `models` are the rows of its board, whose columns depend on the mode."""

    mode: str
    judge: str
    prompts: str
    models: Sequence[Mapping[str, Any]]
    criteria: Sequence[Mapping[str, Any]]  # rows of the board of each criterion of a rubric
    win_rates: Mapping[str, float]  # mean preference of each model; empty for scores
    cases: int
    judged: int
    unread: Mapping[str, int]  # cases without a verdict, by reason
    why_not: str | None  # why the verdicts were not published
    new: int  # verdicts that were not in the store before
    asked_in_both: int  # pairs asked in both orders
    by_letter: int  # verdicts read by a letter, where the protocol reads log-probabilities
    flipped: int  # of these, pairs with two different winners
    repeats: RepeatVariance | None  # of several draws of each request
    control_pairs: Sequence[ControlPairReport]
    requests: Mapping[str, Any]
    examples: Mapping[str, str]  # one detail of each kind of failure
    cost: float | None  # USD; None without a price

    @property
    def published(self) -> bool:
        return self.why_not is None

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena judge … --format json` prints."""
        both = self.asked_in_both
        return {
            "mode": self.mode,
            "judge": self.judge,
            "prompts": self.prompts,
            "models": self.models,
            "criteria": self.criteria,
            "win_rates": self.win_rates,
            "cases": self.cases,
            "judged": self.judged,
            "unread": self.unread,
            "coverage": completion_rate(self.judged, self.cases),
            "published": self.published,
            "why_not": self.why_not,
            "new": self.new,
            "by_letter": self.by_letter,
            "orders": {
                "asked_in_both": both,
                "flipped": self.flipped,
                "flip_rate": self.flipped / both if both else None,
            },
            "repeats": None if self.repeats is None else vars(self.repeats),
            "canaries": [vars(report) for report in self.control_pairs],
            "requests": self.requests,
            "examples": self.examples,
            "cost": self.cost,
        }


def run_result(
    prepared: PreparedRun, verdicts: RunVerdicts, called: RunResult[Any], why_not: str | None, new: int
) -> JudgeRunResult:
    """The result of a finished run."""
    config = prepared.config
    flipped, both = verdicts.flips()
    priced = any(client.price for client in prepared.clients.values())
    return JudgeRunResult(
        mode=config.mode,
        judge=prepared.source,
        prompts=config.prompts,
        models=_with_judges(prepared, verdicts, _rows(prepared, verdicts)),
        criteria=_criterion_rows(prepared, verdicts),
        win_rates={} if config.mode == "single" else results.mean_preferences(verdicts.judged),
        cases=verdicts.cases,
        judged=len(verdicts.judged),
        unread=dict(verdicts.unread),
        why_not=why_not,
        new=new,
        asked_in_both=both,
        by_letter=verdicts.by_letter(),
        flipped=flipped,
        repeats=verdicts.repeats(),
        control_pairs=verdicts.control_pair_report(),
        requests=called.call_counts.to_dict(),
        examples=called.call_counts.examples,
        cost=called.spent if priced else None,
    )


def _with_judges(prepared: PreparedRun, verdicts: RunVerdicts, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the value of each judge of a panel under `judges`; the rows themselves for one judge."""
    boards = rows_by_judge(verdicts.judged, prepared.config.baseline)
    if not boards:
        return rows
    value = next((name for name in ("rating", "score", "win_rate") if rows and name in rows[0]), "")
    by_judge = {judge: {row["model"]: row[value] for row in board} for judge, board in boards.items()}
    return [
        {**row, "judges": {judge: values.get(row["model"]) for judge, values in by_judge.items()}} for row in rows
    ]


def _criterion_rows(prepared: PreparedRun, verdicts: RunVerdicts) -> list[dict[str, Any]]:
    """The rows of the boards by criterion; none without a rubric. The total is the run's own board."""
    if prepared.config.rubric is None or not verdicts.judged:
        return []
    rows = grouped_rows(verdicts.judged, prepared.config.baseline, [CRITERION])
    return [row for row in rows if row[CRITERION] != TOTAL]


def _rows(prepared: PreparedRun, verdicts: RunVerdicts) -> list[dict[str, Any]]:
    """The rows of the board; none without a single verdict."""
    if not verdicts.judged:
        return []
    if prepared.config.mode == "single":
        return results.score_rows(verdicts.judged)
    if prepared.config.baseline is not None:
        return results.win_rate_rows(verdicts.judged, prepared.config.baseline)
    return results.rating_rows(verdicts.judged)
