"""What an OpenAI-compatible server may send, as a schema: strict about types, lenient about unknown keys.

Whatever does not fit raises `EndpointError` with `BROKEN`, save usage and log-probabilities of a whole reply: these are
dropped, because its text was paid for and can be read without them. Texts of these errors quote what the server sent; the
endpoint masks its key in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from arena.endpoints.endpoint import CONTENT_FILTER, EndpointError, Failure, Usage
from arena.endpoints.thinking import thought

SHOWN = 500  # characters of a server's text in an error
SHOWN_PARTS = ("text", "output_text")  # types of the parts of a message that are its text

# finish reasons that servers use in place of `error`, `content_filter` and `length`, in lower case
FAILED = {
    "error", "abort", "aborted", "cancelled", "canceled", "failed", "timeout", "network_error",
    "insufficient_system_resource",
}  # fmt: skip
FILTERED = {
    CONTENT_FILTER, "content-filter", "content_filtered", "safety", "sensitive", "refusal", "recitation", "blocklist",
    "prohibited_content", "spii", "guardrail_intervened",
}  # fmt: skip

LENGTH = "length"
CUT_OFF = {
    LENGTH, "max_tokens", "max_output_tokens", "max_length", "model_length", "model_context_window_exceeded",
}  # fmt: skip

UNSTORABLE = re.compile(r"\\u(?:[dD][89a-fA-F]|0000)")
ESCAPES = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u(?:[dD][89a-fA-F][0-9a-fA-F]{2}|0000)|\\.",
    re.DOTALL,
)

Count = Annotated[int, Field(ge=0, lt=2**31)]  # the range of a column
FinishReason = Annotated[str, Field(max_length=40, pattern=r"^[ -~]*$")]
LogProbability = Annotated[float, Field(le=1.0, allow_inf_nan=False)]  # some servers round slightly above 0


class Sent(BaseModel):
    """An object that a server sends."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Part(Sent):
    """A part of a message. Only parts of the types in `SHOWN_PARTS` have a text that is shown; thinking has another type."""

    type: str
    text: str | None = None
    refusal: str | None = None
    thinking: Any = None
    reasoning: Any = None
    summary: Any = None

    @property
    def thought(self) -> str:
        if self.type in (*SHOWN_PARTS, "refusal"):
            return ""
        return thought([self.thinking, self.reasoning, self.summary]) or self.text or ""

    @property
    def shown(self) -> str:
        if self.type not in SHOWN_PARTS:
            return ""
        if self.text is None:
            raise EndpointError(Failure.BROKEN, "a text part without a text")
        return self.text


class Content(Sent):
    """The object with the text of a message: the `message` of a whole reply, the `delta` of a stream."""

    content: str | Annotated[list[Part], Field(fail_fast=True)] | None = None
    reasoning_content: Any = (
        None  # thinking: vLLM, SGLang, DeepSeek; never shown, so that no form of it is an error
    )
    reasoning: Any = None  # the same of OpenRouter, Ollama and newer versions of vLLM

    @field_validator("content", mode="before")
    @classmethod
    def texts_are_parts(cls, content: Any) -> Any:
        """A text among the parts is one of type `text`."""
        if not isinstance(content, list):
            return content
        return [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]

    @property
    def has_thinking(self) -> bool:
        """Whether it holds a piece of thinking."""
        own = self.reasoning_content or self.reasoning
        return bool(own or (isinstance(self.content, list) and self.thinking))

    @property
    def thinking(self) -> str:
        """The text of its thinking, from a field of its own or else from the parts."""
        parts = self.content if isinstance(self.content, list) else []
        own = thought(self.reasoning_content) or thought(self.reasoning)
        return own or "".join(part.thought for part in parts)

    @property
    def text(self) -> str:
        parts = self.content
        return "".join(part.shown for part in parts) if isinstance(parts, list) else parts or ""


class Tokens(Sent):
    """The usage of a reply."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class Alternative(Sent):
    """A token and its log-probability."""

    token: str
    logprob: LogProbability


class ScoredToken(Alternative):
    """A token of a completion with the likeliest alternatives."""

    top_logprobs: Annotated[list[Alternative], Field(fail_fast=True)] | None = None


class LogProbabilities(Sent):
    """The log-probabilities of a chat completion."""

    content: Annotated[list[ScoredToken], Field(fail_fast=True)] | None = None


class Choice(Sent):
    """One choice of an event of a stream."""

    delta: Content | None = None
    text: str | None = None  # of a completion without messages
    finish_reason: FinishReason | None = None


class Chunk(Sent):
    """One event of a stream."""

    choices: Annotated[list[Choice], Field(fail_fast=True)] | None = None
    usage: Tokens | None = None


class WholeChoice(Sent):
    """One choice of a whole reply."""

    message: Content
    finish_reason: FinishReason | None = None


class Whole(Sent):
    """A whole reply."""

    choices: Annotated[list[WholeChoice], Field(fail_fast=True, min_length=1)]


class Entry(Sent):
    """One entry of a list of models."""

    id: Annotated[str, Field(min_length=1, max_length=512)]


class ModelList(Sent):
    """The list of a server's models."""

    data: Annotated[list[Entry], Field(fail_fast=True)]


