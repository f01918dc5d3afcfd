"""The language of the current request: its texts, numbers and dates. Outside a request it is English.

A text is English in the source, with {named} values: `gettext("{model} has no votes.", model=name)`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from arena.rules.messages import Phrase, TranslatableError
from arena.web.locales.catalogues import ENGLISH, Language, languages


@dataclass
class Choice:
    """The language of a request, the address to switch from, and whether the reply depends on the language."""

    language: Language = ENGLISH
    path: str = "/"
    query: str = ""  # without the parameter of the language
    used: bool = False


_current: ContextVar[Choice | None] = ContextVar("language", default=None)


@contextmanager
def speaking(choice: Choice | Language) -> Iterator[None]:
    """Inside, texts are in this language."""
    token = _current.set(choice if isinstance(choice, Choice) else Choice(choice))
    try:
        yield
    finally:
        _current.reset(token)


def current_language() -> Language:
    """The language of the request; its reply then varies by language."""
    choice = _current.get()
    if choice is None:
        return ENGLISH
    choice.used = True
    return choice.language


def gettext(text: str, /, **values: Any) -> str:
    """The text in the current language with its {named} values, or a phrase with its own.

    It is `Markup` if a value is, and then the others are escaped.
    """
    if isinstance(text, Phrase):
        return gettext(text.template, **text.values)
    return _filled(current_language().texts.gettext(text) if text else "", values)


def ngettext(single: str, plural: str, number: int, /, **values: Any) -> str:
    """The form for a number in the current language. {count} is the number as the language writes it, unless given."""
    text = current_language().texts.ngettext(single, plural, number)
    return _filled(text, {"count": globals()["number"](number), **values})


def pgettext(context: str, text: str, /, **values: Any) -> str:
    """The text where the same English words have two meanings, such as "Battles" as a heading and over numbers."""
    return _filled(current_language().texts.pgettext(context, text), values)


def text_of(problem: Exception) -> str:
    """The text of an error in the current language."""
    return gettext(problem.text if isinstance(problem, TranslatableError) else str(problem))


def number(value: float, decimals: int = 0) -> str:
    """A number with the separators of the current language."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(value, format=pattern, locale=current_language().locale)


def day(value: date) -> str:
    """A date as the current language writes it: Nov 27, 2026 or 2026年11月27日."""
    return format_date(value, format="medium", locale=current_language().locale)


def language_links() -> list[tuple[Language, str, bool]]:
    """Every language with the address of this page in it, and whether it is the current one."""
    choice, mine = _current.get() or Choice(), current_language()
    start = f"{choice.path}?{choice.query}&lang=" if choice.query else f"{choice.path}?lang="
    return [(each, start + each.code, each is mine) for each in languages().values()]


def script_texts(*files: str) -> Markup:
    """The translations that these JavaScript files use, as an element that `texts.js` reads; nothing in English."""
    scripts = current_language().scripts
    texts = {key: text for file in files for key, text in scripts.get(file, {}).items()}
    if not texts:
        return Markup("")
    plain = json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c")
    return Markup('<script type="application/json" id="texts">{}</script>').format(Markup(plain))  # noqa: S704


def _filled(text: str, values: dict[str, Any]) -> str:
    shown = {name: gettext(value) if isinstance(value, Phrase) else value for name, value in values.items()}
    if any(hasattr(value, "__html__") for value in shown.values()):
        return escape(text).format(**shown)
    return text.format(**shown) if shown else text
