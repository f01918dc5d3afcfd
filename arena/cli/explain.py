"""`arena explain`: which words drove a judge's verdict, and whether to believe it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from arena.cli.options import Config, DatabaseURL, opened, write_json
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.explaining import Asked
    from arena.store import Database

SHADES = 0.6  # of the colour behind a word whose score is the largest
COLOURS = {True: (37, 99, 235), False: (194, 65, 12)}  # for A, for B; both carry white text
TOP = 8  # words listed below the text


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
    template: Annotated[
        Path | None,
        typer.Option("--template", help="The judge's prompt, if not the one-letter prompt of our own."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option("--budget", help="USD that a judge behind an API may cost.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Make it anew, though it is stored.")] = False,
    as_format: Annotated[Form, typer.Option("--format", help="How to print it.")] = Form.TEXT,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to this file, not to the terminal.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Attribute a verdict to the words that the judge read, over both orders, with its faithfulness."""
    from arena import explaining

    with opened(config, db) as (database, settings):
        text = _template(template)
        wanted = [
            explaining.ask(database, settings, battle, judge, name, text, budget)
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
    from arena import explaining
    from arena.judge_calls import JudgeFailed

    found = None if again else explaining.stored(database, asked)
    if found is not None:
        Console(stderr=True).print(
            f"{asked.method}: from the store, made {found['made_at']}; --again makes it anew"
        )
        return found
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        with _shown(console) as progress:
            return explaining.explain(database, settings, asked, progress)
    except JudgeFailed as problem:
        console.print(str(problem), style="bold red", markup=False)
        raise typer.Exit(1) from problem
    except KeyboardInterrupt:
        console.print(
            "stopped; what the judge answered is kept: type the same command again to go on", style="yellow"
        )
        raise typer.Exit(130) from None


@contextmanager
def _shown(console: Console) -> Iterator[Any]:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn()
    with Progress(*columns, console=console, refresh_per_second=4) as bars:
        bar = bars.add_task("preparing", total=None, told="")

        def progress(stage: str, done: int, total: int) -> None:
            told = f"{done:,} of {total:,} texts" if total else ""
            bars.update(bar, description=stage, completed=done, total=total or None, told=told)

        yield progress


def _write(documents: list[Mapping[str, Any]], as_format: Form, output: Path | None) -> None:
    if as_format is Form.TEXT and output is None:
        for document in documents:
            _print(document, Console(highlight=False))
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


def _text(documents: list[Mapping[str, Any]], as_format: Form) -> str:
    import json

    from interp.render import page

    if as_format is Form.HTML:
        first = documents[0]
        return page(documents, f"Battle {first['number']}, judged by {first['judge']}")
    if as_format is Form.JSON:
        told = documents[0] if len(documents) == 1 else documents
        return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
    from io import StringIO

    into = StringIO()
    for document in documents:
        _print(document, Console(file=into, width=110, highlight=False))
    return into.getvalue()


def _print(document: Mapping[str, Any], console: Console) -> None:
    """The explanation for a terminal: the words on colours, then the figures."""
    measured = document["faithfulness"]
    names = {
        "prompt": "Prompt",
        **{key: f"Answer {key[-1].upper()}: {who}" for key, who in document["models"].items()},
    }
    console.rule(Text(f"battle {document['number']} · {document['judge']} · {document['method']}"))
    segment = None
    line = Text()
    reach = max((abs(word["score"]) for word in document["words"]), default=0.0) or 1.0
    for word in document["words"]:
        if word["segment"] != segment:
            segment = word["segment"]
            line.append(f"\n\n{names[segment]}\n" if line else f"{names[segment]}\n", style="bold")
        line.append_text(_coloured(word, reach))
    console.print(line)
    console.print()
    for place in sorted(document["words"], key=lambda word: -abs(word["score"]))[:TOP]:
        console.print(
            Text(f"{place['score']:+8.3f}  {place['text'].strip()}  ").append(names[place["segment"]], "dim")
        )
    console.print()
    console.print(_summary(document, names), soft_wrap=True)
    good = measured["beats_random"]
    told = f"faithfulness: {measured['verdict']} (p = {measured['p']:.3f} against {measured['rankings']} rankings)"
    console.print(told, style="bold green" if good else "bold red")
    for note in document["notes"]:
        console.print(f"note: {note}", style="yellow", markup=False)


def _summary(document: Mapping[str, Any], names: Mapping[str, str]) -> str:
    verdict, flip = document["verdict"], document["counterfactual"]
    prefers = names["completion_a" if verdict["winner"] == "model_a" else "completion_b"]
    place = "first" if verdict["bias"] > 0 else "second"
    lines = [
        f"content {verdict['content']:+.3f}: by content the judge prefers {prefers}",
        f"position bias {verdict['bias']:+.3f}: it leans to the answer shown {place}"
        + ("" if verdict["consistent"] else "; the order decides this battle"),
    ]
    if flip["flipped"]:
        words = " ".join(document["words"][unit]["text"].strip() for unit in flip["removed"])
        lines.append(f"without {len(flip['removed'])} words it prefers the other answer: {words}")
    votes = ", ".join(f"{vote['source']}: {vote['winner']}" for vote in document["votes"])
    return "\n".join([*lines, f"votes: {votes or 'none'}"])


def _coloured(word: Mapping[str, Any], reach: float) -> Text:
    share = abs(word["score"]) / reach
    if share < 0.1:
        return Text(word["text"])
    text = word["text"]
    space = text[: len(text) - len(text.lstrip())]
    red, green, blue = (round(part * (0.35 + 0.65 * share)) for part in COLOURS[word["score"] > 0])
    style = f"{'bold ' if share > SHADES else ''}white on rgb({red},{green},{blue})"
    return Text(space).append(text.lstrip(), style=style)
