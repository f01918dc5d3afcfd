"""Rows of a judge run's board, with intervals clustered by prompt."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

import ratings
from arena.judging.plan import Case
from arena.rules.vote_clusters import prompt_words
from arena.store.prompts import StoredPrompt
from judges import Unparsable, Verdict
from judges.control_pairs import ControlPairReport
from judges.control_pairs import report as control_pair_report
from judges.difficulty import joint_fit
from judges.intervals import bounded_interval, clustered_error
from judges.length_control import LengthControlledRate
from judges.orders import flip_rate
from judges.repeats import RepeatVariance, repeat_variance

SCORES, PERCENT = (1.0, 10.0), (0.0, 100.0)  # ends of the scales


class Judged(NamedTuple):
    """One result without its reason, so that a run of any length fits into memory."""

    prompt: str
    model_a: str
    model_b: str  # empty where a single completion was scored
    result: Any
    longer: int = 0  # characters of model_a minus those of model_b
    cluster: str = ""  # what verdicts on one prompt have in common, as on the boards; by default the prompt
    category: str = ""
    subset: str = ""  # the field of this name of the prompt's file


@dataclass
class RunVerdicts:
    """The results of a run, with those of control pairs separate."""

    cases: int = 0
    judged: list[Judged] = field(default_factory=list)
    unread: Counter[str] = field(default_factory=Counter)  # counts by reason
    control_pairs: list[tuple[Any, Verdict | Unparsable]] = field(default_factory=list)

    def add(self, case: Case, result: Any | Unparsable) -> None:
        if case.control_pair is not None:
            self.control_pairs.append((case.control_pair, result))
            return
        self.cases += 1
        if isinstance(result, Unparsable):
            self.unread[result.reason.value] += 1
        else:
            b = case.b.model if case.b else ""
            longer = len(case.a.text) - len(case.b.text) if case.b else 0
            self.judged.append(judged_row(case.prompt, case.a.model, b, replace(result, reason=""), longer))

    def control_pair_report(self) -> list[ControlPairReport]:
        return control_pair_report(self.control_pairs)

    def by_letter(self) -> int:
        """Verdicts that the judge's letter alone gave, where its protocol reads log-probabilities."""
        return sum(isinstance(row.result, Verdict) and row.result.by_letter > 0 for row in self.judged)

    def repeats(self) -> RepeatVariance | None:
        """How much the draws of one case differ; None with one draw each."""
        return repeat_variance([row.result.draws for row in self.judged])

    def flips(self) -> tuple[int, int]:
        """(pairs whose orders disagree, pairs shown in both)."""
        return flip_rate(row.result for row in self.judged if isinstance(row.result, Verdict))


def judged_row(prompt: StoredPrompt, model_a: str, model_b: str, result: Any, longer: int = 0) -> Judged:
    """A result with what its boards need of the prompt."""
    subset = str(prompt.extra.get("subset") or "")
    return Judged(prompt.key, model_a, model_b, result, longer, prompt_cluster(prompt), prompt.category, subset)


def score_rows(judged: Sequence[Judged], scale: tuple[float, float] = SCORES) -> list[dict[str, Any]]:
    """Mean score of each model with its interval, best first."""
    by_model: dict[str, list[Judged]] = defaultdict(list)
    for row in judged:
        by_model[row.model_a].append(row)
    rows = []
    for model, given in by_model.items():
        mean, error = _mean([row.result.score for row in given], given)
        rows.append(
            {"model": model, "score": mean, **_interval(mean, error, len(given), scale), "judged": len(given)}
        )
    return sorted(rows, key=lambda row: (-row["score"], row["model"]))


def win_rate_rows(judged: Sequence[Judged], baseline: str, *, length_control: bool = True) -> list[dict[str, Any]]:
    """Mean preference over the baseline in percent, as AlpacaEval reports it, best first; the baseline has 50."""
    by_model: dict[str, list[tuple[float, Judged]]] = defaultdict(list)
    for row in judged:
        left = row.model_b == baseline
        preference = row.result.preference if left else 1 - row.result.preference
        by_model[row.model_a if left else row.model_b].append((preference, row))
    controlled = _length_controlled(judged, baseline) if length_control else {}
    rows = []
    for model, given in by_model.items():
        preferences = [preference for preference, _ in given]
        mean, error = _mean([100 * value for value in preferences], [row for _, row in given])
        rows.append(
            {
                "model": model,
                "win_rate": mean,
                "standard_error": error,
                **_interval(mean, error, len(preferences), PERCENT),
                **_at_equal_length(controlled.get(model)),
                "n_wins": sum(value > 0.5 for value in preferences),
                "n_draws": sum(value == 0.5 for value in preferences),
                "n_total": len(preferences),
            }
        )
    return sorted(rows, key=lambda row: (-row["win_rate"], row["model"]))


def _at_equal_length(rate: LengthControlledRate | None) -> dict[str, float]:
    if rate is None:
        return {}
    return {"length_controlled_winrate": rate.win_rate, "lc_standard_error": rate.standard_error}


def _length_controlled(judged: Sequence[Judged], baseline: str) -> dict[Hashable, LengthControlledRate]:
    """Length-controlled win rate of each model, in the joint fit of `judges.difficulty`."""
    left = [row.model_b == baseline for row in judged]
    both = list(zip(judged, left, strict=True))
    return joint_fit(
        [row.result.preference if a else 1 - row.result.preference for row, a in both],
        [-row.longer if a else row.longer for row, a in both],
        [row.model_a if a else row.model_b for row, a in both],
        [row.prompt for row in judged],
    ).win_rates()


def mean_preferences(judged: Sequence[Judged]) -> dict[str, float]:
    """Each model's mean preference over its opponents, from 0 to 1."""
    by_model: dict[str, list[float]] = defaultdict(list)
    for row in judged:
        by_model[row.model_a].append(row.result.preference)
        by_model[row.model_b].append(1 - row.result.preference)
    return {model: float(np.mean(values)) for model, values in by_model.items()}


def rating_rows(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Rows of the Bradley–Terry board of the run's verdicts, with the intervals of the arena's board of them.

    Empty for a single prompt, whose verdicts define no interval.
    """
    prompts = [row.cluster or row.prompt for row in judged]
    if len(set(prompts)) < 2:
        return []
    a, b = [row.model_a for row in judged], [row.model_b for row in judged]
    winner = [row.result.winner for row in judged]
    counts = ratings.count_pairs(a, b, winner)
    clusters = ratings.cluster_votes(a, b, winner, {"prompts": prompts}, models=counts.models)
    board = ratings.leaderboard(counts, clusters=clusters).to_dict()
    rows: list[dict[str, Any]] = board["models"]
    return rows


def prompt_cluster(prompt: StoredPrompt) -> str:
    """What verdicts on a prompt have in common with those on another of the same text."""
    said = "\n".join(str(message["content"]) for message in prompt.messages if message["role"] == "user")
    return prompt.cluster or prompt_words(said) or prompt.key


def _mean(values: Sequence[float], rows: Sequence[Judged]) -> tuple[float, float | None]:
    """Mean and standard error clustered by prompt; None with one cluster."""
    column = np.array(values)
    _, codes = np.unique([row.cluster or row.prompt for row in rows], return_inverse=True)
    return float(column.mean()), clustered_error(column, codes)


def _interval(
    mean: float, error: float | None, items: int, scale: tuple[float, float]
) -> Mapping[str, float | None]:
    lower, upper = bounded_interval(mean, error, items, *scale)
    return {"lower": lower, "upper": upper}
