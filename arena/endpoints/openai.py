"""Any OpenAI-compatible server over HTTP: vLLM, Ollama, llama.cpp, LM Studio, hosted ones.

The wire format is the one of OpenAI's chat completions with `"stream": true`: server-sent events, each
`data: {json}`, the last one `data: [DONE]`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx

from arena.endpoints import echo
from arena.endpoints.adaptation import ADAPTED, Adaptations, Adapted
from arena.endpoints.endpoint import Blame, EndpointError, Failure, Finish, Reply, Request, joined
from arena.endpoints.event_stream import bounded, completion_events, start_of, whole_text
from arena.endpoints.failures import typed_failures
from arena.endpoints.poster import HttpClient, HttpReply, HttpStream, check_encoding, encoded
from arena.endpoints.raw_completions import CHAT, PATHS, Api, as_chat, sent_body
from arena.endpoints.redaction import Redactor
from arena.endpoints.reply_schema import ModelList, chat_reply, message, parsed, valid
from arena.endpoints.size_limits import ERROR_BYTES, LIST_BYTES, byte_limit, character_limit, too_long

PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 529}  # worth another try
OF_SERVER = {401, 402, 404, 405, 407, 410}  # the key, the bill, the address or the model's name is wrong
UNCLEAR = {403, 408, 409, 425, 429, 504}
LONGEST_PAUSE = 30.0  # a server that asks for more has refused: a voter is waiting
LONGEST_RETRY_AFTER = 86_400.0
SUCCESS = range(200, 300)
SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?")

log = logging.getLogger(__name__)


@dataclass
class OpenAI:
    """The model `model` at `url` (which includes `/v1`), which chats or continues texts (`api`). Times in seconds."""

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    retries: int = 2
    first_pause: float = 0.5  # before the second try; doubles, with jitter
    client: HttpClient | None = None  # made with the first request
    adaptations: Adaptations = field(default_factory=Adaptations, repr=False)
    api: Api = CHAT

    async def start(self) -> None:
        """Check that the server is reachable. Its models are checked by the first request."""
        try:
            await self.models()
        except EndpointError as error:
            if error.failure in (Failure.UNREACHABLE, Failure.TIMEOUT):
                raise

    async def close(self) -> None:
        if self.client:
            await self.client.close()
            self.client = None

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        """The stream, with retries of temporary failures (busy, restarting, unreachable) that cost nothing.

        A call is not retried after the server has begun to answer, because the provider charges for both.
        """
        for attempt in range(self.retries + 1):
            try:
                async with aclosing(self._attempt(request)) as events:
                    async for event in events:
                        yield replace(event, attempts=attempt + 1) if isinstance(event, Finish) else event
                return
            except EndpointError as error:
                if attempt == self.retries or not _may_pass(error):
                    error.attempts = attempt + 1
                    raise
                await asyncio.sleep(self._pause(attempt, error))

    async def attempt(self, request: Request) -> AsyncGenerator[str | Finish]:
        """One call, never retried: for timing."""
        async with aclosing(self._attempt(request)) as events:
            async for event in events:
                yield event

    async def answer(self, request: Request) -> Reply:
        """The whole reply in one piece. Makes one attempt; the caller retries.

        A refused parameter is no failed attempt: the call is made without it, and the reply names it (`ADAPTED`).
        """
        with self._failures():
            if echo.is_log_likelihood(request):
                return await self._log_likelihood(request)
            body = {**sent_body(self.api, request), "model": self.model, "stream": False}
            adapted, reply = await self._accepted(body)
            if _is_stream(reply):
                whole = await joined(completion_events(_pieces(reply.text), character_limit(body), thinking=True))
            else:
                whole = chat_reply(as_chat(self.api, parsed(reply.text)))
            too_long(len(whole["choices"][0]["message"].get("content") or ""), character_limit(body), "characters")
            own = {name: value for name, value in whole.items() if name != ADAPTED}
            return {**own, ADAPTED: adapted.texts} if adapted.texts else own

    async def _accepted(self, body: Request) -> tuple[Adapted, HttpReply]:
        """The body that the server took, and its reply. Raises `EndpointError`."""
        adapted = self.adaptations.adapted(body)
        while True:
            reply = await self._http().post(PATHS[self.api], adapted.body, byte_limit(body))
            if reply.status in SUCCESS:
                self._remember(adapted)
                return adapted, reply
            changed = adapted.after(reply.status, reply.text)
            if changed is None:
                raise self._refusal(reply.status, reply.text, reply.headers)
            adapted = changed

    async def _log_likelihood(self, request: Request) -> Reply:
        body = {**echo.body(request), "model": self.model, "stream": False}
        reply = await self._http().post("/completions", body, byte_limit(body, body["prompt"]))
        if reply.status not in SUCCESS:
            raise self._refusal(reply.status, reply.text, reply.headers)
        return echo.log_likelihood(request, parsed(reply.text))

    def _remember(self, adapted: Adapted) -> None:
        """Keep what the server needs, and log each change once."""
        for change in self.adaptations.remember(adapted):
            reason = self._redactor.line(adapted.reasons.get(change, ""))[:200]
            told = f"{self._place}, {self.model}: {change.text} from now on"
            log.warning("%s. The server had refused it: %s", told, reason)

    async def posted(self, path: str, body: Request, most_bytes: int) -> Any:
        """The JSON of the reply to a posted body, with retries of temporary failures. Raises `EndpointError`."""
        attempt = 0
        while True:
            try:
                with self._failures():
                    reply = await self._http().post(path, body, most_bytes)
                    if reply.status not in SUCCESS:
                        raise self._refusal(reply.status, reply.text, reply.headers)
                    return parsed(reply.text)
            except EndpointError as error:
                if attempt == self.retries or not _may_pass(error):
                    raise
                await asyncio.sleep(self._pause(attempt, error))
            attempt += 1

    async def models(self) -> list[str]:
        """Names of the models that the server offers. Raises `EndpointError`."""
        with self._failures():
            async with (
                asyncio.timeout(self.connect_timeout + self.read_timeout),
                self._http().stream("GET", "/models") as reply,
            ):
                text = await self._text(reply, LIST_BYTES)
            try:
                return [self._redactor.line(entry.id) for entry in valid(ModelList, parsed(text)).data]
            except EndpointError as error:
                detail = f"{self._place}/models is not a list of models ({error.detail})"
                raise EndpointError(Failure.BROKEN, detail) from None

    async def _attempt(self, request: Request) -> AsyncGenerator[str | Finish]:
        with self._failures():
            own = {"model": self.model, "stream": True, "stream_options": {"include_usage": True}}
            body = {**sent_body(self.api, request), **own}
            adapted = self.adaptations.adapted(body)
            while True:
                async with self._http().stream("POST", PATHS[self.api], encoded(adapted.body)) as reply:
                    if reply.status not in SUCCESS:
                        adapted = await self._after_refusal(reply, adapted)
                        continue
                    self._remember(adapted)
                    check_encoding(reply.headers)
                    chunks = bounded(reply.chunks, byte_limit(body))
                    events = completion_events(chunks, character_limit(body), thinking=True)
                    async with aclosing(events):
                        async for event in events:
                            yield event
                    return

    async def _after_refusal(self, reply: HttpStream, adapted: Adapted) -> Adapted:
        """The body to try next. Raises the `EndpointError` of a refusal that names nothing to change."""
        text = await start_of(reply.chunks, ERROR_BYTES)
        changed = adapted.after(reply.status, text)
        if changed is None:
            raise self._refusal(reply.status, text, reply.headers)
        return changed

    async def _text(self, reply: HttpStream, most_bytes: int) -> str:
        """The text of a reply that is no refusal. Raises `EndpointError`."""
        if reply.status not in SUCCESS:
            text = await start_of(reply.chunks, ERROR_BYTES)
            raise self._refusal(reply.status, text, reply.headers)
        check_encoding(reply.headers)
        return await whole_text(reply.chunks, most_bytes)

    def _http(self) -> HttpClient:
        if self.client is None:
            timeouts = (self.connect_timeout, self.read_timeout)
            self.client = HttpClient(self.url, self._headers(), *timeouts, not _is_loopback(self.url))
        return self.client

    def _headers(self) -> dict[str, str]:
        """Compression is not wanted: a few bytes could become gigabytes."""
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {**key, "Accept-Encoding": "identity"}

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """A context that only an `EndpointError` without secrets leaves."""
        try:
            with typed_failures(self._place, self._redactor.masked):
                yield
        except EndpointError as error:
            # `from None`: the cause quotes what the server sent.
            detail = self._redactor.line(error.detail)
            raise EndpointError(error.failure, detail, error.retry_after, error.blame, error.charged) from None

    @cached_property
    def _place(self) -> str:
        """The address without a password."""
        url = _url(self.url)
        return str(url.copy_with(userinfo=b"", query=None)) if url else "the configured url"

    @cached_property
    def _redactor(self) -> Redactor:
        url = _url(self.url)
        return Redactor([self.key, url.password if url else None])

    def _refusal(self, status: int, body: str, headers: Mapping[str, str]) -> EndpointError:
        failure = {401: Failure.UNAUTHORISED, 403: Failure.UNAUTHORISED, 429: Failure.RATE_LIMITED}.get(
            status, Failure.REFUSED if 400 <= status < 500 and status not in PASSING else Failure.BROKEN
        )
        reason = f"it redirects to {headers.get('location', 'nowhere')}" if 300 <= status < 400 else message(body)
        detail = f"{self._place} answered {status}: {reason}"
        return EndpointError(failure, detail, retry_after(headers), blame_of(status), charged=False)

    def _pause(self, attempt: int, error: EndpointError) -> float:
        if error.retry_after is not None:
            return error.retry_after
        return self.first_pause * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311  (jitter, not a secret)


def _is_stream(reply: HttpReply) -> bool:
    """Whether the server streams a reply that was requested whole, as some proxies do."""
    return "event-stream" in str(reply.headers.get("content-type")).casefold() and "data:" in reply.text[:1000]


async def _pieces(text: str) -> AsyncIterator[bytes]:
    yield text.encode("utf-8", "replace")


def _may_pass(error: EndpointError) -> bool:
    if error.charged:
        return False
    if error.retry_after is not None and error.retry_after > LONGEST_PAUSE:
        return False
    return error.failure in (Failure.UNREACHABLE, Failure.RATE_LIMITED, Failure.BROKEN)


def blame_of(status: int) -> Blame:
    """What a refusal says about the server.

    Moderation (403), the gateway's patience (504) and the calls of a minute (429) depend on the prompts.
    """
    if status in UNCLEAR:
        return Blame.UNCLEAR
    return Blame.ENDPOINT if status in OF_SERVER or status >= 500 or status < 400 else Blame.PROMPT


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, at most a day, from either form of the header (RFC 9110, 10.2.3); None for anything else."""
    value = str(headers.get("retry-after", "")).strip()
    if SECONDS.fullmatch(value):
        return min(float(value), LONGEST_RETRY_AFTER)
    try:
        seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, or one that no calendar has
        return None
    return min(max(0.0, seconds), LONGEST_RETRY_AFTER)


def _url(url: str) -> httpx.URL | None:
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        return None


def _is_loopback(url: str) -> bool:
    """A proxy from the environment must not get in between the arena and its own machine."""
    return httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")
