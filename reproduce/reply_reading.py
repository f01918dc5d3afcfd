"""Measure how well answers are read from free replies, on labelled replies of our own in English and Chinese.

    python reproduce/reply_reading.py
    python reproduce/reply_reading.py --failures

`reproduce/replies/labelled.jsonl` has one reply per line, written in the manner of many models: with thinking, Markdown,
LaTeX, full-width characters, negations, corrections, refusals and replies without an answer, whose label is null. A third
is held out: these replies were not looked at while the readers were tuned. The published patterns are measured on the same
replies: simple-evals' for letters, lm-evaluation-harness's for numbers, the authors' for BIG-Bench Hard, Minerva's for MATH.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.extract import after_the_answer_is, last_number, simple_evals_letter
from benchmarks.letters import choice_letter
from benchmarks.math_answers import final_answer, minerva_answer, normal
from benchmarks.metrics import number
from benchmarks.numbers import free_number
from benchmarks.replies import after_thinking
from benchmarks.short_answers import short_answer
from benchmarks.task import Outcome

REPLIES = Path(__file__).parent / "replies/labelled.jsonl"
Reply = Mapping[str, Any]
Reader = Callable[[str, Reply], str | None]

OURS: Mapping[str, Reader] = {
    "letter": lambda text, reply: choice_letter(text, reply["choices"]),
    "number": lambda text, _: free_number(text),
    "bbh": lambda text, _: short_answer(text),
    "math": lambda text, _: final_answer(text),
}
PUBLISHED: Mapping[str, Reader] = {
    "letter": lambda text, _: simple_evals_letter(text),
    "number": lambda text, _: number(last_number(text) or "") or None,
    "bbh": lambda text, _: after_the_answer_is(text),
    "math": lambda text, _: minerva_answer(text),
}
NAMES = {"letter": "letters", "number": "numbers", "bbh": "BIG-Bench Hard", "math": "MATH"}


def labelled() -> list[Reply]:
    return [json.loads(line) for line in REPLIES.read_text(encoding="utf-8").splitlines()]


def verdict(reply: Reply, readers: Mapping[str, Reader] = OURS) -> str:
    """`right`, `wrong` (also an answer where there is none) or `unread`."""
    text = after_thinking(reply["reply"])
    answer = None if isinstance(text, Outcome) else readers[reply["kind"]](text, reply)
    if answer is None:
        return "right" if reply["right"] is None else "unread"
    if reply["right"] is None:
        return "wrong"
    return "right" if compared(reply, answer) == compared(reply, reply["right"]) else "wrong"


def compared(reply: Reply, answer: str) -> str:
    """An answer as its task compares it."""
    if reply["kind"] == "math":
        return normal(answer)
    return answer.casefold() if reply["kind"] == "bbh" else answer


def counts(replies: Iterable[Reply], readers: Mapping[str, Reader] = OURS) -> Counter[str]:
    return Counter(verdict(reply, readers) for reply in replies)


def line(name: str, replies: list[Reply]) -> str:
    ours, published = counts(replies), counts(replies, PUBLISHED)
    figures = [len(replies), *(counted[name] for counted in (ours, published) for name in ("wrong", "unread"))]
    return f"| {name} | {' | '.join(map(str, figures))} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--failures", action="store_true", help="print the tuned-on replies that are not read right"
    )
    arguments = parser.parse_args()
    replies = labelled()
    print("| replies | count | wrong | unread | published pattern: wrong | unread |\n|---|---|---|---|---|---|")
    for kind, name in NAMES.items():
        print(line(name, [reply for reply in replies if reply["kind"] == kind]))
    for language, name in {"en": "English", "zh": "Chinese"}.items():
        print(line(name, [reply for reply in replies if reply["language"] == language]))
    for held_out, name in {False: "tuned on", True: "held out"}.items():
        print(line(name, [reply for reply in replies if reply["held_out"] is held_out]))
    print(line("all", replies))
    for reply in replies:
        if arguments.failures and not reply["held_out"] and (state := verdict(reply)) != "right":
            print(f"{state}: {reply['id']}, right {reply['right']}: {reply['reply'][:200]!r}")


if __name__ == "__main__":
    main()
