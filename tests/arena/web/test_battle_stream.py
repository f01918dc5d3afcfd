"""What a stream sends: appended text, whole texts where a client has other ones, HTML in parts, one place a tab."""

from __future__ import annotations

import asyncio
import json
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.battles.turn_frames import Frame
from arena.rules.name_masking import MASK, GrowingText, NameMasker
from arena.web.markdown import markdown
from arena.web.v1.event_stream import HEARTBEAT, EventStream, event
from arena.web.v1.stream_places import PER_BATTLE, StreamPlaces
from arena.web.v1.turn_writers import HtmlWriter, Position, TextWriter
from tests.support.battle_clients import Texts, events_of
from tests.support.timing import NO_HANG

NAMES = ("Qwen", "Qwen2.5", "SmolLM", "Claude", "Gemma")
WORDS = st.sampled_from(
    [
        "I am ",
        "Qwen",
        " 2.5",
        "Smol",
        "LM",
        "Claude",
        " Monet",
        "by ",
        "Google",
        ". ",
        "\n\n",
        "**",
        "`",
        " ",
        "word ",
        "-7b",
        "我是",
    ]
)
MASKER = NameMasker(NAMES)
IN_TIME = settings(deadline=None, max_examples=50)  # the first text compiles the names


def frame(a: str, b: str = "", turn: int = 1, attempt: int = 1) -> Frame:
    return Frame(turn, attempt, {"a": a, "b": b}, True)


def shown(*texts: str, before: Texts | None = None) -> Texts:
    return (before or Texts()).take(events_of("".join(texts)))


@pytest.mark.slow
@IN_TIME
@given(st.lists(WORDS, max_size=40), st.integers(1, 9))
def test_a_client_that_appends_has_the_masked_text_at_every_moment(words, step):
    text, writer, client, growing = "".join(words), TextWriter(Position(1, 1)), Texts(), GrowingText(MASKER)
    for end in [*range(0, len(text), step), len(text)]:
        now = growing.show(text[:end], whole=end == len(text))
        client.take(events_of(writer.write(frame(now), growing=end < len(text))))
        assert client.a == now
    assert "set" not in [one.name for one in events_of(writer.write(frame(MASKER.hide(text)), growing=False))]


@IN_TIME
@given(st.lists(st.text(max_size=9), max_size=9), st.data())
def test_a_client_comes_back_with_its_last_id_and_misses_nothing(pieces, data):
    texts = ["".join(pieces[:end]) for end in range(len(pieces) + 1)]
    cut = data.draw(st.integers(0, len(pieces)))
    first, client = TextWriter(Position(1, 1)), Texts()
    for text in texts[: cut + 1]:
        client.take(events_of(first.write(frame(text, text), growing=True)))
    again = TextWriter(Position.parse(client.id) or Position(1, 1))
    for text in texts[cut:]:
        client.take(events_of(again.write(frame(text, text), growing=True)))
    assert (client.a, client.b) == (texts[-1], texts[-1])


def test_a_text_that_changed_before_its_end_is_sent_whole():
    writer = TextWriter(Position(1, 1))
    client = shown(writer.write(frame(f"I am {MASK}.", "b"), growing=True))
    client = shown(writer.write(frame("I am Qwen. Hello", "b"), growing=False), before=client)
    assert (client.a, client.b) == ("I am Qwen. Hello", "b")


def test_a_client_of_another_attempt_or_with_more_than_there_is_gets_whole_texts():
    for position in (Position(1, 1, {"a": 3, "b": 3}), Position(2, 2, {"a": 9, "b": 9})):
        (one,) = events_of(TextWriter(position).write(frame("new", "texts", 2, 2), growing=False))
        assert (one.name, one.data, one.id) == ("set", {"a": "new", "b": "texts"}, "2.2.3.5")


def test_a_server_that_is_behind_another_takes_nothing_back():
    writer = TextWriter(Position(1, 1, {"a": 5, "b": 5}))
    assert writer.write(frame("123", "123"), growing=True) == ""
    assert events_of(writer.write(frame("1234567", "123"), growing=True))[0].data == {"a": "67"}


@pytest.mark.parametrize(
    "event_id", ["", "x", "1.2.3", "-1.1.1.1", "1.1.1.1.1", "9" * 50, "1.1.1.999999999", "１.1.1.1"]
)
def test_an_id_that_no_server_has_sent_begins_anew(event_id):
    assert Position.parse(event_id) is None


@IN_TIME
@given(
    st.lists(
        st.sampled_from(
            ["# T\n", "\n", "- a\n", "**b** ", "`c` ", "```\nx\n", "```\n", "| a | b |\n|---|---|\n", "w "]
        ),
        max_size=30,
    )
)
def test_the_operations_of_a_text_make_the_html_of_the_whole(pieces):
    writer, done, tail = HtmlWriter(), "?", "?"
    for end in range(len(pieces) + 1):
        text = "".join(pieces[:end])
        for one in events_of(writer.write(frame(text, ""), growing=True)) + (
            events_of(writer.write(frame(text, ""), growing=False)) if end == len(pieces) else []
        ):
            for name, html in one.data.get("a", ()):
                if name == "tail":
                    tail = html
                elif name in ("set", "done"):
                    done, tail = ("" if name == "set" else done) + html, ""
    assert done + tail == str(markdown("".join(pieces)))


