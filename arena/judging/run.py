"""A judge run from the store to the store: prepared, forecast, asked, read, and published if it may be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import ratings
from arena.config import AnyModel, Settings
from arena.engine import ModelClient, ReplyCache
from arena.errors import ConfigError
from arena.judging import calls, plan, results
from arena.judging.config import JudgeRunConfig
from arena.leaderboards.leaderboard import pair_columns
from arena.rules.votes import HUMAN, OVERALL
from arena.serving import model_clients
from arena.store import Database, Session
from arena.store.judgeable_battles import voted_battles
from arena.store.prompt_set_verdicts import has_other_config
from arena.store.prompts import StoredPrompt, UnknownPromptSet, completions_of, prompt_sets, prompts_of
from arena.store.verdicts import NewVerdict, OtherConfig, add_score, add_verdicts
from arena.store.votes import pair_counts
from judges import Judge, Unparsable
from judges.completion_rate import why_not

AT_ONCE = 200  # verdicts in one transaction: the page stays writable meanwhile


@dataclass(frozen=True)
class Prepared:
    """Everything that a run needs, read once; its cases are made anew for each pass."""

    config: JudgeRunConfig
    judge: Judge[Any, Any]
    prompts: Sequence[StoredPrompt]
    completions: plan.Completions
    asked: dict[str, ModelClient]
    counts: ratings.PairCounts | None

    @property
    def source(self) -> str:
        return plan.source(self.config)

    @property
    def models(self) -> list[str]:
        return sorted({one.model for one in self.completions.values()})

    def cases(self) -> Iterator[plan.Case]:
        return plan.cases(self.config, self.judge, self.prompts, self.completions, self.counts)


def prepare(database: Database, settings: Settings, config: JudgeRunConfig) -> Prepared:
    """Raises `ConfigError` for anything that the run could not be begun with."""
    known = model_clients.configured(settings)
    judges = model_clients.chosen(known, config.judges, "--judge")
    _check_scheme(config, judges)
    asked = {model.name: model_clients.target(model, config.concurrency) for model in judges}
    if config.budget is not None and (free := [name for name, one in asked.items() if one.price is None]):
        raise ConfigError(f"--budget: {free[0]} has no price; add price = {{prompt = …, completion = …}} to it")
    _check_design(database, config)
    if config.mode == "battles":
        return _voted(database, config, asked)
    with database.read() as session:
        try:
            prompts = prompts_of(session, config.prompts)[: config.limit]
        except UnknownPromptSet as problem:
            raise ConfigError(str(problem)) from problem
        wanted = _models(config)
        keys = {prompt.key for prompt in prompts}
        found = completions_of(session, config.prompts, wanted)
        completions = {place: one for place, one in found.items() if place[0] in keys}
        there = [set(one.completions) for one in prompt_sets(session) if one.name == config.prompts]
        _check_models(config, wanted, there[0], completions)
        counts = pair_columns(sorted({model for _, model in completions}), pair_counts(session, None, OVERALL))
    return Prepared(config, plan.judge_of(config), prompts, completions, asked, counts)


def _check_scheme(config: JudgeRunConfig, judges: Sequence[AnyModel]) -> None:
    """A reward model has a scheme of its own, and no other model has it."""
    for model in judges:
        if (model.endpoint == "reward") != (config.protocol == plan.REWARD):
            is_one = "is a reward model; add" if model.endpoint == "reward" else "is no reward model; leave out"
            raise ConfigError(f"--judge: {model.name} {is_one} --protocol {plan.REWARD}")


def _check_design(database: Database, config: JudgeRunConfig) -> None:
    """One judge's name stands for one way of asking, and a run that could not be kept is not begun."""
    source, how, scores = plan.source(config), plan.config_hash(config), config.mode == "single"
    with database.read() as session:
        if has_other_config(session, source, how, config.prompts or None, scores=scores):
            name = f"{'+'.join(config.judges)}-{plan.protocol_of(config)}"
            raise ConfigError(
                f"{source} has judged {config.prompts or 'these battles'} before, asked in another way (scheme, "
                f"template, order or thinking budget); give this one a name of its own, such as --name {name}"
            )


