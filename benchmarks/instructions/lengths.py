"""How many words, sentences and paragraphs."""

from __future__ import annotations

import re

from benchmarks.instructions.relation import Arguments, argument, holds
from benchmarks.instructions.sentences import sentences

# Signs at which the first word of a paragraph ends.
ENDS_A_WORD = frozenset(".,?!'\"")


def number_words(text: str, arguments: Arguments) -> bool:
    r"""Runs of word characters (``\w+``), so `don't` is two."""
    return holds(len(re.findall(r"\w+", text)), arguments, "relation", "num_words")


def number_sentences(text: str, arguments: Arguments) -> bool:
    return holds(len(sentences(text)), arguments, "relation", "num_sentences")


def number_paragraphs(text: str, arguments: Arguments) -> bool:
    """Whether there are exactly N paragraphs separated by three asterisks, none empty between two others."""
    parts = [part.strip() for part in re.split(r"\s?\*\*\*\s?", text)]
    inner = parts[1:-1]
    if not all(inner):
        return False
    return sum(map(bool, parts)) == int(argument(arguments, "num_paragraphs"))


def nth_paragraph_first_word(text: str, arguments: Arguments) -> bool:
    """Whether there are exactly N paragraphs separated by empty lines, and the n-th begins with the word."""
    parts = text.split("\n\n")
    count = sum(bool(part.strip()) for part in parts)
    nth = int(argument(arguments, "nth_paragraph"))
    if nth > count or not parts[nth - 1].strip():
        return False
    first = first_word(parts[nth - 1])
    wanted = str(argument(arguments, "first_word")).lower()
    return count == int(argument(arguments, "num_paragraphs")) and first == wanted


def first_word(paragraph: str) -> str:
    """The first word in small letters, without quotation marks before it and up to the first sign in it."""
    word = paragraph.split()[0].lstrip("'").lstrip('"')
    for position, letter in enumerate(word):
        if letter in ENDS_A_WORD:
            return word[:position].lower()
    return word.lower()
