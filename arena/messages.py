"""Texts of the lower rooms that a page shows in the reader's language: English here, translated in `arena.web.locales`."""

from __future__ import annotations

from typing import Any


def gettext_noop(text: str) -> str:
    """The text itself, marked for the catalogues where it is defined; `gettext` translates it where it is shown."""
    return text


def filled(text: str, values: dict[str, Any]) -> str:
    """The text with its {named} values. A text without values may hold braces."""
    return text.format(**values) if values else text


class TranslatableError(Exception):
    """An error whose text a page can translate: an English `template` with {named} `values`; `str()` is the English."""

    def __init__(self, text: str, **values: Any) -> None:
        super().__init__(filled(text, values))
        self.template, self.values = text, values
