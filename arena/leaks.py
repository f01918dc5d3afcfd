"""Hide a model's own name while the battle is blind.

A completion such as “I am SmolLM” would give its writer away. While it streams, the names of the two models
in the battle are replaced; after the vote the text is shown as it was written. Whole words only: “coherent”
does not name Cohere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "▇▇▇▇"
SHORTEST = 3  # a shorter name would mask ordinary words


class Blindfold:
    """Masks the given names, and what could be the beginning of one at the end of a growing text."""

    def __init__(self, names: Iterable[str]) -> None:
        words = {name.strip() for name in names if len(name.strip()) >= SHORTEST}
        self._names = sorted(words, key=len, reverse=True)
        self._pattern = (
            re.compile(r"(?<![^\W_])(?:" + "|".join(map(_loose, self._names)) + r")(?![^\W_])", re.IGNORECASE)
            if self._names
            else None
        )

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
        """Length of the longest tail that begins one of the names."""
        longest = max(len(name) for name in self._names)
        tail = _plain(text[-longest:])
        for size in range(len(tail), 0, -1):
            if any(_plain(name).startswith(tail[-size:]) for name in self._names):
                return size
        return 0


def names_of(model: str, aliases: Iterable[str] = ()) -> set[str]:
    """What would give a model away: its name, the parts of a path, the name without its size, its aliases.

    >>> sorted(names_of("org/SmolLM2-135M-Instruct"))
    ['SmolLM2', 'SmolLM2-135M-Instruct', 'org/SmolLM2-135M-Instruct']
    """
    last = model.rsplit("/", 1)[-1]
    family = re.split(r"[-_: ]", last, maxsplit=1)[0]
    return {model, last, family, *aliases}


def _loose(name: str) -> str:
    """A name however its words are joined: `gemma-3` is also `Gemma 3`."""
    return r"[-_ ]?".join(re.escape(part) for part in re.split(r"[-_ ]", name) if part)


def _plain(text: str) -> str:
    return re.sub(r"[-_]", " ", text).casefold()
