"""Explain a judge's verdict on one battle, or a model's own answer, and store the explanation.

```
config = ExplainConfig("16", judge="judge-7b", methods=("screen", "owen"))
results = explain_battle(database, settings, config)
```
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from arena.config import EXPLANATION_REPLIES, Settings, reply_cache_path
from arena.engine import ReplyCache, ReplyCacheError, open_session
from arena.errors import ConfigError
from arena.explaining.api_judge import api_verdict_value
from arena.explaining.completion_values import completion_value
from arena.explaining.documents import explain_completion, explain_verdict
from arena.explaining.judge_values import VerdictValue, verdict_value
from arena.explaining.refusals import ExplanationRefused
from arena.explaining.request import VERDICT, ExplainConfig, ExplanationRequest, requests
from arena.explaining.stages import Progress, Stages, silent
from arena.rules.messages import gettext_noop
from arena.serving.local_weights import has_weights, load
from arena.store import Database
from arena.store.explanations import (
    BattleTexts,
    StoredExplanation,
    add_explanation,
    explanations_of,
    find_explanation,
)
from arena.store.schema.battles import now
from interp import LAYOUT, Explanation, InterpError
from interp.document import Vote


@dataclass(frozen=True)
class ExplainResult:
    """An explanation, and whether it was read from the store."""

    explanation: Explanation
    stored: bool


def explain_battle(
    database: Database, settings: Settings, config: ExplainConfig, progress: Progress = silent
) -> list[ExplainResult]:
    """An explanation by each method of the config: the stored one, unless `config.recompute`, or a new one.

    Everything is checked before the first is computed. Raises `ConfigError`, `JudgeFailed`, and what `progress`
    raises.
    """
    results = []
    for request in requests(database, settings, config):
        stored = None if config.recompute else find_stored(database, request)
        explanation = stored or explain(database, settings, request, progress)
        results.append(ExplainResult(explanation, stored is not None))
    return results


def find_stored(database: Database, request: ExplanationRequest) -> Explanation | None:
    """The stored explanation of the same request, if there is one."""
    with database.read() as session:
        row = find_explanation(session, request.battle.id, request.judge.name, request.method, request.config_hash)
    return Explanation.from_dict(row.document) if row else None


def all_stored(database: Database, battle: BattleTexts) -> list[StoredExplanation]:
    """All stored explanations of a battle, the newest first."""
    with database.read() as session:
        return explanations_of(session, battle.id)


def explain(
    database: Database, settings: Settings, request: ExplanationRequest, progress: Progress = silent
) -> Explanation:
    """Compute the explanation and store it. Each reply of the judge is cached at once, so a second try is quick.

    Raises `ConfigError`, `JudgeFailed`, and what `progress` raises.
    """
    stages = Stages(progress)
    with _reply_cache(settings) as reply_cache:
        try:
            computed = _computed(request, reply_cache, stages)
        except InterpError as problem:
            raise ExplanationRefused(
                "{model}: {problem}", model=request.judge.name, problem=str(problem)
            ) from problem
    battle = request.battle
    explanation = replace(
        computed,
        layout=LAYOUT,
        battle=battle.public_id,
        number=battle.id,
        judge=request.judge.name,
        about=request.about,
        models={"completion_a": battle.pair.model_a, "completion_b": battle.pair.model_b},
        votes=tuple(Vote(source, winner) for source, winner in battle.votes),
        made_at=now().isoformat(timespec="seconds"),
    )
    document = json.loads(json.dumps(explanation.to_dict(), allow_nan=False))
    with database.write() as session:
        add_explanation(session, battle.id, request.judge.name, request.method, request.config_hash, document)
    return Explanation.from_dict(document)


def _computed(request: ExplanationRequest, reply_cache: ReplyCache, stages: Stages) -> Explanation:
    if request.about != VERDICT:
        lm = load(request.judge, stages.begin)
        stages.begin(gettext_noop("reading the answer"))
        completion = completion_value(
            request.judge, request.battle.pair, request.about, lm, reply_cache, stages.advance
        )
        return explain_completion(completion, request.method, request.heads, stages)
    with _verdict_value(request, reply_cache, stages) as verdict:
        return explain_verdict(verdict, request.method, request.heads, stages)


@contextmanager
def _reply_cache(settings: Settings) -> Iterator[ReplyCache]:
    try:
        with open_session(reply_cache_path(settings, name=EXPLANATION_REPLIES)) as session:
            yield session.reply_cache
    except ReplyCacheError as problem:
        raise ConfigError(str(problem).replace("Use --reply-cache FILE", "Use another folder")) from problem


@contextmanager
def _verdict_value(request: ExplanationRequest, reply_cache: ReplyCache, stages: Stages) -> Iterator[VerdictValue]:
    pair = request.battle.pair
    if has_weights(request.judge):
        lm = load(request.judge, stages.begin)
        stages.begin(gettext_noop("reading the battle"))
        yield verdict_value(request.judge, pair, request.template, lm, reply_cache, stages.advance)
        return
    with api_verdict_value(
        request.judge, pair, request.template, reply_cache, request.budget, stages.advance
    ) as verdict:
        yield verdict
