"""The texts of the sources, and catalogues that have an entry for each.

The entries are sorted and the files have neither dates nor line numbers, so that two changes rarely meet.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from arena.web.locales.catalogues import FILE, FOLDER, read_catalogue

ROOT = Path(__file__).parents[3]  # of the packages
PACKAGES = ("arena", "interp")  # explanations are shown in the language of the page
METHODS = [
    ("web/static/vendor/**", "ignore"),
    ("*/templates/**.*", "jinja2"),
    ("web/static/**.js", "javascript"),
    ("**.py", "python"),
]
OPTIONS: dict[str, dict[str, Any]] = {
    "*/templates/**.*": {"trimmed": "true", "silent": "false"},
    "web/static/**.js": {"jsx": False, "parse_template_string": True},
}
# classes whose first argument is a text for readers
TEXTS = (
    "AccountRefused",
    "AppealRefused",
    "BattleRefused",
    "Busy",
    "ChangeRefused",
    "CodeRefused",
    "DeletionRefused",
    "ExplanationRefused",
    "ImageRejected",
    "JobRefused",
    "JudgeFailed",
    "LoginRefused",
    "NoSuchBoard",
    "NoSuchDay",
    "NotHideable",
    "NotTheStarter",
    "PasswordRefused",
    "Phrase",
    "PromptRejected",
    "PromptsRefused",
    "ProviderFailed",
    "ReviewRefused",
    "RulesRefused",
    "SignInRefused",
    "TextsRefused",
    "TranslatableError",
    "VoteRefused",
    "VotesRefused",
)
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "gettext_noop": None,
    "pgettext": ((1, "c"), 2),
    "t": None,  # JavaScript
    "tn": (1, 2),
    **dict.fromkeys(TEXTS, (1,)),
}


def extracted() -> Catalog:
    """Every text of the sources with the files that hold it."""
    texts = Catalog()
    for place, message, comments, context in _found():
        if any(message if isinstance(message, tuple) else (message,)):
            texts.add(message, locations=[(place, 0)], auto_comments=comments, context=context)
    return texts


def _found() -> Iterator[tuple[str, str | tuple[str, ...], list[str], str | None]]:
    for package in PACKAGES:
        found = extract_from_dir(
            ROOT / package, METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("NOTE:",), directory_filter=None
        )
        for place, _line, message, comments, context in found:
            yield f"{package}/{Path(place).as_posix()}", message, comments, context


def updated(name: str, texts: Catalog) -> bytes:
    """The catalogue of a language with an entry for each text: translations stay, texts that are gone do not."""
    is_new = not (FOLDER / name / FILE).exists()
    catalogue = Catalog(locale=name) if is_new else read_catalogue(name)
    catalogue.update(texts, no_fuzzy_matching=True)
    for message in catalogue:
        message.locations = sorted(set(message.locations))
        message.flags.discard("fuzzy")  # nothing was matched fuzzily; Babel flags every new plural
    file = io.BytesIO()
    write_po(
        file, catalogue, width=115, omit_header=True, sort_output=True, ignore_obsolete=True, include_lineno=False
    )
    return _header(name, catalogue).encode() + file.getvalue()


def write(name: str, texts: Catalog) -> None:
    """Update the file of a language, or create it. Raises `ValueError` for an unknown language."""
    Locale.parse(name)
    path = FOLDER / name / FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(updated(name, texts))


def _header(name: str, catalogue: Catalog) -> str:
    """The header without dates. An entry that is still empty falls back to English."""
    fields = {
        "Project-Id-Version": "arena",
        "Language": name,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": catalogue.plural_forms,
    }
    lines = "".join(f'"{key}: {value}\\n"\n' for key, value in fields.items())
    return f'msgid ""\nmsgstr ""\n{lines}\n'
