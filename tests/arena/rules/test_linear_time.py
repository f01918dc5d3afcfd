"""Patterns over texts of visitors and models take time in proportion to the text, whatever the text.

A pattern holds the interpreter's lock while it searches, so that a slow one stops the whole server.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import takewhile
from types import ModuleType
from typing import Any

import pytest

import benchmarks.extract
import benchmarks.letter_patterns
import benchmarks.letters
import benchmarks.markup
import benchmarks.numbers
import benchmarks.refusal_signs
import benchmarks.replies
import benchmarks.safety_judges
import benchmarks.short_answers
import benchmarks.stated
import judges.biases
import judges.json_replies
import judges.marks
import judges.patterns
import judges.protocols.arena_hard
import judges.protocols.mt_bench
import judges.protocols.wildbench
import judges.thinking
import judges.tokens
import ratings
import ratings.data.style
from arena.endpoints import openai, redaction, reply_schema
from arena.rules import (
    categories,
    category_rule,
    languages,
    pii,
    prompt_limits,
    tagger_prompt,
)
from benchmarks.tasks import gpqa

pytestmark = pytest.mark.slow  # long texts, searched again and again

MODULES = (
    categories, languages, pii, prompt_limits, tagger_prompt, openai, redaction, reply_schema,
    ratings.data.style, judges.biases, judges.protocols.arena_hard, judges.protocols.mt_bench,
    judges.protocols.wildbench, judges.json_replies, judges.marks, judges.patterns, judges.thinking, judges.tokens,
    benchmarks.extract, benchmarks.refusal_signs, benchmarks.safety_judges, gpqa,
    benchmarks.letter_patterns, benchmarks.markup, benchmarks.numbers, benchmarks.replies, benchmarks.short_answers,
    benchmarks.stated,
)  # fmt: skip
SHORT, LONG = 20_000, 80_000
GROWTH = 10  # LONG is four times SHORT: a quadratic pattern takes sixteen times as long
BRIEF = 5_000  # characters for the calls, in the quick tests
SECONDS = 0.5  # of CPU for SHORT characters; the worst takes a fifth
TRIES = 4
NEGLIGIBLE = 0.08  # seconds over LONG characters, whose growth is noise
# Seconds over SHORT characters from which the growth is measured: a quadratic pattern that takes less stays below NEGLIGIBLE
# over LONG ones.
SUSPICIOUS = NEGLIGIBLE / (LONG / SHORT) ** 2

# A beginning, a part that is repeated to the length, and an end. Most make a pattern try again at each repetition.
TEXTS = [
    (start, unit, end)
    for unit, frames in {
        "\n": ("", "a a", "- a", "1. a", "``` a", "```json x"), " ": ("", "x z", "1 a", "=  a", "- a", "\n a", "Bearer a"),
        " \n": ("a a", "x +"), "\t": ("", "a a"), "\r": ("", "a a"), "1": ("", "[[ a", "1. a", "+ a", "between a", "$ a"),
        "a": ("", "* !", "</ !", "_ @", "```", "def  !", "from  x", "eyJ .", "advert !"), "=": ("$ a", "1 a", "===== a"),
        "1+1 ": ("",), "1+": ("",), "1\n+": ("",), "1+\n": ("",), "x+": ("",), "x + ": ("",), "x\n-": ("",),
        "x^2\n+": ("",), "2x \n- ": ("",), "y - ": ("",), "1. a\n": ("",), "1. ": ("",), "- \n": ("",), "-\n": ("",),
        "- a\n\n": ("",), "* ": ("",), "*a": ("",), "*a ": ("",), "$a": ("",), "$": ("",), "$=": ("",), "$1=\n": ("",),
        "?": ("",), "?a": ("",), "? \n": ("",), "SELECT ": ("",), "SELECT FROMM ": ("",), "\nSELECT": ("",),
        "\n#include ": ("",), "first ": ("",), "write ": ("",), "do not ": ("",), "your response ": ("",),
        "between 1 and ": ("",), "in 5 ": ("",), "what is the a ": ("",), "highlight": ("",), "highlight a": ("",),
        "title": ("",), "```": ("",), "``` ": ("",), "**": ("",), "**a": ("",), "__": ("",), "__a ": ("",), "[": ("",),
        "[[1": ("",), "[[A": ("",), "{": ("",), "{a": ("",), "a@": ("",), "a.": ("", "a@ !"), "1 ": ("",), "1-": ("",),
        "12-34 ": ("",), "+49 (0) 123-": ("",), "(1": ("",), "1" * 31 + "a ": ("",), "12345" * 5 + ".x ": ("",),
        "1:": ("",), ":": ("",), "1.": ("",), "DE12 ": ("", "DE12 !"), "sk-a-": ("",), "eyJaaaaaaaaaa.": ("",),
        "-----BEGIN ": ("",), "-----BEGIN A PRIVATE KEY-----": ("",), "-----END ": ("-----BEGIN PRIVATE KEY----- a",),
        "\\a": ("",), "\\u": ("",), "'": ("",), "あ": ("",), "ا": ("",), "a\u0301": ("",), "\u2028": ("", "a a"),
        "Bearer ": ("",), "写": ("",), "<think></think> ": ("",), '{"score": ': ("",), "not [[A]] ": ("",), "&#91;": ("",),
        '{"a":"': ("",), "<|channel|>final": ("",), "“score”: ": ("{",),
    }.items()
    for frame in frames
    for start, _, end in [frame.partition(" ")]
]  # fmt: skip


def patterns(value: Any) -> Iterator[re.Pattern[str]]:
    """The patterns in the variables of a module, also inside tuples, dictionaries and objects such as rules."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from patterns(part)
    elif isinstance(value, dict):
        yield from patterns(list(value.values()))
    elif isinstance(value, ModuleType):
        yield from patterns([part for part in vars(value).values() if not isinstance(part, (ModuleType, dict))])
        yield from patterns(
            [part for name, part in vars(value).items() if isinstance(part, dict) and name[0] != "_"]
        )
    elif isinstance(value, (category_rule.Rule, pii.Detector)):
        yield from patterns(vars(value))


