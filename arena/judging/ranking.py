"""Rankings of several completions at once by one judge, and their Plackett–Luce board. Nothing is published."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import ratings
from arena.config import Settings
from arena.engine import Progress, RunResult, open_session
from arena.errors import ConfigError
from arena.judging import calls, plan
from arena.judging.config import JudgeRunConfig
from arena.judging.preparation import PreparedRun, prepare
from arena.judging.results import prompt_cluster
from arena.judging.run import JudgeRun
from arena.store import Database
from judges import Unparsable
from judges.completion_rate import why_not
from judges.errors import JudgesError
from judges.ranking import Group, OrderEffect, Ranked, RankingJudge, groups_of, order_effect, places_of


@dataclass(frozen=True)
class RankingRun:
    """A ranking run: rows of its board, best first (none if incomplete), what the order did, and each ranking."""

    judge: str
    prompts: str
    models: Sequence[Mapping[str, Any]]
    cases: int  # groups
    judged: int
    unread: Mapping[str, int]  # groups without a ranking, by reason
    why_not: str | None  # why there is no board
    order: OrderEffect
    rankings: Sequence[Mapping[str, Any]]
    requests: Mapping[str, Any]
    examples: Mapping[str, str]
    cost: float | None  # USD; None without a price

    def to_dict(self) -> dict[str, Any]:
        """The report that `arena judge rank --format json` prints."""
        return asdict(self)


def run_ranking(
    database: Database,
    settings: Settings,
    config: JudgeRunConfig,
    *,
    group: int,
    rotations: int,
    progress: Progress | None = None,
) -> RankingRun:
    """Have the judge of `config` (mode pairwise) rank the completions of each prompt in groups of up to `group`.

    Finished calls are not repeated. Raises `ConfigError`, `ReplyCacheError`.
    """
    prepared = prepare(database, settings, config)
    try:
        judge = RankingJudge(str(config.judge), rotations, config.thinking_budget)
        cases = list(_cases(prepared, judge, group))
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
    if not cases:
        raise ConfigError(f"No prompt of {config.prompts!r} has completions of two models. Run `arena answer`.")
    with open_session(prepared.reply_cache, progress) as session:
        run = JudgeRun(database, prepared, session, calls.plan_calls(cases, prepared.clients))
        called = run.call()
        found = list(calls.results(run.planned, session.reply_cache, called.value or {}))
    return _result(prepared, found, called)


def _cases(prepared: PreparedRun, judge: RankingJudge, most: int) -> Iterator[plan.Case]:
    models = prepared.models
    for prompt in prepared.prompts:
        by_model = {
            model: prepared.completions[prompt.key, model]
            for model in models
            if (prompt.key, model) in prepared.completions
        }
        whole = Group(
            prompt.key,
            prompt.messages,
            tuple(by_model),
            tuple("\n\n".join([*row.earlier, row.text]) for row in by_model.values()),
            prompt.checklist,
            prompt.reference,
        )
        for group in groups_of(whole, most):
            yield plan.Case(judge, group, prompt, by_model[group.models[0]])


def _result(
    prepared: PreparedRun, found: Sequence[tuple[plan.Case, Ranked | Unparsable]], called: RunResult[Any]
) -> RankingRun:
    ranked = [(case, result) for case, result in found if not isinstance(result, Unparsable)]
    reason = why_not(len(ranked), len(found), prepared.config.completion_rate)
    priced = any(client.price for client in prepared.clients.values())
    return RankingRun(
        judge=prepared.source,
        prompts=prepared.config.prompts,
        models=[] if reason else _board(ranked),
        cases=len(found),
        judged=len(ranked),
        unread=dict(Counter(result.reason.value for _, result in found if isinstance(result, Unparsable))),
        why_not=reason,
        order=order_effect(result for _, result in ranked),
        rankings=[
            {"prompt": case.prompt.key, "shown": shown, "ranking": places}
            for case, result in ranked
            for shown, places in zip(result.shown, result.rankings, strict=True)
        ],
        requests=called.call_counts.to_dict(),
        examples=called.call_counts.examples,
        cost=called.spent if priced else None,
    )


def _board(ranked: Sequence[tuple[plan.Case, Ranked]]) -> list[dict[str, Any]]:
    """Plackett–Luce ratings with intervals clustered by prompt, best first; no interval for one prompt."""
    rankings = [places for _, result in ranked for places in result.rankings]
    clusters = [prompt_cluster(case.prompt) for case, result in ranked for _ in result.rankings]
    several = len(set(clusters)) > 1
    fit = ratings.plackett_luce(
        [[list(place) for place in places] for places in rankings],
        prior=ratings.PRIOR,
        cluster=clusters if several else None,
    )
    lower, upper = fit.interval()
    places = places_of(rankings)
    rows = [
        {
            "model": model,
            "rating": float(fit.ratings[m]),
            "lower": float(lower[m]) if several else None,
            "upper": float(upper[m]) if several else None,
            "mean_place": float(np.mean(places[model])),
            "judged": len(places[model]),
        }
        for m, model in enumerate(fit.models)
    ]
    return sorted(rows, key=lambda row: (-row["rating"], row["model"]))
