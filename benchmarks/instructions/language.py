"""The language of a text, by the library `langdetect`, which the official checker uses too."""

from __future__ import annotations

from benchmarks.errors import MissingExtra
from benchmarks.instructions.relation import Arguments, argument, holds
from benchmarks.instructions.sentences import words

SEED = 0  # langdetect draws; without a seed a short text changes its language from call to call


def detected(text: str) -> str | None:
    """ISO 639-1 code (`zh-cn`, `zh-tw`), or None for a text without a feature of any language."""
    try:
        from langdetect import DetectorFactory, LangDetectException, detect
    except ImportError as error:
        raise MissingExtra('IFEval needs langdetect. Install it: pip install "arena[bench]".') from error
    DetectorFactory.seed = SEED
    try:
        return str(detect(text))
    except LangDetectException:
        return None


def _is(text: str, language: str) -> bool:
    """As officially, a text without features passes."""
    return detected(text) in (language, None)


def response_language(text: str, arguments: Arguments) -> bool:
    return _is(text, str(argument(arguments, "language")))


def english_capital(text: str, _: Arguments) -> bool:
    """English, and no small letter in it."""
    return text.isupper() and _is(text, "en")


def english_lowercase(text: str, _: Arguments) -> bool:
    """English, and no capital in it."""
    return text.islower() and _is(text, "en")


def capital_word_frequency(text: str, arguments: Arguments) -> bool:
    """Whether at least, or less than, N words are all in capitals; `A` and `I` are such words."""
    count = sum(word.isupper() for word in words(text))
    return holds(count, arguments, "capital_relation", "capital_frequency")
