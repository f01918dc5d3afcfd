"""Detection of the language of a prompt by its script, and for Latin script by common words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# The first word of a letter's Unicode name is its script. Hiragana has priority over ideographs.
SCRIPTS = {
    "CJK": "chinese",
    "HIRAGANA": "japanese",
    "KATAKANA": "japanese",
    "HANGUL": "korean",
    "CYRILLIC": "russian",
    "ARABIC": "arabic",
    "HEBREW": "hebrew",
    "GREEK": "greek",
    "DEVANAGARI": "hindi",
    "THAI": "thai",
}

# Words that are frequent in the language and rare in the others.
WORDS = {
    "english": "the of and to in is that it for you with on what how are this can do write why my not from if have",
    "german": "der die das und ist nicht ein eine zu mit für auf wie ich du sie auch dem den wird kann schreibe",
    "french": "le la les et est une des pour dans que qui pas vous je il elle sur avec du ce écris comment",
    "spanish": "el los las es una por para con que del como más qué escribe cómo lo cuál tres mi está pero",
    "portuguese": "os é um uma não para com que do da em por mais como escreva você seu ao são isso",
    "italian": "il lo gli è una non per con che di come più della scrivi un sono nel perché del questo",
}
_WORDS = {language: frozenset(words.split()) for language, words in WORDS.items()}
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_LATIN = "latin"
SHARE = 0.3  # of the letters: a Chinese prompt can contain many English names


def language(text: str) -> str | None:
    """The language of a text, or None for a text without letters.

    Counts the letters of each script; a script other than Latin needs 30 % of them. For Latin letters it is the
    language with most common words in the text, and English where there are none.
    """
    letters = Counter(_script(letter) for letter in text if letter.isalpha())
    total = letters.total()
    if not total:
        return None
    if letters["japanese"] and letters["japanese"] + letters["chinese"] >= SHARE * total:
        return "japanese"
    scripts = [name for name, count in letters.most_common() if name != _LATIN and count >= SHARE * total]
    if scripts:
        return scripts[0] or None
    return _latin(text)


def _script(letter: str) -> str:
    if letter.isascii():
        return _LATIN
    first = unicodedata.name(letter, "").partition(" ")[0]
    return SCRIPTS.get(first, _LATIN if first in ("LATIN", "FEMININE", "MASCULINE", "MICRO") else "")


def _latin(text: str) -> str:
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    hits = {name: sum(word in common for word in words) for name, common in _WORDS.items()}
    best = max(hits, key=lambda name: (hits[name], name == "english"))
    return best if hits[best] else "english"
