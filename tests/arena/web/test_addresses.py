"""Addresses that nobody means: whatever the parameters say, a page with a clear 4xx or an empty result, never a 500."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from html import unescape
from random import Random
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from arena.config import ScriptedSettings, Settings
from arena.web.app import create_app
from tests.support.arenas import emptied, ready
from tests.support.populated import populate, populated_file, settings_of
from tests.support.served_paths import served_paths

PAGE = {"accept": "text/html,*/*;q=0.8"}
TRIES = 12  # addresses of each route and database
NAMES = (
    "source", "category", "method", "style", "q", "sort", "licence", "size", "price", "columns", "beside", "at", "one",
    "other", "model", "models", "winner", "page", "a", "b", "show", "start", "from", "to", "narrow", "after", "limit",
    "format", "top", "unknown",
)  # fmt: skip
LONG, DIGITS = "a" * 60_000, "1" * 5_000
VALUES = (
    "", "judge:", "judge:x", "judge:north", "both", "all", "judges", "human", LONG, "a" * 900, "a+" * 400, DIGITS,
    "%00", "a%00b", "%ED%A0%80", "%FF%FE", "%F0%9F%98%80", "%C2%B2", "%D9%A3", "%25", "_", "%25%25_%5C", "'\"<>;--",
    "-1", "0", "1e6", "1000000", "9999999", "9" * 23, "-" + "9" * 23, "1.5", "NaN", "inf", "true", "on", "off",
    "NaN-NaN-NaN", "0001-01-01", "9999-12-31", "2026-13-45", "0001-01-01T00:00:00%2B23:59", "2026-11-01", "won", "lost",
    "disputed", "decided", "json", "csv", "parquet", "xml", "elo", "davidson", "aurora-1-instruct", "birch-1", "german",
)  # fmt: skip
PLACES = (
    "x", "0", "1", DIGITS, "a" * 3_000, "%00", "%ED%A0%80", "..%2f..%2fetc%2fpasswd", "*", "aurora-1-instruct",
    "nobody", "intervals", "win_rates", "battle.css",
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def reader(request, tmp_path_factory):
    """An arena with a past, over each database."""
    if request.param == "sqlite":
        database, names = populated_file(tmp_path_factory.mktemp("addresses") / "arena.db", 8, 120)
    else:
        database = emptied(request.getfixturevalue("postgres"))
        names = populate(database, 8, 120)
    serving = ready(*(ScriptedSettings(name=name, endpoint="scripted", delay=0) for name in names))
    app = create_app(Settings(**tomllib.loads(settings_of(names))), database, serving)
    with TestClient(app, follow_redirects=False) as client:
        yield client
    database.close()


def addresses(paths: list[str], battles: list[str], random: Random) -> Iterator[str]:
    places = [*PLACES, *battles]
    for path in paths:
        for _ in range(TRIES):
            filled = re.sub(r"{[^}]*}", lambda _: random.choice(places), path)
            words = [f"{random.choice(NAMES)}={random.choice(VALUES)}" for _ in range(random.choice((1, 1, 2, 3)))]
            address = f"{filled}?{'&'.join(words)}"
            if len(address) < 65_000:  # the client itself refuses longer ones
                yield address


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_no_address_is_a_500(reader, seed):
    """The client raises what the application does not answer, with its traceback."""
    battles = re.findall(r'href="/battles/([^"]+)"', reader.get("/battles").text)[:3]
    paths = sorted(set(served_paths(reader.app.routes)))
    assert len(paths) > 35
    assert battles
    random = Random(seed)
    for address in addresses(paths, battles, random):
        reply = reader.get(address, headers=random.choice(({}, PAGE)))
        assert reply.status_code < 500, address[:200]


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [
        ("/models/birch-1?source=judge:", 404, "Use human, judges, judge:NAME, both or all"),
        ("/models/birch-1?source=judge:nobody", 404, "has no verdicts"),
        ("/models/birch-1?source=both", 200, "birch-1"),
        ("/models/birch-1/strengths.json?source=both", 200, "{"),
        ("/battles?q=" + LONG, 414, "too long"),
        ("/battles?q=" + "a" * 500, 422, "q: String should have at most 200 characters"),
        ("/battles?q=" + "a+" * 90, 422, "Use at most 12"),
        ("/battles?q=%00", 400, "NUL"),
        ("/battles?q=%ED%A0%80", 400, "UTF-8"),
        ("/battles?q=%25_%25", 200, "No shared battle matches. "),
        ("/battles?page=-1", 422, "page: Input should be greater than or equal to 1"),
        ("/battles?page=1000000", 200, "No shared battle matches. "),
        ("/battles?page=" + "9" * 23, 422, "page:"),
        ("/battles?page=", 200, "Battles"),
        ("/battles?page=x&page=1", 200, "Battles"),
        ("/benchmarks/0?start=%C2%B2", 422, "start:"),
        (f"/benchmarks/{DIGITS}", 414, "too long"),
        ("/leaderboard?" + "columns=x&" * 500, 422, "too many parameters"),
        ("/leaderboard?q=" + "a" * 1_001, 422, "is too long"),
        ("/leaderboard/moved?to=0001-01-01", 404, "from 1970 to 9000"),
        ("/leaderboard/moved?to=NaN", 404, "is not a date"),
        ("/plots/nosuch.csv?source=x", 404, "no plot"),
        ("/plots/intervals.csv?source=judge:", 404, "judge:NAME"),
        ("/api/v1/votes?after=99999999999999999999", 422, "after:"),
        ("/api/v1/leaderboard?source=judge:", 422, "judge:NAME"),
        ("/api/v1/leaderboard?category=%00", 400, "NUL"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(reader, address, status, text):
    page = reader.get(address, headers=PAGE)
    assert page.status_code == status
    assert text.casefold() in unescape(page.text).casefold()


def test_a_program_is_told_in_json(reader):
    assert reader.get("/battles?page=x").json()["detail"].startswith("page: Input should be a valid integer")
    reply = reader.get("/api/v1/votes?source=%00")
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "headers", [{"host": "["}, {"host": "\xff"}, {"accept": "*/*;q=nan"}, {"cookie": "a=\xff"}]
)
@pytest.mark.parametrize(
    "path", ["/leaderboard", "/api/v1/feed.atom", "/api/v1/table.html", "/api/v1/votes?limit=1"]
)
def test_no_header_is_a_500(reader, path, headers):
    given = {quote(name): value.encode("latin-1") for name, value in headers.items()}
    assert reader.get(path, headers=given).status_code < 500
