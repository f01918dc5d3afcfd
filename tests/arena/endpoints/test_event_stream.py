"""A stream is text and one finish, or one typed failure: whatever the bytes are."""

from __future__ import annotations

import asyncio
import json
import random
import tracemalloc
from collections.abc import AsyncIterator, Iterable

import pytest

from arena.endpoints import EndpointError, Failure, Finish, Usage
from arena.endpoints.event_stream import bounded, completion_events
from arena.endpoints.reply_schema import chat_reply, parsed
from tests.support.odd_replies import CHUNK, NOT_JSON, WHOLE, mutated, odd_objects

LAST = b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n'


async def chunks(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(*pieces: bytes, most: int = 10_000) -> tuple[str, Finish]:
    events = [event async for event in completion_events(chunks(pieces), most)]
    assert isinstance(events[-1], Finish)
    return "".join(events[:-1]), events[-1]


def event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def text(words: object) -> bytes:
    return event({"choices": [{"delta": {"content": words}}]})


async def broken(*pieces: bytes, most: int = 10_000) -> str:
    with pytest.raises(EndpointError) as caught:
        await read(*pieces, most=most)
    assert caught.value.failure is Failure.BROKEN
    return caught.value.detail


@pytest.mark.parametrize("value", odd_objects("delta"), ids=lambda value: json.dumps(value)[:60])
async def test_an_event_that_is_no_chat_completion_is_broken(value):
    await broken(text("Well"), event(value), LAST)


@pytest.mark.parametrize("data", NOT_JSON, ids=lambda data: repr(data[:30]))
async def test_an_event_that_is_no_object_is_broken(data):
    await broken(b"data: " + data.encode("utf-8") + b"\n\n")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_events_do_not_depend_on_how_their_bytes_arrive(size, end):
    body = ": ping\n\ndata:" + json.dumps(CHUNK) + "\n\ndata: [DONE]\n\n"
    data = body.replace("\n", end).encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert await read(*pieces) == ("Hi", Finish("stop", Usage(3, 1)))


async def test_data_on_several_lines_is_one_event():
    pretty = json.dumps(CHUNK, indent=2)
    assert await read("".join(f"data: {line}\n" for line in pretty.split("\n")).encode(), b"\n")


async def test_a_server_without_empty_lines_streams():
    one = b'data: {"choices": [{"delta": {"content": "a"}}]}\n'
    seen = []

    async def slow() -> AsyncIterator[bytes]:
        yield one
        seen.append(list(pieces))
        yield LAST

    pieces: list[object] = []
    async for piece in completion_events(slow(), 100):
        pieces.append(piece)
    assert seen == [["a"]]


@pytest.mark.parametrize("separator", ["\u2028", "\u0085", "\x0b", "\x1c"])
async def test_only_line_ends_of_the_protocol_end_a_line(separator):
    data = json.dumps({"choices": [{"delta": {"content": f"a{separator}b"}}]}, ensure_ascii=False)
    if separator in "\x0b\x1c":  # JSON has these only as escapes
        data = json.dumps({"choices": [{"delta": {"content": f"a{separator}b"}}]})
    assert (await read(f"data: {data}\n\n".encode(), LAST))[0] == f"a{separator}b"


@pytest.mark.parametrize("data", ['{"message": "out of memory"}', "out of memory", '{"choices": []}'])
async def test_an_event_named_error_is_a_failure(data):
    assert "failed midway" in await broken(text("Well"), f"event: error\ndata: {data}\n\n".encode(), LAST)


async def test_text_parts_are_joined_and_others_left_out():
    parts = [{"type": "text", "text": "a"}, {"type": "thinking", "thinking": []}, {"type": "text", "text": "b"}]
    assert (await read(text(parts), LAST))[0] == "ab"


async def test_what_no_database_stores_is_replaced():
    data = rb'data: {"choices": [{"delta": {"content": "a\ud800b\u0000c\\ud800 \ud83d\ude00"}}]}'
    assert (await read(data, b"\n\n", LAST))[0] == "a\ufffdb\ufffdc\\ud800 😀"


async def test_bytes_that_are_no_text_are_replaced():
    assert (await read(b'data: {"choices": [{"delta": {"content": "a\xff\xfe"}}]}\n\n', LAST))[
        0
    ] == "a\ufffd\ufffd"


@pytest.mark.parametrize("reason", ["content_filter", "SAFETY", "recitation"])
async def test_filters_have_one_name(reason):
    last = event({"choices": [{"delta": {}, "finish_reason": reason}]})
    assert (await read(text("a"), last))[1].reason == "content_filter"


async def test_more_characters_than_the_request_allows_are_a_failure():
    assert "more than 100 characters" in await broken(*[text("word " * 10)] * 3, LAST, most=100)


@pytest.mark.parametrize(
    "piece",
    [
        b"x" * 65_536,
        b"data: " + b"x" * 65_530,
        b": keep-alive\n\n" * 5000,
        event({"choices": []}) * 3000,
        b"\n" * 65_536,
    ],
    ids=["no line end", "one event", "comments", "no text", "empty lines"],
)
async def test_an_endless_stream_is_cut_and_memory_stays_flat(piece):
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield piece

    tracemalloc.start()
    try:
        with pytest.raises(EndpointError, match="more than 1,000,000 bytes"):
            async for _ in completion_events(bounded(endless(), 1_000_000), 100):
                pass
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


async def test_ten_thousand_tiny_pieces_take_no_quadratic_time():
    async with asyncio.timeout(5):
        await broken(*[b"x"] * 300_000)


@pytest.mark.slow
async def test_a_hundred_thousand_random_events_end_as_text_or_a_typed_failure():
    draw = random.Random(14)
    outcomes = {"text": 0, "failure": 0}
    for _ in range(100_000):
        data = mutated(CHUNK, draw).encode("utf-8", "replace")
        if draw.random() < 0.05:
            data = bytes(byte ^ draw.choice([0, 0, 0, 128]) for byte in data)
        try:
            async for piece in completion_events(chunks([b"data: ", data, b"\n\n"]), 1000):
                assert isinstance(piece, Finish) or piece.encode("utf-8")
            outcomes["text"] += 1
        except EndpointError as error:
            assert error.failure is Failure.BROKEN  # noqa: PT017
            outcomes["failure"] += 1
    assert min(outcomes.values()) > 5_000  # the generator reaches both sides


def test_random_whole_replies_end_as_a_reply_or_a_typed_failure():
    draw = random.Random(15)
    outcomes = {"reply": 0, "failure": 0}
    for _ in range(20_000):
        try:
            reply = chat_reply(parsed(mutated(WHOLE, draw)))
            assert isinstance(reply["choices"][0]["message"].get("content"), str | None)
            outcomes["reply"] += 1
        except EndpointError as error:
            assert error.failure is Failure.BROKEN  # noqa: PT017
            outcomes["failure"] += 1
    assert min(outcomes.values()) > 1_000
