"""A judge over HTTP that grades by a rubric: its values follow from the words of the completions and of the prompt."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

from tests.support.refusing_server import plain_reply

QUALITY = {"GOOD": 3, "FAIR": 2, "POOR": 1}  # what the completions of the models under test contain
SECTION = re.compile(r"<(answer(?:_[AB])?)>\n(.*?)\n</\1>", re.DOTALL)
LISTED = re.compile(
    r'^- "(\w+)": \w+(?: of answer ([AB]))?: (?:a number from (\S+) to (\S+)|one of (.*))$', re.MULTILINE
)


def graded(body: Mapping[str, Any]) -> Any:
    """A whole reply with a value for each key that the request lists."""
    system, item = body["messages"][0]["content"], body["messages"][-1]["content"]
    answers = {name[-1] if "_" in name else "": text for name, text in SECTION.findall(item)}
    values: dict[str, Any] = {}
    for key, side, low, high, labels in LISTED.findall(system):
        noise = zlib.crc32(f"{key.removesuffix(f'_{side.lower()}')}{answers[side]}".encode()) % 2
        place = QUALITY[answers[side].split()[0]] - 1 - noise / 2  # from -0.5 to 2
        share = (place + 0.5) / 2.5
        names = json.loads(f"[{labels}]") if labels else []
        values[key] = (
            names[round(share * (len(names) - 1))] if names else float(low) + share * (float(high) - float(low))
        )
    if '"better"' in system:
        values["better"] = max("AB", key=lambda side: QUALITY[answers[side].split()[0]])
    reply = plain_reply(body)
    reply["choices"][0]["message"]["content"] = json.dumps({"reason": "By the words.", **values})
    return reply
