"""The inputs of a judge run, read from the settings and the store and checked before the first call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ratings
from arena.config import AnyModel, Settings, reply_cache_path
from arena.engine import ModelClient
from arena.errors import ConfigError
from arena.judging import judge_setup, plan
from arena.judging.config import JudgeRunConfig
from arena.judging.rubric_file import read_rubric
from arena.leaderboards.stored_counts import pair_columns
from arena.rules.votes import HUMAN, OVERALL
from arena.serving import model_clients
from arena.store import Database
from arena.store.judgeable_battles import unshared_battles, voted_battles
from arena.store.prompt_set_verdicts import has_other_config
from arena.store.prompts import StoredPrompt, UnknownPromptSet, completions_of, prompt_sets, prompts_of
from arena.store.votes import pair_counts
from judges import Judge
from judges.rubric import Rubric


class UnsharedBattles(ConfigError):
    """Battles that their voters have not shared would go to a judge on another machine."""


@dataclass(frozen=True)
class PreparedRun:
    """A judge run before its first call: config, judge, prompts, completions and clients."""

    config: JudgeRunConfig
    judge: Judge[Any, Any]
    prompts: Sequence[StoredPrompt]
    completions: plan.Completions
    clients: dict[str, ModelClient]
    reply_cache: Path
    counts: ratings.PairCounts | None = None  # votes so far, for choosing battles
    rubric: Rubric | None = None  # the judge's

    @property
    def source(self) -> str:
        """The judge's name as a voter."""
        return plan.source(self.config)

    @property
    def models(self) -> list[str]:
        return sorted({completion.model for completion in self.completions.values()})

    def cases(self) -> Iterator[plan.Case]:
        return plan.cases(self.config, self.judge, self.prompts, self.completions, self.counts)

    def missing(self) -> dict[str, int]:
        """The number of prompts without a completion, by model; empty for battles, which have both completions."""
        if self.config.mode == "battles":
            return {}
        return plan.missing(self.prompts, self.completions, self.models)


def prepare(database: Database, settings: Settings, config: JudgeRunConfig) -> PreparedRun:
    """The prepared run. Raises `ConfigError` if it cannot start, `UnsharedBattles` if the config must say about them."""
    judges = model_clients.chosen(model_clients.configured(settings), config.judges, "--judge")
    check_protocol(config, judges)
    clients = {model.name: model_clients.model_client(model, config.concurrency) for model in judges}
    check_prices(config, clients)
    _check_config_hash(database, config)
    path = reply_cache_path(settings, config.reply_cache)
    judge = judge_setup.judge_of(config)
    rubric = None if config.rubric is None else read_rubric(config.rubric)
    if config.mode == "battles":
        hosts = [host for model in judges if (host := model_clients.other_machine(model))]
        prompts, completions = voted(database, config, hosts)
        return PreparedRun(config, judge, prompts, completions, clients, path, rubric=rubric)
    prompts, completions, counts = _prompt_set(database, config)
    return PreparedRun(config, judge, prompts, completions, clients, path, counts, rubric)


def _prompt_set(
    database: Database, config: JudgeRunConfig
) -> tuple[list[StoredPrompt], plan.Completions, ratings.PairCounts]:
    """The prompts of the set, their completions, and the votes so far between the models."""
    models = _models(config)
    with database.read() as session:
        try:
            prompts = prompts_of(session, config.prompts)[: config.limit]
        except UnknownPromptSet as problem:
            raise ConfigError(str(problem)) from problem
        keys = {prompt.key for prompt in prompts}
        stored = completions_of(session, config.prompts, models)
        completions = {place: completion for place, completion in stored.items() if place[0] in keys}
        [prompt_set] = [row for row in prompt_sets(session) if row.name == config.prompts]
        _check_models(config, models, set(prompt_set.completions), completions)
        counts = pair_columns(sorted({model for _, model in completions}), pair_counts(session, None, OVERALL))
    return prompts, completions, counts


