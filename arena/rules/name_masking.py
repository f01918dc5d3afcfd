"""Hide a model's own name while the battle is blind.

A completion such as “I am SmolLM” would give its writer away. While it streams, the names of all served models
are replaced; after the vote the text is shown as it was written. Whole words only: “coherent” does not name
Cohere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "▇▇▇▇"
SHORTEST = 3  # a shorter name would mask ordinary words
# Markdown emphasis and characters without width can stand inside a word and do not show.
INVISIBLE = "*_`~\u00ad\u200b\u200c\u200d\u2060\ufeff"
WITHIN = f"[{INVISIBLE}]*"
BETWEEN = f"[-_ .:/{INVISIBLE}]*"  # Gemma3, Gemma-3, Gemma 3
VERSION = rf"(?:{BETWEEN}\d+(?:\.\d+)*[bBmMkK]?)*"  # what follows a family's name tells as much
CHUNK = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]+")
BEFORE, AFTER = rf"(?<![^\W_]){WITHIN}", r"(?![^\W_])"


class NameMasker:
    """Masks the given names, and what could be the beginning of one at the end of a growing text."""

    def __init__(self, names: Iterable[str]) -> None:
        words = {name.strip() for name in names if len(_plain(name)) >= SHORTEST}
        ordered = sorted(words, key=lambda name: (-len(name), name))
        self._plain = {_plain(name) for name in words}
        self._longest = max(map(len, self._plain), default=0)
        alternatives = "|".join(map(_loose, ordered))
        pattern = rf"{BEFORE}(?:{alternatives}){VERSION}{WITHIN}{AFTER}"
        self._pattern = re.compile(pattern, re.IGNORECASE) if words else None

    def names_a_model(self, text: str) -> bool:
        return bool(self._pattern and self._pattern.search(text))

    def hide(self, text: str, whole: bool = True) -> str:
        """`text` with the names masked. Unless it is `whole`, a tail that may become a name is held back."""
        if self._pattern is None:
            return text
        if not whole:
            text = text[: len(text) - self._possible_name_at_end(text)]
        return self._pattern.sub(MASK, text)

    def _possible_name_at_end(self, text: str) -> int:
        """Length of the longest tail, from the beginning of a word, that begins one of the names."""
        found = 0
        for size in range(1, min(len(text), 3 * self._longest) + 1):
            before = text[-size - 1 : -size] if size < len(text) else ""
            tail = _plain(text[-size:])
            if len(tail) > self._longest:
                break
            if tail and not before.isalnum() and any(name.startswith(tail) for name in self._plain):
                found = size
        return found


def names_of(model: str, aliases: Iterable[str] = ()) -> set[str]:
    """What would give a model away: its name, the last part of a path, its family, its aliases.

    >>> sorted(names_of("org/SmolLM2-135M-Instruct"))
    ['SmolLM', 'SmolLM2-135M-Instruct', 'org/SmolLM2-135M-Instruct']
    """
    last = model.rsplit("/", 1)[-1]
    family = re.split(r"[-_: .\d]", last, maxsplit=1)[0]
    return {model, last, family, *aliases}


def _loose(name: str) -> str:
    """A name however its parts are joined or decorated: `DeepMind` is also `Deep Mind` and `Deep**Mind**`."""
    return BETWEEN.join(WITHIN.join(map(re.escape, chunk)) for chunk in CHUNK.findall(name))


def _plain(text: str) -> str:
    """Letters and digits alone."""
    return "".join(character for character in text.casefold() if character.isalnum())
