"""`arena explain`: which words drove a judge's verdict, and whether to believe it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from arena.cli.explain_text import printed
from arena.cli.options import Config, DatabaseURL, opened, write_json
from arena.cli.progress import stage_bar
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.explaining.explain import Asked
    from arena.store import Database


class Heads(StrEnum):
    GRADIENT = "gradient"
    ABLATION = "ablation"


class Form(StrEnum):
    TEXT = "text"
    JSON = "json"
    HTML = "html"


def explain(
    battle: Annotated[
        str, typer.Argument(help="Number of a battle, as `arena disputed` lists it, or its public id.")
    ],
    judge: Annotated[
        str | None, typer.Option("--judge", help="A model of the settings. With weights here, or behind an API.")
    ] = None,
    method: Annotated[
        list[str] | None, typer.Option("--method", help="Give it twice to see two methods side by side.")
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option(
            "--answer",
            help="a or b: explain this side's answer instead, by the words of its prompt. The model that wrote it "
            "is asked, if --judge names no other one.",
        ),
    ] = None,
    heads: Annotated[
        Heads, typer.Option("--heads", help="Importance of heads by gradient, or exactly: one run a head.")
    ] = Heads.GRADIENT,
    template: Annotated[
        Path | None,
        typer.Option("--template", help="The judge's prompt, if not the one-letter prompt of our own."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="USD that a judge behind an API may cost.")
    ] = None,
    again: Annotated[bool, typer.Option("--recompute", help="Make it anew, though it is stored.")] = False,
    as_format: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file, not to the terminal.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Attribute a verdict to the words that the judge read, over both orders, with its faithfulness.

    With --answer, attribute a model's own answer to the words of its prompt instead.
    """
    from arena.explaining import explain as explaining

    with opened(config, db) as (database, settings):
        asked = {
            "template": _template(template),
            "budget": budget,
            "about": explaining.VERDICT if answer is None else answer.lower(),
            "heads": heads.value,
        }
        wanted = [
            explaining.ask(database, settings, battle, judge, name, **asked)
            for name in method or [explaining.DEFAULT]
        ]
        documents = [_made(database, settings, one, again) for one in wanted]
    _write(documents, as_format, output)


def _template(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"--template {file}: cannot be read ({problem})") from problem


def _made(database: Database, settings: Settings, asked: Asked, again: bool) -> Mapping[str, Any]:
    """From the store, or made now; Ctrl-C keeps every answer of the judge for the next try."""
    from arena.explaining import explain as explaining

    found = None if again else explaining.stored(database, asked)
    if found is not None:
        Console(stderr=True).print(
            f"{asked.method}: from the store, made {found['made_at']}; --recompute makes it anew"
        )
        return found
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        with stage_bar(console, "texts") as progress:
            return explaining.explain(database, settings, asked, progress)
    except KeyboardInterrupt:
        console.print(
            "stopped; what the judge answered is kept: type the same command again to go on", style="yellow"
        )
        raise typer.Exit(130) from None


def _write(documents: list[Mapping[str, Any]], as_format: Form, output: Path | None) -> None:
    if as_format is Form.TEXT and output is None:
        for document in documents:
            printed(document, Console(highlight=False))
        return
    if as_format is Form.JSON and output is None:
        write_json(documents[0] if len(documents) == 1 else documents)
        return
    text = _text(documents, as_format)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"--output {output}: cannot be written ({problem.strerror})") from problem
    Console(stderr=True).print(f"written to {output}", markup=False)


def _about(document: Mapping[str, Any]) -> str:
    answer = document.get("answer")
    return f"answer {answer['side'].upper()}" if answer else f"judged by {document['judge']}"


def _text(documents: list[Mapping[str, Any]], as_format: Form) -> str:
    import json

    from interp.render.page import page

    if as_format is Form.HTML:
        first = documents[0]
        return page(documents, f"Battle {first['number']}, {_about(first)}")
    if as_format is Form.JSON:
        told = documents[0] if len(documents) == 1 else documents
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    from io import StringIO

    into = StringIO()
    for document in documents:
        printed(document, Console(file=into, width=110, highlight=False))
    return into.getvalue()
