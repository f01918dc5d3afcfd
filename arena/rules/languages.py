"""The language of a text: by its script where one language writes it, else by the shipped model of py3langid.

py3langid (Lui & Baldwin, ACL 2012; BSD) counts byte sequences, needs numpy alone, and takes a quarter of a millisecond.
Measured by reproduce/languages.py; the choice is docs/decisions/language-detection.md.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import cache
from importlib import import_module
from typing import Any

# Every language that a battle can have, with its code in ISO 639 and CLDR.
LANGUAGES = {
    "afrikaans": "af", "albanian": "sq", "amharic": "am", "arabic": "ar", "armenian": "hy", "azerbaijani": "az",
    "basque": "eu", "belarusian": "be", "bengali": "bn", "bosnian": "bs", "bulgarian": "bg", "burmese": "my",
    "catalan": "ca", "chinese": "zh", "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "estonian": "et", "filipino": "fil", "finnish": "fi", "french": "fr", "galician": "gl",
    "georgian": "ka", "german": "de", "greek": "el", "gujarati": "gu", "hebrew": "he", "hindi": "hi",
    "hungarian": "hu", "icelandic": "is", "indonesian": "id", "irish": "ga", "italian": "it", "japanese": "ja",
    "kannada": "kn", "kazakh": "kk", "khmer": "km", "korean": "ko", "kyrgyz": "ky", "lao": "lo", "latvian": "lv",
    "lithuanian": "lt", "macedonian": "mk", "malay": "ms", "malayalam": "ml", "marathi": "mr", "mongolian": "mn",
    "nepali": "ne", "norwegian": "no", "persian": "fa", "polish": "pl", "portuguese": "pt", "punjabi": "pa",
    "romanian": "ro", "russian": "ru", "serbian": "sr", "sinhala": "si", "slovak": "sk", "slovenian": "sl",
    "somali": "so", "spanish": "es", "swahili": "sw", "swedish": "sv", "tamil": "ta", "telugu": "te", "thai": "th",
    "turkish": "tr", "ukrainian": "uk", "urdu": "ur", "uzbek": "uz", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip
_NAMES = {code: name for name, code in LANGUAGES.items()} | {
    "tl": "filipino", "nn": "norwegian", "nb": "norwegian", "arz": "arabic", "ary": "arabic", "iw": "hebrew",
    "yue": "chinese", "wuu": "chinese", "cmn": "chinese", "hbo": "hebrew",
}  # fmt: skip
_OTHER_NAMES = {
    "farsi": "persian", "mandarin": "chinese", "tagalog": "filipino", "castilian": "spanish", "bokmal": "norwegian",
    "simplified chinese": "chinese", "traditional chinese": "chinese", "slovene": "slovenian", "flemish": "dutch",
    "brazilian portuguese": "portuguese", "norwegian bokmål": "norwegian",
}  # fmt: skip

# The first word of a letter's Unicode name is its script. Hiragana has priority over ideographs.
SCRIPTS = {
    "CJK": "chinese", "HIRAGANA": "japanese", "KATAKANA": "japanese", "HANGUL": "korean", "GREEK": "greek",
    "HEBREW": "hebrew", "THAI": "thai", "BENGALI": "bengali", "TAMIL": "tamil", "TELUGU": "telugu", "LAO": "lao",
    "GUJARATI": "gujarati", "GURMUKHI": "punjabi", "KANNADA": "kannada", "MALAYALAM": "malayalam", "KHMER": "khmer",
    "SINHALA": "sinhala", "MYANMAR": "burmese", "GEORGIAN": "georgian", "ARMENIAN": "armenian",
    "ETHIOPIC": "amharic", "CYRILLIC": "Cyrillic", "ARABIC": "Arabic", "DEVANAGARI": "Devanagari",
}  # fmt: skip
_LATIN = "Latin"
# The languages of a script that several share, the more likely in an arena in an earlier group. Those of a group weigh a
# third of the group before: short texts say little, and without weights "thanks" is Xhosa.
SHARED_SCRIPTS = {
    _LATIN: ("en", "de fr es pt it nl pl tr vi id cs sv ro hu", "da no fi sk hr ca ms az tl sq lt lv et sl sw uz",
             "nn bs sr af eu gl is ga cy so"),
    "Cyrillic": ("ru uk", "bg sr be kk", "mk ky mn"),
    "Arabic": ("ar fa", "ur arz ary", ""),
    "Devanagari": ("hi", "mr ne", ""),
}  # fmt: skip
GROUP = 3.0
SHARE = 0.3  # of the letters: a Chinese prompt can contain many English names
CERTAIN = 0.5  # of the weighted probability, below which frequent words decide
READ = 2_000  # characters that are read: enough, and a long text takes no longer

# Words that are frequent in the language and rare in the others; they decide where the model is not certain.
WORDS = {
    "english": "the of and to in is that it for you with on what how are this can do write why my not from if have "
    "hi hello hey thanks please explain who when where give tell make which there does did should would could was were "
    "has been or at by as an be solve describe find calculate translate summarize create help compare generate prove",
    "german": "der die das und ist nicht ein eine zu mit für auf wie ich du sie auch dem den wird kann schreibe",
    "french": "le la les et est une des pour dans que qui pas vous je il elle sur avec du ce écris comment bonjour",
    "spanish": "el los las es una por para con que del como más qué escribe cómo lo cuál tres mi está pero hola",
    "portuguese": "os é um uma não para com que do da em por mais como escreva você seu ao são isso olá",
    "italian": "il lo gli è una non per con che di come più della scrivi un sono nel perché del questo ciao",
}
_WORDS = {language: frozenset(words.split()) for language, words in WORDS.items()}
_LATIN_WORD = re.compile(r"[^\W\d_]+")
_NOT_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*+`|\bhttps?://\S++|<[^<>\n]*+>", re.DOTALL)


def language(text: str) -> str | None:
    """The language of a text in lower case, such as "german"; None for one without letters or in no known language.

    Counts the letters of each script; a script other than Latin needs 30 % of them. Code and addresses do not count
    where there is other text.
    """
    text = text[:READ]
    prose = _NOT_PROSE.sub(" ", text)
    return _of_prose(prose) if any(map(str.isalpha, prose)) else _of_prose(text)


def named_language(name: str) -> str | None:
    """The language that a data set means by a name or a code, such as "Spanish", "es", "pt-BR"; None for an unknown one."""
    plain = name.strip().lower().replace("_", "-")
    plain = _OTHER_NAMES.get(plain, plain)
    return plain if plain in LANGUAGES else _NAMES.get(plain.partition("-")[0])


@cache
def model() -> Any:
    """The language model of py3langid, loaded once in a second; None where it is not installed.

    Without it the frequent words decide, and languages that have none here are not recognised.
    """
    try:
        langid = import_module("py3langid.langid")
    except ModuleNotFoundError:
        return None
    identifier = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    identifier.set_languages(
        [code for groups in SHARED_SCRIPTS.values() for group in groups for code in group.split()]
    )
    return identifier


def _of_prose(text: str) -> str | None:
    letters = Counter(_script(letter) for letter in text if letter.isalpha())
    total = letters.total()
    if not total:
        return None
    if letters["japanese"] and letters["japanese"] + letters["chinese"] >= SHARE * total:
        return "japanese"
    scripts = [name for name, count in letters.most_common() if name != _LATIN and count >= SHARE * total]
    script = scripts[0] if scripts else _LATIN
    return _of_script(text, script) if script in SHARED_SCRIPTS else script or None


def _script(letter: str) -> str:
    if letter.isascii():
        return _LATIN
    first = unicodedata.name(letter, "").partition(" ")[0]
    return SCRIPTS.get(first, _LATIN if first in ("LATIN", "FEMININE", "MASCULINE", "MICRO") else "")


def _of_script(text: str, script: str) -> str | None:
    """The language of a text in a script that several share."""
    weights = {code: GROUP**-rank for rank, group in enumerate(SHARED_SCRIPTS[script]) for code in group.split()}
    scores: Counter[str] = Counter()
    if (identifier := model()) is not None:
        for code, probability in identifier.rank(text):
            if code in weights:
                scores[_NAMES[code]] += weights[code] * probability
    best, score = scores.most_common(1)[0] if scores else ("", 0.0)
    if score >= CERTAIN * scores.total() > 0:
        return best
    return _by_words(text) if script == _LATIN else best or _NAMES[SHARED_SCRIPTS[script][0].split()[0]]


def _by_words(text: str) -> str | None:
    words = [word.lower() for word in _LATIN_WORD.findall(text)]
    hits = {name: sum(word in common for word in words) for name, common in _WORDS.items()}
    best = max(hits, key=lambda name: (hits[name], name == "english"))
    return best if hits[best] else None
