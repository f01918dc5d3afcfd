"""The battle API: changes from other pages, forged tokens, battles of others, odd bodies."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import httpx

from reproduce.attacks.outcome import Outcome, outcome, unless_refused, unless_sent_back
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.target import Target

# Each route of a battle with a body that it takes.
CHANGES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/turns", {"prompt": "And then?"}), ("PUT", "/turns/last", {"prompt": "Name two."}), ("POST", "/stop", None),
    ("POST", "/regenerate", {"side": "a"}), ("POST", "/regenerate", None), ("POST", "/reroll", {"side": "b"}),
    ("POST", "/retry", None), ("POST", "/vote", {"winner": "tie", "final": True}), ("DELETE", "/vote", None),
    ("PUT", "/shared", {"shared": True}), ("POST", "/report", {"kind": "broken"}), ("POST", "/leave", None),
)  # fmt: skip
READS = ("", "?html=1", "/stream", "/stream?format=html")
ORIGINS: tuple[dict[str, str], ...] = (
    {}, {"origin": "null"}, {"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"}, {"origin": "http://127.0.0.1"}, {"origin": "http://127.0.0.1:1"},
    {"origin": "{own}.evil.example"}, {"origin": "{own}@evil.example"}, {"origin": "{own}/"}, {"referer": "{own}/"},
    {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
    {"origin": "http://evil.example", "x-forwarded-host": "evil.example"},
    {"origin": "http://evil.example", "x-http-method-override": "GET"},
)  # fmt: skip
FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")
ODD_IDS = (
    "%2e%2e",
    "0",
    "-1",
    "null",
    "%00",
    "A" * 4000,
    "'; DROP TABLE vote; --",
    "%F0%9F%8C%B3",
    "*",
)
ODD_BODIES = (
    b"", b"null", b"[]", b"0", b'"x"', b"{", b"{}", b"\xff\xfe", b'{"prompt": null}', b'{"prompt": ["a"]}',
    b'{"winner": {"a": 1}}', b'{"winner": "tie", "final": "yes"}', b'{"winner": "tie", "winner": "model_a", "x": 1}',
    b'{"side": "c"}', b'{"side": null}', b'{"shared": 1}', b'{"kind": "x", "text": 1}', b'{"reasons": [[]]}',
    b'{"prompt": "\\ud800"}', b'{"prompt": "a", "images": ["../x"]}', b'{"prompt": 1e999}', b"[" * 100_000,
    b'{"prompt": "a", "__proto__": {}}', b'{"winner": "model_a\\u0000"}', b'{"prompt": NaN}',
)  # fmt: skip


def changes_from_other_pages(arena: Target) -> Outcome:
    """Every change with the voter's cookie, from other origins and as forms of other sites send it."""
    tries: list[str | None] = []
    with arena.visitor() as http:
        battle = Page(http).answered("Name three colours.")
        requests = (("POST", BATTLES, {"prompt": "x"}), *((m, f"{BATTLES}/{battle}{p}", b) for m, p, b in CHANGES))
        for method, path, body in requests:
            for given in ORIGINS:
                headers = {name: value.format(own=arena.url) for name, value in given.items()}
                reply = http.request(method, path, json=body or {}, headers=headers)
                tries.append(unless_refused(reply, 403, f"{method} {path} {given}"))
            for media in FORMS:
                headers = {"origin": arena.url, "content-type": media}
                reply = http.request(method, path, content=json.dumps(body or {}), headers=headers)
                tries.append(unless_refused(reply, 415, f"{method} {path} {media}"))
        _check_open(http, battle)
    return outcome("changes from other pages", tries)


def forged_tokens(arena: Target) -> Outcome:
    """Every request with bearer tokens that the arena has not signed, some beside a good cookie."""
    tries: list[str | None] = []
    with arena.visitor() as http:
        battle = Page(http).answered("Name three colours.")
        good = http.post("/api/v1/sessions").raise_for_status().json()["token"]
        session, _, signature = good.rpartition(".")
        forged = [
            "x",
            f"{session}.",
            f".{signature}",
            good[:-1],
            f"{good}A",
            f"{good[::-1]}",
            f"{session}.{session}",
            "a.b",
        ]
        for token in (*forged, good.swapcase()):
            for method, path, body in (*CHANGES, *(("GET", read, None) for read in READS)):
                headers = {"authorization": f"Bearer {token}", "origin": arena.url}
                options = {"json": body} if body else {}
                reply = http.request(method, f"{BATTLES}/{battle}{path}", headers=headers, **options)  # type: ignore[arg-type]
                tries.append(unless_refused(reply, 401, f"{method} {path} {token[:20]}"))
        _check_open(http, battle)
    return outcome("forged bearer tokens", tries)


def battles_of_others(arena: Target) -> Outcome:
    """Every request of a second visitor on a running, an open and a voted battle of the first, and on made-up ids."""
    tries: list[str | None] = []
    with arena.visitor() as http, arena.visitor() as other:
        page, stranger = Page(http), Page(other)
        voted, still_open, running = (page.answered("Name three colours.") for _ in range(3))
        page.vote(voted, "tie").raise_for_status()
        page.send("POST", f"/{running}/regenerate").raise_for_status()
        for battle in (running, still_open, voted, *ODD_IDS):
            for method, path, body in (*CHANGES, *(("GET", read, None) for read in READS)):
                send = partial(stranger.send, method, f"/{battle}{path}", **(body or {}))
                tries.append(unless_sent_back(send, (400, 404, 405, 414), f"{method} {battle[:20]}{path}"))
        tries.append(unless_refused(stranger.send("POST", prompt="x", again=voted), 404, "again"))
        _check_open(http, still_open)
    return outcome("requests on battles of others", tries)


def odd_bodies(arena: Target) -> Outcome:
    """Bodies that no page sends, to every route: a server error or a traceback is a success of the attack."""
    tries: list[str | None] = []
    with arena.visitor() as http:
        battle = Page(http).answered("Hello?")
        headers = {"origin": arena.url, "content-type": "application/json"}
        for method, path, _ in (("POST", "", None), *CHANGES):
            for body in ODD_BODIES:
                address = BATTLES if (method, path) == ("POST", "") else f"{BATTLES}/{battle}{path}"
                reply = http.request(method, address, content=body, headers=headers)
                tries.append(
                    f"{method} {path} {body[:30]!r}: {reply.status_code}" if reply.is_server_error else None
                )
        tries.append(tracebacks(arena))
    return outcome("odd bodies to every route", tries)


def tracebacks(target: Target) -> str | None:
    """Evidence of errors that the server did not expect."""
    number = target.log.count("Traceback")
    return f"{number} tracebacks" if number else None


def _check_open(http: httpx.Client, battle: str) -> None:
    """Raises when the battle of the attack is not there any more, so that its tries prove nothing."""
    state = http.get(f"{BATTLES}/{battle}").raise_for_status().json()
    if (state["status"], len(state["turns"]), state["shared"]) != ("open", 1, False):
        raise RuntimeError(f"The battle was changed: {state}")
