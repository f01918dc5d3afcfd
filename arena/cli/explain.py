"""`arena explain`: the words that drove a judge's verdict, and the faithfulness of that attribution."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import Config, DatabaseURL, opened, write_json
from arena.cli.progress import stage_bar
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.explaining.request import ExplainConfig
    from arena.store import Database
    from interp import Explanation


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
        str | None, typer.Option("--judge", help="A model of the settings, with local weights or behind an API.")
    ] = None,
    method: Annotated[
        list[str] | None,
        typer.Option("--method", help="Attribution method. Repeat it to show two side by side."),
    ] = None,
    answer: Annotated[
        str | None,
        typer.Option(
            "--answer",
            help="a or b: explain the answer of this side by the words of its prompt. Without --judge, the model "
            "that wrote it is explained.",
        ),
    ] = None,
    heads: Annotated[
        Heads,
        typer.Option(
            "--heads",
            help="Measure head importance by gradient, or exactly by ablation: one run a head.",
        ),
    ] = Heads.GRADIENT,
    template: Annotated[
        Path | None,
        typer.Option("--template", help="File with the judge's prompt, instead of the default one-letter prompt."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="Maximum cost of a judge behind an API, in USD.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--recompute", help="Compute the explanation again even if it is stored.")
    ] = False,
    show_map: Annotated[
        bool, typer.Option("--map", help="Print the words even if there is no preference by content.")
    ] = False,
    as_format: Annotated[Form, typer.Option("--format", help="Output format.")] = Form.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file instead of the terminal.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Attribute a verdict to the words that the judge read, over both orders, and measure its faithfulness.

    With --answer, attribute a model's own answer to the words of its prompt instead.
    """
    from arena.explaining.request import DEFAULT, VERDICT, ExplainConfig

    explain_config = ExplainConfig(
        battle=battle,
        judge=judge,
        methods=method or [DEFAULT],
        about=VERDICT if answer is None else answer.lower(),
        heads=heads.value,
        template=_template(template),
        budget=budget,
        recompute=again,
    )
    with opened(config, db) as (database, settings):
        documents = _explain(database, settings, explain_config)
    _write(documents, as_format, output, show_map)


def _template(file: Path | None) -> str | None:
    if file is None:
        return None
    from arena.config.given_files import plain_file

    try:
        return plain_file(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"--template {file}: cannot be read ({problem})") from problem


def _explain(database: Database, settings: Settings, config: ExplainConfig) -> list[Explanation]:
    """The explanations, with a bar for those that are computed. Ctrl-C keeps every reply of the judge."""
    from arena.engine import RESUME_HINT
    from arena.explaining.explain import explain_battle

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        with stage_bar(console, "texts") as progress:
            results = explain_battle(database, settings, config, progress)
    except KeyboardInterrupt:
        console.print(f"Stopped. {RESUME_HINT}", style="yellow")
        raise typer.Exit(130) from None
    for result in results:
        if result.stored:
            made_at = result.explanation.made_at
            console.print(f"{result.explanation.method}: stored {made_at}. Use --recompute to compute it again.")
    return [result.explanation for result in results]


def _write(documents: Sequence[Explanation], as_format: Form, output: Path | None, show_map: bool) -> None:
    from arena.cli.explain_text import print_explanation

    if as_format is Form.TEXT and output is None:
        for document in documents:
            print_explanation(document, Console(highlight=False), show_map=show_map)
        return
    if as_format is Form.JSON and output is None:
        write_json(_json(documents))
        return
    text = _text(documents, as_format, show_map)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"--output {output}: cannot be written ({problem.strerror})") from problem
    Console(stderr=True).print(f"Written to {output}", markup=False)


def _json(documents: Sequence[Explanation]) -> Any:
    """One document, or a list of several."""
    rows = [document.to_dict() for document in documents]
    return rows[0] if len(rows) == 1 else rows


def _text(documents: Sequence[Explanation], as_format: Form, show_map: bool) -> str:
    if as_format is Form.HTML:
        from interp import page

        return page(documents, f"Battle {documents[0].number}, {_about(documents[0])}")
    if as_format is Form.JSON:
        return json.dumps(_json(documents), indent=2, ensure_ascii=False) + "\n"
    from arena.cli.explain_text import print_explanation

    buffer = StringIO()
    for document in documents:
        print_explanation(document, Console(file=buffer, width=110, highlight=False), show_map=show_map)
    return buffer.getvalue()


def _about(document: Explanation) -> str:
    return f"answer {document.answer.side.upper()}" if document.answer else f"judged by {document.judge}"
