"""A probe of a server that sends what no server should has a result and advice, never an exception."""

from __future__ import annotations

import json

import pytest

from arena.config import OpenAISettings
from arena.endpoints import Probe
from arena.serving.probe import probe
from tests.support.hostile_server import http, server, stream
from tests.support.odd_replies import CHUNK, odd_objects

pytestmark = pytest.mark.service


async def probed(reply: bytes) -> Probe:
    async with server(reply) as endpoint:
        return await probe(
            OpenAISettings(
                name="m", endpoint="openai", url=endpoint.url, retries=0, read_timeout=30, connect_timeout=30
            )
        )


@pytest.mark.parametrize("value", odd_objects("delta"), ids=lambda value: json.dumps(value)[:60])
async def test_an_odd_event_is_a_failed_probe_with_advice(value):
    result = await probed(stream(value))
    assert not result.ok
    assert "OpenAI-compatible" in result.advice


@pytest.mark.parametrize("text", ["\u200b", "&nbsp;", " "])
async def test_a_completion_that_shows_nothing_is_a_failed_probe(text):
    result = await probed(stream({"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}))
    assert (result.ok, result.message) == (False, "answers, but with no text")


async def test_a_refusal_with_an_odd_list_of_models_is_a_failed_probe():
    result = await probed(http(404, '{"data": [{"id": 5}]}'))
    assert not result.ok
    assert result.advice == "check `model` and `parameters`"


async def test_a_server_that_works_passes():
    assert (await probed(stream(CHUNK))).ok


ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m[bold red]\r\nFORGED\u202e"


@pytest.mark.parametrize(
    "reply",
    [
        stream({"choices": [{"delta": {"content": f"hi {ESCAPES}"}, "finish_reason": "stop"}]}),
        http(500, json.dumps({"error": ESCAPES})),
        http(200, ESCAPES),
        http(404, ESCAPES),
    ],
)
async def test_what_a_server_says_is_no_instruction_to_the_terminal(reply):
    result = await probed(reply)
    assert result.message.isprintable()
    assert result.advice.isprintable()


async def test_names_of_models_are_no_instructions_to_the_terminal():
    names = json.dumps({"data": [{"id": f"gemma {ESCAPES}"}]})
    async with server(http(200, names)) as endpoint:
        (name,) = await endpoint.models()
    assert name.isprintable()
    assert Probe(False, "no", f"the server has: {ESCAPES}").advice.isprintable()
