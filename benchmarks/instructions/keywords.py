"""Words and letters that must or must not occur."""

from __future__ import annotations

import re

from benchmarks.instructions.relation import Arguments, argument, holds


def existence(text: str, arguments: Arguments) -> bool:
    """Every keyword occurs, in any case, inside other words too."""
    return all(re.search(word, text, re.IGNORECASE) for word in argument(arguments, "keywords"))


def frequency(text: str, arguments: Arguments) -> bool:
    """Whether a keyword occurs at least, or less than, N times."""
    matches = re.findall(argument(arguments, "keyword"), text, re.IGNORECASE)
    return holds(len(matches), arguments, "relation", "frequency")


def forbidden_words(text: str, arguments: Arguments) -> bool:
    """None of the words occurs as a word of its own."""
    words = argument(arguments, "forbidden_words")
    return not any(re.search(rf"\b{word}\b", text, re.IGNORECASE) for word in words)


def letter_frequency(text: str, arguments: Arguments) -> bool:
    """Whether a letter (or sign) occurs at least, or less than, N times in either case."""
    count = text.lower().count(str(argument(arguments, "letter")).lower())
    return holds(count, arguments, "let_relation", "let_frequency")
