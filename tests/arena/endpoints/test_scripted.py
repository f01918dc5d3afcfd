"""The shipped fake: its script, and replies that call a tool."""

import json

from arena.config.endpoints import ScriptedSettings
from arena.endpoints.endpoint import answer, complete
from arena.serving.configured_endpoints import make_endpoint

USER = {"role": "user", "content": "How many?"}
SCRIPT = [{"tool": "bash", "arguments": {"cmd": "wc -l a"}}, {"tool": "done"}, "Seven."]


def scripted(replies):
    return make_endpoint(ScriptedSettings(name="clerk", endpoint="scripted", replies=replies, delay=0.0))


async def test_a_script_calls_tools_and_goes_on_after_each_round_of_results():
    endpoint, messages, read = scripted(SCRIPT), [USER], []
    for _ in range(3):
        [choice] = (await answer(endpoint, {"messages": messages}))["choices"]
        calls = choice["message"].get("tool_calls") or ()
        read.append((choice["finish_reason"], choice["message"]["content"], [call["function"] for call in calls]))
        results = [{"role": "tool", "tool_call_id": call["id"], "content": "7"} for call in calls]
        messages = [*messages, choice["message"], *results]
    assert read == [
        ("tool_calls", None, [{"name": "bash", "arguments": json.dumps({"cmd": "wc -l a"})}]),
        ("tool_calls", None, [{"name": "done", "arguments": "{}"}]),
        ("stop", "Seven.", []),
    ]


async def test_two_results_of_one_round_are_one_turn():
    results = [{"role": "tool", "tool_call_id": name, "content": "7"} for name in "ab"]
    assert (await answer(scripted(SCRIPT), {"messages": [USER, *results]}))["choices"][0]["message"]["tool_calls"]
    whole = await answer(scripted(["one", "two", "three"]), {"messages": [USER, *results]})
    assert whole["choices"][0]["message"]["content"] == "two"


async def test_a_stream_has_no_text_for_a_call_of_a_tool():
    assert (await complete(scripted(SCRIPT), {"messages": [USER]})).text == ""
