"""inspect's requests as bodies of chat completions, and replies as its outputs."""

from __future__ import annotations

import importlib.util
import json

import pytest

if importlib.util.find_spec("inspect_ai") is None:
    pytest.skip("needs the extra 'inspect'", allow_module_level=True)

from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ContentAudio,
    ContentImage,
    ContentText,
    GenerateConfig,
    ResponseSchema,
)
from inspect_ai.tool import ToolCall, ToolFunction, ToolInfo
from inspect_ai.util import JSONSchema

from arena.benchmarking.inspect_messages import UnsupportedContent, model_output, request_body
from arena.benchmarking.inspect_model import withheld
from judges.replies import Reason, Unparsable

PIXEL = "data:image/png;base64,AA=="
TOOL = ToolInfo(name="bash", description="Runs a command.")
USER = ChatMessageUser(content="How many?")


def reply(message, finish="stop", **more):
    return {
        "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish, **more}]
    }


def output(message, finish="stop", **more):
    return model_output("arena/clerk", reply(message, finish, **more), (7, 3))


def test_a_conversation_with_a_tool_is_sent_as_servers_expect_it():
    call = ToolCall(id="c1", function="bash", arguments={"cmd": "ls"})
    parts = [ContentText(text="Look:"), ContentImage(image=PIXEL)]
    messages = [
        ChatMessageSystem(content="Be brief."),
        ChatMessageUser(content=parts),
        ChatMessageAssistant(content="", tool_calls=[call]),
        ChatMessageTool(content="a b", tool_call_id="c1", function="bash"),
        ChatMessageAssistant(content="Two."),
    ]
    function = {"name": "bash", "arguments": json.dumps({"cmd": "ls"})}
    assert request_body(messages, [TOOL], "any", GenerateConfig())["messages"] == [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {"url": PIXEL}}],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "type": "function", "function": function}],
        },
        {"role": "tool", "content": "a b", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Two."},
    ]


def test_all_settings_of_a_task_are_sent_and_nothing_else():
    schema = ResponseSchema(name="sum", json_schema=JSONSchema(type="object"), strict=True)
    config = GenerateConfig(
        max_tokens=9, temperature=0.5, top_p=0.9, top_k=5, stop_seqs=["END"], seed=3, logprobs=True, top_logprobs=2,
        num_choices=2, logit_bias={42: 10.0}, parallel_tool_calls=False, response_schema=schema,
        extra_body={"min_p": 0.1},
    )  # fmt: skip
    body = request_body([USER], [TOOL], ToolFunction(name="bash"), config)
    assert {name: value for name, value in body.items() if name not in ("messages", "tools")} == {
        "max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "top_k": 5, "stop": ["END"], "seed": 3, "logprobs": True,
        "top_logprobs": 2, "n": 2, "logit_bias": {"42": 10.0}, "parallel_tool_calls": False, "min_p": 0.1,
        "tool_choice": {"type": "function", "function": {"name": "bash"}},
        "response_format": {
            "type": "json_schema", "json_schema": {"name": "sum", "schema": {"type": "object"}, "strict": True},
        },
    }  # fmt: skip
    [tool] = body["tools"]
    assert (tool["type"], tool["function"]["name"], tool["function"]["parameters"]["type"]) == (
        "function",
        "bash",
        "object",
    )
    assert set(request_body([USER], [], "auto", GenerateConfig())) == {"messages"}


def test_a_part_that_cannot_be_sent_is_an_error():
    with pytest.raises(UnsupportedContent, match="'audio'"):
        request_body(
            [ChatMessageUser(content=[ContentAudio(audio="a.mp3", format="mp3")])], [], "auto", GenerateConfig()
        )


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("stop", "stop"), ("length", "max_tokens"), ("tool_calls", "tool_calls"), (None, "stop"), ("odd", "unknown")],
)
def test_a_text_has_its_end_and_its_usage(finish, reason):
    read = output({"content": "Two."}, finish)
    assert (read.completion, read.stop_reason) == ("Two.", reason)
    assert (read.usage.input_tokens, read.usage.output_tokens, read.usage.total_tokens) == (7, 3, 10)


@pytest.mark.parametrize(
    "message",
    [
        {"content": "Two.", "reasoning_content": "1 + 1"},
        {"content": "Two.", "reasoning": "1 + 1"},
        {"content": "<think>1 + 1</think>\n\nTwo."},
    ],
)
def test_thinking_is_apart_from_the_text(message):
    read = output(message)
    assert read.completion == "Two."
    assert "1 + 1" in read.message.content[0].reasoning
    assert request_body([read.message], [], "auto", GenerateConfig())["messages"][0]["content"] == "Two."


def test_thinking_without_an_end_is_no_text():
    assert output({"content": "<think>1 + 1"}, "length").completion == ""


@pytest.mark.parametrize(
    ("arguments", "read"), [('{"cmd": "ls"}', {"cmd": "ls"}), ("", {}), ({"cmd": "ls"}, {"cmd": "ls"})]
)
def test_calls_of_tools_are_read(arguments, read):
    sent = {"id": "c1", "type": "function", "function": {"name": "bash", "arguments": arguments}}
    [call] = output({"content": None, "tool_calls": [sent]}, "tool_calls").message.tool_calls
    assert (call.id, call.function, call.arguments, call.parse_error) == ("c1", "bash", read, None)


@pytest.mark.parametrize("arguments", ["{ls", "[1]", "7"])
def test_arguments_that_are_no_object_are_the_models_mistake(arguments):
    sent = {"id": "c1", "function": {"name": "bash", "arguments": arguments}}
    [call] = output({"content": None, "tool_calls": [sent]}).message.tool_calls
    assert call.arguments == {}
    assert "cannot be read" in call.parse_error


def test_log_probabilities_are_those_of_the_reply():
    token = {"token": "A", "logprob": -0.1, "top_logprobs": [{"token": "B", "logprob": -2.0}]}
    [read] = output({"content": "A"}, logprobs={"content": [token]}).choices[0].logprobs.content
    assert (read.token, read.logprob, read.top_logprobs[0].token) == ("A", -0.1, "B")
    assert output({"content": "A"}).choices[0].logprobs is None


@pytest.mark.parametrize(
    ("message", "finish", "problem"),
    [
        ({"content": ""}, "content_filter", Unparsable(Reason.REFUSED)),
        ({"content": "I cannot help."}, "content_filter", None),
        ({"content": None, "refusal": "No."}, "content_filter", None),
        ({"content": ""}, "stop", None),
        ({"content": None, "tool_calls": [{}]}, "tool_calls", None),
    ],
)
def test_only_a_filter_that_left_nothing_makes_a_reply_none(message, finish, problem):
    assert withheld(reply(message, finish)) == problem