PATTERNS = {pattern.pattern: pattern for module in MODULES for pattern in patterns(module)}


# What the server and the judges call, for the cost between the patterns.
CALLS: dict[str, Callable[[str], Any]] = {
    "categories": lambda given: categories.categories([given]),
    "style": lambda given: ratings.style_counts([given]),
    "pii": pii.pii_redactor(),
    "prompt": prompt_limits.clean,
    "tags": lambda given: tagger_prompt.found_in({"choices": [{"message": {"content": given}}]}),
    "redaction": redaction.Redactor(["a secret"]).masked,
    "letter": lambda given: benchmarks.letters.choice_letter(given, ["one", "four", "nine", "a b"]),
    "number": benchmarks.numbers.free_number,
    "short answer": benchmarks.short_answers.short_answer,
    "formula": benchmarks.stated.stated_formula,
    "wildbench": judges.protocols.wildbench.verdict_score,
    "rating": judges.protocols.mt_bench.rating,
    "verdict": judges.protocols.mt_bench.verdict,
    "label": judges.protocols.arena_hard.verdict,
    "one letter": judges.tokens.written_letter,
}


@cache
def text(start: str, unit: str, end: str, size: int) -> str:
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


def seconds(run: Callable[[str], Any], given: str) -> float:
    """CPU time of this thread, which other threads and processes do not add to."""
    start = time.thread_time()
    run(given)
    return time.thread_time() - start


def slow(run: Callable[[str], Any], suspicious: float, length: int = SHORT) -> list[str]:
    """The texts on which a run is slow: too long on `length` characters, or growing faster than the text.

    Growth is measured, over four times the length, where the short text takes at least `suspicious` seconds. A text counts
    when it is slow each time that it is tried: a busy machine adds to the time of a thread.
    """
    found = []
    for parts in TEXTS:
        tries = (slowness(run, parts, suspicious, length) for _ in range(TRIES))
        slow_tries = list(takewhile(bool, tries))
        if len(slow_tries) == TRIES:
            found.append(slow_tries[-1])
    return found


def slowness(run: Callable[[str], Any], parts: tuple[str, str, str], suspicious: float, length: int) -> str:
    """How a run was slow on one text; empty when it was not."""
    short = seconds(run, text(*parts, length))
    if short > SECONDS * length / SHORT:
        return f"{parts}: {short:.2f} s"
    if short < suspicious:
        return ""
    long = seconds(run, text(*parts, LONG // SHORT * length))
    return f"{parts}: {short:.3f} s, then {long:.2f} s" if long > max(NEGLIGIBLE, GROWTH * short) else ""


def test_the_patterns_are_found():
    assert len(PATTERNS) > 50


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=lambda pattern: pattern.pattern[:40])
def test_a_pattern_is_linear(pattern):
    assert not slow(pattern.findall, SUSPICIOUS)


@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_linear(name):
    assert not slow(CALLS[name], suspicious=0.05, length=BRIEF)


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_a_call_is_linear_on_long_texts(name):
    assert not slow(CALLS[name], SUSPICIOUS)
