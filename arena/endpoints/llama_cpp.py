"""GGUF files through llama.cpp's prebuilt library (`xllamacpp`, extra `demo`), one child process a model.

A child, because loading holds Python's lock for seconds (the page must stay alive) and because a crash in
native code must not take the arena and its voters with it. See docs/decisions/llama-cpp-in-a-child.md.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

from pydantic import BaseModel, ValidationError

from arena.endpoints.endpoint import EndpointError, Failure, Finish, Reply, Request
from arena.endpoints.failures import typed_failures
from arena.endpoints.openai import OpenAI
from arena.endpoints.raw_completions import CHAT, Api
from arena.endpoints.startup import StartLock

LOADING_TIMEOUT = 600.0  # seconds; a large file on a slow disk
READ_TIMEOUT = 300.0  # seconds to the first token; several conversations may be in front


class FirstLine(BaseModel):
    """The address at which the child serves, or why it does not."""

    url: str | None = None
    error: str = "llama.cpp ended while loading. Check that it is a GGUF file."


@dataclass
class LlamaCpp:
    """Serves the GGUF file that `find` gives. A child that died is started again by the next request."""

    find: Callable[[], Awaitable[str]]
    alias: str
    chat_template: str | None = None
    threads: int = 1
    context: int = 8192
    parallel: int = 4
    report: Callable[[str], None] = print
    api: Api = CHAT
    _child: asyncio.subprocess.Process | None = None
    _client: OpenAI | None = None
    _lock: StartLock = field(default_factory=StartLock)

    async def start(self) -> None:
        with typed_failures(self.alias):
            await self._start()

    async def _start(self) -> None:
        async with self._lock.starting():
            if self._child and self._child.returncode is None:
                return
            await self._end_child()
            path = await self.find()
            self.report("loading weights")
            key = secrets.token_urlsafe(24)
            url = await self._start_child(path, key)
            self._client = OpenAI(
                url + "/v1", self.alias, key=key, read_timeout=READ_TIMEOUT, retries=0, api=self.api
            )

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        await self.start()
        assert self._client is not None
        async with aclosing(self._client.stream(request)) as events:
            async for event in events:
                yield event

    async def answer(self, request: Request) -> Reply:
        await self.start()
        assert self._client is not None
        return await self._client.answer(request)

    async def close(self) -> None:
        async with self._lock.closing():
            await self._end_child()

    async def _start_child(self, path: str, key: str) -> str:
        """The address at which the child serves. Raises `EndpointError`."""
        self._child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "arena.endpoints.llama_server",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        options = {
            "path": path, "alias": self.alias, "key": key, "chat_template": self.chat_template,
            "threads": self.threads, "context": self.context, "parallel": self.parallel,
        }  # fmt: skip
        self._child.stdin.write(json.dumps(options).encode() + b"\n")
        try:
            async with asyncio.timeout(LOADING_TIMEOUT):
                line = await self._child.stdout.readline()
        except TimeoutError:
            await self._end_child()
            raise EndpointError(
                Failure.UNUSABLE,
                f"{path}: not loaded after {LOADING_TIMEOUT:g} s. Free memory, or choose a smaller file.",
            ) from None
        answer = _first_line(line)
        if answer.url is None:
            await self._end_child()
            raise EndpointError(Failure.UNUSABLE, f"{path}: {answer.error}")
        return answer.url

    async def _end_child(self) -> None:
        if self._client:
            await self._client.close()
            self._client = None
        if self._child:
            if self._child.returncode is None:
                self._child.kill()
            await self._child.wait()
            self._child = None


def _first_line(line: bytes) -> FirstLine:
    """What the child says when it has loaded the model, or ended before."""
    try:
        return FirstLine.model_validate_json(line)
    except ValidationError:
        return FirstLine()
