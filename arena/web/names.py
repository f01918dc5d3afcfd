"""Names that a page shows for the keys of the data: categories, sources of votes, dimensions of benchmarks."""

from __future__ import annotations

from collections.abc import Mapping

from arena.rules.languages import LANGUAGES
from arena.rules.messages import gettext_noop
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
TOPICS = {  # of suggested prompts
    "writing": gettext_noop("Writing"),
    "coding": gettext_noop("Coding"),
    "maths": gettext_noop("Mathematics"),
    "explaining": gettext_noop("Explaining"),
    "planning": gettext_noop("Planning"),
    "languages": gettext_noop("Languages"),
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
BATTLE_STATUSES = {
    "running": gettext_noop("running"),
    "open": gettext_noop("open"),
    "voted": gettext_noop("voted"),
    "failed": gettext_noop("failed"),
    "abandoned": gettext_noop("abandoned"),
    "judged": gettext_noop("judged"),
    "finished": gettext_noop("finished"),
    "stopped": gettext_noop("stopped"),
}
VOTE_STATES = {
    "accepted": gettext_noop("accepted"),
    "pending": gettext_noop("pending"),
    "quarantined": gettext_noop("quarantined"),
    "released": gettext_noop("released"),
}
WINNERS = {
    "model_a": gettext_noop("model A"),
    "model_b": gettext_noop("model B"),
    "tie": gettext_noop("a tie"),
    "both_bad": gettext_noop("both bad"),
}
STYLE = {
    "length": gettext_noop("Length"),
    "headers": gettext_noop("Headings"),
    "lists": gettext_noop("Lists"),
    "bold": gettext_noop("Bold"),
}


def category_name(key: str) -> str:
    """The name of a category of battles; a category of an import keeps its own.

    >>> category_name("creative writing"), category_name("german"), category_name("code (llm)"), category_name("x-1")
    ('Creative writing', 'German', 'Code (llm)', 'X-1')
    """
    plain, suffix = (key.removesuffix(SUFFIX), SUFFIX) if key.endswith(SUFFIX) else (key, "")
    if plain in LANGUAGES:  # CLDR has their names in every language
        return str(current_language().locale.languages[LANGUAGES[plain]]) + suffix
    return _name(CATEGORIES, plain) + suffix


def topic_name(key: str) -> str:
    """The name of a topic of suggested prompts."""
    return _name(TOPICS, key)


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


def battle_status_name(key: str) -> str:
    """The name of the status of a battle or a completion."""
    return _(BATTLE_STATUSES.get(key, key))


def vote_state_name(key: str) -> str:
    """The name of the state of a vote."""
    return _(VOTE_STATES.get(key, key))


def winner_name(key: str) -> str:
    """The result of a vote in words, without the names of models."""
    return _(WINNERS.get(key, key))
