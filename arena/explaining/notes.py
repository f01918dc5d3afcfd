"""Notes of this application in an explanation, and any stored note as a phrase that a page translates."""

from __future__ import annotations

from functools import lru_cache

from arena.rules.messages import Phrase, gettext_noop
from interp import NOTES, template_of

NO_LETTER = gettext_noop(
    "A and B together have a probability of {mass} as the judge's next token: it is likely to write something else than "
    "a letter"
)
OTHER_AUTHOR = gettext_noop("{author} wrote this answer; its probability is that of {judge}")
UNSIGNED = gettext_noop("this method has no sign: it shows where the judge looked, not which side it preferred")


@lru_cache(maxsize=1000)
def phrase_of(text: str) -> str:
    """The phrase that a stored note was made from; any other text as it is.

    >>> phrase_of("north wrote this answer; its probability is that of south").values["judge"]
    'south'
    """
    found = template_of(text, (*NOTES, NO_LETTER, OTHER_AUTHOR, UNSIGNED))
    return Phrase(found[0], **found[1]) if found else text
