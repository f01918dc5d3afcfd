"""Odd streams, votes undone for ever, floods of reports, chosen models that count, prompts without end, Gradio's queue."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import partial
from typing import Any

import httpx

from reproduce.attacks.battle_api import tracebacks
from reproduce.attacks.outcome import Outcome, outcome, unless_refused, unless_sent_back
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.target import MODELS, Target, target

EVENT_IDS = (
    "", "x", "0.0.0.0", "9999.999999.99999999.99999999", "1.1.5.5", "1.1.99999999.0", "-1.1.1.1", "1.1.1", "1.1.1.1.1",
    "9" * 5000, "1.1.1.1 x", "%00", "1e9.1.1.1", "../../etc/passwd", "\u00e9", "٣.١.١.١",
)  # fmt: skip
ODD_QUERIES = (
    "format=xml",
    "format=text&format=html",
    "format=",
    "html=2",
    "format[]=text",
    "format=HTML",
    "x=" + "y" * 4000,
)
# characters of prompts; an arena takes 20,000 unless it is set otherwise
CHARACTERS = (20_001, 999_999, 1_000_001, 5_000_000)
QUEUE = (
    "queue/join", "queue/data", "queue/data?session_hash=x", "queue/status", "call/send", "call/send/1", "run/predict",
    "api/predict", "run/send", "cancel", "reset", "heartbeat/x", "component_server", "stream/x/y/z/playlist.m3u8",
)  # fmt: skip


def odd_event_ids(arena: Target) -> Outcome:
    """Streams with odd queries and event ids: an error of the server, or a stream that does not end."""
    tries: list[str | None] = []
    with arena.visitor() as http:
        path = f"{BATTLES}/{Page(http).answered('Hello?')}/stream"
        for event_id in EVENT_IDS:
            for form in ("text", "html"):
                for options in (
                    {"headers": {"last-event-id": event_id.encode()}},
                    {"params": {"format": form, "last_event_id": event_id}},
                ):
                    tries.append(_ended(http, f"{path}?format={form}" if "headers" in options else path, options))
        tries += [_ended(http, f"{path}?{query}", {}) for query in ODD_QUERIES]
        tries.append(tracebacks(arena))
    return outcome("odd event ids and queries", tries)


def undone_votes(arena: Target) -> Outcome:
    """Votes undone when they count, by others, and a hundred times: one that vanishes or counts twice is a success."""
    tries: list[str | None] = []
    with arena.visitor() as http, arena.visitor() as other:
        page, stranger = Page(http), Page(other)
        for _ in range(5):
            battle = page.answered("Name three colours.")
            page.send("POST", f"/{battle}/vote", winner="tie").raise_for_status()
            tries.append(
                unless_refused(stranger.send("DELETE", f"/{battle}/vote"), 404, "undo of another visitor")
            )
            page.vote(battle, "tie").raise_for_status()
            tries += [
                unless_refused(page.send("DELETE", f"/{battle}/vote"), 409, "undo of a counted vote")
                for _ in range(4)
            ]
        battle = page.answered("Name three colours.")
        for _ in range(50):
            page.send("POST", f"/{battle}/vote", winner="model_a")
            reply = page.send("DELETE", f"/{battle}/vote")
            tries.append("names after an undo" if reply.json().get("models") else None)
        page.send("POST", f"/{battle}/vote", winner="model_b", final=True)
        counted = _number(arena, "SELECT count(*) FROM vote")
        tries.append(None if counted == 6 else f"{counted} votes in place of 6")
    return outcome("abuse of undo", tries)


def votes_that_are_undone_for_ever(_: Target) -> Outcome:
    """A hundred votes cast and undone by a voter who may cast five in an hour."""
    with target(tables="[limits]\nvotes_per_voter = 5") as arena, arena.visitor() as http:
        page = Page(http)
        battle, cast = page.answered("Name three colours."), 0
        for _number_of_try in range(100):
            cast += page.send("POST", f"/{battle}/vote", winner="tie").is_success
            page.send("DELETE", f"/{battle}/vote")
        return outcome("votes above the limit, undone", ["cast" if n < cast - 5 else None for n in range(100)])


def flood_of_reports(_: Target) -> Outcome:
    """Two hundred reports of one voter, who may send three in an hour, and reports of others' battles."""
    with target(tables="[limits]\nreports_per_voter = 3") as arena, arena.visitor() as http:
        page = Page(http)
        battle = page.answered("Name three colours.")
        for _number_of_try in range(200):
            page.send("POST", f"/{battle}/report", kind="hateful", text="x" * 2000)
        saved = _number(arena, "SELECT count(*) FROM report")
        return outcome("reports above the limit", ["saved" if n < saved - 3 else None for n in range(200)])


