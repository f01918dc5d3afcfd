"""Whether a client can tell control battles from others before the vote, by what it receives and when.

Each control battle is compared with the nearest ordinary battles of the same visitor, so that a machine that is busy for a
while does not look like a difference. The figure is the share of such pairs in which the control battle has the larger
value: 0.5 where nothing tells them apart, 1 or 0 where one look does.
"""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from arena.rules.suggested_prompts import suggested_prompts
from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import Target, target

MODELS, DELAY = 4, 0.01  # seconds between two words
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")
VISITORS, EARLIER, BATTLES = 3, 120, 360
NEAREST = 4  # ordinary battles that a control battle is compared with
CERTAIN = 3.0  # standard errors from one half: with 12 figures, one in 30 runs has a false one
FEATURES = ("begin", "first", "total", "events", "size", "pace")
UNLIMITED = (
    "battles_per_voter turns_per_voter votes_per_voter votes_per_voter_day votes_per_address_day battles_per_address "
    "turns_per_address votes_per_address calls_per_minute requests_per_minute"
)
TABLES = (
    "[battles]\nrunning_per_voter = 99\nundo_seconds = 0\ncontrol_share = 0.5\ncontrol_after_votes = 0\n[limits]\n"
    + "".join(f"{name} = 0\n" for name in UNLIMITED.split())
)
Row = Mapping[str, float | str]


def control_battles_told_apart(_: Target) -> Outcome:
    """Half of the battles are control battles; each feature of both kinds is one try."""
    with _model_server() as url, target(_models(url), TABLES) as arena:
        prompts = [prompt for category in suggested_prompts().values() for prompt in category]

        def earlier(number: int) -> None:
            with arena.visitor() as http:
                page = Page(http)
                for prompt in (prompts * 9)[number:EARLIER:VISITORS]:
                    page.vote(page.answered(prompt), random.choice(("model_a", "model_b"))).raise_for_status()

        def later(number: int) -> list[Row]:
            with arena.visitor() as http:
                page = Page(http)
                return [_looked_at(page, prompt) for prompt in (prompts * 20)[number:BATTLES:VISITORS]]

        with ThreadPoolExecutor(VISITORS) as visitors:
            list(visitors.map(earlier, range(VISITORS)))
            seen = list(visitors.map(later, range(VISITORS)))
        with closing(sqlite3.connect(arena.folder / "arena.db")) as database:
            kinds = dict(
                database.execute(
                    "SELECT b.public_id, c.kind FROM control_battle c JOIN battle b ON b.id = c.battle_id"
                )
            )
    tries = [_told(seen, kinds, kind, feature) for kind in ("same_model", "swapped") for feature in FEATURES]
    shapes = {row["shape"] for rows in seen for row in rows}
    tries.append(f"{len(shapes)} shapes of documents" if len(shapes) > 1 else None)
    return outcome("control battles told apart before the vote", tries)


def _looked_at(page: Page, prompt: str) -> Row:
    """All that a client learns of a battle before it votes, and leaves it."""
    asked = time.perf_counter()
    reply = page.send("POST", prompt=prompt).raise_for_status()
    begun = time.perf_counter()
    battle, texts, size, events = str(reply.json()["id"]), [], 0, 0
    for name, data in page.events(battle, html=False):
        events, size = events + 1, size + len(json.dumps(data))
        if name == "text":
            texts.append(time.perf_counter())
    ended, state = time.perf_counter(), page.send("GET", f"/{battle}").json()
    lengths = [len(side["text"]) for side in state["turns"][-1]["completions"].values()]
    page.send("POST", f"/{battle}/leave").raise_for_status()
    return {
        "battle": battle,
        "begin": begun - asked,
        "first": texts[0] - asked,
        "total": ended - asked,
        "events": events,
        "size": size / events,
        "pace": min(lengths) / max(texts[-1] - texts[0], 0.01),
        "shape": json.dumps([*sorted(_names(reply.json())), *sorted(_names(state)), *sorted(reply.headers)]),
    }


def _told(seen: Sequence[Sequence[Row]], kinds: Mapping[str, str], kind: str, feature: str) -> str | None:
    """Evidence that a feature tells a kind of control battle from ordinary ones."""
    wins = []
    for rows in seen:
        ordinary = [number for number, row in enumerate(rows) if str(row["battle"]) not in kinds]
        for number, row in enumerate(rows):
            if kinds.get(str(row["battle"])) == kind:
                near = sorted(ordinary, key=lambda other, here=number: abs(other - here))[:NEAREST]
                wins.append(statistics.fmean(_larger(row[feature], rows[other][feature]) for other in near))
    share, error = statistics.fmean(wins), statistics.stdev(wins) / len(wins) ** 0.5
    text = f"{kind} by {feature}: {share:.3f} ± {1.96 * error:.3f} (n = {len(wins)})"
    print(text)
    return text if abs(share - 0.5) > CERTAIN * error else None


def _larger(value: float | str, other: float | str) -> float:
    return 0.5 if value == other else float(value > other)  # type: ignore[operator]


def _names(document: object, before: str = "") -> Iterator[str]:
    """The names of all members of a document, with those that they stand in."""
    if isinstance(document, dict):
        for name, value in document.items():
            yield before + name
            yield from _names(value, f"{before}{name}.")
    elif isinstance(document, list):
        for value in document:
            yield from _names(value, f"{before}[].")


def _models(url: str) -> str:
    return "\n".join(
        f'[[models]]\nname = "canary-{number}{number}{number}"\nendpoint = "openai"\nurl = "{url}"\nmodel = "m"\n'
        for number in range(MODELS)
    )


class _Writer(BaseHTTPRequestHandler):
    """Writes 25 to 60 words, other ones each time, as a model with a temperature does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        count = random.randint(25, 60)
        time.sleep(0.05 + random.expovariate(30))
        for _ in range(count):
            time.sleep(DELAY * random.uniform(0.5, 1.5))
            self._event({"content": f"{random.choice(WORDS)} "}, None)
        self._event({}, "stop", usage={"prompt_tokens": 9, "completion_tokens": count})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def _event(self, delta: Mapping[str, str], finish: str | None, **more: object) -> None:
        chunk = {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more}
        self.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@contextmanager
def _model_server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Writer) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/v1"
        finally:
            server.shutdown()