def test_a_third_stream_of_a_battle_takes_the_place_of_the_oldest():
    places, ended = StreamPlaces(0), []
    taken = [places.take("v", "b", "a") for _ in range(PER_BATTLE)]
    taken[0].on_replaced = lambda: ended.append(0)
    other = places.take("v", "other", "a")
    taken.append(places.take("v", "b", "a"))
    assert (ended, [place.replaced for place in taken]) == ([0], [True, False, False])
    for place in (*taken, other):
        places.leave(place)
    assert len(places) == 0
    assert not places._places


def test_an_address_has_a_limited_number_of_streams():
    places = StreamPlaces(2)
    first = places.take("v", "b", "a")
    places.take("w", "c", "a")
    assert (places.is_full("a"), places.is_full("other")) == (True, False)
    places.leave(first)
    assert not places.is_full("a")


class Wire:
    """The other end of an ASGI application."""

    def __init__(self) -> None:
        self.sent: list[dict] = []
        self.left = asyncio.Event()

    async def send(self, message) -> None:
        self.sent.append(message)

    async def receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    def scope(self, **headers: str) -> dict:
        return {
            "type": "http",
            "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in headers.items()],
        }


async def test_each_event_can_be_read_when_it_is_sent_though_it_is_compressed():
    wire, go = Wire(), asyncio.Event()

    async def events():
        yield event("text", {"a": "first"}, "1.1.5.0")
        await go.wait()
        yield HEARTBEAT

    stream = EventStream(events())
    serving = asyncio.create_task(stream(wire.scope(accept_encoding="br, gzip;q=0.5"), wire.receive, wire.send))
    for _ in range(20):
        await asyncio.sleep(0)
    unpacker = zlib.decompressobj(31)
    assert '"a":"first"' in unpacker.decompress(wire.body).decode()
    go.set()
    await serving
    assert dict(wire.sent[0]["headers"])[b"content-encoding"] == b"gzip"
    assert zlib.decompress(wire.body, 31).decode().endswith(HEARTBEAT)
    assert wire.sent[-1]["more_body"] is False


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0", "br", "*, gzip;q=0.0"])
async def test_a_client_without_gzip_gets_plain_text(accepted):
    async def events():
        yield event("end", {})

    wire = Wire()
    await EventStream(events())(wire.scope(accept_encoding=accepted), wire.receive, wire.send)
    assert wire.body.decode() == "retry: 1000\n\nevent: end\ndata: {}\n\n"


async def test_a_stream_ends_when_its_client_leaves_or_another_takes_its_place():
    async def events():
        yield "x"
        await asyncio.Event().wait()

    for replaced in (False, True):
        wire, ended = Wire(), []
        stream = EventStream(events(), at_end=lambda ended=ended: ended.append(True))
        serving = asyncio.create_task(stream(wire.scope(), wire.receive, wire.send))
        await asyncio.sleep(0.01)
        if replaced:
            stream.cut(event("replaced", {}))
        else:
            wire.left.set()
        await asyncio.wait_for(serving, NO_HANG)
        assert ended == [True]
        assert wire.body.decode().endswith("event: replaced\ndata: {}\n\n") is replaced


@pytest.mark.parametrize("steps", [-1, 0, 1, 2])
async def test_a_stream_that_is_replaced_before_it_has_begun_says_so(steps):
    """Three requests at once: the first is replaced before the server has called its reply."""

    async def events():
        yield "x"
        await asyncio.Event().wait()

    wire, ended = Wire(), []
    stream = EventStream(events(), at_end=lambda: ended.append(True))
    if steps < 0:
        stream.cut(event("replaced", {}))
    serving = asyncio.create_task(stream(wire.scope(), wire.receive, wire.send))
    if steps >= 0:
        for _ in range(steps):
            await asyncio.sleep(0)
        stream.cut(event("replaced", {}))
    await asyncio.wait_for(serving, NO_HANG)
    assert ended == [True]
    assert [message["type"] for message in wire.sent].index("http.response.start") == 0
    assert wire.body.decode().endswith("event: replaced\ndata: {}\n\n")


async def test_an_error_of_the_events_is_raised_and_gives_the_place_back():
    async def events():
        yield "x"
        raise ValueError("broken")

    wire, ended = Wire(), []
    with pytest.raises(ValueError, match="broken"):
        await EventStream(events(), at_end=lambda: ended.append(True))(wire.scope(), wire.receive, wire.send)
    assert ended == [True]


async def no_events():
    if False:
        yield ""


@pytest.mark.parametrize("broken", ["watched", "send", "cancelled"])
async def test_a_stream_that_cannot_start_gives_its_place_back(broken):
    async def stuck(message):
        await asyncio.Event().wait()

    async def gone(message):
        raise OSError("gone")

    def refuses(send):
        raise OSError("gone")

    wire, ended = Wire(), []
    watched = refuses if broken == "watched" else lambda send: send
    stream = EventStream(no_events(), watched, lambda: ended.append(True))
    send = stuck if broken == "cancelled" else gone
    serving = asyncio.create_task(stream(wire.scope(), wire.receive, send))
    await asyncio.sleep(0)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError if broken == "cancelled" else OSError):
        await serving
    assert ended == [True]


def test_an_event_is_one_line_of_json():
    text = event("text", {"a": "x\n\ndata: y\r\u2028"}, "1.1.1.1")
    assert text.count("\n") == 4
    assert json.loads(text.splitlines()[2].removeprefix("data: ")) == {"a": "x\n\ndata: y\r\u2028"}
