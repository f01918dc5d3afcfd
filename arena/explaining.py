"""Explain a judge's verdict on one battle: attribute, measure, look for what would flip it, remember it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena import targets
from arena.config import AnyModel, Settings
from arena.engine import Journal, JournalError, address
from arena.errors import ConfigError
from arena.judge_calls import calls
from arena.judge_readings import SCHEME, Reading, has_weights, load, read_weights
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
from arena.store.tables import now
from interp.counterfactual import smallest_deletion
from interp.errors import InterpError, UnsupportedModel
from interp.faithfulness import FRACTIONS, RANKINGS, faithfulness
from interp.inside import INSIDE, flow_graph, heads
from interp.inside import scores as inside_scores
from interp.methods import METHODS, Scored, Words, method, words_of
from interp.perturbation import Floats
from interp.uncertainty import both_orders, margin
from judges.template import own

DEFAULT = "screen"
JOURNAL = "arena-explanations.jsonl"
LAYOUT = 1  # counts up when the document or a method changes, so that older explanations are made again

Progress = Callable[[str, int, int], None]  # stage, done, of how many; may raise to end the work


@dataclass(frozen=True)
class Asked:
    """What to explain: a battle, a judge of the settings, a method, and the judge's prompt if not our own."""

    battle: BattleTexts
    judge: AnyModel
    method: str
    template: str | None = None
    budget: float | None = None

    @property
    def design(self) -> str:
        """Digest of all that decides the explanation of this battle."""
        prompt = own(SCHEME) if self.template is None else self.template
        return address(targets.identity(self.judge), {"prompt": prompt, "method": self.method, "layout": LAYOUT})


def ask(
    database: Database,
    settings: Settings,
    battle: str,
    judge: str | None,
    method_name: str = DEFAULT,
    template: str | None = None,
    budget: float | None = None,
) -> Asked:
    """Check what was asked for before any work is done. Raises `ConfigError`."""
    models = targets.configured(settings)
    if judge is None:
        able = [name for name, one in models.items() if has_weights(one)]
        raise ConfigError(f"--judge: name the judge; models with weights here: {', '.join(able) or 'none'}")
    (chosen,) = targets.chosen(models, [judge], "--judge")
    if chosen.endpoint == "scripted":
        raise ConfigError(f"--judge: {judge} is scripted: it has neither weights nor log-probabilities to explain")
    if method_name not in (known := method_names()):
        raise ConfigError(f"--method: {method_name!r} is unknown; use one of: {', '.join(known)}")
    if method_name not in METHODS and not has_weights(chosen):
        raise ConfigError(
            f"--method: {method_name} needs the weights of {judge}, which is reached through {chosen.endpoint!r}; "
            f"without weights: {', '.join(METHODS)}"
        )
    return Asked(find_battle(database, battle), chosen, method_name, template, budget)


def method_names() -> list[str]:
    """All methods; those that need weights come after those that do not."""
    return [*METHODS, *INSIDE]


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
    counter = _Counter(progress)
    with _opened(settings) as journal, _reading(asked, journal, counter) as reading:
        document: dict[str, Any] = json.loads(json.dumps(_document(asked, reading, counter), allow_nan=False))
    with database.write() as session:
        add_explanation(session, asked.battle.id, asked.judge.name, asked.method, asked.design, document)
    return document


@dataclass
class _Counter:
    """Masks answered so far in this stage; both orders count."""

    progress: Progress
    stage: str = "preparing"
    done: int = 0
    total: int = 0

    def begin(self, stage: str, total: int = 0) -> None:
        self.stage, self.done, self.total = stage, 0, total
        self.progress(stage, 0, total)

    def seen(self, count: int) -> None:
        self.done += count
        self.progress(self.stage, self.done, max(self.total, self.done))


@contextmanager
def _opened(settings: Settings) -> Iterator[Journal]:
    try:
        with Journal(journal_path(settings)) as journal:
            yield journal
    except JournalError as problem:
        raise ConfigError(str(problem).replace("give --journal FILE", "or use another folder")) from problem


def journal_path(settings: Settings) -> Path:
    """Where answers are kept: beside the SQLite file, else in this folder."""
    prefix = "sqlite:///"
    if settings.database_url.startswith(prefix):
        return Path(settings.database_url.removeprefix(prefix)).with_name(JOURNAL)
    return Path(JOURNAL)


