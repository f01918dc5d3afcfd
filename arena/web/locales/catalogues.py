"""Catalogues of messages: one folder a language, read once. English is in the sources and needs none."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from gettext import NullTranslations
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

FOLDER = Path(__file__).parent
FILE = Path("LC_MESSAGES") / "arena.po"


@dataclass(frozen=True)
class Language:
    """A language of the pages. `texts` are its translations; `scripts` those that each JavaScript file uses."""

    locale: Locale
    texts: NullTranslations
    scripts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

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


def _of_scripts(catalogue: Catalog) -> dict[str, dict[str, str]]:
    """The translations by the JavaScript file that uses them."""
    scripts: dict[str, dict[str, str]] = {}
    for message in catalogue:
        for place, _ in message.locations:
            if message.id and place.endswith(".js") and message.string and not message.fuzzy:
                scripts.setdefault(Path(place).name, {})[str(message.id)] = str(message.string)
    return scripts
