"""A plan played over HTTP against `arena serve`: sessions, battles, streams, votes, one after another and without a wait.

The riggers and the voters know the models by a word in their completions. Addresses come from a trusted proxy's header.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from reproduce.arena_process import url_when_open
from reproduce.riggers.clock import Clock
from reproduce.riggers.in_columns import Votes, cast
from reproduce.riggers.in_store import START
from reproduce.riggers.population import NAMES, WINNERS, Plan, lengths

SECOND = 1.0  # of reaction, on top of the time in which a voter reads
OFF = [f"{action}s_per_{scope}" for action in ("battle", "turn", "vote") for scope in ("voter", "address")]
OF_THE_DAY = ["votes_per_voter_day", "votes_per_address_day"]
ALWAYS_OFF = ["calls_per_minute", "tokens_per_day", "requests_per_minute", "lag_seconds"]
STARTING = 180.0
POLL = 0.005  # seconds
SAID = 1_000  # tries after which progress is printed
BATTLES = "/api/v1/battles"


def settings(*, limits: bool, check_every: float) -> str:
    """The settings of the arena; without limits nothing is refused, whatever the checks find."""
    off = [*ALWAYS_OFF, *([] if limits else [*OFF, *OF_THE_DAY])]
    models = "\n".join(
        f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\nreplies = ["word{number:02} {"x" * length}"]'
        for number, (name, length) in enumerate(zip(NAMES, lengths().tolist(), strict=True))
    )
    return (
        f'[web]\ntrusted_proxies = ["127.0.0.1"]\n[battles]\npacing = "off"\ncontrol_share = 0\n[trust]\n'
        f"check_every = {check_every}\n[ledger]\nseal_every = 0\n[limits]\n"
        + "\n".join(f"{name} = 0" for name in off)
        + f"\n{models}\n"
    )


@dataclass
class Played:
    """What became of a plan: the votes that were cast, and what was refused, by kind of account."""

    rows: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    battles: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def votes(self, plan: Plan) -> Votes:
        a, b = np.array(self.pairs, dtype=np.int64).reshape(-1, 2).T
        return cast(plan, np.array(self.rows, dtype=np.int64), a, b)


@contextmanager
def arena(*, limits: bool = True, check_every: float = 60.0) -> Iterator[tuple[str, Clock, Path]]:
    """An arena by a clock of its own: its address, the clock and its folder."""
    with tempfile.TemporaryDirectory(prefix="arena-riggers-") as name:
        folder = Path(name)
        (folder / "arena.toml").write_text(settings(limits=limits, check_every=check_every), encoding="utf-8")
        clock = Clock(folder / "clock")
        clock.set(START.timestamp())
        command = [sys.executable, "-m", "reproduce.riggers.clock", str(folder / "clock"), "serve", "--port", "0"]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ARENA_")}
        place = str(Path(__file__).resolve().parents[2])
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=folder, stdout=log, stderr=log, env=kept | {"COLUMNS": "200", "PYTHONPATH": place}
            )
        try:
            yield url_when_open(folder / "log.txt", lambda: process.poll() is None, STARTING), clock, folder
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


class Visitors:
    """All visitors through one connection, as behind a proxy."""

    def __init__(self, url: str, clock: Clock, plan: Plan) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self._http = http.client.HTTPConnection(host, int(port), timeout=60)
        self._clock, self._plan = clock, plan
        self._tokens: dict[int, str] = {}
        self._addresses = {name: n for n, name in enumerate(dict.fromkeys(plan.accounts.address.tolist()))}

    def play(self) -> Played:
        """Every battle of the plan, in order."""
        played, begun = Played(), time.monotonic()
        for row in range(len(self._plan)):
            self._battle(row, played)
            if (row + 1) % SAID == 0:
                seconds = time.monotonic() - begun
                print(f"{row + 1} of {len(self._plan)} tries in {seconds:.0f} s", file=sys.stderr, flush=True)
        played.seconds = time.monotonic() - begun
        self._http.close()
        return played

    def _battle(self, row: int, played: Played) -> None:
        plan, account = self._plan, int(self._plan.account[row])
        kind = str(plan.accounts.kind[account])
        since = START.timestamp() + float(plan.time[row])
        self._clock.set(since)
        status, battle = self._call("POST", BATTLES, account, {"prompt": str(plan.prompt[row])})
        if status != 201:
            played.refused[kind, str(battle.get("code"))] += 1
            return
        name = battle["id"]
        while battle["status"] == "running":
            time.sleep(POLL)
            _, battle = self._call("GET", f"{BATTLES}/{name}", account)
        a, b = (self._model(battle, side) for side in "ab")
        if plan.only[row] >= 0 and plan.only[row] not in (a, b):
            self._call("POST", f"{BATTLES}/{name}/leave", account)
            return
        letters = lengths()[a] + lengths()[b]
        self._clock.set(since + letters / plan.pace[row] + (SECOND if plan.pace[row] < 1000 else 0.0))
        ballot = {"winner": WINNERS[plan.outcome(row, a, b)], "final": True}
        status, reply = self._call("POST", f"{BATTLES}/{name}/vote", account, ballot)
        if status != 200:
            played.refused[kind, str(reply.get("code"))] += 1
            return
        played.rows.append(row)
        played.pairs.append((a, b))
        played.battles.append(name)

    def _model(self, battle: dict[str, Any], side: str) -> int:
        """The number of the model, from the word in its completion."""
        text = battle["turns"][-1]["completions"][side]["text"]
        found = re.match(r"word(\d\d)", text)
        if found is None:
            raise RuntimeError(f"A completion has no word of its model: {text[:60]!r}.")
        return int(found[1])

    def _call(self, method: str, path: str, account: int, body: object = None) -> tuple[int, dict[str, Any]]:
        """The status and the JSON of a reply."""
        if account not in self._tokens and path != "/api/v1/sessions":
            self._tokens[account] = self._call("POST", "/api/v1/sessions", account)[1]["token"]
        address = self._addresses[str(self._plan.accounts.address[account])]
        headers = {"x-forwarded-for": f"10.{address >> 16}.{address >> 8 & 255}.{address & 255}"}
        if account in self._tokens:
            headers["authorization"] = f"Bearer {self._tokens[account]}"
        data = None if body is None else json.dumps(body)
        if data is not None:
            headers["content-type"] = "application/json"
        self._http.request(method, path, data, headers)
        reply = self._http.getresponse()
        raw = reply.read()
        return reply.status, json.loads(raw) if raw else {}
