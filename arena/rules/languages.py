"""The language of a prompt, told by its script, and among Latin scripts by its commonest words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# The first word of a letter's Unicode name tells its script; hiragana decides over the ideographs beside it.
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

# Words that a sentence of the language can hardly do without, and its neighbours have not.
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
SHARE = 0.3  # of the letters: a Chinese prompt may hold many English names, and remains one


def language(text: str) -> str | None:
    """The language, or None where there are no words to tell it by.

    Counts the letters of each script; a script other than Latin needs three tenths of them. Among Latin
    letters the language with most of its common words wins, and English where no word tells.
    """
    letters = Counter(_script(letter) for letter in text if letter.isalpha())
    total = letters.total()
    if not total:
        return None
    if letters["japanese"] and letters["japanese"] + letters["chinese"] >= SHARE * total:
        return "japanese"
    found = [name for name, count in letters.most_common() if name != _LATIN and count >= SHARE * total]
    if found:
        return found[0] or None
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
