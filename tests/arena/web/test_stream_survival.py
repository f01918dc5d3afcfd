"""Streams of battles that are cut: the client comes back with the last id, here or on another server, and misses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from arena.config import ScriptedSettings
from reproduce.drills.served import UNLIMITED
from tests.support.arenas import emptied, ready
from tests.support.battle_clients import Texts, api_client, events_of, running_app
from tests.support.server import Arena
from tests.support.timing import PATIENCE, until, until_async

WORDS, DELAY = 60, 0.06


MODELS = {"Quenlith-7b": "oak", "Zyphora-9b": "elm"}
LAST = f"{WORDS - 1}"


def reply(name: str, words: int = WORDS) -> str:
    """Words of which each is another one, and now and then the name of the model, which is masked."""
    return " ".join(f"{MODELS[name]}{n}" if n % 9 != 7 else f"{name}." for n in range(words))


def config(delay: float = DELAY, tables: str = "") -> str:
    """Two models that write for some seconds."""
    models = "".join(
        f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = {delay}\nreplies = ["{reply(name)}"]\n'
        for name in MODELS
    )
    return f"{UNLIMITED}{tables}\n{models}"


@dataclass
class Reader:
    """A client of the format `text` that leaves its stream and comes back."""

    token: str
    url: str
    battle: str = ""
    shown: Texts = field(default_factory=Texts)

    @classmethod
    def of(cls, url: str) -> Reader:
        return cls(httpx.post(f"{url}/api/v1/sessions", trust_env=False).raise_for_status().json()["token"], url)

    @property
    def http(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=f"{self.url}/api/v1/battles", headers=headers, timeout=60, trust_env=False)

    def send(self, method: str, path: str, **body: object) -> httpx.Response:
        with self.http as http:
            return http.request(method, path, **({"json": body} if body else {}))

    def begin(self) -> None:
        with httpx.Client(trust_env=False, timeout=60) as http:
            made = http.post(
                f"{self.url}/api/v1/battles",
                json={"prompt": "go"},
                headers={"authorization": f"Bearer {self.token}"},
            )
        self.battle = str(made.raise_for_status().json()["id"])

    def read(self, characters: int | None = None) -> None:
        """Take events until the stream ends, or so many characters more are shown."""
        goal = None if characters is None else len(self.shown.a) + characters
        headers = {"last-event-id": self.shown.id} if self.shown.id else {}
        with self.http as http, http.stream("GET", f"/{self.battle}/stream", headers=headers) as stream:
            block = ""
            for line in stream.raise_for_status().iter_lines():
                block += f"{line}\n"
                if not line:
                    self.shown.take(events_of(block))
                    block = ""
                    if goal is not None and len(self.shown.a) >= goal:
                        return

    def state(self) -> dict:
        return self.send("GET", f"/{self.battle}").raise_for_status().json()

    def check_whole(self) -> None:
        sides = self.state()["turns"][-1]["completions"]
        assert (self.shown.a, self.shown.b) == (sides["a"]["text"], sides["b"]["text"])


@pytest.fixture
def pair(postgres, tmp_path) -> Iterator[Callable[[float], tuple[Arena, Arena]]]:
    """Starts two servers on one database; the models of the first write a word after so many seconds each."""
    emptied(postgres).close()
    started = []

    def start(delay: float) -> tuple[Arena, Arena]:
        for name, seconds in (("one", delay), ("two", DELAY)):
            (tmp_path / name).mkdir()
            settings = config(seconds, tables="[web]\ndrain_seconds = 0.5\n")
            started.append(Arena(tmp_path / name, settings, "--db", postgres))
        return started[0], started[1]

    yield start
    for one in started:
        one.stop(signal.SIGKILL)


@pytest.fixture
def two(pair) -> tuple[Arena, Arena]:
    """Two servers on one database."""
    return pair(DELAY)


@pytest.mark.slow
def test_a_client_comes_back_on_the_other_server_and_misses_nothing(two):
    reader = Reader.of(two[0].url)
    reader.begin()
    for place in (0, 1, 0, 1):
        reader.url = two[place].url
        reader.read(40)
    reader.read()
    assert reader.shown.ended
    assert reader.shown.states[-1]["can_vote"]
    assert reader.shown.a.endswith(LAST)
    reader.check_whole()
    again = Reader(reader.token, two[0].url, reader.battle)
    again.read()  # from the start, after the end
    again.check_whole()


@pytest.mark.slow
def test_streams_of_both_servers_outlast_an_outage_of_the_database(two, postgres):
    writer = Reader.of(two[0].url)
    writer.begin()
    follower = Reader(writer.token, two[1].url, writer.battle)
    follower.read(20)
    readers = [threading.Thread(target=one.read) for one in (writer, follower)]
    for one in readers:
        one.start()
    until(lambda: all(len(one.shown.a) > 40 for one in (writer, follower)))  # both streams are open
    with outage(postgres):
        time.sleep(2)
    for one in readers:
        one.join(PATIENCE)
    for one in (writer, follower):
        assert one.shown.ended
        one.check_whole()
    assert writer.shown.a.endswith(LAST)
    assert writer.send("POST", f"/{writer.battle}/vote", winner="tie", final=True).json()["vote"]["counts"]


@contextmanager
def outage(url: str) -> Iterator[None]:
    """All connections to the database are cut, and new ones are refused."""
    address, _, name = url.replace("+psycopg", "").rpartition("/")
    with psycopg.connect(f"{address}/template1", autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        try:
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")


@pytest.mark.slow
def test_the_client_of_a_server_that_stops_has_the_text_so_far_and_goes_on_at_the_other(pair):
    two = pair(0.5)  # a slow machine stops the first one before its models have finished
    reader = Reader.of(two[0].url)
    reader.begin()
    reader.read(10)
    reading = threading.Thread(target=reader.read)
    reading.start()
    seen = len(reader.shown.a)
    until(lambda: len(reader.shown.a) > seen)  # the stream is open again
    os.kill(two[0].process.pid, signal.SIGTERM)
    reading.join(PATIENCE)
    assert not reading.is_alive()
    before = reader.shown.a
    assert len(before) > seen
    two[0].process.join(PATIENCE)
    reader.url = two[1].url
    reader.read()
    assert reader.shown.ended
    assert reader.shown.states[-1]["interrupted"]
    assert reader.shown.a.startswith(before)
    reader.check_whole()
    assert reader.send("POST", f"/{reader.battle}/regenerate").json()["status"] == "running"
    reader.read()
    assert reader.shown.a.endswith(LAST)
    reader.check_whole()


@pytest.mark.slow
def test_a_stream_outlasts_a_database_file_that_is_away(arena, tmp_path: Path):
    reader = Reader.of(arena(config(0.3)).url)  # it still writes when a slow machine moves the file back
    reader.begin()
    reader.read(10)
    (tmp_path / "arena.db").rename(tmp_path / "away.db")
    try:
        reader.read(20)  # the text goes on
    finally:
        (tmp_path / "away.db").rename(tmp_path / "arena.db")
    until(lambda: reader.send("POST", f"/{reader.battle}/stop").is_success)
    reader.read()
    assert reader.shown.ended
    reader.check_whole()


@pytest.mark.slow
async def test_a_third_stream_of_a_battle_ends_the_oldest_and_an_address_has_its_number(sqlite):
    serving = ready(*_models(delay=3.0))  # no turn ends by itself while the test looks
    async with (
        running_app(sqlite, serving, limits={"open_events_per_address": 3}) as app,
        api_client(app) as client,
        api_client(app) as other,
    ):
        battle = (await client.begin())["id"]
        first, second, third = [asyncio.create_task(client.stream(battle)) for _ in range(3)]
        events = await asyncio.wait_for(first, PATIENCE)
        assert events[-1].name == "replaced"
        elsewhere = (await other.begin())["id"]
        fourth = asyncio.create_task(other.stream(elsewhere))
        await until_async(lambda: len(app.state.battle_api.places) == 3)
        refused = await other.http.get(f"/api/v1/battles/{elsewhere}/stream")
        assert (refused.status_code, refused.json()["code"]) == (429, "limit")
        assert int(refused.headers["retry-after"]) > 0
        await client.post(battle, "stop")
        await other.post(elsewhere, "stop")
        for task in (second, third, fourth):
            assert (await task)[-1].name == "end"
        assert len(app.state.battle_api.places) == 0


@pytest.mark.slow
async def test_a_slow_reader_gets_the_whole_text_in_fewer_events_and_holds_up_nobody(sqlite):
    async with running_app(sqlite, ready(*_models(delay=0.02))) as app, api_client(app) as client:
        battle = (await client.begin())["id"]
        scope = {
            "type": "http", "method": "GET", "path": f"/api/v1/battles/{battle}/stream", "query_string": b"",
            "raw_path": f"/api/v1/battles/{battle}/stream".encode(), "root_path": "", "scheme": "http",
            "http_version": "1.1",
            "headers": [(b"host", b"arena.test"), (b"authorization", client.http.headers["authorization"].encode())],
            "client": ("127.0.0.1", 9), "server": ("arena.test", 80),
        }  # fmt: skip
        body, left, takes = bytearray(), asyncio.Event(), asyncio.Event()

        async def send(message):
            body.extend(message.get("body", b""))
            if b"event: text" in message.get("body", b""):
                await takes.wait()

        async def receive():
            await left.wait()
            return {"type": "http.disconnect"}

        slow_one = asyncio.create_task(app(scope, receive, send))
        quick_events = await client.stream(battle)
        quick = Texts().take(quick_events)
        takes.set()
        await asyncio.wait_for(slow_one, PATIENCE)
        left.set()
        events = events_of(body.decode())
        shown = Texts().take(events)
        assert (shown.a, shown.b, shown.ended) == (quick.a, quick.b, True)
        assert shown.a.endswith(LAST)
        few, many = [sum(event.name == "text" for event in one) for one in (events, quick_events)]
        assert few == 2 < many  # the first words, and all others when the reader takes more


def _models(delay: float) -> list[ScriptedSettings]:
    return [
        ScriptedSettings(name=name, endpoint="scripted", delay=delay, replies=(reply(name),)) for name in MODELS
    ]
