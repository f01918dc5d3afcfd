"""The battle page's queue, spoken to without a browser: events by name, with any data."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Page:
    """One tab of a visitor."""

    http: httpx.Client
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    events: dict[str, int] = field(init=False)
    inputs: dict[int, int] = field(init=False)  # by event: how many inputs it takes

    def __post_init__(self) -> None:
        self.http.get("/").raise_for_status()
        config = self.http.get("/config").raise_for_status().json()
        self.events = {
            event["api_name"] or f"event-{event['id']}": event["id"] for event in config["dependencies"]
        }
        self.inputs = {event["id"]: len(event["inputs"]) for event in config["dependencies"]}

    def join(self, event: int, data: Any, **more: Any) -> httpx.Response:
        """Put an event into the queue."""
        body = {"data": data, "fn_index": event, "session_hash": self.session, **more}
        return self.http.post("/gradio_api/queue/join", json=body)

    def messages(self) -> Iterator[dict[str, Any]]:
        """The messages of the queue until it closes."""
        with self.http.stream("GET", "/gradio_api/queue/data", params={"session_hash": self.session}) as stream:
            for line in stream.iter_lines():
                if line.startswith("data:"):
                    yield json.loads(line.removeprefix("data:"))

    def call(self, event: int, data: Any, **more: Any) -> str:
        """All that the visitor receives for one event, as text."""
        joined = self.join(event, data, **more)
        if not joined.is_success:
            return joined.text
        received = []
        for message in self.messages():
            received.append(json.dumps(message))
            if message["msg"] in ("process_completed", "close_stream"):
                break
        return "\n".join(received)