def chosen_models(arena: Target) -> Outcome:
    """Models that a voter names: in blind battles, or voted on, shared, listed, counted or read by others."""
    tries: list[str | None] = []
    with arena.visitor() as http, arena.visitor() as other:
        page = Page(http)
        for mode, models in (
            ("blind", MODELS),
            ("blind", MODELS[:1]),
            ("chosen", MODELS[:1] * 2),
            ("single", MODELS),
        ):
            reply = page.send("POST", prompt="x", mode=mode, models=list(models))
            tries.append(unless_refused(reply, 422, f"{mode} {models}"))
        still_open = page.answered("Name three colours.")
        tries.append(
            unless_refused(
                page.send("POST", prompt="x", again=still_open), 409, "again on a battle without a vote"
            )
        )
        for mode, models in (("chosen", MODELS), ("single", MODELS[:1])):
            reply = page.send(
                "POST", prompt="An unlisted prompt.", mode=mode, models=list(models)
            ).raise_for_status()
            battle = reply.json()["id"]
            for _ in page.events(battle):
                pass
            for final in (False, True):
                reply = page.send("POST", f"/{battle}/vote", winner="model_a", final=final)
                tries.append(unless_refused(reply, 409, f"a vote on a {mode} battle"))
            tries.append(
                unless_refused(
                    page.send("PUT", f"/{battle}/shared", shared=True), 409, f"a {mode} battle is shared"
                )
            )
            tries += [
                _found(other, path, battle) for path in ("/battles", f"/battles/{battle}", "/api/v1/battles")
            ]
            tries.append(unless_refused(other.get(f"{BATTLES}/{battle}"), 404, f"a {mode} battle of another"))
        tries.append("votes" if _number(arena, "SELECT count(*) FROM vote") else None)
        tries.append("pair counts" if _number(arena, "SELECT count(*) FROM pair_count") else None)
    return outcome("chosen models that count or show", tries)


def oversize_prompts(arena: Target) -> Outcome:
    """Prompts above the limit in every place that takes one."""
    tries: list[str | None] = []
    with arena.visitor() as http:
        page = Page(http)
        battle = page.answered("Hello?")
        before = arena.megabytes()
        for number in CHARACTERS:
            for character in ("x", "\u4e2d", "\U0001f333", "\0"):
                for method, path in (("POST", ""), ("POST", f"/{battle}/turns"), ("PUT", f"/{battle}/turns/last")):
                    send = partial(page.send, method, path, prompt=character * number)
                    tries.append(unless_sent_back(send, (413, 422), f"{method} {path} {number} of {character!r}"))
        grown = arena.megabytes() - before
        tries.append(
            f"{grown:.0f} MB" if grown > 150 else None
        )  # bodies of 20 MB are read before they are refused
    return outcome("oversize prompts", tries)


def queue_of_gradio(arena: Target) -> Outcome:
    """The routes by which Gradio's pages start events and follow them: none is served."""
    body = {"data": ["Hello?"], "fn_index": 0, "session_hash": "x", "event_id": "x", "trigger_id": 1}
    tries = []
    with arena.visitor() as http:
        for path in QUEUE:
            for prefix in ("/gradio_api/", "/", "/gradio_api//"):
                for send in (partial(http.post, prefix + path, json=body), partial(http.get, prefix + path)):
                    tries.append(unless_sent_back(send, (404, 405), f"{prefix}{path}"))
    return outcome("Gradio's queue", tries)


def _ended(http: httpx.Client, path: str, options: dict[str, Any]) -> str | None:
    """Evidence, unless the stream ended with `end` or was refused."""
    try:
        with http.stream("GET", path, **options) as reply:
            text = reply.read().decode()
    except httpx.TimeoutException:
        return f"{path} {options}: it does not end"
    if reply.is_client_error:
        return None
    return None if reply.is_success and "event: end" in text else f"{path} {options}: {reply.status_code}"


def _found(http: httpx.Client, path: str, battle: str) -> str | None:
    reply = http.get(path)
    return (
        f"{path} shows {battle}"
        if reply.is_success and (battle in reply.text or "unlisted prompt" in reply.text)
        else None
    )


def _number(target: Target, query: str) -> int:
    with closing(sqlite3.connect(f"file:{target.folder / 'arena.db'}?mode=ro", uri=True)) as connection:
        return int(connection.execute(query).fetchone()[0])
