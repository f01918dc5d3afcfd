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
from interp.blackbox.precision import Precise, until_precise
from interp.blackbox.shapley import EXACT, exact_shapley, kernel_shap, sampled_shapley
from interp.blackbox.two_stage import screen_by_groups, screen_then_verify
from interp.errors import BadOption
from interp.masks import Floats, Groups, Value
from interp.notes import noisy
from interp.prompt import Prompt, Unit, groups
from interp.texts import gettext_noop

ORDERS = 64  # at most, in pairs: each order costs a call a word
SAMPLES = 256  # of a round of Kernel SHAP
KERNEL_ROUNDS = 16  # at most
CALLS = 256  # of Owen values, one a word among them; what is not reached is shared within its group
MASKS = 8  # of a round of permutation importance: each costs half a call a word
MASK_ROUNDS = 32  # at most
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
    """A method that needs only a value function.

    `calls` is the number of masks that `scores` evaluates, None where it depends on their values. Scores of a `complete`
    method sum to f(all words) - f(no word).
    """

    name: str
    summary: str
    calls: Callable[[Words], int | None]
    scores: Callable[[Value, Words], MethodResult]
    complete: bool = False


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
    """Rounds of one random order and its reverse."""
    precise = until_precise(
        lambda seed: sampled_shapley(value, words.units, orders=2, seed=seed).scores, most=ORDERS // 2
    )
    return sampled_result(precise, {"random_orders": 2 * precise.rounds})


def _kernel(value: Value, words: Words) -> MethodResult:
    if 1 << words.units <= SAMPLES + 2:  # every mask is used, so the values are exact
        return MethodResult(
            kernel_shap(value, words.units, samples=SAMPLES).scores, {"samples": (1 << words.units) - 2}
        )
    precise = until_precise(
        lambda seed: kernel_shap(value, words.units, samples=SAMPLES, seed=seed).scores, most=KERNEL_ROUNDS
    )
    return sampled_result(precise, {"samples": SAMPLES * precise.rounds})


def _permutation(value: Value, words: Words) -> MethodResult:
    precise = until_precise(
        lambda seed: permutation_importance(value, words.units, samples=MASKS, seed=seed), most=MASK_ROUNDS
    )
    return sampled_result(precise, {"samples": MASKS * precise.rounds})


def sampled_result(precise: Precise, parameters: Mapping[str, Any]) -> MethodResult:
    """Sampled scores with their standard error, and a note where it is too large for a ranking."""
    error = precise.error if np.isfinite(precise.error) else None
    sampling = {"standard_error": error, "target_error": precise.target, "rounds": precise.rounds}
    notes = [] if precise.error <= precise.target else [noisy(precise.error, precise.target)]
    return MethodResult(precise.scores, {**parameters, **sampling, "notes": notes})


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
            lambda _: None,
            _owen,
            complete=True,
        ),
        BlackBoxMethod(
            "shapley",
            gettext_noop("Shapley values from random orders of the words"),
            lambda _: None,
            _sampled,
            complete=True,
        ),
        BlackBoxMethod(
            "kernel_shap", gettext_noop("the nearest linear game"), lambda _: None, _kernel, complete=True
        ),
        BlackBoxMethod(
            "permutation",
            gettext_noop("the presence of a word is shuffled over random texts"),
            lambda _: None,
            _permutation,
        ),
    )
}
