"""Thinking is kept apart from the text: dropped from streams, kept in whole replies beside the text."""

from __future__ import annotations

import pytest

from arena.endpoints.endpoint import Finish, Thinking, joined
from arena.endpoints.event_stream import completion_events
from arena.endpoints.reply_schema import chat_reply
from arena.endpoints.scripted import Scripted
from arena.endpoints.thinking import ThinkingFilter, thought
from arena.serving.models import ServedModel
from judges.replies import Unparsable
from judges.replies import without_thinking as words_of
from tests.arena.endpoints.test_parameters import settings

HARMONIC = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Yes."
TEXTS = {
    "Yes.": "Yes.",
    "  Yes. ": "  Yes. ",
    "<think>Hm.</think>\n\nYes.": "Yes.",
    "\n<think>\nHm.\n</think>Yes.": "Yes.",
    "<think>Hm.</think><think>Hm again.</think> Yes.": "Yes.",
    "<thought>Hm.</thought>\nYes.": "Yes.",
    "[THINK]Hm.[/THINK]Yes.": "Yes.",
    "◁think▷Hm.◁/think▷Yes.": "Yes.",
    HARMONIC: "Yes.",
    HARMONIC.replace("Yes.", "\n<think> is a tag."): "<think> is a tag.",
    "<think>It never ends": "",
    "<|channel|>analysis<|message|>It never ends": "",
    "<": "<",
    "<thin": "<thin",
    "<b>Yes</b> and <think> quoted </think>.": "<b>Yes</b> and <think> quoted </think>.",
    "": "",
}


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("text", TEXTS)
def test_the_text_of_a_stream_has_no_leading_thinking_however_it_is_cut(text, size):
    shown = ThinkingFilter()
    pieces = [shown.push(text[at : at + size]) for at in range(0, len(text), size)]
    assert "".join([*pieces, shown.rest()]) == TEXTS[text]


@pytest.mark.parametrize("text", TEXTS)
def test_the_filter_and_the_reader_of_whole_replies_agree(text):
    whole = words_of(text)
    assert TEXTS[text].strip() == ("" if isinstance(whole, Unparsable) else whole)


def test_text_that_is_no_thinking_is_not_held():
    shown = ThinkingFilter()
    assert [shown.push(piece) for piece in ("Ye", "s, ", "<think>")] == ["Ye", "s, ", "<think>"]


async def test_battles_get_no_thinking():
    model = ServedModel(settings(), Scripted(("<think>I am Qwen, hm.</think>It is nine.",), delay=0))
    events = [event async for event in model.stream([{"role": "user", "content": "4 + 5?"}])]
    assert "".join(event for event in events if not isinstance(event, Finish | Thinking)) == "It is nine."
    assert any(isinstance(event, Thinking) for event in events)
    assert isinstance(events[-1], Finish)


THOUGHTS = [
    ({"reasoning_content": "Hm."}, "It is nine."),
    ({"reasoning": "Hm."}, "It is nine."),
    (
        {},
        [
            {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
            {"type": "text", "text": "It is nine."},
        ],
    ),
    ({}, [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "It is nine."}]),
    ({}, [{"type": "reasoning", "summary": [{"text": "Hm."}]}, {"type": "output_text", "text": "It is nine."}]),
]


@pytest.mark.parametrize(("fields", "content"), THOUGHTS)
def test_a_whole_reply_keeps_its_thinking_beside_its_text(fields, content):
    message = {"role": "assistant", "content": content, **fields}
    [choice] = chat_reply({"choices": [{"message": message, "finish_reason": "stop"}]})["choices"]
    assert choice["message"]["content"] == "It is nine."
    assert choice["message"].get("reasoning_content", choice["message"].get("reasoning")) == "Hm."


async def chunks(*events: str):
    for event in events:
        yield f"data: {event}\n\n".encode()


async def test_a_reply_that_comes_as_a_stream_keeps_its_thinking_too():
    events = (
        '{"choices": [{"delta": {"reasoning_content": "H"}}]}',
        '{"choices": [{"delta": {"reasoning": "m."}}]}',
        '{"choices": [{"delta": {"content": "Nine."}, "finish_reason": "stop"}]}',
    )
    [choice] = (await joined(completion_events(chunks(*events), 100, thinking=True)))["choices"]
    assert choice["message"] == {"role": "assistant", "content": "Nine.", "reasoning_content": "Hm."}
    seen = [event async for event in completion_events(chunks(*events), 100)]
    assert not any(isinstance(event, Thinking) for event in seen)


@pytest.mark.parametrize("value", [None, 7, [], {}, {"data": "x"}, [None, 1], [[[[[["deep"]]]]]]])
def test_other_values_are_no_thought(value):
    assert thought(value) == ""
