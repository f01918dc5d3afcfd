"""A judge's verdict on one battle as a value function over the words it read, in both orders.

A judge with local weights (`arena.serving.local_weights`) gives logits; one behind an API gives the log-probabilities
of its verdict, through the engine (`arena.explaining.api_judge`). Every value is saved in the reply cache under the
address of the request, so that an interrupted explanation resumes where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.config import AnyModel
from arena.engine import Entry, ReplyCache, Status, address
from arena.errors import ConfigError
from arena.explaining.notes import NO_LETTER
from arena.explaining.prompts import Message, Place, chat_prompt, place
from arena.explaining.refusals import ExplanationRefused
from arena.serving import local_weights
from interp import Floats, InterpError, Masks, Prompt, SwappedOrders, Value, matching_units
from judges import Pair, PairwiseJudge
from judges.errors import JudgesError
from judges.rewordings import rewordings
from judges.template import own

if TYPE_CHECKING:
    from interp import CausalLM, Target

AT_ONCE = 32  # masks between two calls of `seen`
PROTOCOL = "token"
LABEL_MASS = 0.5  # probability of A and B together below which the reader is warned
SEGMENTS = {"question": "prompt", "answer_a": "completion_a", "answer_b": "completion_b"}
SWAPPED = {"prompt": "prompt", "completion_a": "completion_b", "completion_b": "completion_a"}

Texts = Callable[[Sequence[str]], Floats]
Reworded = Callable[[], tuple[float, float]]
Seen = Callable[[int], None]  # called with the number of computed masks; may raise to end the work


@dataclass(frozen=True)
class VerdictValue:
    """The verdict on a battle in both orders as a function of masks.

    `texts` are f of whole texts, for words that are replaced. `rewordings` compute f of both orders under rewordings of
    the judge's prompt. `targets` is None without local weights.
    """

    prompts: tuple[Prompt, Prompt]
    both_orders: SwappedOrders
    texts: tuple[Texts, Texts]
    rewordings: tuple[Reworded, ...] = ()
    targets: tuple[Target, Target] | None = None
    notes: tuple[str, ...] = ()

    def edited(self, edits: Sequence[Mapping[int, str]]) -> Floats:
        """The content (edits,) of the battle with some words replaced, in both orders."""
        first, second = self.both_edited(edits)
        return np.asarray((first - second) / 2)

    def both_edited(self, edits: Sequence[Mapping[int, str]]) -> tuple[Floats, Floats]:
        """f (edits,) of either order with some words replaced."""
        places = self.both_orders.places
        moved = [{int(places[unit]): word for unit, word in edit.items()} for edit in edits]
        return (
            self.texts[0]([with_replacements(self.prompts[0], edit) for edit in edits]),
            self.texts[1]([with_replacements(self.prompts[1], edit) for edit in moved]),
        )


@dataclass(frozen=True)
class Order:
    """The request for one order, and the places of its contents."""

    body: Mapping[str, Any]
    places: tuple[Place, ...]

    @property
    def messages(self) -> Sequence[Message]:
        messages: Sequence[Message] = self.body["messages"]
        return messages


def orders(judge: AnyModel, pair: Pair, template: str | None) -> tuple[Order, Order]:
    """The orders with answer A shown first, and second. The segments keep the names of the pair.

    Raises `ConfigError` for a pair that is decided without a call, and for a template that cannot be filled.
    """
    try:
        prompter = PairwiseJudge(judge.name, PROTOCOL, template)
        if not prompter.requests(pair):
            verdict = prompter.verdict(pair, [])
            raise ExplanationRefused(
                "{prompt}: {reason}. No judge is called for such a pair, so there is no verdict to explain.",
                prompt=pair.prompt,
                reason=getattr(verdict, "reason", "").rstrip(".").lower(),
            )
        first = _order(prompter, pair, SEGMENTS)
        second = _order(prompter, pair.swapped(), {field: SWAPPED[name] for field, name in SEGMENTS.items()})
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
    return first, second


def reworded_orders(judge: AnyModel, pair: Pair, template: str | None) -> list[tuple[Order, Order]]:
    """The orders under each rewording of the template."""
    return [
        orders(judge, pair, text) for text in rewordings(own(PROTOCOL) if template is None else template).values()
    ]


def _order(judge: PairwiseJudge, pair: Pair, segments: Mapping[str, str]) -> Order:
    body = judge.requests(pair)[0]
    places = [
        place(segments[at.field], at.message, body["messages"][at.message]["content"], at.start, at.end)
        for at in judge.field_places(pair)
        if at.field in segments
    ]
    return Order(body, tuple(places))


def verdict_value(
    judge: AnyModel, pair: Pair, template: str | None, lm: CausalLM, reply_cache: ReplyCache, seen: Seen
) -> VerdictValue:
    """The verdict of a model with local weights. Raises `ConfigError`."""
    identity = {"model": local_weights.identity(judge), "dtype": lm.dtype, "explained": "logit(A) - logit(B)"}
    try:
        prompts = [chat_prompt(lm, order.messages, order.places) for order in orders(judge, pair, template)]
        ab, ba = (lm.contrast(prompt) for prompt in prompts)
        mass = min(lm.label_mass(target, "A", "B") for target in (ab, ba))
        cache = ValueCache(identity, judge.name, reply_cache, seen)
        first, second = (cached_value(target.masked(), target.prompt, cache) for target in (ab, ba))
        whole_texts = cached_texts(lm, cache)
        both_orders = SwappedOrders(first, second, matching_units(prompts[0].words, prompts[1].words))
        reworded = tuple(_reworded(lm, both, whole_texts) for both in reworded_orders(judge, pair, template))
    except InterpError as problem:
        raise ExplanationRefused("{model}: {problem}", model=judge.name, problem=str(problem)) from problem
    notes = () if mass >= LABEL_MASS else (NO_LETTER.format(mass=f"{mass:.0%}"),)
    texts = whole_texts, whole_texts
    return VerdictValue((prompts[0], prompts[1]), both_orders, texts, reworded, (ab, ba), notes)


def _reworded(lm: CausalLM, both: tuple[Order, Order], value: Texts) -> Reworded:
    """f of both orders of a reworded prompt, which is run when it is called."""
    texts = [chat_prompt(lm, order.messages, order.places).text for order in both]

    def run() -> tuple[float, float]:
        first, second = value(texts).tolist()
        return first, second

    return run


@dataclass(frozen=True)
class ValueCache:
    """Values by the address of their text: what is in the reply cache is not computed again."""

    identity: Mapping[str, Any]
    name: str
    reply_cache: ReplyCache
    seen: Seen

    def values(self, texts: Sequence[str], compute: Callable[[Sequence[int]], Floats]) -> Floats:
        """f (texts,); `compute` is called with the indices of those that are new."""
        keys = [address(self.identity, {"text": text}) for text in texts]
        new = list({key: row for row, key in enumerate(keys) if key not in self.reply_cache}.items())
        for start in range(0, len(new), AT_ONCE):
            batch = new[start : start + AT_ONCE]
            values = compute([row for _, row in batch])
            for (key, _), value in zip(batch, values.tolist(), strict=True):
                self.reply_cache.append(Entry(key, Status.OK, self.name, {"contrast": value}))
            self.seen(len(batch))
        self.seen(len(texts) - len(new))
        return np.array([_contrast(self.reply_cache, key) for key in keys])


def cached_value(value: Value, prompt: Prompt, cache: ValueCache) -> Value:
    """The value function with its values in the reply cache."""

    def cached_masks(masks: Masks) -> Floats:
        return cache.values([without_words(prompt, mask) for mask in masks], lambda rows: value(masks[rows]))

    return cached_masks


def cached_texts(lm: CausalLM, cache: ValueCache) -> Texts:
    """The contrasts of whole texts, one run each: a replacement shares no tokens with the word it replaces."""

    def contrasts(texts: Sequence[str]) -> Floats:
        return cache.values(
            texts, lambda rows: np.array([lm.contrast(Prompt(texts[row], ())).value for row in rows])
        )

    return contrasts


def _contrast(reply_cache: ReplyCache, key: str) -> float:
    reply = reply_cache.reply(key)
    assert reply is not None
    return float(reply["contrast"])


def without_words(prompt: Prompt, mask: Sequence[bool] | Any) -> str:
    """The text without the words that the mask removes."""
    text, position = [], 0
    for word, keep in zip(prompt.words, mask, strict=True):
        text.append(prompt.text[position : word.start])
        if keep:
            text.append(word.text)
        position = word.end
    return "".join([*text, prompt.text[position:]])


def with_replacements(prompt: Prompt, edit: Mapping[int, str]) -> str:
    """The text with some words replaced; the space before a word stays."""
    text, position = [], 0
    for unit, word in sorted(edit.items()):
        before = prompt.words[unit]
        start = before.start + len(before.text) - len(before.text.lstrip())
        text += [prompt.text[position:start], word]
        position = before.end
    return "".join([*text, prompt.text[position:]])
