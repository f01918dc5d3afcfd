"""Answers as published protocols read them from free text; None where their patterns find nothing.

Our own readers are in `letters`, `numbers` and `short_answers`.
"""

from __future__ import annotations

import re

# The three stages of MMLU-Pro's evaluation (TIGER-AI-Lab/MMLU-Pro), which guesses where they end.
PRO_STATED = re.compile(r"answer is \(?([A-J])\)?")
PRO_LABELLED = re.compile(r"[aA]nswer:\s*([A-J])")
PRO_ALONE = re.compile(r"\b([A-J])\b")
# openai/simple-evals, for its multiple-choice prompt.
SIMPLE_EVALS = re.compile(r"(?i)Answer[ \t]*+:[ \t]*+\$?([A-D])\$?")

STRICT_NUMBER = re.compile(r"#### (\-?[0-9\.\,]+)")
SAID_NUMBER = re.compile(r"The answer is (\-?[0-9\.\,]+)\.")
ANY_NUMBER = re.compile(r"(-?[$0-9.,]{2,})|(-?[0-9]+)")


def mmlu_pro_letter(text: str) -> str | None:
    """MMLU-Pro's three stages: the first "answer is (X)"; the last "Answer: X" of the first line that has one; the
    last lone letter. The same as the authors' patterns, without their quadratic time.
    """
    if stated := PRO_STATED.search(text):
        return stated.group(1)
    if labelled := list(PRO_LABELLED.finditer(text)):
        line = text.find("\n", labelled[0].start())
        end = len(text) if line < 0 else line
        return [match.group(1) for match in labelled if match.start() < end][-1]
    alone = PRO_ALONE.findall(text)
    return alone[-1] if alone else None


def simple_evals_letter(text: str) -> str | None:
    """The letter after the first "Answer:"."""
    match = SIMPLE_EVALS.search(text)
    return match.group(1).upper() if match else None


def strict_number(text: str) -> str | None:
    """GSM8K as its authors write it: the first number after `#### `."""
    match = STRICT_NUMBER.search(text)
    return match.group(1) if match else None


def said_number(text: str) -> str | None:
    """The first "The answer is N." of a chain of thought (Wei et al. 2022, arXiv:2201.11903)."""
    match = SAID_NUMBER.search(text)
    return match.group(1) if match else None


def last_number(text: str) -> str | None:
    """The last thing in the text that looks like a number."""
    matches = list(ANY_NUMBER.finditer(text))
    return matches[-1].group(0).strip() if matches else None


def after_the_answer_is(text: str) -> str | None:
    """BIG-Bench Hard: what follows the last "the answer is ", less one full stop at the end.

    The lookaround of lm-evaluation-harness drops a character whatever it is: 55.6 where the authors publish 56.8
    on their own outputs for dyck_languages.
    """
    _, marker, rest = text.rpartition("the answer is ")
    if not marker:
        return None
    return rest.strip().removesuffix(".").strip() or None


def last_boxed(text: str) -> str | None:
    r"""What is inside the last ``\boxed{…}`` or ``\fbox{…}``, braces matched; ``\boxed 3`` too."""
    start = max(text.rfind("\\boxed"), text.rfind("\\fbox"))
    if start < 0:
        return None
    rest = text[start:].removeprefix("\\boxed").removeprefix("\\fbox")
    if not rest.startswith("{"):
        return rest.split("$")[0].strip() or None
    depth = 0
    for place, character in enumerate(rest):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return rest[1:place]
    return None
