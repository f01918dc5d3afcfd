"""Any OpenAI-compatible server over HTTP: vLLM, Ollama, llama.cpp, LM Studio, hosted ones.

The wire format is the one of OpenAI's chat completions with `"stream": true`: server-sent events, each
`data: {json}`, the last one `data: [DONE]`.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from arena.endpoints import echo
from arena.endpoints.endpoint import EndpointError, Failure, Finish, Reply, Request, Usage
from arena.endpoints.poster import HttpClient

PASSING = {408, 409, 425, 429, 500, 502, 503, 504, 529}  # worth another try
LONGEST_PAUSE = 30.0  # a server that asks for more has refused: a voter is waiting
SHOWN = 500  # characters of an error body worth keeping


@dataclass
class OpenAI:
    """The model `model` at `url` (which includes `/v1`). Times in seconds."""

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    retries: int = 2
    first_pause: float = 0.5  # before the second try; doubles, with jitter
    transport: httpx.AsyncBaseTransport | None = None
    _client: httpx.AsyncClient | None = None
    _batch_client: HttpClient | None = None
    _asks_usage: bool = True

    async def start(self) -> None:
        """Check that the server is reachable. Its models are checked by the first request."""
        try:
            await self.models()
        except EndpointError as error:
            if error.failure in (Failure.UNREACHABLE, Failure.TIMEOUT):
                raise

    async def close(self) -> None:
        if self._client:
            await self._client.aclose()
            self._client = None
        if self._batch_client:
            await self._batch_client.close()
            self._batch_client = None

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        """The stream, with retries of temporary failures (busy, restarting, unreachable) before the first text."""
        for attempt in range(self.retries + 1):
            begun = False
            try:
                async for event in self._attempt(request):
                    begun = True
                    yield event
                return
            except EndpointError as error:
                if begun or attempt == self.retries or not _may_pass(error):
                    raise
                await asyncio.sleep(self._pause(attempt, error))

    async def answer(self, request: Request) -> Reply:
        """The whole reply in one piece. Makes one attempt; the caller retries."""
        scores_text = echo.is_log_likelihood(request)
        body = {**(echo.body(request) if scores_text else request), "model": self.model, "stream": False}
        if self._batch_client is None:
            use_proxy = not _is_loopback(self.url)
            timeouts = (self.connect_timeout, self.read_timeout)
            self._batch_client = HttpClient(self.url, self._authorisation(), *timeouts, use_proxy)
        try:
            reply = await self._batch_client.post("/completions" if scores_text else "/chat/completions", body)
        except EndpointError as error:
            raise EndpointError(error.failure, self._without_key(error.detail)) from error
        if reply.status >= 400:
            raise self._refusal(reply.status, reply.text, reply.headers)
        return echo.log_likelihood(request, _parsed(reply.text)) if scores_text else _whole(reply.text)

    async def models(self) -> list[str]:
        """Names of the models that the server offers. Raises `EndpointError`."""
        try:
            reply = await self._http().get("/models")
        except httpx.HTTPError as error:
            raise self._translated(error) from error
        if reply.is_error:
            raise self._refusal(reply.status_code, reply.text, reply.headers)
        try:
            return [str(entry["id"]) for entry in reply.json()["data"]]
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(Failure.BROKEN, f"{self.url}/models is not a list of models") from error

    async def _attempt(self, request: Request) -> AsyncGenerator[str | Finish]:
        body = {**request, "model": self.model, "stream": True}
        if self._asks_usage:
            body["stream_options"] = {"include_usage": True}
        try:
            async with self._http().stream("POST", "/chat/completions", json=body) as reply:
                if reply.is_error:
                    text = (await reply.aread()).decode("utf-8", "replace")
                    if self._asks_usage and reply.status_code in (400, 422) and "stream_options" in text:
                        self._asks_usage = False  # an older server; the next try goes without
                        raise EndpointError(Failure.BROKEN, "the server does not know stream_options")
                    raise self._refusal(reply.status_code, text, reply.headers)
                async for event in _events(reply):
                    yield event
        except httpx.HTTPError as error:
            raise self._translated(error) from error

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=self.url,
                headers=self._authorisation(),
                timeout=httpx.Timeout(self.read_timeout, connect=self.connect_timeout),
                limits=httpx.Limits(max_connections=None),
                transport=self.transport,
                trust_env=not _is_loopback(self.url),
            )
        return self._client

    def _authorisation(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def _refusal(self, status: int, body: str, headers: Mapping[str, str]) -> EndpointError:
        failure = {401: Failure.UNAUTHORISED, 403: Failure.UNAUTHORISED, 429: Failure.RATE_LIMITED}.get(
            status, Failure.REFUSED if status < 500 and status not in PASSING else Failure.BROKEN
        )
        detail = f"{self.url} answered {status}: {_message(body)}"
        return EndpointError(failure, self._without_key(detail), _retry_after(headers))

    def _translated(self, error: httpx.HTTPError) -> EndpointError:
        detail = self._without_key(f"{self.url}: {str(error) or type(error).__name__}")
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            return EndpointError(Failure.UNREACHABLE, detail)
        if isinstance(error, httpx.TimeoutException):
            return EndpointError(Failure.TIMEOUT, f"{self.url}: silent for {self.read_timeout:g} s")
        return EndpointError(Failure.BROKEN, detail)

    def _pause(self, attempt: int, error: EndpointError) -> float:
        if error.retry_after is not None:
            return error.retry_after
        return self.first_pause * 2.0**attempt * random.uniform(0.5, 1.5)  # noqa: S311  (jitter, not a secret)

    def _without_key(self, text: str) -> str:
        return text.replace(self.key, "•••") if self.key else text


async def _events(reply: httpx.Response) -> AsyncGenerator[str | Finish]:
    """Text deltas of a server-sent event stream, then its `Finish`."""
    reason: str | None = None
    usage = Usage()
    async for line in reply.aiter_lines():
        if not line.startswith("data:"):
            continue  # comments, event names and blank lines keep the connection alive
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            break
        chunk = _parsed(data)
        usage = _usage(chunk) or usage
        for choice in (chunk.get("choices") or [])[:1]:
            reason = choice.get("finish_reason") or reason
            text = (choice.get("delta") or {}).get("content")
            if text:
                yield str(text)
    if reason is None:
        raise EndpointError(Failure.BROKEN, "the stream ended before the completion was complete")
    yield Finish(reason, usage)


def _whole(text: str) -> Reply:
    """A body that is a chat completion with at least one choice. Raises `EndpointError`."""
    body = _parsed(text)
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0].get("message"), dict):
        raise EndpointError(Failure.BROKEN, f"a reply without a message: {text[:SHOWN]}")
    return body


def _parsed(data: str) -> dict[str, Any]:
    try:
        chunk = json.loads(data)
    except ValueError as error:
        raise EndpointError(Failure.BROKEN, f"not JSON: {data[:SHOWN]}") from error
    if not isinstance(chunk, dict):
        raise EndpointError(Failure.BROKEN, f"not a JSON object: {data[:SHOWN]}")
    if chunk.get("error"):
        raise EndpointError(Failure.BROKEN, f"the server failed midway: {_message(data)}")
    return chunk


def _usage(chunk: Mapping[str, Any]) -> Usage | None:
    usage = chunk.get("usage")
    if not isinstance(usage, dict):
        return None
    return Usage(usage.get("prompt_tokens"), usage.get("completion_tokens"))


def _message(body: str) -> str:
    """The human part of an error body, whichever of the usual shapes it has."""
    try:
        error = json.loads(body)
    except ValueError:
        return body.strip()[:SHOWN] or "no explanation"
    for key in ("error", "message", "detail"):
        if isinstance(error, dict) and error.get(key):
            error = error[key]
    return str(error)[:SHOWN]


def _may_pass(error: EndpointError) -> bool:
    if error.retry_after is not None and error.retry_after > LONGEST_PAUSE:
        return False
    return error.failure in (Failure.UNREACHABLE, Failure.RATE_LIMITED, Failure.BROKEN)


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, from either form of the header (RFC 9110, 10.2.3)."""
    value = str(headers.get("retry-after", "")).strip()
    if value.replace(".", "", 1).isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # no date, or one without a zone
        return None


def _is_loopback(url: str) -> bool:
    """A proxy from the environment must not get in between the arena and its own machine."""
    return httpx.URL(url).host in ("localhost", "127.0.0.1", "::1")
