"""What a visitor may send to an event of the battle page: values of the right types, and no names of files."""

from __future__ import annotations

import base64
import json
import signal
from collections.abc import Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from arena.battles.battles import Battles
from arena.config import BattleSettings, Settings
from arena.store import Database
from arena.web.event_bodies import BadEvent, EventBodies
from arena.web.gradio_app import build_pages
from arena.web.open_streams import OpenStreams
from tests.support.arenas import ready
from tests.support.server import Arena

JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"
SECRET = "the-secret-of-the-server-6f1d"
CONFIG = f"# {SECRET}\n[limits]\nopen_events_per_address = 0\n" + "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\n' for name in ("one", "two")
)
FILE_DATA = {"_type": "gradio.FileData"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    one = tmp_path_factory.mktemp("events")
    for name in ("secret.txt", "sécret-密.svg", ".secret"):
        (one / name).write_text(SECRET, encoding="utf-8")
    return one


@pytest.fixture(scope="module")
def arena(folder: Path) -> Iterator[Arena]:
    one = Arena(folder, CONFIG)
    yield one
    one.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> EventBodies:
    """Of the battle page."""
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('bodies')}/arena.db")
    return EventBodies(build_pages(Settings(), Battles(database, ready(), BattleSettings()), OpenStreams()))


@pytest.fixture
def http(arena: Arena) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=arena.url, trust_env=False, timeout=10) as one:
        one.get("/")  # the cookie
        yield one


def events(http: httpx.Client) -> dict[int, list[str]]:
    """The numbers of the page's events, each with the types of its inputs."""
    config = http.get("/config").json()
    types = {component["id"]: component["type"] for component in config["components"]}
    return {event["id"]: [types[one] for one in event["inputs"]] for event in config["dependencies"]}


def named(path: str) -> list[Any]:
    """Ways to name a file in the data of an event."""
    file = {"path": path, "meta": FILE_DATA}
    return [
        file,
        [file],
        {"path": path, "orig_name": "x.txt", "size": 9, "mime_type": "text/plain", "meta": FILE_DATA},
        {"path": path, "url": f"file://{path}", "is_stream": True, "meta": FILE_DATA},
        {"path": f"file://{path}", "meta": FILE_DATA},
        {"path": "x", "url": f"/gradio_api/file={path}", "meta": FILE_DATA},
        {"text": "x", "files": [file]},
        {"value": file},
        {"__type__": "update", "value": file},
        {"role": "user", "content": {"file": file}},
        {"name": path, "is_file": True, "data": None},
        {"a": {"b": [{"c": [file]}]}},
        {"path": "data:text/plain;base64," + base64.b64encode(path.encode()).decode(), "meta": FILE_DATA},
    ]


def received(http: httpx.Client, body: dict[str, Any]) -> str:
    """All that a visitor receives for a body."""
    joined = http.post(JOIN, json=body)
    if not joined.is_success:
        assert joined.status_code in (404, 422), joined.text
        return joined.text
    with http.stream("GET", DATA, params={"session_hash": body["session_hash"]}) as stream:
        return "\n".join(stream.iter_lines())


def test_no_event_reads_a_file(arena, folder, http):
    payloads = named(str(folder / "secret.txt"))
    payloads += [named(str(folder / name))[0] for name in ("sécret-密.svg", ".secret", "arena.toml", "arena.db")]
    for number, inputs in events(http).items():
        for place, payload in product(range(len(inputs)), payloads):
            data = [payload if here == place else _usual(kind) for here, kind in enumerate(inputs)]
            text = received(http, {"data": data, "fn_index": number, "session_hash": "abc"})
            assert str(folder) not in text
            assert SECRET not in text
    assert copies(folder) == []


@pytest.mark.parametrize("key", ["data", "fn_index", "session_hash", "event_data", "trigger_id"])
def test_no_other_part_of_a_body_reads_a_file(arena, folder, http, key):
    for number, inputs in events(http).items():
        usual = {"data": [_usual(kind) for kind in inputs], "fn_index": number, "session_hash": "abc"}
        for payload in named(str(folder / "secret.txt"))[:3]:
            assert http.post(JOIN, json=usual | {key: payload}).status_code in (404, 422)
    assert copies(folder) == []


def test_the_file_routes_are_closed(arena, folder, http):
    (folder / "gradio").mkdir(exist_ok=True)
    (folder / "gradio" / "cached.txt").write_text(SECRET, encoding="utf-8")
    for path in (f"{folder}/secret.txt", f"{folder}/gradio/cached.txt"):
        for way in ("file=", "file/", "stream/", "proxy=", "proxy=file://", "upload_progress?upload_id="):
            assert http.get(f"/gradio_api/{way}{path}").status_code == 404
    (folder / "gradio" / "cached.txt").unlink()


def _usual(kind: str) -> Any:
    return False if kind == "checkbox" else ""


