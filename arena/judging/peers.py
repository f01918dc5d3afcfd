"""A peer examination: every model judges the battles of the others, and weighs as much as it scores."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.config import Settings
from arena.engine import Progress
from arena.errors import ConfigError
from arena.judging.config import JudgeRunConfig, config_of
from arena.judging.run import run_judging
from arena.judging.run_result import JudgeRunResult
from arena.rules.votes import JUDGE
from arena.store import Database
from arena.store.prompts import prompt_sets
from judges.errors import JudgesError
from judges.protocols.prd import peer_rank

LEAST = 3  # a model judges the battles of others, so there must be two others


@dataclass(frozen=True)
class PeerResult:
    """The run of each judge, a row a model (best first), and why the judges are unweighted, if so."""

    runs: Sequence[JudgeRunResult]
    models: Sequence[Mapping[str, Any]] = ()
    unweighted: str | None = None

    @property
    def complete(self) -> bool:
        """Whether every judge's verdicts were published."""
        return all(run.published for run in self.runs)

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena judge peers --format json` prints."""
        return {"models": self.models, "runs": [run.to_dict() for run in self.runs]}


def peer_configs(
    database: Database, prompts: str, models: Sequence[str] | None, **options: Any
) -> list[JudgeRunConfig]:
    """One judge run per model, over the battles of the others; `models` None means all with completions.

    Raises `ConfigError`.
    """
    names = list(dict.fromkeys(models)) if models else _answered(database, prompts)
    if len(names) < LEAST:
        raise ConfigError(f"{len(names)} models; a peer examination needs at least {LEAST}. Use --models a,b,c.")
    return [
        config_of(
            mode="pairwise",
            prompts=prompts,
            judge=judge,
            models=tuple(name for name in names if name != judge),
            **options,
        )
        for judge in names
    ]


def run_peers(
    database: Database,
    settings: Settings,
    configs: Sequence[JudgeRunConfig],
    progress: Progress | None = None,
    on_result: Callable[[JudgeRunResult], None] | None = None,
) -> PeerResult:
    """Run the judges one after the other within one budget, and rank the models if all runs are published.

    `on_result` is called with each run's result. Raises `ConfigError`, `ReplyCacheError`.
    """
    runs: list[JudgeRunResult] = []
    for config in configs:
        spent = sum(run.cost or 0.0 for run in runs)
        left = None if config.budget is None else config.budget - spent
        result = run_judging(database, settings, config.model_copy(update={"budget": left}), progress)
        runs.append(result)
        if on_result is not None:
            on_result(result)
    if not all(run.published for run in runs):
        return PeerResult(runs)
    rows, unweighted = ranking({run.judge.removeprefix(JUDGE): run.win_rates for run in runs})
    return PeerResult(runs, rows, unweighted)


def _answered(database: Database, prompts: str) -> list[str]:
    """The models with completions for the prompt set. Raises `ConfigError`."""
    with database.read() as session:
        listed = [listed for listed in prompt_sets(session) if listed.name == prompts]
    if not listed:
        raise ConfigError(f"No prompt set is called {prompts!r}. Run `arena prompts list`.")
    return sorted(listed[0].completions)


def ranking(rates: Mapping[str, Mapping[str, float]]) -> tuple[list[dict[str, Any]], str | None]:
    """A row a model, best first, and why the judges are unweighted, if so; `rates` are each judge's win rates."""
    models = sorted({model for rated in rates.values() for model in rated})
    plain = {model: _mean_rate(model, rates) for model in models}
    scores, reason = plain, None
    weights: dict[str, float | None] = dict.fromkeys(models)
    try:
        ranked = peer_rank(rates)
        scores, weights = ranked.scores, {**weights, **ranked.weights}
    except JudgesError as problem:
        reason = f"The judges are unweighted: {problem}"
    rows = [
        {"model": model, "score": score, "weight": weights[model], "unweighted": plain[model]}
        for model, score in scores.items()
    ]
    return sorted(rows, key=lambda row: (-(row["score"] or 0), row["model"])), reason


def _mean_rate(model: str, rates: Mapping[str, Mapping[str, float]]) -> float:
    given = [rated[model] for rated in rates.values() if model in rated]
    return sum(given) / len(given)
