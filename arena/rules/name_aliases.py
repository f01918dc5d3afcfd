"""The names of the families of language models, from the table `name_aliases.toml` and from the settings."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from arena.rules.name_patterns import key_of, parts_of

TABLE = Path(__file__).with_name("name_aliases.toml")


@dataclass(frozen=True)
class Family:
    """The names of one family; the table explains the keys."""

    family: str
    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    organisations: tuple[str, ...] = ()
    counted: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """The letters and digits of every name of a model of the family."""
        return frozenset(_key(name) for name in (self.family, *self.names, *self.words))


@cache
def shipped_families() -> tuple[Family, ...]:
    """The families of the shipped table."""
    rows = tomllib.loads(TABLE.read_text(encoding="utf-8"))["families"]
    return tuple(map(_family, rows))


def extended(families: Iterable[Family], additions: Sequence[Family]) -> tuple[Family, ...]:
    """`families`, with the names of `additions` added to the family of the same name or as new families."""
    table = {family.family.casefold(): family for family in families}
    for more in additions:
        key = more.family.casefold()
        old = table.get(key, Family(more.family))
        table[key] = Family(
            old.family,
            (*old.names, *more.names),
            (*old.words, *more.words),
            (*old.organisations, *more.organisations),
            old.counted or more.counted,
        )
    return tuple(table.values())


def served_families(names: Iterable[str], families: Iterable[Family]) -> tuple[Family, ...]:
    """The families that one of the names belongs to: `org/TinyLlama-1.1B` is a Llama."""
    keys = {_key(name) for name in names} | {_key(part) for name in names for part in _words(name)}
    whole = "".join(_key(name) + "\n" for name in names)
    return tuple(family for family in families if any(_belongs(key, keys, whole) for key in family.keys))


def _belongs(key: str, keys: set[str], whole: str) -> bool:
    return key in keys or (len(key) >= 5 and key in whole)


def _words(name: str) -> list[str]:
    """The words of a model's name without their versions: gemma, 3, 270m, it; SmolLM2 gives SmolLM and SmolLM2."""
    words = [word for word in name.replace("/", "-").replace("_", "-").replace(" ", "-").split("-") if word]
    return [*words, *(word.rstrip("0123456789.") for word in words if word.rstrip("0123456789."))]


def _key(name: str) -> str:
    return key_of("".join(parts_of(name)))


def _family(row: Mapping[str, Any]) -> Family:
    names, words, organisations = (tuple(row.get(key, ())) for key in ("names", "words", "organisations"))
    return Family(row["family"], names, words, organisations, row.get("counted", False))
