"""Clients of the battle API, inside the process of the test."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from arena.config import Settings
from arena.serving.models import Serving
from arena.store import Database
from arena.web.app import create_app
from tests.support.arenas import ready

HOME = "http://arena.test"


@dataclass(frozen=True)
class Event:
    """One server-sent event."""

    name: str
    data: Any
    id: str = ""


def events_of(text: str) -> list[Event]:
    """The events of a stream; comments and `retry` are left out."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and line[0] != ":")
        if "event" in fields:
            events.append(Event(fields["event"], json.loads(fields["data"]), fields.get("id", "")))
    return events


@dataclass
class Texts:
    """What a client of the format `text` shows: it appends, and replaces."""

    a: str = ""
    b: str = ""
    states: list[dict[str, Any]] = field(default_factory=list)
    ended: bool = False
    id: str = ""

    def take(self, events: list[Event]) -> Texts:
        for event in events:
            self.id = event.id or self.id
            if event.name == "text":
                self.a += event.data.get("a", "")
                self.b += event.data.get("b", "")
            elif event.name == "set":
                self.a, self.b = event.data.get("a", ""), event.data.get("b", "")
            elif event.name == "state":
                self.states.append(event.data)
            self.ended |= event.name == "end"
        return self


@dataclass
class BattleClient:
    """One voter of the API."""

    http: httpx.AsyncClient

    async def begin(self, prompt: str = "Name a tree.", **more: Any) -> dict[str, Any]:
        reply = await self.http.post("/api/v1/battles", json={"prompt": prompt, **more})
        assert reply.status_code == 201, reply.text
        return dict(reply.json())

    async def post(self, battle: str, what: str, **body: Any) -> httpx.Response:
        return await self.http.post(f"/api/v1/battles/{battle}/{what}", json=body)

    async def state(self, battle: str, **query: Any) -> dict[str, Any]:
        reply = await self.http.get(f"/api/v1/battles/{battle}", params=query)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def stream(self, battle: str, **query: Any) -> list[Event]:
        reply = await self.http.get(f"/api/v1/battles/{battle}/stream", params=query)
        assert reply.status_code == 200, reply.text
        return events_of(reply.text)

    async def finished(self, prompt: str = "Name a tree.") -> str:
        """The id of a battle that waits for a vote."""
        battle = str((await self.begin(prompt))["id"])
        await self.stream(battle)
        return battle


@contextlib.asynccontextmanager
async def running_app(
    database: Database, serving: Serving | None = None, **settings: Any
) -> AsyncIterator[FastAPI]:
    """The application with its background tasks."""
    app = create_app(Settings(**settings), database, serving or ready())
    async with app.router.lifespan_context(app):
        yield app


@contextlib.asynccontextmanager
async def api_client(app: FastAPI, url: str = HOME, token: bool = True) -> AsyncIterator[BattleClient]:
    """A new voter with a bearer token, or without any session."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=url, timeout=20) as http:
        if token:
            given = (await http.post("/api/v1/sessions")).json()["token"]
            http.headers["authorization"] = f"Bearer {given}"
        yield BattleClient(http)
