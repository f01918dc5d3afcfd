"""Masking of model names while a battle is blind.

A completion such as “I am SmolLM” would identify its model. Until the vote, the names of all served models are
replaced; after the vote the original text is shown. Only whole words are masked: “coherent” does not name Cohere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "▇▇▇▇"
SHORTEST = 3  # a shorter name would mask ordinary words
# Markdown emphasis and zero-width characters inside a word are not visible.
INVISIBLE = "*_`~\u00ad\u200b\u200c\u200d\u2060\ufeff"
WITHIN = f"[{INVISIBLE}]*"
BETWEEN = f"[-_ .:/{INVISIBLE}]*"  # Gemma3, Gemma-3, Gemma 3
VERSION = rf"(?:{BETWEEN}\d+(?:\.\d+)*[bBmMkK]?)*"  # the version after the name of a family
CHUNK = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
BEFORE, AFTER = rf"(?<![^\W_]){WITHIN}", r"(?![^\W_])"


class NameMasker:
    """Masks the given names, and holds back a possible beginning of one at the end of a growing text."""

    def __init__(self, names: Iterable[str]) -> None:
        words = {name.strip() for name in names if len(_plain(name)) >= SHORTEST}
        ordered = sorted(words, key=lambda name: (-len(name), name))
        self._plain = {_plain(name) for name in words}
        self._longest = max(map(len, self._plain), default=0)
        alternatives = "|".join(map(_loose, ordered))
        pattern = rf"{BEFORE}(?:{alternatives}){VERSION}{WITHIN}{AFTER}"
        self._pattern = re.compile(pattern, re.IGNORECASE) if words else None

    def names_a_model(self, text: str) -> bool:
        """Whether the text contains one of the names."""
        return bool(self._pattern and self._pattern.search(text))

    def hide(self, text: str, whole: bool = True) -> str:
        """`text` with the names masked. Unless it is `whole`, a tail that may become a name is held back."""
        if self._pattern is None:
            return text
        if not whole:
            text = text[: len(text) - self._possible_name_at_end(text)]
        return self._pattern.sub(MASK, text)

    def _possible_name_at_end(self, text: str) -> int:
        """Length of the longest tail that starts at a word and is a prefix of a name."""
        longest = 0
        for size in range(1, min(len(text), 3 * self._longest) + 1):
            before = text[-size - 1 : -size] if size < len(text) else ""
            tail = _plain(text[-size:])
            if len(tail) > self._longest:
                break
            if tail and not before.isalnum() and any(name.startswith(tail) for name in self._plain):
                longest = size
        return longest


def names_of(model: str, aliases: Iterable[str] = ()) -> set[str]:
    """The names that identify a model: its name, the last part of a path, its family, its aliases.

    >>> sorted(names_of("org/SmolLM2-135M-Instruct"))
    ['SmolLM', 'SmolLM2-135M-Instruct', 'org/SmolLM2-135M-Instruct']
    """
    last = model.rsplit("/", 1)[-1]
    family = re.split(r"[-_: .\d]", last, maxsplit=1)[0]
    return {model, last, family, *aliases}


def _loose(name: str) -> str:
    """A pattern for a name with any separators or emphasis: `DeepMind` is also `Deep Mind` and `Deep**Mind**`."""
    return BETWEEN.join(WITHIN.join(map(re.escape, chunk)) for chunk in CHUNK.findall(name))


def _plain(text: str) -> str:
    """The letters and digits of a text, in lower case."""
    return "".join(character for character in text.casefold() if character.isalnum())
