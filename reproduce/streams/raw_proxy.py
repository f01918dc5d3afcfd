"""The least that a server can do with the streams of a battle: FastAPI passes the bytes of both models on, unread.

python -m reproduce.streams.raw_proxy PORT MODEL_SERVER
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

BODY = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Which one?"}]}


def create_app(models: str) -> FastAPI:
    """The proxy in front of a model server at the address `models`."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(timeout=None, limits=limits, trust_env=False) as client:
            app.state.client = client
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/battle")
    async def battle() -> StreamingResponse:
        return StreamingResponse(_both(app.state.client, models), media_type="text/event-stream")

    return app


async def _both(client: httpx.AsyncClient, models: str) -> AsyncIterator[bytes]:
    """The bytes of two completions in the order in which they come."""
    pieces: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def read() -> None:
        async with client.stream("POST", f"{models}/v1/chat/completions", json=BODY) as reply:
            async for piece in reply.aiter_raw():
                pieces.put_nowait(piece)
        pieces.put_nowait(None)

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(read())
        ended = 0
        while ended < 2:
            if (piece := await pieces.get()) is None:
                ended += 1
            else:
                yield piece


if __name__ == "__main__":
    uvicorn.run(create_app(sys.argv[2]), port=int(sys.argv[1]), log_level="warning", access_log=False)
