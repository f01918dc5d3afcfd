"""Templates, and rows and figures as files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import plotly.graph_objects as go
from fastapi.responses import Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from arena.rules.csv_table import csv_table
from arena.web import locales, names
from arena.web.assets import asset, inline
from arena.web.markdown import markdown, prompt_markdown
from arena.web.navigation import FOOTER_PAGES, PAGES


def model_link(name: str) -> str:
    return f"/models/{quote(name, safe='')}"


def templates(title: str) -> Environment:
    """The Jinja environment of the pages."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    _speak(environment)
    environment.globals.update(
        title=title, pages=PAGES, footer_pages=FOOTER_PAGES, asset=asset, inline=inline, model_link=model_link
    )
    environment.filters.update(
        markdown=markdown,
        prompt_markdown=prompt_markdown,
        signed=_signed,
        twice=_twice,
        capitalize_first=_first,
        score=score,
    )
    return environment


def _speak(environment: Environment) -> None:
    """Texts, numbers and dates in the language of the request. `{% trans %}` fills in its values itself."""
    environment.globals.update(
        _=locales.gettext,
        gettext=locales.gettext,
        ngettext=locales.ngettext,
        pgettext=locales.pgettext,
        language=locales.current_language,
        language_links=locales.language_links,
        script_texts=locales.script_texts,
    )
    environment.filters.update(number=locales.number, day=locales.day)
    environment.filters.update(
        category_name=names.category_name,
        topic_name=names.topic_name,
        source_name=names.source_name,
        dimension_name=names.dimension_name,
        cause_name=names.cause_name,
        status_name=names.status_name,
        style_name=names.style_name,
        battle_status_name=names.battle_status_name,
        vote_state_name=names.vote_state_name,
        winner_name=names.winner_name,
        moment=_moment,
        details=_details,
    )


def score(value: float, beside: float | None = None) -> str:
    """A benchmark's value with three decimals for shares and fewer for larger numbers, whose intervals are wider.
    A bound has as many decimals as the value `beside` it.

    >>> score(0.63649), score(12.8281), score(1342.75), score(9.5, beside=12.8)
    ('0.636', '12.8', '1,342.8', '9.5')
    """
    size = abs(value if beside is None else beside)
    return f"{value:,.{3 if size <= 1 else 2 if size < 10 else 1}f}"


def csv_file(rows: list[dict[str, Any]], name: str) -> Response:
    """Rows as a CSV download, with the columns of the first row."""
    headers = {"content-disposition": f'attachment; filename="{name}.csv"'}
    return Response(csv_table(rows), media_type="text/csv; charset=utf-8", headers=headers)


def figure_json(figure: go.Figure, **notes: str) -> Response:
    """A Plotly figure as the page's script loads it, with texts for the page around it."""
    text = figure.to_json()
    if notes:
        text = f"{json.dumps(notes)[:-1]}, {text[1:]}"
    return Response(text, media_type="application/json")


def _signed(value: Any) -> str:
    return f"{value:+.0f}"


def _moment(value: datetime) -> str:
    """A time in UTC, to the minute, the same in every language."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M}"


def _details(value: Mapping[str, Any]) -> str:
    """The details of an entry of the audit trail on one line."""
    return json.dumps(value, ensure_ascii=False)


def _first(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def _twice(values: list[str]) -> list[tuple[str, str]]:
    """Each value as (value, label), for lists of choices."""
    return [(value, value) for value in values]
