"""Voters that go on whatever happens to the servers, and remember which votes were acknowledged."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from reproduce.attacks.page import Page
from reproduce.attacks.page import counts as has_counted

WINNERS = ("model_a", "model_b", "tie", "both_bad")
PATIENCE = 30.0  # seconds that a voter waits for a reply
RETRY = 0.1  # seconds after a failed request
EARLY = 0.3  # of votes come while the models write
UNDONE = 0.2  # of votes that do not count yet


@dataclass
class Crowd:
    """Threads that begin battles, vote, and regenerate turns that a server left; each request on one of `urls`.

    The share `pending` of votes can be undone, and some of them are.
    """

    urls: Sequence[str]
    voters: int
    pending: float = 0.0
    acknowledged: dict[str, str] = field(default_factory=dict)  # the vote of a battle, counted or pending
    undone: set[str] = field(default_factory=set)  # battles whose vote was undone
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
        self.battle = page.begin("Hello?")
        self.crowd.counts["battles begun"] += 1
        early = self.chance.random() < EARLY
        for name, _ in page.events(self.battle):
            if early and name == "html":
                return

    def _vote(self, page: Page) -> None:
        winner = self.chance.choice(WINNERS)
        final = self.chance.random() >= self.crowd.pending
        reply = page.send("POST", f"/{self.battle}/vote", winner=winner, final=final)
        counts, code = self.crowd.counts, "" if reply.is_success else reply.json().get("code", "")
        if has_counted(reply) or (not final and reply.is_success and reply.json()["vote"]):
            battle, self.battle = self.battle, ""
            self.crowd.acknowledged[battle] = winner
            if not final:
                counts["acknowledged votes that could be undone"] += 1
                if self.chance.random() < UNDONE:
                    self._undo(page, battle)
        elif code == "interrupted":
            counts["interrupted turns that a voter ran again"] += 1
            page.send("POST", f"/{self.battle}/regenerate")
            for _ in page.events(self.battle):
                pass
        elif code in ("still_running", "not_begun", "not_saved", "unreachable"):
            time.sleep(RETRY)  # the turn runs, here or on another server, or has just ended
        elif code == "already_voted":
            counts["repeated votes of which the first was on disk"] += 1
            self.battle = ""
        else:
            counts[f"votes refused: {code}"] += 1
            self.battle = ""

    def _undo(self, page: Page, battle: str) -> None:
        """Undo a vote. Without a reply it is not known whether the vote is there."""
        winner = self.crowd.acknowledged.pop(battle)
        reply = page.send("DELETE", f"/{battle}/vote")
        if reply.is_success and reply.json()["vote"] is None:
            self.crowd.undone.add(battle)
        elif reply.json().get("code") == "too_late":
            self.crowd.acknowledged[battle] = winner
