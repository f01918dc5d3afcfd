"""English that a reader of another language would see: in templates, and in rendered pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment

SHOWN_ATTRIBUTES = ("alt", "aria-label", "aria-description", "placeholder", "title")
SILENT = ("script", "style", "code", "kbd", "svg", "math")
# elements without an end tag
VOID = ("br", "hr", "img", "input", "link", "meta", "source", "wbr")
VALUE = "\ufffc"  # stands for what a template computes
WORD = re.compile(r"[A-Za-z][a-z]+(?:'[a-z]+)?")
NAMES = ("Parquet",)  # the same in every language
MARKS = ("_", "gettext", "ngettext", "pgettext")


class _Texts(HTMLParser):
    """Calls `found(text)` for each text that a reader sees, or hears from a screen reader."""

    def __init__(self, found: Callable[[str], None], skip: Callable[[str, dict[str, str | None]], bool]) -> None:
        super().__init__(convert_charrefs=True)
        self.found, self.skip = found, skip
        self.skipping: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in VOID and self.skipping:
            return
        if self.skipping or tag in SILENT or self.skip(tag, given):
            if tag not in VOID:
                self.skipping.append(tag)
            return
        names = (*SHOWN_ATTRIBUTES, "content") if tag == "meta" and _is_text(given) else SHOWN_ATTRIBUTES
        for name in names:
            if given.get(name):
                self.found(given[name] or "")

    def handle_endtag(self, tag: str) -> None:
        if self.skipping and tag == self.skipping[-1]:
            self.skipping.pop()

    def handle_data(self, data: str) -> None:
        if not self.skipping and data.strip():
            self.found(" ".join(data.split()))


def _is_text(meta: dict[str, str | None]) -> bool:
    return (meta.get("property") or meta.get("name") or "").endswith(("title", "description", ":alt"))


def unwrapped(environment: Environment, path: Path) -> list[str]:
    """Texts of a template that no mark for translation surrounds: between tags, in attributes, in expressions."""
    found: list[str] = []
    html, strings = _parts(environment, path.read_text(encoding="utf-8"))
    parser = _Texts(lambda text: found.append(text) if WORD.search(text) and text not in NAMES else None, _never)
    parser.feed(html)
    parser.close()
    return found + [text for text in strings if _is_sentence(text)]


def _never(_tag: str, _attributes: dict[str, str | None]) -> bool:
    return False


def _is_sentence(text: str) -> bool:
    """Whether a string of an expression is for readers: it starts with a capital letter, or has three words."""
    plain = re.sub(r"<[^>]*>|%[A-Za-z]", "", text)
    return bool(WORD.search(plain)) and (plain[:1].isupper() or len(plain.split()) > 2)


def _parts(environment: Environment, source: str) -> tuple[str, list[str]]:
    """The template's HTML without blocks of `{% trans %}`, and the strings of its expressions that have no mark."""
    html: list[str] = []
    strings: list[str] = []
    translated = False
    marked = 0  # depth of brackets inside a call of a mark
    before: list[str] = []  # the last two tokens of the tag
    for _line, kind, value in environment.lex(source):
        if kind == "data":
            html += [] if translated else [value]
        elif kind in ("variable_begin", "block_begin"):
            html += [VALUE] if kind == "variable_begin" and not translated else []
            before = [kind]
        elif kind == "name" and before[-1:] == ["block_begin"]:
            translated = value == "trans" or (translated and value != "endtrans")
            before.append(value)
        elif kind == "string":
            strings += [] if marked else [value[1:-1]]
        elif kind == "operator" and value == "(":
            marked += 1 if marked or before[-1:] in [[mark] for mark in MARKS] else 0
            before.append(value)
        elif kind == "operator" and value == ")":
            marked -= 1 if marked else 0
            before.append(value)
        elif kind not in ("whitespace", "comment"):
            before.append(value)
    return "".join(html), strings


def english(page: str, known: set[str]) -> Iterator[str]:
    """Texts of a rendered page with English words that are not `known`: names, units, terms.

    What voters and models wrote is skipped: it has `dir="auto"`, stands in `pre`, `blockquote` or `bdi`, or is marked
    `translate="no"`.
    """
    found: list[str] = []

    def skip(tag: str, attributes: dict[str, str | None]) -> bool:
        own = attributes.get("dir") == "auto" or attributes.get("translate") == "no"
        return own or tag in ("pre", "blockquote", "bdi") or attributes.get("lang") == "en"

    parser = _Texts(found.append, skip)
    parser.feed(page)
    parser.close()
    names = sorted((name for name in known if not WORD.fullmatch(name)), key=len, reverse=True)
    for text in found:
        plain = text
        for name in names:
            plain = plain.replace(name, "")
        words = [word for word in WORD.findall(plain) if word not in known and len(word) > 1]
        if words:
            yield text