def copies(folder: Path) -> list[Path]:
    """Files with the secret in Gradio's cache."""
    files = [path for path in (folder / "gradio").rglob("*") if path.is_file()]
    return [path for path in files if SECRET.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": ["a"]}, "data"),
        ({"data": ["a", "b", "c"]}, "data"),
        ({"data": [1, ""]}, "data.0"),
        ({"data": ["a", True]}, "data.1"),
        ({"data": ["a", "../../x"]}, "data.1"),
        ({"data": ["a", "x" * 65]}, "data.1"),
        ({"data": ["a" * 1_000, "x\0"]}, "data.1"),
        ({"data": {"0": "a"}}, "data"),
        ({"session_hash": None}, "session_hash"),
        ({"session_hash": ""}, "session_hash"),
        ({"session_hash": "../x"}, "session_hash"),
        ({"session_hash": "x" * 65}, "session_hash"),
        ({"fn_index": "0"}, "fn_index"),
        ({"fn_index": True}, "fn_index"),
        ({"fn_index": 0.5}, "fn_index"),
        ({"trigger_id": "14"}, "trigger_id"),
        ({"trigger_id": 99_999}, "trigger_id"),
        ({"event_data": {"value": 1}}, "event_data"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(arena, http, change, said):
    reply = http.post(JOIN, json={"data": ["a", ""], "fn_index": 0, "session_hash": "abc"} | change)
    assert reply.status_code == 422
    assert reply.json()["detail"].startswith(said)
    assert reply.json()["detail"].endswith("Reload the page.")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"data": ' + b"9" * 5_000 + b"}", b'{"data": NaN}', b"\0"],
    ids=range(9),
)  # fmt: skip
def test_a_body_that_is_no_event_is_refused(arena, http, body):
    reply = http.post(JOIN, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 422
    assert reply.json()["detail"].endswith("Reload the page.")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_a_form_of_another_site_is_no_event(arena, http, media):
    body = json.dumps({"data": ["a", ""], "fn_index": 0, "session_hash": "abc"})
    assert http.post(JOIN, content=body, headers={"content-type": media}).status_code == 415


def test_half_a_character_becomes_a_replacement_and_the_prompt_is_sent(arena, http):
    body = '{"data": ["half \\ud83d", ""], "fn_index": 0, "session_hash": "half"}'
    assert http.post(JOIN, content=body, headers={"content-type": "application/json"}).is_success
    with http.stream("GET", DATA, params={"session_hash": "half"}) as stream:
        assert "half ?" in "\n".join(stream.iter_lines())


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["data", "fn_index", "session_hash", "trigger_id", "event_data", "event_id", "batched", "simple_format", "x"]
)
NEARLY = st.builds(
    lambda number, changes: {"data": [""], "fn_index": number, "session_hash": "fuzz"} | changes,
    st.integers(-2, 12),
    st.dictionaries(KEYS, ANY | st.just(["a", ""]) | st.just([True, ""]), max_size=3),
)
BODIES = st.binary(max_size=60) | (NEARLY | ANY).map(lambda value: json.dumps(value).encode())


@settings(max_examples=1200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
@given(BODIES)
def test_every_malformed_body_is_one_error(bodies, body):
    with suppress(BadEvent):
        assert set(bodies.checked(body).model_dump()) == {
            "data",
            "fn_index",
            "session_hash",
            "trigger_id",
            "event_data",
        }


@pytest.mark.slow
def test_malformed_bodies_are_refused_without_a_traceback(arena, folder, http, bodies):
    statuses: list[int] = []

    @settings(max_examples=1200, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(BODIES)
    def attack(body: bytes) -> None:
        statuses.append(http.post(JOIN, content=body, headers={"content-type": "application/json"}).status_code)
        try:
            bodies.checked(body)
        except BadEvent:
            assert statuses[-1] in (404, 422)
        else:
            assert statuses[-1] in (200, 429)  # 429: a page with too many unfinished events

    attack()
    assert len(statuses) >= 1200
    assert statuses.count(422) > 500
    assert "Traceback" not in (folder / "log.txt").read_text(encoding="utf-8")


def test_made_up_sessions_have_no_stream_and_leave_no_traceback(arena, folder, http):
    for session in ("made-up", "", "../x", "x" * 900, "%00", "🙂", "a&session_hash=b"):
        assert http.get(DATA, params={"session_hash": session}).status_code == 404
    assert http.get(DATA).status_code == 404
    assert "Traceback" not in (folder / "log.txt").read_text(encoding="utf-8")


def test_an_event_that_is_added_is_covered():
    with gr.Blocks() as pages:
        text, agreed = gr.Textbox(), gr.Checkbox()
        gr.Button().click(print, [text, agreed], None)
    bodies = EventBodies(pages)
    assert bodies.checked(b'{"data": [null, true], "fn_index": 0, "session_hash": "s"}').data == ("", True)
    for data in ('["a", "true"]', '["a"]', '[{"path": "/etc/passwd"}, true]'):
        with pytest.raises(BadEvent, match=r"^data"):
            bodies.checked(f'{{"data": {data}, "fn_index": 0, "session_hash": "s"}}'.encode())


@pytest.mark.parametrize("component", [gr.File, gr.Chatbot, gr.MultimodalTextbox, gr.State, gr.JSON, gr.Image])
def test_a_component_whose_values_have_no_type_is_an_error_at_the_start(component):
    with gr.Blocks() as pages:
        gr.Button().click(print, [component()], None)
    with pytest.raises(TypeError, match=f"{component.__name__} has no type"):
        EventBodies(pages)
