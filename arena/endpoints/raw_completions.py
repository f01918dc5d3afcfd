"""Generation by `/completions`: the model continues a text, without a chat template, as published protocols ask base models.

A chat request whose only message is one text of a user becomes the prompt; the reply is read as that of a chat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from arena.endpoints.endpoint import EndpointError, Failure, Request, text_of
from arena.endpoints.parameters import LIMIT, NEW_LIMIT
from arena.endpoints.reply_schema import FinishReason, Sent, valid

Api: TypeAlias = Literal["chat", "completions"]
CHAT: Api = "chat"
COMPLETIONS: Api = "completions"
PATHS: Mapping[Api, str] = {CHAT: "/chat/completions", COMPLETIONS: "/completions"}
UNSERVED = ("tools", "functions")


class TextChoice(Sent):
    """One choice of a whole completion."""

    text: str
    finish_reason: FinishReason | None = None
    logprobs: Any = None


class Texts(Sent):
    """A whole completion."""

    choices: Annotated[list[TextChoice], Field(fail_fast=True, min_length=1)]


def raw_prompt(request: Request) -> str:
    """The text that the model continues. Raises `EndpointError` for anything but one text of a user."""
    messages = request.get("messages") or []
    roles = [message.get("role") for message in messages]
    if roles != ["user"]:
        named = ", ".join(map(str, roles)) or "none"
        raise _refused(f"This request has messages of: {named}. Send one user message")
    content = messages[0].get("content") or ""
    if not isinstance(content, str) and any(part.get("type") != "text" for part in content):
        raise _refused("This request has a part that is no text. Send text alone")
    return text_of(content)


def _refused(problem: str) -> EndpointError:
    detail = f'A model with api = "completions" continues one text. {problem}, or set api = "chat".'
    return EndpointError(Failure.REFUSED, detail)


def sent_body(api: Api, request: Request) -> dict[str, Any]:
    """The body of the request for this address of the server. Raises `EndpointError` for what it cannot say."""
    if api == CHAT:
        return dict(request)
    for name in UNSERVED:
        if request.get(name):
            raise _refused(f"It takes no {name}. Remove them")
    gone = {"messages", "logprobs", "top_logprobs", NEW_LIMIT}
    body = {name: value for name, value in request.items() if name not in gone}
    body["prompt"] = raw_prompt(request)
    if NEW_LIMIT in request:  # the older address knows the older name alone
        body[LIMIT] = request[NEW_LIMIT]
    if request.get("logprobs"):
        body["logprobs"] = int(request.get("top_logprobs") or 1)
    return body


def as_chat(api: Api, reply: dict[str, Any]) -> dict[str, Any]:
    """The reply as the body of a chat completion. Raises `EndpointError` for one without a text."""
    if api == CHAT:
        return reply
    choices = [
        {
            "index": number,
            "message": {"role": "assistant", "content": choice.text},
            "finish_reason": choice.finish_reason,
            "logprobs": chat_logprobs(choice.logprobs),
        }
        for number, choice in enumerate(valid(Texts, reply).choices)
    ]
    return {**reply, "choices": choices}


def chat_logprobs(sent: Any) -> Any:
    """Log-probabilities in the shape of a chat completion; llama.cpp sends this shape, others parallel lists.

    None for anything else: the text was paid for and can be read without them.
    """
    if not isinstance(sent, Mapping) or "content" in sent:
        return sent
    tokens, values = sent.get("tokens"), sent.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(values, list) or len(tokens) != len(values):
        return None
    tops = sent.get("top_logprobs")
    tops = tops if isinstance(tops, list) and len(tops) == len(tokens) else [None] * len(tokens)
    entries = zip(tokens, values, tops, strict=True)
    return {
        "content": [
            {"token": token, "logprob": value, "top_logprobs": _ranked(top)} for token, value, top in entries
        ]
    }


def _ranked(top: Any) -> Sequence[Mapping[str, Any]]:
    """The alternatives of a token, the likeliest first."""
    if not isinstance(top, Mapping) or not all(isinstance(value, int | float) for value in top.values()):
        return []
    ranked = sorted(top.items(), key=lambda entry: -entry[1])
    return [{"token": token, "logprob": float(value)} for token, value in ranked]
