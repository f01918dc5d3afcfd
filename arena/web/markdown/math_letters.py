"""Letters of mathematical alphabets: browsers draw `mathvariant` no more, but they draw these characters."""

from __future__ import annotations

import unicodedata
from functools import cache

VARIANTS = {
    "bold": "BOLD", "italic": "ITALIC", "bold-italic": "BOLD ITALIC", "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT", "bold-script": "BOLD SCRIPT", "fraktur": "FRAKTUR", "bold-fraktur": "BOLD FRAKTUR",
    "sans-serif": "SANS-SERIF", "bold-sans-serif": "SANS-SERIF BOLD", "sans-serif-italic": "SANS-SERIF ITALIC",
    "sans-serif-bold-italic": "SANS-SERIF BOLD ITALIC", "monospace": "MONOSPACE",
}  # fmt: skip
# Letters that Unicode had before it had these alphabets.
OLDER = {"DOUBLE-STRUCK": "DOUBLE-STRUCK", "SCRIPT": "SCRIPT", "FRAKTUR": "BLACK-LETTER"}


def in_alphabet(text: str, variant: str) -> str:
    """The text in a mathematical alphabet, and its characters that have no form there as they are.

    >>> in_alphabet("Rx+1", "double-struck"), in_alphabet("Bh", "script")
    ('ℝ𝕩+𝟙', 'ℬ𝒽')
    """
    return "".join(_letter(char, VARIANTS[variant]) for char in text) if variant in VARIANTS else text


@cache
def _letter(char: str, alphabet: str) -> str:
    if not char.isascii() or not char.isalnum():
        return char
    name = unicodedata.name(char).removeprefix("LATIN ").replace(" LETTER ", " ")
    if char == "h" and alphabet == "ITALIC":
        return "ℎ"
    for prefix in (f"MATHEMATICAL {alphabet}", OLDER.get(alphabet, "")):
        try:
            return unicodedata.lookup(f"{prefix} {name}")
        except KeyError:
            continue
    return char
