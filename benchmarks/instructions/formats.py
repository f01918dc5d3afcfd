"""The form of the text: lists, sections, highlights, a title, JSON, one of three answers."""

from __future__ import annotations

import json
import re

from benchmarks.instructions.relation import Arguments, argument

ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
FENCES = ("```json", "```Json", "```JSON", "```")


def number_bullet_lists(text: str, arguments: Arguments) -> bool:
    """Whether exactly N lines begin with one asterisk or with a hyphen."""
    stars = re.findall(r"^\s*\*[^\*].*$", text, re.MULTILINE)
    hyphens = re.findall(r"^\s*-.*$", text, re.MULTILINE)
    return len(stars) + len(hyphens) == int(argument(arguments, "num_bullets"))


def constrained_response(text: str, _: Arguments) -> bool:
    """One of the three given answers occurs."""
    return any(answer in text for answer in ANSWERS)


def number_highlighted_sections(text: str, arguments: Arguments) -> bool:
    """Whether at least N *highlights* or **highlights** have text between the asterisks."""
    single = re.findall(r"\*[^\n\*]*\*", text)
    double = re.findall(r"\*\*[^\n\*]*\*\*", text)
    filled = sum(bool(mark.strip("*").strip()) for mark in single)
    filled += sum(bool(mark.removeprefix("**").removesuffix("**").strip()) for mark in double)
    return filled >= int(argument(arguments, "num_highlights"))


def multiple_sections(text: str, arguments: Arguments) -> bool:
    """Whether the section's word with a number after it occurs at least N times."""
    splitter = str(argument(arguments, "section_spliter")).strip()  # their spelling
    matches = re.findall(rf"\s?{splitter}\s?\d+\s?", text)
    return len(matches) >= int(argument(arguments, "num_sections"))


def title(text: str, _: Arguments) -> bool:
    """Something in double angle brackets, on one line."""
    return any(match.lstrip("<").rstrip(">").strip() for match in re.findall(r"<<[^\n]+>>", text))


def json_format(text: str, _: Arguments) -> bool:
    """All of it is JSON, in a fence or not."""
    bare = text.strip()
    for fence in FENCES:
        bare = bare.removeprefix(fence)
    try:
        json.loads(bare.removesuffix("```").strip())
    except ValueError:
        return False
    return True
