"""What an endpoint is: the place where a model answers.

A request is the body of an OpenAI chat completion, a plain mapping:
``{"messages": [{"role": "user", "content": "…"}], "max_tokens": 256, "temperature": 0.7, "stop": ["…"]}``.
A message with images has a list of parts as its content: ``{"type": "text", "text": "…"}`` and
``{"type": "image_url", "image_url": {"url": "data:image/png;base64,…"}}``.
The endpoint knows which model it serves, so ``model`` is not in the request. It answers with a stream of
text deltas that ends with one `Finish`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from arena.endpoints.redaction import printable, printable_lines

Request = Mapping[str, Any]
Reply = Mapping[str, Any]  # the body of a chat completion


CONTENT_FILTER = "content_filter"  # the `Finish` of a completion that the server's own filter withheld


@dataclass(frozen=True)
class Usage:
    """Tokens of one completion; `None` if the endpoint does not report them."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Thinking(str):
    """A piece of thinking that arrives apart from the text, of which it is no part. A reader counts or skips it."""

    __slots__ = ()


@dataclass(frozen=True)
class Finish:
    """The last event of a stream: why it ended (`stop`, `length`, `content_filter`), what it used and how many calls."""

    reason: str
    usage: Usage = Usage()
    attempts: int = 1  # calls that were made, with those that were retried


class Failure(StrEnum):
    """Why an endpoint gave no completion."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    RATE_LIMITED = "rate_limited"
    UNAUTHORISED = "unauthorised"
    REFUSED = "refused"  # the endpoint read the request and said no
    BROKEN = "broken"  # a reply that is not what the protocol promises, or a stream that stopped midway
    NOT_READY = "not_ready"  # weights are still being fetched or loaded
    UNUSABLE = "unusable"  # permanent: this model cannot be loaded here, so no later request can succeed


class Blame(StrEnum):
    """What a failure says about the endpoint, whose prompts come from strangers."""

    PROMPT = "prompt"  # nothing: the prompt alone can cause it
    UNCLEAR = "unclear"  # something, if prompts of several strangers fail so
    ENDPOINT = "endpoint"  # it cannot be used now, whatever the prompt is


_BLAME = {
    Failure.UNREACHABLE: Blame.ENDPOINT,
    Failure.UNAUTHORISED: Blame.ENDPOINT,
    Failure.NOT_READY: Blame.ENDPOINT,
    Failure.UNUSABLE: Blame.ENDPOINT,
    Failure.REFUSED: Blame.PROMPT,
}


class EndpointError(Exception):
    """A call that gave no completion. `detail` is for the operator and never shown to a voter.

    `charged` says whether the call may cost something. Without it and `blame`, they follow from the failure.
    """

    def __init__(
        self,
        failure: Failure,
        detail: str,
        retry_after: float | None = None,
        blame: Blame | None = None,
        charged: bool | None = None,
    ) -> None:
        self.detail = printable_lines(detail)  # it may quote a server, and goes to terminals, logs and tables
        super().__init__(f"{failure.value}: {self.detail}")
        self.failure = failure
        self.retry_after = retry_after  # seconds, if the endpoint sent them
        self.blame = blame or _BLAME.get(failure, Blame.UNCLEAR)
        self.charged = failure in (Failure.TIMEOUT, Failure.BROKEN) if charged is None else charged
        self.attempts = 1  # calls that were made


@dataclass(frozen=True)
class Probe:
    """The result of a health check: whether the endpoint works, its message, and advice if not."""

    ok: bool
    message: str
    advice: str = ""
    seconds: float | None = None  # from the request to the first piece of text

    def __post_init__(self) -> None:
        """The texts may quote a server: no escape of a terminal and no line end is left."""
        object.__setattr__(self, "message", printable(self.message))
        object.__setattr__(self, "advice", printable(self.advice))


class Endpoint(Protocol):
    """Streams completions of one model. Safe to call from many tasks of one event loop at once."""

    def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        """Text deltas, among them `Thinking`, then one `Finish`. Closing the generator stops the model.

        Raises `EndpointError`.
        """
        ...

    async def start(self) -> None:
        """Load weights or start a child process. Idempotent. Raises `EndpointError`."""
        ...

    async def close(self) -> None:
        """Release connections, processes and memory. Idempotent."""
        ...


@dataclass(frozen=True)
class Completion:
    """The join of a stream."""

    text: str
    finish: Finish
    thinking: str = ""  # sent apart from the text


def text_of(content: Any) -> str:
    """The text of a message: a string, or the joined texts of its parts."""
    if isinstance(content, list | tuple):
        return "".join(str(part.get("text") or "") for part in content if part.get("type") == "text")
    return str(content)


async def complete(endpoint: Endpoint, request: Request) -> Completion:
    """The whole completion of a stream. Raises `EndpointError`."""
    return await _completion(endpoint.stream(request))


async def joined(events: AsyncGenerator[str | Finish]) -> Reply:
    """The body of a chat completion whose text arrives as events. Raises `EndpointError`."""
    return reply(await _completion(events))


async def _completion(events: AsyncGenerator[str | Finish]) -> Completion:
    pieces: list[str] = []
    thinking: list[str] = []
    finish = Finish("stop")
    async for event in events:
        if isinstance(event, Finish):
            finish = event
        elif isinstance(event, Thinking):
            thinking.append(event)
        else:
            pieces.append(event)
    return Completion("".join(pieces), finish, "".join(thinking))


@runtime_checkable
class Answers(Protocol):
    """An endpoint that returns whole replies, with log-probabilities if requested."""

    async def answer(self, request: Request) -> Reply:
        """The body of the chat completion. Tries once. Raises `EndpointError`."""
        ...


@runtime_checkable
class Timeable(Protocol):
    """An endpoint whose `stream` retries, and that can do without."""

    def attempt(self, request: Request) -> AsyncGenerator[str | Finish]:
        """One call, never retried: all text and `Thinking` as it arrives, then one `Finish`. Raises `EndpointError`."""
        ...


async def answer(endpoint: Endpoint, request: Request) -> Reply:
    """The body of one chat completion, from the endpoint itself or joined from its stream.

    Raises `EndpointError`.
    """
    if isinstance(endpoint, Answers):
        return await endpoint.answer(request)
    return reply(await complete(endpoint, request))


def reply(completion: Completion) -> dict[str, Any]:
    """A completion as the body that a server would send."""
    usage = completion.finish.usage
    message = {"role": "assistant", "content": completion.text}
    if completion.thinking:
        message["reasoning_content"] = completion.thinking
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": completion.finish.reason}],
        "usage": {"prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens},
    }
