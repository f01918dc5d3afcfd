"""Function calls: read from a reply, and compared with the calls that the Berkeley leaderboard accepts.

The rules are those of its AST evaluation (Patil et al. 2025, gorilla.cs.berkeley.edu): the right function, every
required argument, no argument that it does not have, each of the declared type and among the accepted values.
Strings are compared without case, spaces and ``,./-_*^``; an empty string among the accepted values means that the
argument is optional.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.replies import TRUNCATED, after_thinking, content_text
from benchmarks.task import Outcome, Reply

TYPES: dict[str, tuple[type, ...]] = {
    "integer": (int,), "float": (float, int), "string": (str,), "boolean": (bool,), "array": (list,),
    "tuple": (list,), "dict": (dict,),
}  # fmt: skip
OPENAI_TYPES = {"dict": "object", "float": "number", "tuple": "array", "any": "string"}


@dataclass(frozen=True)
class Call:
    name: str
    arguments: Mapping[str, Any]


def tool_name(name: str) -> str:
    """The name as servers accept it: dots become underscores."""
    return re.sub(r"[^a-zA-Z0-9_-]", "_", name)


def tool(function: Mapping[str, Any]) -> dict[str, Any]:
    """The entry of a chat request's `tools`, with the types of JSON Schema."""
    described = {**function, "name": tool_name(function["name"]), "parameters": schema(function["parameters"])}
    return {"type": "function", "function": described}


def schema(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: OPENAI_TYPES.get(inner, inner) if key == "type" and isinstance(inner, str) else schema(inner)
            for key, inner in value.items()
        }
    return [schema(item) for item in value] if isinstance(value, list) else value


def calls_of(reply: Reply) -> list[Call] | None:
    """The calls of a chat completion: its `tool_calls`, else those written out as ``[f(x=1), g(y="a")]``.

    An empty list where the text has no call; None where calls are there and cannot be read.
    """
    message = reply["choices"][0]["message"]
    try:
        if message.get("tool_calls"):
            return [
                Call(call["function"]["name"], json.loads(call["function"]["arguments"] or "{}"))
                for call in message["tool_calls"]
            ]
        text = after_thinking(content_text(message.get("content")))
        if isinstance(text, Outcome):
            return None if text.reason == TRUNCATED else []
        return written(text)
    # RecursionError and MemoryError: brackets nested deeper than the parsers can follow.
    except (ValueError, SyntaxError, KeyError, TypeError, AttributeError, RecursionError, MemoryError):
        return None


def written(text: str) -> list[Call]:
    """Calls in Python's own syntax. Raises SyntaxError or ValueError; an empty list for words without a call."""
    bare = re.sub(r"^```\w*\n?|```$", "", text.strip()).strip()
    if not re.match(r"\[?\s*[A-Za-z_][\w.]*\s*\(", bare):
        return []
    tree = ast.parse(bare if bare.startswith("[") else f"[{bare}]", mode="eval").body
    if not isinstance(tree, ast.List):
        raise ValueError("The text is not a list of calls.")
    return [_call(node) for node in tree.elts]


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call) or node.args:
        raise ValueError("The calls have no named arguments.")
    arguments = {str(word.arg): _plain(ast.literal_eval(word.value)) for word in node.keywords}
    return Call(ast.unparse(node.func), arguments)


def _plain(value: Any) -> Any:
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


Functions = Sequence[Mapping[str, Any]]
Accepted = Sequence[Mapping[str, Any]]


def wrong(calls: Sequence[Call], functions: Functions, accepted: Accepted) -> str:
    """Why `calls` are not the accepted ones, in whatever order; empty where they are."""
    if len(calls) != len(accepted):
        return f"{len(calls)} calls instead of {len(accepted)}"
    reasons = [[wrong_call(call, functions, item) for item in accepted] for call in calls]
    for row in reasons:
        if "" not in row:
            return min(row, key=lambda reason: (reason.startswith("function"), len(reason)))
    if not _matched([{place for place, reason in enumerate(row) if not reason} for row in reasons], frozenset()):
        return "two calls for one"
    return ""


def _matched(fitting: Sequence[set[int]], taken: frozenset[int]) -> bool:
    """Whether every call has an accepted one of its own."""
    if not fitting:
        return True
    return any(_matched(fitting[1:], taken | {place}) for place in fitting[0] - taken)


def wrong_call(call: Call, functions: Sequence[Mapping[str, Any]], accepted: Mapping[str, Any]) -> str:
    """Why `call` is not this accepted one."""
    ((name, values),) = accepted.items()
    if call.name not in (name, tool_name(name)):
        return f"function {call.name} instead of {name}"
    parameters = next(function["parameters"] for function in functions if function["name"] == name)
    for required in parameters.get("required", []):
        if required not in call.arguments:
            return f"argument {required} is missing"
    for argument, value in call.arguments.items():
        if argument not in parameters["properties"] or argument not in values:
            return f"argument {argument} is not one of {name}"
        kind = parameters["properties"][argument].get("type")
        if not is_a(value, kind) and not fits_any(value, values[argument]):
            return f"argument {argument} is {value!r}, which is no {kind}"
        if not fits_any(value, values[argument]):
            return f"argument {argument} is {value!r}"
    for argument, choices in values.items():
        if argument not in call.arguments and "" not in choices:
            return f"argument {argument} is left out"
    return ""


def is_a(value: Any, kind: str | None) -> bool:
    """Whether `value` is of a declared type; a Boolean is no number, and unknown types take anything."""
    if kind not in TYPES:
        return True
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def fits_any(value: Any, choices: Sequence[Any]) -> bool:
    return any(fits(value, choice) for choice in choices)


def fits(value: Any, wanted: Any) -> bool:
    """Equal to one accepted value. The keys of an accepted dictionary have lists of accepted values themselves."""
    if isinstance(wanted, dict):
        if not isinstance(value, dict) or not set(value) <= set(wanted):
            return False
        return all(fits_any(value[key], wanted[key]) if key in value else "" in wanted[key] for key in wanted)
    if isinstance(wanted, list):
        return (
            isinstance(value, list)
            and len(value) == len(wanted)
            and all(fits(item, other) for item, other in zip(value, wanted, strict=True))
        )
    if isinstance(wanted, str):
        return isinstance(value, str) and _standard(value) == _standard(wanted)
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    return bool(value == wanted)


def _standard(text: str) -> str:
    return re.sub(r"[ ,./\-_*^]", "", text).lower().replace("'", '"')
