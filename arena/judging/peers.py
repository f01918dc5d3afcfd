"""A peer examination: who takes part, and what the others' verdicts make of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.errors import ConfigError
from arena.store import Database
from arena.store.prompts import prompt_sets
from judges.errors import JudgesError
from judges.protocols.prd import peer_rank


def answered(database: Database, prompts: str, models: str | None) -> list[str]:
    """The models named, or all that have answered the prompts. Raises `ConfigError`."""
    if models:
        return list(dict.fromkeys(name.strip() for name in models.split(",") if name.strip()))
    with database.read() as session:
        found = [one for one in prompt_sets(session) if one.name == prompts]
    if not found:
        raise ConfigError(f"no prompt set is called {prompts!r}; type: arena prompts list")
    return sorted(found[0].completions)


def ranking(rates: Mapping[str, Mapping[str, float]]) -> tuple[list[dict[str, Any]], str | None]:
    """A row a model, best first, and why there are no weights, if so; `rates` are each judge's win rates."""
    models = sorted({model for rated in rates.values() for model in rated})
    plain = {model: _mean_rate(model, rates) for model in models}
    scores, why = plain, None
    weights: dict[str, float | None] = dict.fromkeys(models)
    try:
        found = peer_rank(rates)
        scores, weights = found.scores, {**weights, **found.weights}
    except JudgesError as problem:
        why = f"the judges are not weighed: {problem}"
    rows = [
        {"model": model, "score": score, "weight": weights[model], "unweighted": plain[model]}
        for model, score in scores.items()
    ]
    return sorted(rows, key=lambda row: (-(row["score"] or 0), row["model"])), why


def _mean_rate(model: str, rates: Mapping[str, Mapping[str, float]]) -> float:
    given = [rated[model] for rated in rates.values() if model in rated]
    return sum(given) / len(given)
