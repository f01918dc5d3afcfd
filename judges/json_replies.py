"""The value of one key of a judge's JSON reply, read where the reply leaves no doubt about it.

Judges put prose and fences around the object, and break its strings with line feeds and quotation marks. An object
that `json` refuses is repaired by json-repair, and a value of it counts only if the text has the key at one value:
a repair may move the end of a string, and with it the place of a quoted verdict.
"""

from __future__ import annotations

import json
import re
from typing import Any

import json_repair

from judges.replies import Reason, Unparsable, only, without_thinking

START = re.compile(
    r"\{(?=\s*(?:[\"'“”]|[A-Za-z_][A-Za-z_ ]{0,40}:))"
)  # not a brace of a formula or a set of numbers
# What is repaired: no reply within the token limits of the protocols has more characters, and json-repair takes
# quadratic time for braces that are never closed (3.5 s for 4,000 of them, 0.05 s for 400).
LONGEST, MOST_BRACKETS = 20_000, 400


def value_of(reply: str | None, key: str) -> Any | Unparsable:
    """The value of `key` in the JSON objects of a reply, in any case of its letters.

    Two values are SEVERAL, a text that ends within an object is TRUNCATED, none is NONE.
    """
    words = without_thinking(reply or "")
    if isinstance(words, Unparsable):
        return words
    values: list[Any] = []
    place, decoder = 0, json.JSONDecoder(strict=False, object_pairs_hook=Object)
    while start := START.search(words, place):
        try:
            given, place = decoder.raw_decode(words, start.start())
            values += _values(given, key)
        except (
            ValueError,
            RecursionError,
        ):  # not JSON as it stands, numbers of thousands of digits, deep brackets
            repaired = _repaired(words[start.start() :], key)
            if isinstance(repaired, Unparsable):
                return repaired
            values.append(repaired)
            break
    if not values:
        return Unparsable(Reason.NONE)
    several = only([json.dumps(value, default=str) for value in values])
    return several if isinstance(several, Unparsable) else values[0]


class Object(tuple[tuple[str, Any], ...]):
    """The fields of an object in order: a dict would silently take the last of two equal keys."""

    __slots__ = ()


def _values(given: Any, key: str) -> list[Any]:
    """The values of the key in an object, or in the only object within it."""
    fields = given if isinstance(given, Object) else ()
    found = [value for name, value in fields if name.strip().casefold() == key]
    if not found and len(fields) == 1:
        return _values(fields[0][1], key)
    return found


def _repaired(text: str, key: str) -> Any | Unparsable:
    """The value in an object that is not JSON, if the text has the key at this value only."""
    end = text.rfind("}") + 1
    if not end:
        return Unparsable(Reason.TRUNCATED)
    if end > LONGEST or text.count("{") + text.count("[") > MOST_BRACKETS:
        return Unparsable(Reason.NONE)
    written = re.findall(rf"[\"'“”]?\b{key}[\"'“”]?\s*[:：]\s*([^\s,}}][^,}}\n]*)", text, re.IGNORECASE)
    said = only([value.strip().strip("\"'“”").strip() for value in written])
    if isinstance(said, Unparsable):
        return said
    try:
        given = json_repair.loads(text[:end], skip_json_loads=True)
    except (ValueError, RecursionError):
        return Unparsable(Reason.NONE)
    value = (
        {str(name).strip().casefold(): v for name, v in given.items()}.get(key)
        if isinstance(given, dict)
        else None
    )
    return value if said in (str(value).strip(), json.dumps(value, default=str)) else Unparsable(Reason.NONE)
