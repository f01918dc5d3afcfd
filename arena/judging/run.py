"""A judge run from the store to the store: prepared, forecast, asked, read, and published if it may be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlmodel import Session

import ratings
from arena.config import AnyModel, Settings
from arena.engine import Journal, Target
from arena.errors import ConfigError
from arena.judging import calls, plan, results
from arena.judging.config import Evaluation
from arena.leaderboards.leaderboard import pair_columns
from arena.serving import model_clients
from arena.store import Database
from arena.store.judgeable_battles import voted_battles
from arena.store.prompt_set_verdicts import is_designed_otherwise
from arena.store.prompts import StoredPrompt, UnknownPromptSet, completions_of, prompt_sets, prompts_of
from arena.store.schema.battles import HUMAN, OVERALL
from arena.store.verdicts import NewVerdict, OtherDesign, add_score, add_verdicts
from arena.store.votes import pair_counts
from judges import Judge, Unparsable
from judges.completion_rate import why_not

AT_ONCE = 200  # verdicts in one transaction: the page stays writable meanwhile
JOURNAL = "arena-replies.jsonl"


@dataclass(frozen=True)
class Prepared:
    """Everything that a run needs, read once; its cases are made anew for each pass."""

    evaluation: Evaluation
    judge: Judge[Any, Any]
    prompts: Sequence[StoredPrompt]
    completions: plan.Completions
    asked: dict[str, Target]
    counts: ratings.PairCounts | None

    @property
    def source(self) -> str:
        return plan.source(self.evaluation)

    @property
    def models(self) -> list[str]:
        return sorted({one.model for one in self.completions.values()})

    def cases(self) -> Iterator[plan.Case]:
        return plan.cases(self.evaluation, self.judge, self.prompts, self.completions, self.counts)


def prepare(database: Database, settings: Settings, evaluation: Evaluation) -> Prepared:
    """Raises `ConfigError` for anything that the run could not be begun with."""
    known = model_clients.configured(settings)
    judges = model_clients.chosen(known, evaluation.judges, "--judge")
    _check_scheme(evaluation, judges)
    asked = {model.name: model_clients.target(model, evaluation.concurrency) for model in judges}
    if evaluation.budget is not None and (free := [name for name, one in asked.items() if one.price is None]):
        raise ConfigError(f"--budget: {free[0]} has no price; add price = {{prompt = …, completion = …}} to it")
    _check_design(database, evaluation)
    if evaluation.mode == "battles":
        return _voted(database, evaluation, asked)
    with database.read() as session:
        try:
            prompts = prompts_of(session, evaluation.prompts)[: evaluation.limit]
        except UnknownPromptSet as problem:
            raise ConfigError(str(problem)) from problem
        wanted = _models(evaluation)
        keys = {prompt.key for prompt in prompts}
        found = completions_of(session, evaluation.prompts, wanted)
        completions = {place: one for place, one in found.items() if place[0] in keys}
        there = [set(one.completions) for one in prompt_sets(session) if one.name == evaluation.prompts]
        _check_models(evaluation, wanted, there[0], completions)
        counts = pair_columns(sorted({model for _, model in completions}), pair_counts(session, None, OVERALL))
    return Prepared(evaluation, plan.judge_of(evaluation), prompts, completions, asked, counts)


def _check_scheme(evaluation: Evaluation, judges: Sequence[AnyModel]) -> None:
    """A reward model has a scheme of its own, and no other model has it."""
    for model in judges:
        if (model.endpoint == "reward") != (evaluation.scheme == plan.REWARD):
            is_one = "is a reward model; add" if model.endpoint == "reward" else "is no reward model; leave out"
            raise ConfigError(f"--judge: {model.name} {is_one} --scheme {plan.REWARD}")


def _check_design(database: Database, evaluation: Evaluation) -> None:
    """One judge's name stands for one way of asking, and a run that could not be kept is not begun."""
    source, how, scores = plan.source(evaluation), plan.design(evaluation), evaluation.mode == "single"
    with database.read() as session:
        if is_designed_otherwise(session, source, how, evaluation.prompts or None, scores=scores):
            name = f"{'+'.join(evaluation.judges)}-{plan.scheme_of(evaluation)}"
            raise ConfigError(
                f"{source} has judged {evaluation.prompts or 'these battles'} before, asked in another way (scheme, "
                f"template, order or thinking budget); give this one a name of its own, such as --name {name}"
            )


