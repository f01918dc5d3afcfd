"""Voters that go on whatever happens to the servers, and remember which votes were acknowledged."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from reproduce.attacks.page import Page

WINNERS = ("model_a", "model_b", "tie", "both_bad")
PATIENCE = 30.0  # seconds that a voter waits for a reply
RETRY = 0.1  # seconds after a failed request
EARLY = 0.3  # of votes come while the models write


@dataclass
class Crowd:
    """Threads that begin battles, vote, and regenerate turns that a server left; each request on one of `urls`."""

    urls: Sequence[str]
    voters: int
    acknowledged: dict[str, str] = field(default_factory=dict)  # the vote of a battle
    counts: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        self.threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(self.voters)]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.over.set()
        for thread in self.threads:
            thread.join(2 * PATIENCE)

    def _run(self, number: int) -> None:
        url = self.urls[number % len(self.urls)]
        with httpx.Client(base_url=url, timeout=PATIENCE, trust_env=False) as http:
            voter = Voter(self, http, random.Random(number))
            while not self.over.is_set():
                try:
                    voter.step()
                except (httpx.HTTPError, ValueError, KeyError):  # the server has ended, also in mid-sentence
                    self.counts["requests that a kill cut off"] += 1
                    http.base_url = httpx.URL(voter.chance.choice(self.urls))
                    time.sleep(RETRY)


@dataclass
class Voter:
    """One browser: a cookie, and a battle that it comes back to."""

    crowd: Crowd
    http: httpx.Client
    chance: random.Random
    page: Page | None = None
    battle: str = ""

    def step(self) -> None:
        """Begin a battle, or vote in the one that is there."""
        if self.page is None:  # all servers have the same one
            self.page = Page(self.http)
        if self.battle:
            self._vote(self.page)
        else:
            self._begin(self.page)

    def _begin(self, page: Page) -> None:
        page.join(page.events["send"], ["Hello?", ""]).raise_for_status()
        early = self.chance.random() < EARLY
        for message in page.messages():
            found = next(filter(None, map(battle_id, message.get("output", {}).get("data", []))), "")
            if found and not self.battle:
                self.crowd.counts["battles begun"] += 1
                self.battle = found
            if message["msg"] == "process_completed" or (early and self.battle):
                return

    def _vote(self, page: Page) -> None:
        winner = self.chance.choice(WINNERS)
        reply = page.call(page.events[f"vote_{winner}"], [self.battle])
        counts = self.crowd.counts
        if "Your vote:" in reply:
            self.crowd.acknowledged[self.battle] = winner
            self.battle = ""
        elif "Choose Regenerate" in reply:
            counts["interrupted turns that a voter ran again"] += 1
            page.call(page.events["regenerate"], [self.battle])
        elif "still writing" in reply or "started to write" in reply or "vote again" in reply:
            time.sleep(RETRY)  # the turn runs, here or on another server, or has just ended
        elif "already voted" in reply:
            counts["repeated votes of which the first was on disk"] += 1
            self.battle = ""
        else:
            counts[f"votes refused: {notice_of(reply)}"] += 1
            self.battle = ""


def battle_id(value: Any) -> str:
    """A component's value if it is the id of a battle: 16 characters without a space."""
    plain = value.get("value") if isinstance(value, dict) else value
    is_id = isinstance(plain, str) and len(plain) == 16 and plain.replace("-", "").replace("_", "").isalnum()
    return str(plain) if is_id else ""


def notice_of(reply: str) -> str:
    """The start of the text that the page shows above the votes."""
    found = re.search(r'class=\\"notice [^>]*>([^<]+)', reply)
    return found.group(1)[:60] if found else "no words"
