"""The kinds of names that a masker looks for, and their compiled patterns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache

from arena.rules.name_aliases import Family, served_families, shipped_families
from arena.rules.name_patterns import NameBeginnings, NamePattern

SHORTEST = 3  # letters: a shorter name is masked only where the text speaks of its author
SPELLED_KINDS = ("name", "word", "counted", "other")  # also found letter by letter


def kinds_of(names: frozenset[str], families: Sequence[Family]) -> dict[str, set[str]]:
    """The names by kind: `name` is masked everywhere, `word` also with a version, the others by what is around them."""
    served = served_families(names, families)
    others = [family for family in families if family not in served]
    words = {word for family in served if not family.counted for word in family.words}
    counted = {word for family in served if family.counted for word in family.words}
    other = {name for family in others for name in (*family.names, *family.words)}
    organisations = {name for family in families for name in family.organisations}
    ordinary = {word.casefold() for word in words | counted | organisations | other}
    always = {name for family in served for name in family.names}
    always |= {name for name in names if name.casefold() not in ordinary and _letters(name) >= SHORTEST}
    counted |= {
        name for name in words | names if _letters(name) < SHORTEST or (re.search(r"\d", name) and name in words)
    }
    return {
        "name": always,
        "organisation": organisations - words - counted - other,
        "word": words - counted,
        "counted": counted,
        "other": other - always,
    }


@lru_cache(maxsize=32)
def pattern_of(names: frozenset[str], families: tuple[Family, ...]) -> NamePattern:
    """The compiled names, whose beginnings are compiled once for all sets with the shipped families."""
    return NamePattern(kinds_of(names, families), SPELLED_KINDS, shipped_beginnings() if families else None)


@cache
def shipped_beginnings() -> NameBeginnings:
    """The compiled beginnings of the shipped names, which are among the names of every set with the shipped families."""
    return NameBeginnings(kinds_of(frozenset(), shipped_families()), SPELLED_KINDS)


def _letters(name: str) -> int:
    return sum(character.isalnum() for character in name)