def _voted(database: Database, evaluation: Evaluation, asked: dict[str, Target]) -> Prepared:
    """The battles that people have voted on."""
    with database.read() as session:
        battles = [
            voted
            for voted in voted_battles(session)
            if not evaluation.models or {one.model for one in voted[1:]} <= set(evaluation.models)
        ][: evaluation.limit]
        met = [{one.model_a, one.model_b} for one in pair_counts(session, HUMAN)]
    if not battles:
        among = f" between {', '.join(evaluation.models)}" if evaluation.models else ""
        if any(not evaluation.models or pair <= set(evaluation.models) for pair in met):
            raise ConfigError(
                f"no battle{among} with a person's vote has whole texts of both sides, so there is nothing to judge; "
                "import battles with conversation_a and conversation_b, or with completions"
            )
        raise ConfigError(f"nobody has voted on a battle{among} yet; type: arena serve")
    completions = {(p.key, side): one for p, *both in battles for side, one in zip(plan.SIDES, both, strict=True)}
    return Prepared(
        evaluation, plan.judge_of(evaluation), [prompt for prompt, *_ in battles], completions, asked, None
    )


def _models(evaluation: Evaluation) -> list[str] | None:
    """The models named, with the baseline; None for all."""
    if not evaluation.models:
        return None
    return list(dict.fromkeys([*evaluation.models, *([evaluation.baseline] if evaluation.baseline else [])]))


def _check_models(
    evaluation: Evaluation, wanted: Sequence[str] | None, there: set[str], completions: plan.Completions
) -> None:
    name = evaluation.prompts
    for model in [*(wanted or ()), *([evaluation.baseline] if evaluation.baseline else [])]:
        if model not in there:
            raise ConfigError(
                f"{model!r} has not answered {name!r}; type: arena answer --prompts {name} --models {model}"
            )
    least = 1 if evaluation.mode == "single" else 2
    models = {model for _, model in completions}
    if len(models) < least:
        raise ConfigError(
            f"{name!r} was answered by {len(models)} and {evaluation.mode} needs {least} models or more; "
            f"type: arena answer --prompts {name} --models …"
        )


def journal_path(settings: Settings, given: Path | None) -> Path:
    """Where the journal is unless the user says otherwise: beside the SQLite file, else in this folder."""
    if given is not None:
        return given
    prefix = "sqlite:///"
    if settings.database_url.startswith(prefix):
        return Path(settings.database_url.removeprefix(prefix)).with_name(JOURNAL)
    return Path(JOURNAL)


def read(prepared: Prepared, journal: Journal) -> results.Found:
    """All results, from the journal alone."""
    found = results.Found()
    for case, result in calls.results(prepared.cases(), prepared.asked, journal):
        found.add(case, result)
    return found


def refusal(prepared: Prepared, found: results.Found) -> str | None:
    """Why this run may not be published, or None."""
    return why_not(len(found.judged), found.cases, prepared.evaluation.coverage)


def rows(prepared: Prepared, found: results.Found) -> list[dict[str, Any]]:
    """The run's board; nothing without a single verdict."""
    if not found.judged:
        return []
    if prepared.evaluation.mode == "single":
        return results.score_rows(found.judged)
    if prepared.evaluation.baseline is not None:
        return results.win_rate_rows(found.judged, prepared.evaluation.baseline)
    return results.rating_rows(found.judged)


def win_rates(prepared: Prepared, found: results.Found) -> dict[str, float]:
    """Each model's mean preference over its opponents; nothing where single completions were scored."""
    return {} if prepared.evaluation.mode == "single" else results.mean_preferences(found.judged)


def publish(database: Database, prepared: Prepared, journal: Journal) -> int:
    """Write the verdicts as votes, or the scores; what is there already stays. Returns how many were new.

    Raises `ConfigError` when the judge voted on these battles before and was asked in another way.
    """
    added = 0
    readable = (
        (case, result)
        for case, result in calls.results(prepared.cases(), prepared.asked, journal)
        if case.canary is None and not isinstance(result, Unparsable)
    )
    try:
        while batch := list(itertools.islice(readable, AT_ONCE)):
            with database.write() as session:
                added += _add(session, prepared, batch)
    except OtherDesign as problem:
        raise ConfigError(f"{problem}; give this one a name of its own with --name") from problem
    return added


def _add(session: Session, prepared: Prepared, batch: Sequence[tuple[plan.Case, Any]]) -> int:
    source, how = prepared.source, plan.design(prepared.evaluation)
    if prepared.evaluation.mode != "single":
        votes = [_vote(case, result, prepared.evaluation.mode == "battles") for case, result in batch]
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