@contextmanager
def _reading(asked: Asked, journal: Journal, counter: _Counter) -> Iterator[Reading]:
    pair = asked.battle.pair
    if has_weights(asked.judge):
        lm = load(asked.judge, lambda said: counter.begin(said))
        counter.begin("reading the battle")
        yield read_weights(asked.judge, pair, asked.template, lm, journal, counter.seen)
        return
    with calls(asked.judge, pair, asked.template, journal, asked.budget, counter.seen) as reading:
        yield reading


def _document(asked: Asked, reading: Reading, counter: _Counter) -> dict[str, Any]:
    started = time.monotonic()
    game = reading.exchange.content
    try:
        words = words_of(reading.prompts[0])
        whole = reading.exchange.both(np.ones((1, words.units), dtype=bool))
        found = both_orders(float(whole[0][0]), float(whole[1][0]))
        scored = _scored(asked, reading, words, counter)
        hidden = 1 + 3 * len(FRACTIONS) * (RANKINGS + 1)
        counter.begin("measuring faithfulness", 2 * hidden)
        measured = faithfulness(game, scored.scores)
        counter.begin("looking for what would flip it")
        flip = smallest_deletion(game, scored.scores)
        inside = _inside(reading, counter)
    except InterpError as problem:
        raise ConfigError(f"{asked.judge.name}: {problem}") from problem
    return {
        "layout": LAYOUT,
        "battle": asked.battle.public_id,
        "number": asked.battle.id,
        "judge": asked.judge.name,
        "method": asked.method,
        "parameters": dict(scored.parameters),
        "target": "(logit(A) - logit(B)) of the verdict, half the difference of both orders",
        "models": {"completion_a": asked.battle.pair.model_a, "completion_b": asked.battle.pair.model_b},
        "votes": [{"source": source, "winner": winner} for source, winner in asked.battle.votes],
        "verdict": {
            "orders": [float(whole[0][0]), float(whole[1][0])],
            "content": found.content,
            "bias": found.bias,
            "consistent": found.consistent,
            "winner": "model_a" if found.content > 0 else "model_b",
            "entropy": [margin(float(one[0])).entropy for one in whole],
        },
        "words": _words(reading, scored.scores),
        "sentences": _sentences(reading, words, scored.scores),
        "faithfulness": measured.to_dict(),
        "counterfactual": flip.to_dict(),
        **inside,
        "notes": [*reading.notes, *_noted(scored)],
        "seconds": round(time.monotonic() - started, 1),
        "made_at": now().isoformat(timespec="seconds"),
    }


def _scored(asked: Asked, reading: Reading, words: Words, counter: _Counter) -> Scored:
    if asked.method in INSIDE and reading.targets is not None:
        inside = INSIDE[asked.method]
        counter.begin(f"attributing: {inside.says}")
        return inside_scores(inside, reading.targets, reading.exchange)
    chosen = method(asked.method)
    counter.begin(f"attributing: {chosen.says}", 2 * chosen.calls(words))
    return chosen.scores(reading.exchange.content, words)


def _inside(reading: Reading, counter: _Counter) -> dict[str, Any]:
    """Importance of heads, and the flow of attention in the first order; of a judge with weights."""
    if reading.targets is None:
        return {}
    counter.begin("looking at heads and attention")
    try:
        return {"heads": heads(reading.targets), "flow": flow_graph(reading.targets[0])}
    except UnsupportedModel:  # a network of another make: the words are explained all the same
        return {}


def _noted(scored: Scored) -> list[str]:
    """What a method warns of, once."""
    orders = scored.parameters.get("orders")
    notes = [note for one in orders for note in one["notes"]] if isinstance(orders, list) else []
    if scored.parameters.get("signed") is False:
        notes.append("this method has no sign: it says where the judge looked, not for whom it spoke")
    return list(dict.fromkeys(notes))


def _words(reading: Reading, scores: Floats) -> list[dict[str, Any]]:
    return [
        {"segment": word.segment, "text": word.text, "score": float(score)}
        for word, score in zip(reading.prompts[0].words, scores, strict=True)
    ]


def _sentences(reading: Reading, words: Words, scores: Floats) -> list[dict[str, Any]]:
    """Signed sums over the words of each sentence, with the numbers of the first and last word."""
    units = reading.prompts[0].words
    return [
        {
            "segment": units[sentence[0]].segment,
            "text": "".join(units[number].text for number in sentence).strip(),
            "score": float(sum(scores[number] for number in sentence)),
            "words": [sentence[0], sentence[-1]],
        }
        for sentence in words.sentences
    ]


__all__ = ["DEFAULT", "Asked", "all_stored", "ask", "explain", "find_battle", "method_names", "stored"]
