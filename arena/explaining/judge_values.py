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
from arena.serving import model_clients
from interp import Floats, InterpError, Masks, Prompt, SwappedOrders, Value, matching_units
from judges import Pair, PairwiseJudge
from judges.errors import JudgesError
from judges.template_fields import pair_values

if TYPE_CHECKING:
    from interp import CausalLM, Target

AT_ONCE = 32  # masks between two calls of `seen`
PROTOCOL = "token"
LABEL_MASS = 0.5  # probability of A and B together below which the reader is warned
SEGMENTS = {"question": "prompt", "answer_a": "completion_a", "answer_b": "completion_b"}
SWAPPED = {"prompt": "prompt", "completion_a": "completion_b", "completion_b": "completion_a"}

Texts = Callable[[Sequence[str]], Floats]
Seen = Callable[[int], None]  # called with the number of computed masks; may raise to end the work


@dataclass(frozen=True)
class VerdictValue:
    """The verdict on a battle in both orders as a function of masks.

    `texts` are f of whole texts, for words that are replaced. `targets` is None without local weights.
    """

    prompts: tuple[Prompt, Prompt]
    both_orders: SwappedOrders
    texts: tuple[Texts, Texts]
    targets: tuple[Target, Target] | None = None
    notes: tuple[str, ...] = ()

    def edited(self, edits: Sequence[Mapping[int, str]]) -> Floats:
        """The content (edits,) of the battle with some words replaced, in both orders."""
        places = self.both_orders.places
        first = self.texts[0]([with_replacements(self.prompts[0], edit) for edit in edits])
        moved = [{int(places[unit]): word for unit, word in edit.items()} for edit in edits]
        second = self.texts[1]([with_replacements(self.prompts[1], edit) for edit in moved])
        return np.asarray((first - second) / 2)


@dataclass(frozen=True)
class Order:
    """The request for one order, and its contents as (segment, text) in the order of the template."""

    body: Mapping[str, Any]
    contents: tuple[tuple[str, str], ...]


def orders(judge: AnyModel, pair: Pair, template: str | None) -> tuple[Order, Order]:
    """The orders with answer A shown first, and second. The segments keep the names of the pair.

    Raises `ConfigError` for a pair that is decided without a call, and for a template that cannot be filled.
    """
    try:
        prompter = PairwiseJudge(judge.name, PROTOCOL, template)
        if not prompter.requests(pair):
            verdict = prompter.verdict(pair, [])
            reason = getattr(verdict, "reason", "").rstrip(".").lower()
            raise ConfigError(
                f"{pair.prompt}: {reason}. No judge is called for such a pair, so there is no verdict to explain."
            )
        first = Order(prompter.requests(pair)[0], tuple(_contents(prompter, pair)))
        swapped = [(SWAPPED[name], text) for name, text in _contents(prompter, pair.swapped())]
        second = Order(prompter.requests(pair.swapped())[0], tuple(swapped))
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
    return first, second


def _contents(judge: PairwiseJudge, pair: Pair) -> list[tuple[str, str]]:
    """Question and completions in the order in which the template shows them."""
    values = pair_values(pair)
    marks = {name: f"\x00{name}\x00" for name in values}
    shown = "\n".join(message["content"] for message in judge.template(pair).messages(marks))
    there = sorted((name for name in SEGMENTS if marks[name] in shown), key=lambda name: shown.index(marks[name]))
    return [(SEGMENTS[name], values[name].strip()) for name in there]


def verdict_value(
    judge: AnyModel, pair: Pair, template: str | None, lm: CausalLM, reply_cache: ReplyCache, seen: Seen
) -> VerdictValue:
    """The verdict of a model with local weights. Raises `ConfigError`."""
    identity = {"model": model_clients.identity(judge), "dtype": lm.dtype, "explained": "logit(A) - logit(B)"}
    try:
        prompts = [
            Prompt.from_text(chat_text(lm, order.body["messages"]), order.contents)
            for order in orders(judge, pair, template)
        ]
        ab, ba = (lm.contrast(prompt) for prompt in prompts)
        mass = min(lm.label_mass(target, "A", "B") for target in (ab, ba))
        cache = ValueCache(identity, judge.name, reply_cache, seen)
        first, second = (cached_value(target.masked(), target.prompt, cache) for target in (ab, ba))
        whole_texts = cached_texts(lm, cache)
        both_orders = SwappedOrders(first, second, matching_units(prompts[0].words, prompts[1].words))
    except InterpError as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem
    notes = (
        ()
        if mass >= LABEL_MASS
        else (
            f"A and B together have a probability of {mass:.0%} as the judge's next token: it is likely to write "
            "something else than a letter",
        )
    )
    return VerdictValue((prompts[0], prompts[1]), both_orders, (whole_texts, whole_texts), (ab, ba), notes)


def chat_text(lm: CausalLM, messages: Sequence[Mapping[str, str]]) -> str:
    """The messages in the chat template of a model. Raises `ConfigError` for a model without one."""
    if not lm.tokenizer.chat_template:
        raise ConfigError(f"{lm.name} has no chat template. Set chat_template, a Jinja template, in its settings.")
    messages = [dict(message) for message in messages]
    text: str = lm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


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
