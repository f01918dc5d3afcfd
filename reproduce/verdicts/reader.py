"""Read the labelled odd replies of two files, and count wrong and unread verdicts by protocol.

`odd_replies.jsonl` was written with the reader; `second_set.jsonl` after it, to measure it on replies that it was not
written for (docs/judges.md has the first reading). The reader was then corrected.

    python -m reproduce.verdicts.reader

A label is the verdict that a person reads without doubt, or null where there is doubt or the prescribed form is
missing. Ours, in English and Chinese.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judges.protocols import arena_hard, mt_bench, wildbench
from judges.replies import Unparsable
from judges.tokens import preference


@dataclass(frozen=True)
class OddReply:
    """A reply in a protocol, and the verdict in it; None if there is none without doubt."""

    protocol: str
    reply: str
    verdict: str | float | None

    @property
    def is_chinese(self) -> bool:
        return any("\u4e00" <= character <= "\u9fff" for character in self.reply)


def _side(lead: float | Unparsable) -> str | Unparsable:
    if isinstance(lead, Unparsable):
        return lead
    return "tie" if lead == 0 else "model_a" if lead > 0 else "model_b"


def _letter(reply: str) -> str | Unparsable:
    value = preference({"choices": [{"message": {"content": reply}, "finish_reason": "stop"}]})
    return value if isinstance(value, Unparsable) else _side(value - 0.5)


def _choice(reply: str) -> str | Unparsable:
    lead = wildbench.verdict_choice(reply)
    return (
        lead
        if isinstance(lead, Unparsable)
        else next(c for c, value in wildbench.CHOICES.items() if value == lead)
    )


READERS: dict[str, Callable[[str], Any]] = {
    "arena": mt_bench.verdict,
    "arena_hard": lambda reply: _side(arena_hard.verdict(reply)),
    "mt_bench": mt_bench.rating,
    "wildbench_score": wildbench.verdict_score,
    "wildbench_choice": _choice,
    "token": _letter,
}


def odd_replies() -> list[OddReply]:
    """The labelled replies."""
    return [
        OddReply(**json.loads(line))
        for name in ("odd_replies.jsonl", "second_set.jsonl")
        for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    ]


def outcome(row: OddReply) -> str:
    """`right`, `unread` (a verdict that a person reads), or `wrong` (another verdict than the label, or one for none)."""
    value = READERS[row.protocol](row.reply)
    if isinstance(value, Unparsable):
        return "right" if row.verdict is None else "unread"
    return "right" if value == row.verdict else "wrong"


def main() -> int:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0, 0])
    wrong = 0
    for row in odd_replies():
        result = outcome(row)
        if result != "right":
            sys.stdout.write(f"{result}: {row}\n")
        wrong += result == "wrong"
        for line in (row.protocol, "all"):
            given = (True, row.is_chinese, row.verdict is not None, result == "wrong", result == "unread")
            counts[line] = [before + now for before, now in zip(counts[line], given, strict=True)]
    sys.stdout.write("| protocol | replies | in Chinese | with a verdict | read wrongly | unread |\n")
    sys.stdout.write("| --- | ---: | ---: | ---: | ---: | ---: |\n")
    for name, values in counts.items():
        sys.stdout.write(f"| {name} | {' | '.join(map(str, values))} |\n")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
