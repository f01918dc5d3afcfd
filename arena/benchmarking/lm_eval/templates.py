"""Jinja2 templates of a task file, rendered in a sandbox with the columns of a row."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from benchmarks.errors import BadData

Doc = Mapping[str, Any]


def regex_replace(text: str, pattern: str, new: str, count: int = 0) -> str:
    """The filter of this name: `re.sub`."""
    return re.sub(pattern, new, text, count=count)


def _environment() -> SandboxedEnvironment:
    made = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False)
    made.filters["regex_replace"] = regex_replace
    return made


ENVIRONMENT = _environment()


@lru_cache(maxsize=256)
def compiled(text: str) -> Template:
    """The template of `text`. Raises `TemplateError`."""
    return ENVIRONMENT.from_string(text)


def rendered(text: str, doc: Doc) -> str:
    """The template with the columns of the row. Raises `BadData` with the reason and the columns there are."""
    try:
        return compiled(text).render(**doc)
    # An expression of the file may raise anything: a template is a program of its author.
    except (
        TemplateError,
        TypeError,
        ValueError,
        LookupError,
        AttributeError,
        ArithmeticError,
        re.error,
    ) as problem:
        columns = ", ".join(doc) or "none"
        raise BadData(
            f"The template {text!r} cannot be rendered ({problem}). Correct it; the row has: {columns}."
        ) from problem


def field(template: str, doc: Doc) -> Any:
    """The column of this name as it is, else the rendered template."""
    return doc[template] if template in doc else rendered(template, doc)


def literal(text: str) -> Any:
    """The Python literal that a rendered template spells. Raises `BadData`."""
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, MemoryError, RecursionError) as problem:
        raise BadData(
            f"doc_to_choice renders as {text[:200]!r}, which is no list. Let it render a list such as ['a', 'b']."
        ) from problem
