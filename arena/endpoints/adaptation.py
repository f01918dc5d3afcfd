"""Requests without what a server refuses: a parameter that its refusal names is removed, limited or translated.

A change is tried once for each refused call. What made a call pass is known to the endpoint from then on, so that later
calls are sent without it at once, and each reply says what was changed for it (`ADAPTED`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.endpoints.endpoint import Request
from arena.endpoints.parameters import LIMIT, NEW_LIMIT
from arena.endpoints.reply_schema import read_json

ADAPTED = "arena_adapted"  # the key of a reply with the texts of the changes to its request
STATUSES = (400, 422)  # of a server that has read the request and cannot serve it as it is
SYSTEM = "system"  # stands for the messages of this role
LEAST_TOP = (
    5  # alternatives that every server with log-probabilities gives; tried where it does not name its limit
)
SAMPLING = (
    "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "seed", "reasoning_effort", "temperature",
)  # fmt: skip
WORDS, DEPTH = 4000, 6  # of an error body: characters that are read, objects in one another

UNKNOWN = re.compile(
    r"unsupported|not (?:currently )?supported|(?:does not|doesn't|do not|don't|cannot) support|unknown|unrecogni[sz]ed|"
    r"unexpected|extra (?:inputs|fields)|extra_forbidden|not (?:permitted|allowed|enabled|available|implemented)|"
    r"cannot find field|no longer|deprecated",
    re.IGNORECASE,
)
FIXED = re.compile(
    r"only the default|only \S{1,8} is|cannot both|strictly positive|must be (?:set to )?1\b", re.IGNORECASE
)
LIMITED = re.compile(
    r"at most|less than|greater than|between|range|exceed|max|up to|too (?:large|high|many)|[<≤]", re.IGNORECASE
)
LOGPROBS = re.compile(r"(?<![a-z0-9])(?:top_)?log_?prob(?:s|abilities)?(?![a-z0-9])", re.IGNORECASE)
JSON_MODE = re.compile(r"response_format|json_object|json_schema|json mode", re.IGNORECASE)
NO_SYSTEM = re.compile(
    r"(?:system|developer)\W{1,3}(?:role|message|prompt|instruction)|role\w*\W{1,6}(?:of )?\W{0,3}system|'system'|"
    r"\"system\"|roles? (?:are|is) supported|roles must alternate",
    re.IGNORECASE,
)
ONLY_ROLES = re.compile(r"roles? (?:are|is) supported|roles must alternate", re.IGNORECASE)


@dataclass(frozen=True)
class Change:
    """One change to requests: a parameter is removed (None), limited (a number) or has another name (a text)."""

    parameter: str
    to: int | str | None = None

    @property
    def text(self) -> str:
        """The change in words, for the record of a run."""
        if self.parameter == SYSTEM:
            return "system message sent within the first user message"
        if self.to is None:
            return f"{self.parameter} removed"
        return (
            f"{self.parameter} at most {self.to}"
            if isinstance(self.to, int)
            else f"{self.parameter} sent as {self.to}"
        )

    def applied(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The changed body; the same object where nothing of it is concerned."""
        if self.parameter == SYSTEM:
            return _without_system(body)
        names = {self.parameter} | ({"top_logprobs"} if self.parameter == "logprobs" else set())
        if not names & set(body):
            return body
        if isinstance(self.to, int):
            return body if body[self.parameter] <= self.to else {**body, self.parameter: self.to}
        rest = {name: value for name, value in body.items() if name not in names}
        return rest if self.to is None else {self.to: body[self.parameter], **rest}