def _voted(database: Database, config: JudgeRunConfig, asked: dict[str, ModelClient]) -> Prepared:
    """The battles that people have voted on."""
    with database.read() as session:
        battles = [
            voted
            for voted in voted_battles(session)
            if not config.models or {one.model for one in voted[1:]} <= set(config.models)
        ][: config.limit]
        met = [{one.model_a, one.model_b} for one in pair_counts(session, HUMAN)]
    if not battles:
        among = f" between {', '.join(config.models)}" if config.models else ""
        if any(not config.models or pair <= set(config.models) for pair in met):
            raise ConfigError(
                f"no battle{among} with a person's vote has whole texts of both sides, so there is nothing to judge; "
                "import battles with conversation_a and conversation_b, or with completions"
            )
        raise ConfigError(f"nobody has voted on a battle{among} yet; type: arena serve")
    completions = {(p.key, side): one for p, *both in battles for side, one in zip(plan.SIDES, both, strict=True)}
    return Prepared(config, plan.judge_of(config), [prompt for prompt, *_ in battles], completions, asked, None)


def _models(config: JudgeRunConfig) -> list[str] | None:
    """The models named, with the baseline; None for all."""
    if not config.models:
        return None
    return list(dict.fromkeys([*config.models, *([config.baseline] if config.baseline else [])]))


def _check_models(
    config: JudgeRunConfig, wanted: Sequence[str] | None, there: set[str], completions: plan.Completions
) -> None:
    name = config.prompts
    for model in [*(wanted or ()), *([config.baseline] if config.baseline else [])]:
        if model not in there:
            raise ConfigError(
                f"{model!r} has not answered {name!r}; type: arena answer --prompts {name} --models {model}"
            )
    least = 1 if config.mode == "single" else 2
    models = {model for _, model in completions}
    if len(models) < least:
        raise ConfigError(
            f"{name!r} was answered by {len(models)} and {config.mode} needs {least} models or more; "
            f"type: arena answer --prompts {name} --models …"
        )


def read(prepared: Prepared, reply_cache: ReplyCache) -> results.Found:
    """All results, from the journal alone."""
    found = results.Found()
    for case, result in calls.results(prepared.cases(), prepared.asked, reply_cache):
        found.add(case, result)
    return found


def refusal(prepared: Prepared, found: results.Found) -> str | None:
    """Why this run may not be published, or None."""
    return why_not(len(found.judged), found.cases, prepared.config.completion_rate)


def rows(prepared: Prepared, found: results.Found) -> list[dict[str, Any]]:
    """The run's board; nothing without a single verdict."""
    if not found.judged:
        return []
    if prepared.config.mode == "single":
        return results.score_rows(found.judged)
    if prepared.config.baseline is not None:
        return results.win_rate_rows(found.judged, prepared.config.baseline)
    return results.rating_rows(found.judged)


def win_rates(prepared: Prepared, found: results.Found) -> dict[str, float]:
    """Each model's mean preference over its opponents; nothing where single completions were scored."""
    return {} if prepared.config.mode == "single" else results.mean_preferences(found.judged)


def publish(database: Database, prepared: Prepared, reply_cache: ReplyCache) -> int:
    """Write the verdicts as votes, or the scores; what is there already stays. Returns how many were new.

    Raises `ConfigError` when the judge voted on these battles before and was asked in another way.
    """
    added = 0
    readable = (
        (case, result)
        for case, result in calls.results(prepared.cases(), prepared.asked, reply_cache)
        if case.control_pair is None and not isinstance(result, Unparsable)
    )
    try:
        while batch := list(itertools.islice(readable, AT_ONCE)):
            with database.write() as session:
                added += _add(session, prepared, batch)
    except OtherConfig as problem:
        raise ConfigError(f"{problem}; give this one a name of its own with --name") from problem
    return added


def _add(session: Session, prepared: Prepared, batch: Sequence[tuple[plan.Case, Any]]) -> int:
    source, how = prepared.source, plan.config_hash(prepared.config)
    if prepared.config.mode != "single":
        votes = [_vote(case, result, prepared.config.mode == "battles") for case, result in batch]
        return add_verdicts(session, source, how, votes)
    return sum(add_score(session, source, how, case.a.id, one) for case, one in batch)


def _vote(case: plan.Case, result: Any, fought: bool) -> NewVerdict:
    assert case.b is not None
    return NewVerdict(
        case.prompt,
        case.a,
        case.b,
        result.winner,
        result.preference,
        result.strength,
        result.orders,
        result.reason,
        battle=case.a.id if fought else None,
    )
