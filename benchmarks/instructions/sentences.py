"""Sentences and words of an English text, close to NLTK's trained Punkt model, which is not a package.

The official checker loads that model from a download. These rules are written from its behaviour: a full stop ends
a sentence, whatever follows it, unless it belongs to an abbreviation, an initial or an ellipsis, and then only
before a word that begins sentences. On the GPT-4 completions published with IFEval all verdicts are the official
ones.
"""

from __future__ import annotations

import re

# Abbreviations that are followed by a capital within a sentence.
ABBREVIATED = (
    "mr mrs ms dr prof rev gen sen rep gov capt lt col sgt st jr sr messrs hon pres "
    "vs etc eg ie e.g i.e u.s u.k u.n a.m p.m no vol fig inc ltd co corp dept est approx "
    "jan feb mar apr jun jul aug sep sept oct nov dec ph.d m.d b.a m.a"
)
# Words that follow an abbreviation only in a new sentence.
STARTING = (
    "the this that these those he she it we they you i an and but or so in on at if when while after before "
    "there here what who how why please let my your our their his her its as for with to from by"
)
ABBREVIATIONS, STARTERS = frozenset(ABBREVIATED.split()), frozenset(STARTING.split())
END = re.compile(r"""\S*?[.?!]+(?P<close>["'”’)\]*_]*)(?=\s|$)""")


def sentences(text: str) -> list[str]:
    """`text` cut after the signs that end a sentence; the line breaks of lists and headings end none."""
    parts, start = [], 0
    for end in END.finditer(text):
        after = text[end.end() :].lstrip()
        if _ends(end.group(), after):
            parts.append(text[start : end.end()].strip())
            start = end.end()
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _ends(word: str, after: str) -> bool:
    bare = word.rstrip("\"'”’)]*_")
    if not bare.endswith(".") or not after:
        return True
    stem = bare.rstrip(".").lstrip("\"'“‘([*_").lower()
    following = re.match(r"\W*(\w*)", after)
    starts = after[0].isupper() and following is not None and following[1].lower() in STARTERS
    if bare.endswith("..") or stem in ABBREVIATIONS or re.fullmatch(r"[a-z]", stem):
        return starts
    return not (stem.isdigit() and after[0].islower())


# Currency, contractions and hyphens stay in their words, as in the Penn treebank; other signs are words.
WORD = re.compile(r"\w+(?:[-.'’/&]\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """The words of `text`, with hyphens and apostrophes inside, and every other sign as one of its own."""
    return WORD.findall(text)
