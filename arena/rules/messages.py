"""Texts of the lower rooms that a page shows in the reader's language: English here, translated in `arena.web.locales`."""

from __future__ import annotations

from collections.abc import Mapping


def gettext_noop(text: str) -> str:
    """The text itself, marked for the catalogues where it is defined; `gettext` translates it where it is shown."""
    return text


class Phrase(str):
    """English text from a template with {named} values, which may be phrases themselves.

    >>> Phrase("at most {count:,} turns", count=1000)
    'at most 1,000 turns'
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Phrase:
        phrase = super().__new__(cls, template.format(**values) if values else template)
        phrase.template, phrase.values = template, values
        return phrase


class TranslatableError(Exception):
    """An error whose text a page can translate: an English template with {named} values, or a phrase."""

    def __init__(self, text: str, /, **values: object) -> None:
        self.text = text if isinstance(text, Phrase) else Phrase(text, **values)
        super().__init__(self.text)

    def __str__(self) -> str:
        return str(self.text)
