"""Catalogues of messages: one folder a language, read once. English is in the sources and needs none."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from gettext import NullTranslations, c2py
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent
FILE = Path("LC_MESSAGES") / "arena.po"
MOST_COUNTED = 1000  # every category of every language has a whole number below it, save millions of French


@dataclass(frozen=True)
class Language:
    """A language of the pages. `texts` are its translations; `scripts` those that each JavaScript file uses."""

    locale: Locale
    texts: NullTranslations
    scripts: Mapping[str, Mapping[str, str | Mapping[str, str]]] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The language tag of BCP 47, as `lang` of HTML and headers of HTTP have it.

        >>> ENGLISH.code
        'en'
        """
        return str(self.locale).replace("_", "-")

    @property
    def name(self) -> str:
        """Its name in the language itself."""
        name = self.locale.get_language_name(self.locale) or self.code
        return name[:1].upper() + name[1:]

    @property
    def direction(self) -> str:
        return str(self.locale.text_direction)


ENGLISH = Language(Locale("en"), NullTranslations())


def read_catalogue(name: str) -> Catalog:
    """The catalogue of a folder."""
    with (FOLDER / name / FILE).open("rb") as file:
        return read_po(file, locale=name, domain="arena")


@cache
def languages() -> Mapping[str, Language]:
    """Every language by its code, English first."""
    names = sorted(path.name for path in FOLDER.iterdir() if (path / FILE).is_file())
    found = [ENGLISH, *map(_language, names)]
    return {language.code: language for language in found}


def _language(name: str) -> Language:
    catalogue = read_catalogue(name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Language(Locale.parse(name), Translations(compiled, domain="arena"), _of_scripts(catalogue))


def _of_scripts(catalogue: Catalog) -> dict[str, dict[str, str | Mapping[str, str]]]:
    """The translations by the JavaScript file that uses them; a plural has a form for each category of the language."""
    scripts: dict[str, dict[str, str | Mapping[str, str]]] = {}
    for message in catalogue:
        for place, _ in message.locations:
            if message.id and place.endswith(".js") and message.string and not message.fuzzy:
                texts = scripts.setdefault(Path(place).name, {})
                if message.pluralizable:
                    texts[message.id[0]] = _by_category(catalogue, message.string)
                else:
                    texts[str(message.id)] = str(message.string)
    return scripts


def _by_category(catalogue: Catalog, forms: Sequence[str]) -> dict[str, str]:
    """The forms of a plural by the category of CLDR, as `Intl.PluralRules` of a browser names it.

    The catalogue numbers its forms by a formula; each category is looked up with a number that belongs to it.
    """
    place = c2py(catalogue.plural_expr)
    rule = Locale.parse(str(catalogue.locale)).plural_form
    return {rule(number): forms[place(number)] for number in reversed(range(MOST_COUNTED))}
