"""Names that a page shows for the keys of the data: categories, sources of votes, dimensions of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from arena.messages import gettext_noop
from arena.rules.languages import SCRIPTS, WORDS
from arena.rules.tagger_prompt import SUFFIX
from arena.rules.votes import HUMAN, JUDGE, JUDGES, OVERALL
from arena.web.locales import current_language
from arena.web.locales import gettext as _

CATEGORIES = {
    OVERALL: gettext_noop("Overall"),
    "code": gettext_noop("Code"),
    "math": gettext_noop("Math"),
    "creative writing": gettext_noop("Creative writing"),
    "instruction following": gettext_noop("Instruction following"),
    "hard": gettext_noop("Hard"),
    "long": gettext_noop("Long"),
    "multi-turn": gettext_noop("Multi-turn"),
    "images": gettext_noop("With images"),
    "tagged": gettext_noop("Tagged"),
}
SOURCES = {
    HUMAN: gettext_noop("People"),
    JUDGES: gettext_noop("Judges"),
    "both": gettext_noop("People and judges"),
    "all": gettext_noop("All votes"),
}
DIMENSIONS = {
    "bias": gettext_noop("Bias"),
    "code": gettext_noop("Code"),
    "instruction following": gettext_noop("Instruction following"),
    "knowledge": gettext_noop("Knowledge"),
    "language modelling": gettext_noop("Language modelling"),
    "reasoning": gettext_noop("Reasoning"),
    "robustness": gettext_noop("Robustness"),
    "safety": gettext_noop("Safety"),
    "values": gettext_noop("Values"),
}
STATUSES = {
    "scored": gettext_noop("scored"),
    "unparsed": gettext_noop("unparsed"),
    "failed": gettext_noop("failed"),
}
CAUSES = {
    "new votes": gettext_noop("new votes"),
    "new opponents": gettext_noop("new opponents"),
    "filters": gettext_noop("filters"),
    "style": gettext_noop("style"),
}
STYLE = {
    "length": gettext_noop("Length"),
    "headers": gettext_noop("Headings"),
    "lists": gettext_noop("Lists"),
    "bold": gettext_noop("Bold"),
}
_SPOKEN = {  # languages of prompts -> codes of CLDR, which has their names in every language
    "arabic": "ar", "chinese": "zh", "english": "en", "french": "fr", "german": "de", "greek": "el", "hebrew": "he",
    "hindi": "hi", "italian": "it", "japanese": "ja", "korean": "ko", "portuguese": "pt", "russian": "ru",
    "spanish": "es", "thai": "th",
}  # fmt: skip
assert _SPOKEN.keys() == {*SCRIPTS.values(), *WORDS}


def category_name(key: str) -> str:
    """The name of a category of battles; a category of an import keeps its own.

    >>> category_name("creative writing"), category_name("german"), category_name("code (llm)"), category_name("x-1")
    ('Creative writing', 'German', 'Code (llm)', 'X-1')
    """
    plain, suffix = (key.removesuffix(SUFFIX), SUFFIX) if key.endswith(SUFFIX) else (key, "")
    if plain in _SPOKEN:
        return str(current_language().locale.languages[_SPOKEN[plain]]) + suffix
    return _name(CATEGORIES, plain) + suffix


def source_name(key: str) -> str:
    """The name of a source of votes, such as People or Judge north."""
    if key.startswith(JUDGE):
        return _("Judge {name}", name=key.removeprefix(JUDGE))
    return _(SOURCES[key]) if key in SOURCES else key


def dimension_name(key: str) -> str:
    """The name of a dimension of benchmarks; that of a user's own task is as the user wrote it."""
    return _name(DIMENSIONS, key)


def cause_name(key: str) -> str:
    """The name of a cause of a rating change."""
    return _(CAUSES.get(key, key))


def style_name(key: str) -> str:
    """The name of a feature of style."""
    return _(STYLE.get(key, key))


def status_name(key: str) -> str:
    """The name of the status of a sample."""
    return _(STATUSES.get(key, key))


def _name(names: Mapping[str, str], key: str) -> str:
    return _(names[key]) if key in names else key[:1].upper() + key[1:]
