"""Sessions that clients make up: what nobody reads is dropped, and no stream of a voter is cut for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import gradio as gr
import pytest
from fastapi.testclient import TestClient
from gradio.queueing import Event

from arena.config import Settings
from arena.web.app import create_app
from arena.web.open_streams import OpenStreams
from arena.web.queue_sessions import MAX_SESSIONS, MAX_STREAMS, UNREAD, QueueSessions
from tests.support.arenas import ready

JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pages() -> gr.Blocks:
    with gr.Blocks() as one:
        gr.Button().click(print, [gr.Textbox()], None)
    one.queue()
    return one


@pytest.fixture
def client(sqlite) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(), sqlite, ready())) as one:
        yield one


def push(pages: gr.Blocks, session: str) -> Event:
    """What Gradio remembers when an event joins its queue."""
    queue = pages._queue
    event = Event(session, pages.fns[0], None, None)
    queue.pending_messages_per_session.setdefault(session, asyncio.Queue())
    queue.pending_event_ids_session.setdefault(session, set()).add(event._id)
    queue.event_ids_to_events[event._id] = event
    queue.active_jobs = [[event]]
    return event


async def test_a_session_that_nobody_reads_is_dropped_and_its_event_ends(pages):
    clock = Clock()
    sessions = QueueSessions(pages, OpenStreams(), clock)
    await sessions.join("unread")
    event = push(pages, "unread")
    clock.now += UNREAD / 2
    await sessions.join("other")
    assert "unread" in sessions
    clock.now += UNREAD
    await sessions.join("third")
    assert "unread" not in sessions
    assert not event.alive
    assert pages._queue.pending_event_ids_session == {}


async def test_a_session_that_is_read_stays_until_its_stream_and_events_have_ended(pages):
    clock = Clock()
    sessions = QueueSessions(pages, OpenStreams(), clock)
    await sessions.join("read")
    event = push(pages, "read")
    with sessions.reading("read"):
        clock.now += 10 * UNREAD
        await sessions.join("other")
        assert "read" in sessions
    assert "read" in sessions, "its event is running"
    with sessions.reading("read"):
        event.alive = False
    assert "read" not in sessions


async def test_a_flood_of_made_up_sessions_drops_no_other(pages):
    sessions = QueueSessions(pages, OpenStreams())
    for number in range(MAX_SESSIONS):
        push(pages, f"made-up-{number}")
    assert sessions.is_full()
    assert "made-up-0" in sessions


async def test_a_session_has_as_many_streams_as_a_page_opens(pages):
    sessions = QueueSessions(pages, OpenStreams())
    push(pages, "one")
    with sessions.reading("one"):
        assert not sessions.is_read("one")
        with sessions.reading("one"):
            assert sessions.is_read("one")
        assert not sessions.is_read("one")
    assert MAX_STREAMS == 2


def resume(client: TestClient) -> int:
    """The number of the event that ends at once."""
    return next(
        event["id"] for event in client.get("/config").json()["dependencies"] if event["api_name"] == "resume"
    )


def test_a_full_queue_is_told_to_new_sessions_only(client, monkeypatch):
    monkeypatch.setattr("arena.web.queue_sessions.MAX_SESSIONS", 2)
    body = {"data": [""], "fn_index": resume(client)}
    statuses = [client.post(JOIN, json=body | {"session_hash": session}).status_code for session in "abca"]
    assert statuses == [200, 200, 503, 200]


def test_a_finished_session_is_forgotten(client):
    client.post(JOIN, json={"data": [""], "fn_index": resume(client), "session_hash": "abc"})
    with client.stream("GET", DATA, params={"session_hash": "abc"}) as stream:
        assert "close_stream" in "\n".join(stream.iter_lines())
    assert client.get(DATA, params={"session_hash": "abc"}).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("more", ["session_hash=madeup", "session_hash=", "session%5Fhash=abc", "x=1&x=2"])
def test_a_repeated_parameter_is_refused(client, method, more):
    client.post(JOIN, json={"data": [""], "fn_index": resume(client), "session_hash": "abc"})
    reply = client.request(method, f"{DATA if method == 'GET' else JOIN}?session_hash=abc&{more}")
    assert (reply.status_code, "more than once" in reply.text) == (400, True)
