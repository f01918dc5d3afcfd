"""Texts for readers: English, with {named} values. The application that shows an explanation may translate them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from markupsafe import escape

Translate = Callable[[str], str]

_translate: ContextVar[Translate] = ContextVar("translate", default=str)


@contextmanager
def translated(translate: Translate) -> Iterator[None]:
    """Show texts as `translate` gives them for the English ones, with the same {named} values."""
    token = _translate.set(translate)
    try:
        yield
    finally:
        _translate.reset(token)


def gettext(text: str, /, **values: Any) -> str:
    """The text with its values; `Markup` if one of them is, and then the others are escaped.

    >>> gettext("layer {layer}, head {head}: {value:+.1f}", layer=1, head=2, value=0.25)
    'layer 1, head 2: +0.2'
    """
    shown = _translate.get()(text)
    if any(hasattr(value, "__html__") for value in values.values()):
        return escape(shown).format(**values)
    return shown.format(**values) if values else shown


def gettext_noop(text: str) -> str:
    """The text itself, marked for translation where it is defined; `gettext` translates it where it is shown."""
    return text
