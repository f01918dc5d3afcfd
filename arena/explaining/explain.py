"""Explain a judge's verdict on one battle, or a model's own answer: check what is asked, make it, remember it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from arena.config import EXPLANATION_REPLIES, AnyModel, Settings, reply_cache_path
from arena.engine import ReplyCache, ReplyCacheError, address
from arena.errors import ConfigError
from arena.explaining.api_judge import calls
from arena.explaining.completion_values import read_answer
from arena.explaining.documents import Counter, Progress, of_answer, of_verdict
from arena.explaining.judge_values import SCHEME, Reading, read_weights
from arena.serving import model_clients
from arena.serving.local_weights import has_weights, load
from arena.store import Database
from arena.store.explanations import (
    BattleTexts,
    StoredExplanation,
    UnknownBattle,
    add_explanation,
    battle_texts,
    explanations_of,
    find_explanation,
)
from arena.store.schema.battles import now
from interp.blackbox.methods import BLACK_BOX
from interp.errors import InterpError
from interp.whitebox.methods import HEAD_MEASURES, WHITE_BOX
from judges.template import own

DEFAULT = "screen"
LAYOUT = 3  # counts up when the document or a method changes, so that older explanations are made again
VERDICT = "verdict"
ABOUT = (VERDICT, "a", "b")  # the judge's verdict, or the answer of one side


@dataclass(frozen=True)
class Asked:
    """What to explain: the verdict of a judge on a battle, or the answer of one side as a model would write it.

    `heads` is how head importance is measured: by "gradient", quickly, or by "ablation", exactly.
    """

    battle: BattleTexts
    judge: AnyModel
    method: str
    template: str | None = None
    budget: float | None = None
    about: str = VERDICT
    heads: str = HEAD_MEASURES[0]

    @property
    def design(self) -> str:
        """Digest of all that decides the explanation of this battle."""
        prompt = own(SCHEME) if self.template is None else self.template
        asked = {"prompt": prompt, "method": self.method, "about": self.about, "heads": self.heads}
        return address(model_clients.identity(self.judge), {**asked, "layout": LAYOUT})


def ask(
    database: Database,
    settings: Settings,
    battle: str,
    judge: str | None,
    method: str = DEFAULT,
    **more: Any,
) -> Asked:
    """Check what was asked for before any work is done; `more` as in `Asked`. Raises `ConfigError`."""
    found = find_battle(database, battle)
    about = more.get("about", VERDICT)
    if about not in ABOUT:
        raise ConfigError(f"--answer: {about!r}; expected a or b, the side whose answer is to be explained")
    chosen = _chosen(settings, found, judge, about)
    if method not in (known := method_names()):
        raise ConfigError(f"--method: {method!r} is unknown; use one of: {', '.join(known)}")
    if method not in BLACK_BOX and not has_weights(chosen):
        raise ConfigError(
            f"--method: {method} needs the weights of {chosen.name}, which is reached through "
            f"{chosen.endpoint!r}; without weights: {', '.join(BLACK_BOX)}"
        )
    return Asked(found, chosen, method, **more)


def _chosen(settings: Settings, battle: BattleTexts, judge: str | None, about: str) -> AnyModel:
    """The model to look into: the judge, or for an answer the one that wrote it unless another is named."""
    models = model_clients.configured(settings)
    able = ", ".join(name for name, one in models.items() if has_weights(one)) or "none"
    if judge is None and about == VERDICT:
        raise ConfigError(f"--judge: name the judge; models with weights here: {able}")
    wrote = battle.pair.model_a if about == "a" else battle.pair.model_b
    if judge is None and wrote not in models:
        raise ConfigError(
            f"--judge: {wrote}, which wrote answer {about.upper()}, is not in the settings; name a model that is to read "
            f"it; with weights here: {able}"
        )
    (chosen,) = model_clients.chosen(models, [judge or wrote], "--judge")
    if chosen.endpoint == "scripted":
        raise ConfigError(
            f"--judge: {chosen.name} is scripted: it has neither weights nor log-probabilities to explain"
        )
    if about != VERDICT and not has_weights(chosen):
        raise ConfigError(
            f"--answer: {chosen.name} is reached through {chosen.endpoint!r}, which tells no probability of a given "
            f"text; --judge NAME asks a model with weights here how likely it finds the answer: {able}"
        )
    return chosen


def method_names() -> list[str]:
    """All methods; those that need weights come after those that do not."""
    return [*BLACK_BOX, *WHITE_BOX]


def find_battle(database: Database, battle: str) -> BattleTexts:
    """Raises `ConfigError` for a battle that is not there, or whose models are still secret."""
    with database.read() as session:
        try:
            return battle_texts(session, battle)
        except UnknownBattle as problem:
            raise ConfigError(str(problem)) from problem


def stored(database: Database, asked: Asked) -> Mapping[str, Any] | None:
    """The explanation, if it was made before."""
    with database.read() as session:
        found = find_explanation(session, asked.battle.id, asked.judge.name, asked.method, asked.design)
    return found.document if found else None


def all_stored(database: Database, battle: BattleTexts) -> list[StoredExplanation]:
    """All explanations of a battle, the newest first."""
    with database.read() as session:
        return explanations_of(session, battle.id)


def explain(database: Database, settings: Settings, asked: Asked, progress: Progress) -> Mapping[str, Any]:
    """Make the explanation and keep it. What the judge answered is kept at once, so a second try is quick.

    Raises `ConfigError`, `JudgeFailed`, and what `progress` raises.
    """
    counter = Counter(progress)
    with _opened(settings) as reply_cache:
        try:
            made = _made(asked, reply_cache, counter)
        except InterpError as problem:
            raise ConfigError(f"{asked.judge.name}: {problem}") from problem
    told = {
        "layout": LAYOUT,
        "battle": asked.battle.public_id,
        "number": asked.battle.id,
        "judge": asked.judge.name,
        "method": asked.method,
        "about": asked.about,
        "models": {"completion_a": asked.battle.pair.model_a, "completion_b": asked.battle.pair.model_b},
        "votes": [{"source": source, "winner": winner} for source, winner in asked.battle.votes],
        **made,
        "made_at": now().isoformat(timespec="seconds"),
    }
    document: dict[str, Any] = json.loads(json.dumps(told, allow_nan=False))
    with database.write() as session:
        add_explanation(session, asked.battle.id, asked.judge.name, asked.method, asked.design, document)
    return document


def _made(asked: Asked, reply_cache: ReplyCache, counter: Counter) -> Mapping[str, Any]:
    if asked.about != VERDICT:
        lm = load(asked.judge, lambda said: counter.begin(said))
        counter.begin("reading the answer")
        answer = read_answer(asked.judge, asked.battle.pair, asked.about, lm, reply_cache, counter.seen)
        return of_answer(answer, asked.method, asked.heads, counter)
    with _reading(asked, reply_cache, counter) as reading:
        return of_verdict(reading, asked.method, asked.heads, counter)


@contextmanager
def _opened(settings: Settings) -> Iterator[ReplyCache]:
    try:
        with ReplyCache(reply_cache_path(settings, name=EXPLANATION_REPLIES)) as reply_cache:
            yield reply_cache
    except ReplyCacheError as problem:
        raise ConfigError(str(problem).replace("give --reply-cache FILE", "use another folder")) from problem


@contextmanager
def _reading(asked: Asked, reply_cache: ReplyCache, counter: Counter) -> Iterator[Reading]:
    pair = asked.battle.pair
    if has_weights(asked.judge):
        lm = load(asked.judge, lambda said: counter.begin(said))
        counter.begin("reading the battle")
        yield read_weights(asked.judge, pair, asked.template, lm, reply_cache, counter.seen)
        return
    with calls(asked.judge, pair, asked.template, reply_cache, asked.budget, counter.seen) as reading:
        yield reading


__all__ = ["DEFAULT", "VERDICT", "Asked", "all_stored", "ask", "explain", "find_battle", "method_names", "stored"]
