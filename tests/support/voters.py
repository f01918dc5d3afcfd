"""Voters without a browser: they speak to the page's queue as the browser does."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx


@dataclass
class Page:
    """What the page is made of: the number of each named event, and where its outputs stand."""

    events: dict[str, int]
    outputs: dict[str, list[int]]
    ids: dict[str, int]

    @classmethod
    def read(cls, http: httpx.Client) -> Page:
        config = http.get("/config").raise_for_status().json()
        named = [event for event in config["dependencies"] if event.get("api_name")]
        return cls(
            events={event["api_name"]: event["id"] for event in named},
            outputs={event["api_name"]: event["outputs"] for event in named},
            ids={c["props"]["elem_id"]: c["id"] for c in config["components"] if c["props"].get("elem_id")},
        )

    def value(self, event: str, element: str, data: list[Any]) -> Any:
        """What an answer holds for one element of the page."""
        return data[self.outputs[event].index(self.ids[element])]


@dataclass
class Voter:
    """One browser's worth of cookie and page session."""

    url: str
    http: httpx.Client = field(init=False)
    page: Page = field(init=False)
    session: str = field(default_factory=lambda: secrets.token_hex(6))

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        self.http.get("/").raise_for_status()
        self.page = Page.read(self.http)

    def call(self, event: str, *inputs: Any) -> list[list[Any]]:
        """Every answer of one event, the first whole; raises `httpx.HTTPError` when the arena is gone."""
        body = {"data": list(inputs), "fn_index": self.page.events[event], "session_hash": self.session}
        joined = self.http.post("/gradio_api/queue/join", json=body).raise_for_status().json()
        answers = []
        with self.http.stream("GET", f"/gradio_api/queue/data?session_hash={self.session}") as stream:
            for line in stream.iter_lines():
                message = json.loads(line.removeprefix("data:")) if line.startswith("data:") else {}
                if message.get("event_id") != joined["event_id"]:
                    continue
                if message["msg"] in ("process_generating", "process_completed"):
                    answers.append(message["output"].get("data", []))
                if message["msg"] == "process_completed":
                    break
        return answers

    def begin(self, prompt: str) -> str:
        """Send a first prompt and wait until both models have answered: the battle's public id."""
        first = self.call("send", prompt, "")[0]
        return str(_plain(self.page.value("send", "battle-id", first)))

    def vote(self, battle: str, winner: str) -> bool:
        """Whether the arena said that the vote counts."""
        answer = self.call(f"vote_{winner}", battle)[-1]
        return "Your vote:" in str(_plain(self.page.value(f"vote_{winner}", "notice", answer)))


def _plain(value: Any) -> Any:
    return value.get("value", value) if isinstance(value, dict) else value
