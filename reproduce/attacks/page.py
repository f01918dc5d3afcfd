"""A visitor without a browser: the requests that the battle page's scripts send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

BATTLES = "/api/v1/battles"


@dataclass
class Page:
    """One tab of a visitor."""

    http: httpx.Client

    def __post_init__(self) -> None:
        self.http.get("/").raise_for_status()  # sets the cookie

    def send(self, method: str, path: str = "", **body: Any) -> httpx.Response:
        """A request to the battles API from the arena's own page."""
        origin = str(self.http.base_url).rstrip("/")
        options = {"json": body} if body else {}
        return self.http.request(method, BATTLES + path, headers={"origin": origin}, **options)

    def begin(self, prompt: str) -> str:
        """Send a first prompt; returns the id of the battle whose models now write. Raises `httpx.HTTPStatusError`."""
        return str(self.send("POST", prompt=prompt).raise_for_status().json()["id"])

    def events(self, battle: str, html: bool = True) -> Iterator[tuple[str, Any]]:
        """The events of the running turn until it has ended."""
        with self.http.stream("GET", f"{BATTLES}/{battle}/stream?format={'html' if html else 'text'}") as stream:
            stream.raise_for_status()
            name = ""
            for line in stream.iter_lines():
                if line.startswith("event:"):
                    name = line.removeprefix("event:").strip()
                elif line.startswith("data:"):
                    yield name, json.loads(line.removeprefix("data:"))
                    if name == "end":
                        return

    def ask(self, prompt: str) -> str:
        """All that the visitor receives from a first prompt until both models have answered, as text."""
        reply = self.send("POST", prompt=prompt)
        if not reply.is_success:
            return reply.text
        battle = str(reply.json()["id"])
        return "\n".join([reply.text, *(json.dumps(event) for event in self.events(battle))])

    def answered(self, prompt: str) -> str:
        """The id of a new battle, both of whose models have answered."""
        battle = self.begin(prompt)
        for _ in self.events(battle):
            pass
        return battle

    def vote(self, battle: str, winner: str) -> httpx.Response:
        """A vote that counts at once."""
        return self.send("POST", f"/{battle}/vote", winner=winner, final=True)


def counts(reply: httpx.Response) -> bool:
    """Whether the arena said that the vote counts."""
    return reply.is_success and bool((reply.json()["vote"] or {}).get("counts"))
