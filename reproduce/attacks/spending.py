"""Running up a bill: made-up voters, forged addresses, racing requests, turns that nobody reads, floods."""

from __future__ import annotations

import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import MODELS, Target, target

COOKIE = "arena_session"
EVIL = "evil.example"
PROMPT = "Name three colours."
SLOW = "\n".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.05\nreplies = ["{"word " * 400}"]\n'
    for name in MODELS
)
WRITTEN = 300  # tokens that a model with 2 ms a word has written and read a second after its prompt, at least
REDIRECTING = (
    "/logout",
    "/login/",
    "/leaderboard/",
    "/battles/",
    "/models/",
    f"//{EVIL}/",
    f"/%5c{EVIL}/",
    "/docs/",
)
FORWARDED = {
    "x-forwarded-for": "198.51.100.{}",
    "forwarded": "for=198.51.100.{};host=" + EVIL,
    "x-real-ip": "198.51.100.{}",
    "x-client-ip": "198.51.100.{}",
    "cf-connecting-ip": "198.51.100.{}",
}


def made_up_voters(arena: Target) -> Outcome:
    """Forty first prompts with cookies that the arena has not signed, one of them signed and then changed."""
    with arena.visitor() as http:
        page = Page(http)
        signed = http.cookies[COOKIE]
        changed = signed[:-1] + ("x" if signed[-1] != "x" else "y")
        http.cookies.clear()
        cookies = ["x", "0" * 43, "..", '""', "A" * 43 + "." + "B" * 43, signed.partition(".")[0], changed]
        cookies += [f"made-up-{number}" for number in range(33)]
        for cookie in cookies:
            http.headers["cookie"] = f"{COOKIE}={cookie}"
            page.ask(PROMPT)
        http.headers["cookie"] = f"{COOKIE}={signed}"
        page.ask(PROMPT)  # of a real voter: prompts do start battles
        return outcome("prompts of made-up voters", _excess(len(cookies), _battles(arena), allowed=1))


def more_than_an_address_may(_: Target) -> Outcome:
    """Twenty battles with new cookies and forged addresses, where an address may start three in an hour."""
    with target(tables="[limits]\nbattles_per_address = 3") as arena:
        for number in range(20):
            with arena.visitor() as http:
                http.headers.update({name: value.format(number) for name, value in FORWARDED.items()})
                page = Page(http)
                page.ask(PROMPT)
        return outcome("battles above the limit of an address", _excess(20, _battles(arena), allowed=3))


def racing_battles(_: Target) -> Outcome:
    """Thirty battles at once from tabs of one voter, who may start three in an hour."""
    tables = "[battles]\nrunning_per_voter = 99\n[limits]\nbattles_per_voter = 3"
    with target(tables=tables) as arena, arena.visitor() as http, ThreadPoolExecutor(30) as pool:
        pages = [Page(http) for _ in range(30)]
        list(pool.map(lambda page: page.ask(PROMPT), pages))
        return outcome("racing battles above a voter's limit", _excess(30, _battles(arena), allowed=3))


def unread_turns(_: Target) -> Outcome:
    """Four turns whose streams nobody opens, and four whose stream is closed; each could write for 20 seconds."""
    with (
        target(SLOW, tables="[battles]\nunread_seconds = 2\nrunning_per_voter = 8") as arena,
        ExitStack() as stack,
    ):
        pages = [Page(stack.enter_context(arena.visitor())) for _ in range(8)]
        battles = [page.begin(PROMPT) for page in pages]
        for page, battle in list(zip(pages, battles, strict=True))[4:]:
            next(page.events(battle))
        time.sleep(8)
        rows = _rows(arena.folder, "SELECT status, length(text) FROM completion")
    if len(rows) != 2 * len(pages):
        raise RuntimeError(f"{len(rows)} completions began, not {2 * len(pages)}.")
    return outcome(
        "turns that nobody reads", [f"{s}, {n} characters" if s != "stopped" else None for s, n in rows]
    )


def turns_that_are_stopped(_: Target) -> Outcome:
    """Turns stopped while a fast model waits for a slow one: what it has written must be in the day's spending."""
    config = SLOW.replace("delay = 0.05", "delay = 0.002", 1).replace("word " * 400, "word " * 1000)
    tries: list[str | None] = []
    with target(config, "[limits]\nbattles_per_voter = 0") as arena, arena.visitor() as http:
        page = Page(http)
        for _number in range(4):
            before = _tokens(arena)
            battle = page.begin(PROMPT)
            next(data for name, data in page.events(battle, html=False) if name == "text")  # both have begun
            time.sleep(0.5)
            page.send("POST", f"/{battle}/stop").raise_for_status()
            spent = _tokens(arena) - before
            tries.append(f"{spent} tokens" if spent < WRITTEN else None)
    return outcome("stopped turns that cost too little", tries)


def redirects(arena: Target) -> Outcome:
    """Addresses that libraries redirect, with forged hosts: a redirect to the host is a success of the attack."""
    tries: list[str | None] = []
    with arena.visitor(follow_redirects=False) as http:
        for path in REDIRECTING:
            for header in ("host", "x-forwarded-host", "x-gradio-server", "forwarded"):
                value = {"x-gradio-server": f"http://{EVIL}", "forwarded": f"host={EVIL}"}.get(header, EVIL)
                location = http.get(f"{arena.url}{path}", headers={header: value}).headers.get("location", "")
                tries.append(location if re.match(r"(https?:)?[/\\]{2}", location) else None)
    return outcome("redirects to another host", tries)


def flood(_: Target) -> Outcome:
    """Six hundred requests of one address, which may send 120 in a minute."""
    with target(tables="[limits]\nrequests_per_minute = 120") as arena, arena.visitor() as http:
        began = time.monotonic()
        replies = [http.get("/healthz") for _ in range(600)]
        allowed = 120 + int((time.monotonic() - began + 1) * 2)
    served = sum(reply.is_success for reply in replies)
    return outcome("requests above the limit of an address", _excess(len(replies), served, allowed))


def _tokens(arena: Target) -> int:
    """What the day has cost, in tokens."""
    return sum(tokens for _day, tokens in _rows(arena.folder, "SELECT day, tokens FROM usage_day"))


def _battles(arena: Target) -> int:
    return len(_rows(arena.folder, "SELECT status, id FROM battle"))


def _excess(tries: int, successes: int, allowed: int) -> list[str | None]:
    """A try for each success above the allowed number. Raises when not even those succeeded."""
    if successes < min(allowed, 3):
        raise RuntimeError(f"{successes} of {tries} tries succeeded, fewer than the {allowed} that are allowed.")
    return [
        f"{successes} in place of {allowed}" if number < successes - allowed else None for number in range(tries)
    ]


def _rows(folder: Path, query: str) -> list[tuple[str, int]]:
    with closing(sqlite3.connect(f"file:{folder / 'arena.db'}?mode=ro", uri=True)) as connection:
        return connection.execute(query).fetchall()
