"""What a chat-completion body asks of a model that runs here: a prompt in tokens and its sampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.endpoints.alternatives import Alternatives, alternatives, alternatives_per_token
from arena.endpoints.deltas import Deltas
from arena.endpoints.endpoint import EndpointError, Failure, Request
from arena.endpoints.raw_completions import CHAT, Api, raw_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Refused rather than ignored: an answer that pays them no heed would look like one that does.
UNSERVED = (
    "tools", "functions", "response_format", "logit_bias", "presence_penalty", "frequency_penalty",
)  # fmt: skip

BOUND = 2**63  # keeps out infinity, nan, and seeds that torch does not take
GREEDY = 1e-5  # below this temperature logits overflow; vLLM draws the line at the same place


def refusal(detail: str) -> EndpointError:
    return EndpointError(Failure.REFUSED, detail)


@dataclass(frozen=True)
class Sampling:
    """Sampling of a token. Temperature 0 takes the likeliest; `top_p` 1 and `top_k` 0 exclude none."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    repetition_penalty: float = 1.0  # over prompt and completion (Keskar et al. 2019, arXiv:1909.05858)
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.temperature < 0:
            raise refusal(f"temperature {self.temperature} is out of range. Expected 0 or more.")
        if not 0 < self.top_p <= 1:
            raise refusal(f"top_p {self.top_p} is out of range. Expected more than 0 and at most 1.")
        if self.top_k < 0:
            raise refusal(f"top_k {self.top_k} is out of range. Expected 0 or more.")
        if self.repetition_penalty <= 0:
            raise refusal(f"repetition_penalty {self.repetition_penalty} is out of range. Expected more than 0.")

    @property
    def greedy(self) -> bool:
        """True if the likeliest token is taken."""
        return self.temperature < GREEDY


def read_sampling(request: Request, default: Sampling) -> Sampling:
    """The sampling of a request, with missing fields from `default`. Raises `EndpointError`."""
    penalty = number(request, "repeat_penalty", default.repetition_penalty)  # llama.cpp's name
    seed = request.get("seed")
    return Sampling(
        temperature=number(request, "temperature", default.temperature),
        top_p=number(request, "top_p", default.top_p),
        top_k=int(number(request, "top_k", default.top_k)),
        repetition_penalty=number(request, "repetition_penalty", penalty),
        seed=None if seed is None else int(number(request, "seed", 0)),
    )


def number(request: Request, name: str, default: float) -> float:
    """The number called `name`, or `default` if it is missing or null. Raises `EndpointError`."""
    value = request.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < BOUND:
        raise refusal(f"{name} {value!r} is not a number. Expected a number.")
    return value


@dataclass(frozen=True)
class Plan:
    """One request, ready to run: prompt tokens, limit of new tokens, their choice and their text."""

    prompt: list[int]
    limit: int
    sampling: Sampling
    deltas: Deltas
    ends: frozenset[int]  # tokens that end a turn
    alternatives: Alternatives | None = None  # if the request has log-probabilities

    def uniform(self, place: int) -> float:
        """The random number in [0, 1) that chooses the completion's token at `place`.

        A seed gives the same numbers, and so the same completion, alone, in a batch and on another device, if the
        logits agree.
        """
        return 0.0 if self.sampling.greedy else float(self._uniforms[place])

    @cached_property
    def _uniforms(self) -> NDArray[np.float64]:
        seed = self.sampling.seed
        return np.random.default_rng(None if seed is None else seed % 2**64).random(self.limit)


@dataclass(frozen=True)
class Planner:
    """A reader of requests for one model. `context` is in tokens, prompt and completion together."""

    tokenizer: PreTrainedTokenizerBase
    context: int
    ends: frozenset[int]
    sampling: Sampling
    stop: tuple[str, ...]
    api: Api = CHAT

    def plan(self, request: Request) -> Plan:
        """The plan of a request. Raises `EndpointError` if the model cannot serve it."""
        try:
            return self._plan(request)
        # A malformed chat completion must not break the thread that serves the other requests.
        except (TypeError, AttributeError, LookupError, ValueError) as cause:
            raise refusal(
                f"The request is not a chat completion ({cause!r}). Use the body of an OpenAI chat completion."
            ) from cause

    def _plan(self, request: Request) -> Plan:
        check_served(request)
        prompt = self._chat(read_messages(request)) if self.api == CHAT else self._raw(raw_prompt(request))
        room = self.context - len(prompt)
        if room < 1:
            raise refusal(
                f"The prompt has {len(prompt)} tokens and the context is {self.context}. Shorten the prompt."
            )
        sampling = read_sampling(request, self.sampling)
        deltas = Deltas(self._decode, (*self.stop, *read_stop(request)))
        limit, top = min(room, read_limit(request, room)), alternatives_per_token(request)
        others = None if top is None else alternatives(top, lambda token: self._decode([token]))
        return Plan(prompt, limit, sampling, deltas, self.ends, others)

    def _raw(self, text: str) -> list[int]:
        """The tokens of a text to continue, with those that the tokenizer itself puts before one."""
        tokens = list(self.tokenizer(text)["input_ids"])
        if not tokens:
            raise refusal("The prompt has no tokens. Give a text with at least one.")
        return tokens

    def _chat(self, messages: list[dict[str, str]]) -> list[int]:
        from jinja2 import TemplateError

        try:
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except (TemplateError, TypeError, KeyError) as cause:
            raise refusal(
                f"The chat template rejects these messages ({cause}). Change the messages or chat_template."
            ) from cause
        # The template writes its own begin-of-text token: the tokenizer must not add a second one.
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _decode(self, tokens: list[int]) -> str:
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return str(self.tokenizer.decode(tokens, **options))


def check_served(request: Request) -> None:
    """Nothing if every field has an effect here. Raises `EndpointError` otherwise."""
    for name in UNSERVED:
        if request.get(name):
            raise refusal(f"{name} is not supported by a model in this process. Remove it.")
    if request.get("n") not in (None, 1):
        raise refusal(f"n {request['n']!r} is not supported. Use 1, and send a request for each completion.")


def read_messages(request: Request) -> list[dict[str, str]]:
    """The role and text of each message, with text parts joined. Raises `EndpointError`."""
    messages = request.get("messages")
    if not messages:
        raise refusal("The request has no messages. Add at least one.")
    return [{"role": str(message["role"]), "content": _text(message.get("content"))} for message in messages]


def _text(content: str | Sequence[Mapping[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(_part(part) for part in content)


def _part(part: Mapping[str, Any]) -> str:
    if part.get("type") != "text":
        raise refusal(f"Message parts of type {part.get('type')!r} are not supported. Use text.")
    return str(part["text"])


def read_limit(request: Request, room: int) -> int:
    """The limit of new tokens; all the `room` if the request has none. Raises `EndpointError`."""
    limit = int(number(request, "max_completion_tokens", number(request, "max_tokens", room)))
    if limit < 1:
        raise refusal(f"max_tokens {limit} is out of range. Expected 1 or more.")
    return limit


def read_stop(request: Request) -> tuple[str, ...]:
    """The stop strings. Raises `EndpointError`."""
    stop = request.get("stop") or ()
    stops = (stop,) if isinstance(stop, str) else tuple(stop)
    if not all(isinstance(text, str) and text for text in stops):
        raise refusal(
            f"stop {stop!r} is not a stop string. Expected a text or a list of texts, none of them empty."
        )
    return stops
