"""Black-box methods by name: the cost of each, and its scores for the words of a text.

They need only a value function, so they explain a judge behind an API too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from interp.blackbox.owen import Nested, owen
from interp.blackbox.perturbation import leave_out, occlusion, permutation_importance
from interp.blackbox.shapley import EXACT, exact_shapley, kernel_shap, sampled_shapley
from interp.blackbox.two_stage import screen_by_groups, screen_then_verify
from interp.errors import BadOption
from interp.masks import Floats, Groups, Value
from interp.prompt import Prompt, Unit, groups
from interp.texts import gettext_noop

ORDERS = 4  # sampled ones: each costs a call a word
SAMPLES = 256  # of Kernel SHAP
CALLS = 256  # of Owen values, one a word among them; what is not reached is shared within its group
MASKS = 32  # of permutation importance: each costs half a call a word
VERIFIED = 3  # one word in three is verified after the screen, and always
LEAST = 24  # words, since a sentence that matters may spread its effect thinly over many


@dataclass(frozen=True)
class Words:
    """The number of words of a text and how they nest. `sentences` and `segments` hold indices of words."""

    units: int
    sentences: Groups
    segments: Sequence[Groups]  # sentences by completion

    @property
    def tree(self) -> Nested:
        """Completions of sentences of words."""
        return [[list(sentence) for sentence in segment] for segment in self.segments]


@dataclass(frozen=True)
class MethodResult:
    """Scores (units,) of a method, with its parameters."""

    scores: Floats
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BlackBoxMethod:
    """A method that needs only a value function. `calls` estimates the number of masks that `scores` evaluates."""

    name: str
    summary: str
    calls: Callable[[Words], int]
    scores: Callable[[Value, Words], MethodResult]


def words_of(prompt: Prompt) -> Words:
    """Words and sentences of a prompt's content. Raises BadOption for a prompt without words."""
    if not prompt.words:
        raise BadOption("The prompt has no words outside its template. Name a segment with words.")
    members = groups(prompt.words, prompt.sentences)
    filled = [(unit, group) for unit, group in zip(prompt.sentences, members, strict=True) if group]
    return Words(
        len(prompt.words),
        [group for _, group in filled],
        [
            [group for unit, group in filled if unit.segment == name]
            for name in prompt.names()
            if _holds(filled, name)
        ],
    )


def black_box_method(name: str) -> BlackBoxMethod:
    """The method of this name. Raises BadOption, which lists the names."""
    if name not in BLACK_BOX:
        raise BadOption(f"method {name!r}. Expected one of: {', '.join(BLACK_BOX)}.")
    return BLACK_BOX[name]


def _holds(filled: Sequence[tuple[Unit, list[int]]], name: str) -> bool:
    return any(unit.segment == name for unit, _ in filled)


def _screen(value: Value, words: Words) -> MethodResult:
    screen = screen_by_groups(value, words.units, words.sentences)
    screened = screen_then_verify(value, screen, keep=_verified(words))
    parameters = {"verified": screened.verified.tolist(), "agreement": _number(screened.agreement)}
    return MethodResult(screened.scores, {"screen": "sentences", **parameters})


def _verified(words: Words) -> int:
    return min(words.units, max(LEAST, words.units // VERIFIED))


def _sentences(value: Value, words: Words) -> MethodResult:
    """Shapley values of the sentences if they are few, else occlusion of each; divided evenly among the words."""
    count = len(words.sentences)
    members = np.zeros((count, words.units), dtype=bool)
    for row, sentence in enumerate(words.sentences):
        members[row, list(sentence)] = True
    if count <= EXACT:
        effects = exact_shapley(lambda masks: value(masks @ members), count)
    else:
        effects = leave_out(value, words.units, words.sentences)
    share = members / members.sum(axis=1, keepdims=True)
    return MethodResult(
        effects @ share, {"sentences": "exact Shapley" if count <= EXACT else "left out one by one"}
    )


def _sampled(value: Value, words: Words) -> MethodResult:
    estimate = sampled_shapley(value, words.units, orders=ORDERS)
    return MethodResult(
        estimate.scores, {"orders": ORDERS, "standard_errors": [_number(error) for error in estimate.errors]}
    )


def _kernel(value: Value, words: Words) -> MethodResult:
    estimate = kernel_shap(value, words.units, samples=SAMPLES)
    return MethodResult(
        estimate.scores, {"samples": SAMPLES, "standard_errors": [_number(error) for error in estimate.errors]}
    )


def _owen(value: Value, words: Words) -> MethodResult:
    values = owen(value, words.tree, calls=CALLS)
    return MethodResult(values.scores, {"calls": values.calls, "reached": float(values.split.mean())})


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


BLACK_BOX = {
    method.name: method
    for method in (
        BlackBoxMethod(
            "screen",
            gettext_noop("sentences are deleted, then the words of those that matter; quick"),
            lambda words: len(words.sentences) + _verified(words) + 2,
            _screen,
        ),
        BlackBoxMethod(
            "occlusion",
            gettext_noop("each word is deleted"),
            lambda words: words.units + 1,
            lambda value, words: MethodResult(occlusion(value, words.units)),
        ),
        BlackBoxMethod(
            "sentences",
            gettext_noop("Shapley values of the sentences, exact up to ten"),
            lambda words: 1 << len(words.sentences) if len(words.sentences) <= EXACT else len(words.sentences) + 1,
            _sentences,
        ),
        BlackBoxMethod(
            "owen",
            gettext_noop("Shapley values over completions, sentences and words; the most faithful"),
            lambda _: CALLS,
            _owen,
        ),
        BlackBoxMethod(
            "shapley",
            gettext_noop("Shapley values from random orders of the words"),
            lambda words: 2 + ORDERS * (words.units - 1),
            _sampled,
        ),
        BlackBoxMethod("kernel_shap", gettext_noop("the nearest linear game"), lambda _: SAMPLES + 2, _kernel),
        BlackBoxMethod(
            "permutation",
            gettext_noop("the presence of a word is shuffled over random texts"),
            lambda words: MASKS + MASKS * words.units // 2,
            lambda value, words: MethodResult(
                permutation_importance(value, words.units, samples=MASKS), {"samples": MASKS}
            ),
        ),
    )
}