def check_protocol(config: JudgeRunConfig, judges: Sequence[AnyModel]) -> None:
    """Nothing if reward models, and only they, use the protocol for them. Raises `ConfigError` otherwise."""
    for model in judges:
        if (model.endpoint == "reward") != (config.protocol == judge_setup.REWARD):
            kind, verb = ("a reward model", "Add") if model.endpoint == "reward" else ("no reward model", "Remove")
            raise ConfigError(f"--judge: {model.name} is {kind}. {verb} --protocol {judge_setup.REWARD}.")


def check_prices(config: JudgeRunConfig, clients: dict[str, ModelClient]) -> None:
    """Nothing if a budget can be held: every model has a price. Raises `ConfigError` otherwise."""
    unpriced = [name for name, client in clients.items() if client.price is None]
    if config.budget is not None and unpriced:
        raise ConfigError(
            f"--budget: {unpriced[0]} has no price. Add price = {{prompt = …, completion = …}} to it."
        )


def _check_config_hash(database: Database, config: JudgeRunConfig) -> None:
    """Nothing if the judge's name has no other configuration. Raises `ConfigError`: its verdicts could not be saved."""
    source, digest, scores = plan.source(config), judge_setup.config_hash(config), config.mode == "single"
    with database.read() as session:
        if has_other_config(session, source, digest, config.prompts or None, scores=scores):
            name = f"{'+'.join(config.judges)}-{judge_setup.protocol_of(config)}"
            raise ConfigError(
                f"{source} has judged {config.prompts or 'these battles'} with another protocol, template, rubric, "
                f"criterion, order, number of samples or thinking budget. Choose another name, such as --name {name}."
            )


def voted(
    database: Database, config: JudgeRunConfig, hosts: Sequence[str]
) -> tuple[list[StoredPrompt], plan.Completions]:
    """The prompts of battles with human votes, and the completions by prompt and side.

    `hosts` are the other machines that receive their texts. Raises `ConfigError`, `UnsharedBattles`.
    """
    models = set(config.models)
    with database.read() as session:
        battles = [
            battle
            for battle in voted_battles(session)
            if not models or {completion.model for completion in battle[1:]} <= models
        ][: config.limit]
        pairs = [{row.model_a, row.model_b} for row in pair_counts(session, HUMAN)]
        private = unshared_battles(session, [prompt.key for prompt, *_ in battles]) if hosts else set()
    if private and config.unshared is None:
        raise UnsharedBattles(
            f"{len(private):,} of {len(battles):,} battles were not shared by their voters, and their texts would go to "
            f"{', '.join(hosts)}. Add --unshared send if you may send them, or --unshared skip to judge the others."
        )
    if config.unshared == "skip":
        battles = [battle for battle in battles if battle[0].key not in private]
    if not battles:
        among = f" between {', '.join(config.models)}" if models else ""
        if any(not models or pair <= models for pair in pairs):
            raise ConfigError(
                f"No battle{among} with a human vote has complete texts of both sides. Import battles with "
                "conversation_a and conversation_b, or with completions."
            )
        raise ConfigError(f"No human votes on battles{among} yet. Run `arena serve` to collect votes.")
    completions = {
        (prompt.key, side): completion
        for prompt, *both in battles
        for side, completion in zip(plan.SIDES, both, strict=True)
    }
    return [prompt for prompt, *_ in battles], completions


def _models(config: JudgeRunConfig) -> list[str] | None:
    """The chosen models with the baseline; None for all."""
    if not config.models:
        return None
    return list(dict.fromkeys([*config.models, *([config.baseline] if config.baseline else [])]))


def _check_models(
    config: JudgeRunConfig, models: Sequence[str] | None, answered: set[str], completions: plan.Completions
) -> None:
    name = config.prompts
    for model in [*(models or ()), *([config.baseline] if config.baseline else [])]:
        if model not in answered:
            raise ConfigError(
                f"{model!r} has no completions for {name!r}. Run `arena answer --prompts {name} --models {model}`."
            )
    least = 1 if config.mode == "single" else 2
    count = len({model for _, model in completions})
    if count < least:
        raise ConfigError(
            f"{name!r} has completions of {count} models, and {config.mode} needs at least {least}. "
            f"Run `arena answer --prompts {name} --models …`."
        )