Schema = TypeVar("Schema", bound=Sent)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


DECODER = json.JSONDecoder(parse_constant=_no_number)  # made once: a stream has an object for each token


def read_json(data: str) -> Any:
    """The value of a JSON text, with U+FFFD for what no database stores: half a surrogate pair, and NUL.

    Raises `ValueError`, also for NaN, numbers of thousands of digits and brackets nested a thousand deep.
    """
    try:
        return DECODER.decode(ESCAPES.sub(_whole_escape, data) if UNSTORABLE.search(data) else data)
    except RecursionError:
        raise ValueError("nested too deep") from None


def parsed(data: str) -> dict[str, Any]:
    """The JSON object in `data`, which is no error object. Raises `EndpointError`."""
    try:
        return checked(read_json(data.removeprefix("\ufeff")), data)
    except ValueError:
        raise EndpointError(Failure.BROKEN, f"not JSON: {data[:SHOWN]}") from None


def checked(value: Any, data: str) -> dict[str, Any]:
    """The value of `data` as an object, which is no error object. Raises `EndpointError`."""
    if not isinstance(value, dict):
        raise EndpointError(Failure.BROKEN, f"not a JSON object: {data[:SHOWN]}")
    if value.get("error") or value.get("object") == "error":
        raise EndpointError(Failure.BROKEN, f"the server failed midway: {message(data)}")
    return value


def valid(schema: type[Schema], value: Mapping[str, Any]) -> Schema:
    """The object as `schema`. Raises `EndpointError`, whose text names the place and quotes no value."""
    try:
        return schema.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "the reply"
        raise EndpointError(Failure.BROKEN, f"not a chat completion: {place}: {first['msg']}") from None


def chat_reply(body: dict[str, Any]) -> dict[str, Any]:
    """A whole reply whose choices have a text: parts are joined, odd extras dropped. Raises `EndpointError`."""
    if not body.get("choices"):
        raise EndpointError(Failure.BROKEN, "a reply without a message")
    whole = valid(Whole, body)
    choices = [
        {
            **_without_odd(sent, "logprobs", LogProbabilities),
            "finish_reason": finish_reason(choice.finish_reason),
            "message": _joined(sent["message"], choice),
        }
        for sent, choice in zip(body["choices"], whole.choices, strict=True)
    ]
    return {**_without_odd(body, "usage", Tokens), "choices": choices}


def _without_odd(sent: dict[str, Any], name: str, schema: type[Sent]) -> dict[str, Any]:
    """The object without the field `name` where it does not fit its schema."""
    if sent.get(name) is None:
        return sent
    try:
        schema.model_validate(sent[name])
    except ValidationError:
        return {key: value for key, value in sent.items() if key != name}
    return sent


def finish_reason(reason: str | None) -> str | None:
    """The reason as OpenAI names it. Raises `EndpointError` for a reason that is a failure."""
    name = (reason or "").casefold()
    if name in FAILED:
        raise EndpointError(Failure.BROKEN, f"the server ended the completion with finish_reason {reason!r}")
    if name in CUT_OFF:
        return LENGTH
    return CONTENT_FILTER if name in FILTERED else reason


def usage(sent: Tokens | None) -> Usage | None:
    """The usage that a server reports, if it does."""
    return Usage(sent.prompt_tokens, sent.completion_tokens) if sent else None


def message(body: str) -> str:
    """The human part of an error body, whichever of the usual shapes it has."""
    try:
        error = read_json(body)
        if isinstance(error, list) and error:  # Gemini
            error = error[0]
        for key in ("error", "message", "detail"):
            if isinstance(error, dict) and error.get(key):
                error = error[key]
        return str(error)[:SHOWN]
    except (ValueError, RecursionError):
        return body.strip()[:SHOWN] or "no explanation"


def _joined(sent: dict[str, Any], choice: WholeChoice) -> dict[str, Any]:
    """The message with its text parts joined, and a refusal and thinking among the parts in fields of their own."""
    parts = choice.message.content
    if not isinstance(parts, list):
        return sent
    refusal = "".join(part.refusal or "" for part in parts if part.type == "refusal")
    apart = {"refusal": refusal, "reasoning_content": choice.message.thinking}
    return {**sent, "content": choice.message.text, **{name: text for name, text in apart.items() if text}}


def _whole_escape(escape: re.Match[str]) -> str:
    """The escape itself, or U+FFFD for half a surrogate pair and NUL."""
    return "\\ufffd" if escape[0].startswith("\\u") and len(escape[0]) == 6 else escape[0]