@dataclass(frozen=True)
class Adapted:
    """A body, the changes that made it, and for each new one what the server had said."""

    body: Mapping[str, Any]
    changes: tuple[Change, ...] = ()
    reasons: Mapping[Change, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The changes in words. The usage of a stream is the endpoint's own wish, and no part of a request."""
        return [change.text for change in self.changes if change.parameter != "stream_options"]

    def after(self, status: int, refusal: str) -> Adapted | None:
        """The next body to try after this refusal; None if it names nothing that can be changed."""
        if status not in STATUSES:
            return None
        words = refusal_words(refusal)
        for change in _possible(words, self.body):
            body = change.applied(self.body)
            if body is not self.body and not self._undoes(change):
                return Adapted(body, (*self.changes, change), {**self.reasons, change: words})
        return None

    def _undoes(self, change: Change) -> bool:
        return any(change.to == made.parameter and made.to == change.parameter for made in self.changes)


@dataclass
class Adaptations:
    """The changes that an endpoint needs, as far as its refusals have shown them."""

    known: list[Change] = field(default_factory=list)

    def adapted(self, body: Mapping[str, Any]) -> Adapted:
        """The body with all known changes."""
        made = []
        for change in self.known:
            changed = change.applied(body)
            if changed is not body:
                made.append(change)
                body = changed
        return Adapted(body, tuple(made))

    def remember(self, adapted: Adapted) -> list[Change]:
        """Keep the changes of a body that the server has taken; those that are new are returned."""
        new = [change for change in adapted.changes if change not in self.known]
        self.known += new
        return new


def refusal_words(body: str) -> str:
    """The words of an error body in any usual shape: its messages, and the names and codes beside them.

    What it quotes of the request (`input`) is none of them.
    """
    try:
        return " ".join(_words(read_json(body)))[:WORDS]
    except ValueError:
        return body[:WORDS]


def _words(value: Any, depth: int = 0) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list) and depth < DEPTH:
        for inner in value[:20]:
            yield from _words(inner, depth + 1)
    elif isinstance(value, dict) and depth < DEPTH:
        for key in ("error", "errors", "message", "detail", "msg", "param", "loc", "code", "type"):
            yield from _words(value.get(key), depth + 1)


def _possible(words: str, body: Request) -> Iterator[Change]:
    """The changes that the words of a refusal ask for, in the order in which they are tried."""
    unknown = UNKNOWN.search(words) is not None
    if _names(words, "stream_options"):
        yield Change("stream_options")
    for name, other in ((LIMIT, NEW_LIMIT), (NEW_LIMIT, LIMIT)):
        if unknown and _names(words, name):
            yield Change(name, other)
    if LOGPROBS.search(words) and "logprobs" in body:
        yield from _fewer_logprobs(words, body, unknown)
        yield Change("logprobs")
    if JSON_MODE.search(words):
        yield Change("response_format")
    if (unknown and NO_SYSTEM.search(words)) or ONLY_ROLES.search(words):
        yield Change(SYSTEM)
    for name in SAMPLING:
        if _names(words, name) and (unknown or FIXED.search(words)):
            yield Change(name)


def _fewer_logprobs(words: str, body: Request, unknown: bool) -> Iterator[Change]:
    """Fewer alternatives, where the words are about their number: the named limit, else the usual one.

    The number is `top_logprobs` of a chat, and `logprobs` itself of a completion without messages.
    """
    name = "top_logprobs" if "top_logprobs" in body else "logprobs"
    top = body.get(name)
    if not isinstance(top, int) or isinstance(top, bool) or (unknown and not LIMITED.search(words)):
        return
    limits = [int(number) for number in re.findall(r"(?<![\w.])\d{1,3}(?![\w.]\d)", words)]
    yield from (Change(name, most) for most in sorted(limits, reverse=True) if 0 < most < top)
    if top > LEAST_TOP:
        yield Change(name, LEAST_TOP)


def _names(words: str, name: str) -> bool:
    return re.search(rf"(?<!\w){name}(?!\w)", words) is not None


def _without_system(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body with the texts of its system messages before the text of the first user message."""
    messages = body.get("messages") or ()
    texts = [str(message.get("content") or "") for message in messages if message.get("role") == SYSTEM]
    rest = [message for message in messages if message.get("role") != SYSTEM]
    first = next((number for number, message in enumerate(rest) if message.get("role") == "user"), None)
    if not texts or first is None:
        return body
    text, content = "\n\n".join(texts), rest[first].get("content")
    if isinstance(content, list | tuple):
        joined: Any = [{"type": "text", "text": f"{text}\n\n"}, *content]
    else:
        joined = f"{text}\n\n{content}"
    return {**body, "messages": [*rest[:first], {**rest[first], "content": joined}, *rest[first + 1 :]]}
