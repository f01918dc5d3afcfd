"""A judge's verdict on one battle as a value over the words it read, in both orders.

A judge whose weights are here (`arena.serving.local_weights`) is asked for its logits; one behind an API for the
log-probabilities of its verdict, through the engine (`arena.explaining.api_judge`). Either way every answer is kept in a
journal under the address of what was asked, so that an explanation that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.config import AnyModel
from arena.engine import Entry, ReplyCache, Status, address
from arena.errors import ConfigError
from arena.serving import model_clients as targets
from interp.blackbox.swapped_orders import SwappedOrders, matching_units
from interp.errors import InterpError
from interp.masks import Floats, Masks, Value
from interp.prompt import Prompt
from judges import Pair, PairwiseJudge
from judges.errors import JudgesError
from judges.template_fields import of_pair

if TYPE_CHECKING:
    from interp.whitebox.causal_lm import CausalLM
    from interp.whitebox.target import Target

AT_ONCE = 32  # masks between two looks at whether to go on
SCHEME = "token"
PLAYS = 0.5  # probability of A and B together below which a judge is said not to play by the rules
SEGMENTS = {"question": "prompt", "answer_a": "completion_a", "answer_b": "completion_b"}
SWAPPED = {"prompt": "prompt", "completion_a": "completion_b", "completion_b": "completion_a"}

Texts = Callable[[Sequence[str]], Floats]
Seen = Callable[[int], None]  # told how many masks were answered; may raise to end the work


@dataclass(frozen=True)
class Reading:
    """Both orders of a battle. `texts` are f of whole texts, for words that are replaced; `targets` are there with
    weights."""

    prompts: tuple[Prompt, Prompt]
    exchange: SwappedOrders
    texts: tuple[Texts, Texts]
    targets: tuple[Target, Target] | None = None
    notes: tuple[str, ...] = ()

    def edited(self, edits: Sequence[Mapping[int, str]]) -> Floats:
        """The content (edits,) of the battle with some words replaced, in both orders."""
        places = self.exchange.places
        first = self.texts[0]([replaced(self.prompts[0], edit) for edit in edits])
        moved = [{int(places[unit]): word for unit, word in edit.items()} for edit in edits]
        second = self.texts[1]([replaced(self.prompts[1], edit) for edit in moved])
        return np.asarray((first - second) / 2)


@dataclass(frozen=True)
class Order:
    """One order as a judge is asked, and its contents as (segment, text) in the order of the template."""

    body: Mapping[str, Any]
    contents: tuple[tuple[str, str], ...]


def orders(judge: AnyModel, pair: Pair, template: str | None) -> tuple[Order, Order]:
    """Answer A shown first, and shown second; the segments keep the names of the pair.

    Raises `ConfigError` for a pair that is decided without asking, and for a template that cannot be filled.
    """
    try:
        asking = PairwiseJudge(judge.name, SCHEME, template)
        if not asking.requests(pair):
            found = asking.verdict(pair, [])
            reason = getattr(found, "reason", "").rstrip(".").lower()
            raise ConfigError(f"{pair.prompt}: {reason}; judges are not asked, so there is nothing to explain")
        made = []
        for one, names in ((pair, None), (pair.swapped(), SWAPPED)):
            contents = _contents(asking, one)
            made.append(
                Order(asking.requests(one)[0], tuple((names[n] if names else n, text) for n, text in contents))
            )
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
    return made[0], made[1]


def _contents(judge: PairwiseJudge, pair: Pair) -> list[tuple[str, str]]:
    """Question and completions in the order in which the template shows them."""
    values = of_pair(pair)
    marks = {name: f"\x00{name}\x00" for name in values}
    shown = "\n".join(message["content"] for message in judge.template(pair).messages(marks))
    there = sorted((name for name in SEGMENTS if marks[name] in shown), key=lambda name: shown.index(marks[name]))
    return [(SEGMENTS[name], values[name].strip()) for name in there]


def read_weights(
    judge: AnyModel, pair: Pair, template: str | None, lm: CausalLM, reply_cache: ReplyCache, seen: Seen
) -> Reading:
    """The battle as a model reads it whose weights are here. Raises `ConfigError`."""
    identity = {"model": targets.identity(judge), "dtype": lm.dtype, "explained": "logit(A) - logit(B)"}
    try:
        prompts = [
            Prompt.found(rendered(lm, one.body["messages"]), one.contents) for one in orders(judge, pair, template)
        ]
        ab, ba = (lm.contrast(prompt) for prompt in prompts)
        mass = min(lm.label_mass(one, "A", "B") for one in (ab, ba))
        memory = Memory(identity, judge.name, reply_cache, seen)
        first, second = (kept(one.masked(), one.prompt, memory) for one in (ab, ba))
        spelled = spelled_out(lm, memory)
        exchange = SwappedOrders(first, second, matching_units(prompts[0].words, prompts[1].words))
    except InterpError as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem
    notes = (
        ()
        if mass >= PLAYS
        else (
            f"A and B together have a probability of {mass:.0%} as the judge's next token: asked for a letter, it "
            "would rather write something else",
        )
    )
    return Reading((prompts[0], prompts[1]), exchange, (spelled, spelled), (ab, ba), notes)


def rendered(lm: CausalLM, messages: Sequence[Mapping[str, str]]) -> str:
    if not lm.tokenizer.chat_template:
        raise ConfigError(f"{lm.name} has no chat template; give chat_template in the settings, a Jinja text")
    messages = [dict(message) for message in messages]
    text: str = lm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


@dataclass(frozen=True)
class Memory:
    """Every answer goes to the journal: what was answered before is not asked again."""

    identity: Mapping[str, Any]
    name: str
    reply_cache: ReplyCache
    seen: Seen

    def answers(self, texts: Sequence[str], ask: Callable[[Sequence[int]], Floats]) -> Floats:
        """f (texts,); `ask` is given the numbers of those that are new."""
        keys = [address(self.identity, {"text": text}) for text in texts]
        new = list({key: row for row, key in enumerate(keys) if key not in self.reply_cache}.items())
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            found = ask([row for _, row in some])
            for (key, _), answer in zip(some, found.tolist(), strict=True):
                self.reply_cache.append(Entry(key, Status.OK, self.name, {"contrast": answer}))
            self.seen(len(some))
        self.seen(len(texts) - len(new))
        return np.array([_contrast(self.reply_cache, key) for key in keys])


def kept(value: Value, prompt: Prompt, memory: Memory) -> Value:
    """The value, with every answer in the journal."""

    def remembered(masks: Masks) -> Floats:
        return memory.answers([left(prompt, mask) for mask in masks], lambda rows: value(masks[rows]))

    return remembered


def spelled_out(lm: CausalLM, memory: Memory) -> Texts:
    """The contrast of whole texts, one run each: a replaced word shares no tokens with the one before."""

    def remembered(texts: Sequence[str]) -> Floats:
        return memory.answers(
            texts, lambda rows: np.array([lm.contrast(Prompt(texts[row], ())).value for row in rows])
        )

    return remembered


def _contrast(reply_cache: ReplyCache, key: str) -> float:
    reply = reply_cache.reply(key)
    assert reply is not None
    return float(reply["contrast"])


def left(prompt: Prompt, mask: Sequence[bool] | Any) -> str:
    """The text without the words that the mask takes out."""
    text, position = [], 0
    for word, keep in zip(prompt.words, mask, strict=True):
        text.append(prompt.text[position : word.start])
        if keep:
            text.append(word.text)
        position = word.end
    return "".join([*text, prompt.text[position:]])


def replaced(prompt: Prompt, edit: Mapping[int, str]) -> str:
    """The text with some words replaced; the space before a word stays."""
    text, position = [], 0
    for unit, word in sorted(edit.items()):
        before = prompt.words[unit]
        start = before.start + len(before.text) - len(before.text.lstrip())
        text += [prompt.text[position:start], word]
        position = before.end
    return "".join([*text, prompt.text[position:]])
