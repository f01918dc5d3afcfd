"""A drill of one outage: voters and readers go on while the database is out, and a table tells what it cost them."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from sqlmodel import select

from arena.store import Database
from arena.store.schema.battles import Battle, Vote
from arena.store.votes import recount
from reproduce.attacks.page import Page, counts
from reproduce.drills.crowd import WINNERS
from reproduce.drills.served import Served, scripted_model
from reproduce.temporary_postgres import required_binaries, temporary_postgres

VOTERS = 8
ENOUGH = 20  # acknowledged votes before the outage, and after it
LIMIT = 60.0  # seconds to wait for them
PAGES = ("/leaderboard", "/battles", "/api/v1/leaderboard", "/healthz", "/readyz", "/livez")
CODES = ("not_saved", "unreachable")  # of replies that tell a voter in words
MODELS = "".join(scripted_model(name, words=10, delay=0.002) for name in ("one", "two"))


@dataclass
class Load:
    """Voters who vote again until a vote is acknowledged, and one reader; everything with its times."""

    url: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    served: list[float] = field(default_factory=list)  # moments of acknowledged votes
    cast: list[float] = field(default_factory=list)  # moments at which these were sent
    refused: list[float] = field(default_factory=list)  # moments at which somebody read words instead
    waits: list[tuple[float, str]] = field(default_factory=list)
    replies: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self._voter, args=(n,), daemon=True) for n in range(VOTERS)]
        threads.append(threading.Thread(target=self._reader, daemon=True))
        for thread in threads:
            thread.start()
        yield
        self.over.set()
        for thread in threads:
            thread.join(60)

    def wait_for_votes(self, number: int) -> None:
        end = time.monotonic() + LIMIT
        while len(self.served) < number and time.monotonic() < end:
            time.sleep(0.05)

    def _voter(self, number: int) -> None:
        chance = random.Random(number)
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            page, battle, winner = Page(http), "", ""
            while not self.over.is_set():
                if not battle:
                    battle, winner = self._begin(page), chance.choice(WINNERS)
                elif self._vote(page, battle, winner):
                    battle = ""
                time.sleep(0.05)

    def _begin(self, page: Page) -> str:
        began = time.monotonic()
        reply = page.send("POST", prompt="Hello?")
        if self._note("begin", reply):
            self.waits.append((time.monotonic() - began, "refused prompt"))
        if not reply.is_success:
            return ""
        battle = str(reply.json()["id"])
        with suppress(httpx.HTTPError):  # the stream of an outage ends; the turn goes on
            for _ in page.events(battle):
                pass
        return battle

    def _vote(self, page: Page, battle: str, winner: str) -> bool:
        """Whether the battle is over for its voter."""
        began = time.monotonic()
        reply = page.vote(battle, winner)
        self.waits.append((time.monotonic() - began, "vote"))
        if counts(reply):
            self.acknowledged[battle] = winner
            self.cast.append(began)
            self.served.append(time.monotonic())
            return True
        self._note("vote", reply)
        return _code(reply) in ("wrong_status", "not_found", "already_voted", "interrupted")

    def _note(self, what: str, reply: httpx.Response) -> bool:
        """Count a reply that is not service; returns whether it has words."""
        if _code(reply) in CODES:
            self.refused.append(time.monotonic())
            self.replies[f"{what}: words"] += 1
            return True
        if not reply.is_success and not _code(reply):
            self.replies[f"{what}: BARE {reply.text[-100:]}"] += 1
        return False

    def _reader(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as http:
            while not self.over.is_set():
                for path in PAGES:
                    began = time.monotonic()
                    status = http.get(path).status_code
                    self.waits.append((time.monotonic() - began, path))
                    if status != 200:
                        self.replies[f"{path}: {status}"] += 1
                time.sleep(0.1)


def _code(reply: httpx.Response) -> str:
    """The code of a refusal; empty where there is none."""
    is_problem = reply.headers.get("content-type", "").startswith("application/problem+json")
    return str(reply.json().get("code", "")) if is_problem else ""


Outage = Callable[[Database], None]  # returns when the database is back


def drill(name: str, url: str, folder: Path, outage: Outage) -> int:
    """Run the outage under load and print its row; 1 if a vote was lost or doubled, or a reply had no words."""
    server = Served(folder / "server", url, MODELS)
    server.start()
    load, database = Load(server.url), Database(url)
    with load.running():
        load.wait_for_votes(ENOUGH)
        out = time.monotonic()
        outage(database)
        back = time.monotonic()
        load.wait_for_votes(len(load.served) + ENOUGH)
    server.kill()
    database.close()
    return _report(name, url, load, out, back)


def _report(name: str, url: str, load: Load, out: float, back: float) -> int:
    database = Database(url)
    with database.read() as session:
        votes = session.exec(select(Battle.public_id, Vote.winner).join(Vote)).all()
        miscounted = len(recount(session))
    database.close()
    stored = dict(votes)
    lost = sum(stored.get(battle) != winner for battle, winner in load.acknowledged.items())
    during = sum(out < cast and served < back for cast, served in zip(load.cast, load.served, strict=True))
    doubled = len(votes) - len(stored)
    recovered = next((f"{moment - back:.1f} s" for moment in load.served if moment > back), "never")
    longest = {
        kind: max((seconds for seconds, what in load.waits if what.startswith(start)), default=0.0)
        for kind, start in {"vote": "vote", "refused prompt": "refused", "page": "/"}.items()
    }
    words = max(load.refused) - min(load.refused) if load.refused else 0.0
    rows = {
        "acknowledged votes": len(load.acknowledged),
        "of these lost or changed": lost,
        "battles with two votes": doubled,
        "pair counts that differ from the votes": miscounted,
        "stored votes that were not acknowledged": len(stored.keys() - load.acknowledged.keys()),
        "votes cast during the outage and acknowledged before its end": during,
        "seconds of the outage": f"{back - out:.1f}",
        "seconds from the first to the last vote that was refused in words": f"{words:.1f}",
        "first acknowledged vote after the outage": recovered,
        **{f"longest wait for the reply to a {what}": f"{seconds:.1f} s" for what, seconds in longest.items()},
        **dict(sorted(load.replies.items())),
    }
    table = Table("what", "number", title=name)
    for what, number in rows.items():
        table.add_row(what, str(number))
    Console(width=110).print(table)
    return int(bool(lost or doubled or miscounted or any("BARE" in reply for reply in load.replies)))


def on_sqlite(name: str, outage: Outage) -> None:
    """The drill on an SQLite file in a temporary folder; exits."""
    argparse.ArgumentParser(description=name).parse_args()
    with tempfile.TemporaryDirectory(prefix="arena-drill-") as folder:
        sys.exit(drill(name, f"sqlite:///{folder}/arena.db", Path(folder), outage))


def on_postgres(
    name: str, outage: Outage, through: Callable[[str], AbstractContextManager[str]] = nullcontext
) -> None:
    """The drill on a temporary PostgreSQL, whose URL `through` may replace; exits."""
    argparse.ArgumentParser(description=name).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="arena-drill-") as folder,
        temporary_postgres(required_binaries()) as url,
        through(url) as shown,
    ):
        sys.exit(drill(name, shown, Path(folder), outage))
