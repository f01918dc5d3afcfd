"""A judge's verdict on one battle as a value over the words it read, in both orders.

A judge whose weights are here is asked for its logits; one behind an API for the log-probabilities of its
verdict, through the engine (`arena.judge_calls`). Either way every answer is kept in a journal under the address
of what was asked, so that an explanation that was interrupted goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from arena import targets
from arena.config import AnyModel, LlamaCppSettings, TransformersSettings
from arena.engine import Entry, Journal, Status, address
from arena.errors import ConfigError
from interp.errors import InterpError
from interp.exchange import Exchange, same_units
from interp.perturbation import Floats, Masks, Value
from interp.prompt import Prompt
from judges import Pair, PairwiseJudge
from judges.errors import JudgesError
from judges.places import of_pair

if TYPE_CHECKING:
    from interp.causal_lm import CausalLM
    from interp.target import Target

AT_ONCE = 32  # masks between two looks at whether to go on
SCHEME = "token"
PLAYS = 0.5  # probability of A and B together below which a judge is said not to play by the rules
SEGMENTS = {"question": "prompt", "answer_a": "completion_a", "answer_b": "completion_b"}
SWAPPED = {"prompt": "prompt", "completion_a": "completion_b", "completion_b": "completion_a"}

Seen = Callable[[int], None]  # told how many masks were answered; may raise to end the work


@dataclass(frozen=True)
class Reading:
    """Both orders of a battle. `asked` is all that decides the values; `targets` are there with weights."""

    prompts: tuple[Prompt, Prompt]
    exchange: Exchange
    asked: Mapping[str, Any]
    targets: tuple[Target, Target] | None = None
    notes: tuple[str, ...] = ()


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
    judge: AnyModel, pair: Pair, template: str | None, lm: CausalLM, journal: Journal, seen: Seen
) -> Reading:
    """The battle as a model reads it whose weights are here. Raises `ConfigError`."""
    identity = {"model": targets.identity(judge), "dtype": lm.dtype, "explained": "logit(A) - logit(B)"}
    try:
        prompts = [Prompt.found(_rendered(lm, one), one.contents) for one in orders(judge, pair, template)]
        ab, ba = (lm.contrast(prompt) for prompt in prompts)
        mass = min(lm.label_mass(one, "A", "B") for one in (ab, ba))
        first, second = (kept(one.masked(), one.prompt, identity, judge.name, journal, seen) for one in (ab, ba))
        exchange = Exchange(first, second, same_units(prompts[0].words, prompts[1].words))
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
    return Reading(
        (prompts[0], prompts[1]), exchange, {**identity, "prompts": [p.text for p in prompts]}, (ab, ba), notes
    )


def _rendered(lm: CausalLM, order: Order) -> str:
    if not lm.tokenizer.chat_template:
        raise ConfigError(f"{lm.name} has no chat template; give chat_template in the settings, a Jinja text")
    messages = [dict(message) for message in order.body["messages"]]
    text: str = lm.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text


def kept(
    value: Value, prompt: Prompt, identity: Mapping[str, Any], name: str, journal: Journal, seen: Seen
) -> Value:
    """The value, with every answer in the journal: what was answered before is not asked again."""

    def remembered(masks: Masks) -> Floats:
        keys = [address(identity, {"text": left(prompt, mask)}) for mask in masks]
        new = list({key: row for row, key in enumerate(keys) if key not in journal}.items())
        for start in range(0, len(new), AT_ONCE):
            some = new[start : start + AT_ONCE]
            answers = value(masks[[row for _, row in some]])
            for (key, _), answer in zip(some, answers.tolist(), strict=True):
                journal.append(Entry(key, Status.OK, name, {"contrast": answer}))
            seen(len(some))
        seen(len(masks) - len(new))
        return np.array([_contrast(journal, key) for key in keys])

    return remembered


def _contrast(journal: Journal, key: str) -> float:
    reply = journal.reply(key)
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


def has_weights(judge: AnyModel) -> bool:
    """Whether its weights can be loaded here, through transformers."""
    return isinstance(judge, TransformersSettings | LlamaCppSettings)


def load(judge: AnyModel, report: Callable[[str], None]) -> CausalLM:
    """The weights of a judge, in float32: near ties are below what bfloat16 can tell. Raises `ConfigError`."""
    from arena.endpoints import EndpointError

    if not isinstance(judge, TransformersSettings | LlamaCppSettings):
        raise ConfigError(f"{judge.name} is reached through {judge.endpoint!r}: its weights are not here")
    source, revision, device = _source(judge, report)
    try:
        report("loading torch")
        import torch
        import transformers

        from arena.endpoints.checkpoint import load as load_weights
        from interp.causal_lm import CausalLM
    except ImportError as problem:
        detail = f"explaining from weights needs the extra 'local': pip install 'arena[local]' ({problem})"
        raise ConfigError(detail) from problem
    try:
        torch.set_num_threads(judge.threads)
        transformers.utils.logging.disable_progress_bar()  # we tell what goes on ourselves
        report("loading weights")
        network, tokenizer = load_weights(source, None, revision, "float32", device, None)
        if judge.chat_template is not None:
            tokenizer.chat_template = judge.chat_template
        return CausalLM(network, tokenizer, name=judge.name)
    except (EndpointError, InterpError) as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem


def _source(
    judge: TransformersSettings | LlamaCppSettings, report: Callable[[str], None]
) -> tuple[str, str | None, str | None]:
    if isinstance(judge, TransformersSettings):
        return judge.source, judge.revision, judge.device
    if judge.path is not None:
        if not judge.path.is_file():
            raise ConfigError(f"{judge.name}: no such file: {judge.path}; give `path` a GGUF file")
        return str(judge.path), None, None
    from arena.endpoints import EndpointError
    from arena.weights import KNOWN, fetch

    if judge.weights not in KNOWN:
        raise ConfigError(f"{judge.name}: weights {judge.weights!r} are unknown; known: {', '.join(KNOWN)}")
    try:
        return str(fetch(KNOWN[judge.weights], report)), None, None
    except EndpointError as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem
