"""`arena rate FILE`: a leaderboard of a battles file, with no database."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Format, write_csv, write_json
from arena.cli.terminal import Console
from arena.config.given_files import json_value
from arena.errors import ConfigError
from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile, Columns

if TYPE_CHECKING:
    import ratings


class Method(StrEnum):
    """How ratings are computed."""

    bt = "bt"
    davidson = "davidson"
    rao_kupper = "rao_kupper"
    elo = "elo"


class Cluster(StrEnum):
    """The unit of independence: votes of one voter, or on one prompt."""

    voter = "voter"
    prompt = "prompt"


COLUMNS = {Cluster.voter: "voter", Cluster.prompt: "prompt_id"}
ELO_ROUNDS = 100
MOST_WEIGHT = 1e15  # together: beyond, adding one vote to the sum no longer changes it
PRIOR = 0.25  # ratings.PRIOR, repeated so that --help needs no numpy
ELO_BATTLES = 200_000  # a hundred rounds over more battles than these take over two seconds


def rate(
    file: Annotated[Path, typer.Argument(help="Battles: a .csv, .jsonl, .parquet or .json file.")],
    method: Annotated[
        Method, typer.Option(help="Use Bradley–Terry, a model with ties, or online Elo.")
    ] = Method.bt,
    style: Annotated[bool, typer.Option("--style", help="Adjust for length and markup (style control).")] = False,
    cluster: Annotated[
        Cluster | None, typer.Option(help="Allow for correlated votes of one voter or prompt.")
    ] = None,
    anchor: Annotated[
        str | None, typer.Option(metavar="MODEL=RATING", help="Shift ratings so that MODEL has RATING.")
    ] = None,
    prior: Annotated[
        float | None,
        typer.Option(
            help="Set the precision of the prior; 0 is plain maximum likelihood.", show_default=f"{PRIOR:g}"
        ),
    ] = None,
    category: Annotated[str | None, typer.Option(help="Use only battles of this category.")] = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Rate the models of a battles file: columns model_a, model_b and winner."""
    if method is not Method.bt and (style or cluster):
        raise ConfigError(f"--style and --cluster do not work with --method {method}. Use --method bt.")
    if method is Method.elo and prior is not None:
        raise ConfigError("--prior does not work with --method elo. Omit it, or use --method bt.")
    if prior is not None and not 0 <= prior < math.inf:
        raise ConfigError(
            f"--prior {prior:g} is out of range. Give a precision of zero or more, such as --prior {PRIOR:g}."
        )
    fixed = _anchor(anchor)
    from ratings import RatingsError

    battles = read_battles_file(file)
    try:
        with Console(stderr=True).status(f"rating {file}"):
            chosen = PRIOR if prior is None else prior
            board = _board(battles.columns, method, style, cluster, fixed, chosen, category)
    except RatingsError as problem:
        raise BadBattlesFile(f"{file}: {type(problem).__name__}: {battles.in_file(str(problem))}") from problem
    if battles.note:
        Console(stderr=True, soft_wrap=True).print(Text(battles.note))
    _print(board, as_format)


def _board(
    columns: Columns,
    method: Method,
    style: bool,
    cluster: Cluster | None,
    anchor: tuple[str, float] | None,
    prior: float,
    category: str | None,
) -> ratings.Leaderboard:
    import ratings

    columns = _of_category(columns, category)
    battles = (columns["model_a"], columns["model_b"], columns["winner"])
    weight = _weights(columns)
    groups = _groups(columns, cluster)
    counts = ratings.count_pairs(*battles, weight=weight)
    _check_names(counts.models)
    if method is Method.elo:
        if weight is not None:
            raise BadBattlesFile(
                "--method elo does not support weights. Drop the column weight, or use --method bt."
            )
        rounds = ELO_ROUNDS if len(battles[0]) <= ELO_BATTLES else 0
        fit = ratings.elo(*battles, rounds=rounds)
    elif method in (Method.davidson, Method.rao_kupper):
        fit = (ratings.davidson if method is Method.davidson else ratings.rao_kupper)(counts, prior=prior)
    elif style:
        sides = [ratings.style_counts(_completions(columns, side)) for side in ("a", "b")]
        differences = ratings.style_differences(*sides)
        fit = ratings.contextual(*battles, differences, prior=prior, weight=weight, cluster=groups)
    else:
        fit = ratings.bradley_terry(*battles, prior=prior, weight=weight, cluster=groups)
    if anchor is not None:
        fit = fit.anchored(*anchor)
    return ratings.leaderboard(counts, fit=fit)


def _of_category(columns: Columns, category: str | None) -> Columns:
    if category is None:
        return columns
    given = _column(columns, "category", "--category")
    kept = [row for row, value in enumerate(given) if value == category]
    if not kept:
        present = ", ".join(sorted({str(value) for value in given}))
        raise BadBattlesFile(f"no battle has category {category!r}. Choose one of: {present}")
    return {name: [column[row] for row in kept] for name, column in columns.items()}


def _weights(columns: Columns) -> list[float] | None:
    if "weight" not in columns:
        return None
    weights = []
    for row, value in enumerate(columns["weight"]):
        try:
            weights.append(float(value))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError) as problem:
            raise BadBattlesFile(f"row {row}: weight {value!r} is not a number. Give zero or more.") from problem
    if sum(weight for weight in weights if math.isfinite(weight)) > MOST_WEIGHT:
        raise BadBattlesFile("the weights are too large to be added up. Divide them by the largest.")
    return weights


def _check_names(models: Sequence[object]) -> None:
    """Raise BadBattlesFile for a name that cannot be printed in terminals and tables."""
    for name in map(str, models):
        if not name.isprintable():
            raise BadBattlesFile(f"model name {name!r} has characters that cannot be printed. Rename the model.")


def _groups(columns: Columns, cluster: Cluster | None) -> list[object] | None:
    return None if cluster is None else _column(columns, COLUMNS[cluster], f"--cluster {cluster}")


def _completions(columns: Columns, side: str) -> list[Any]:
    """The completions of a side, or else the assistant's turns of its conversation."""
    if f"completion_{side}" in columns:
        return columns[f"completion_{side}"]
    talks = _column(columns, f"conversation_{side}", "--style")
    return [_assistant_text(talk, row) for row, talk in enumerate(talks)]


def _assistant_text(conversation: object, row: int) -> object:
    try:
        turns = json_value(conversation) if isinstance(conversation, str) else conversation
        if not isinstance(turns, list):
            return None
        return "\n".join(turn["content"] for turn in turns if turn["role"] == "assistant")
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError) as problem:
        raise BadBattlesFile(
            f"row {row}: not a conversation: {str(conversation)[:60]!r}. Give a list of {{role, content}}."
        ) from problem


def _column(columns: Columns, name: str, option: str) -> list[object]:
    if name not in columns:
        raise BadBattlesFile(
            f"{option} needs a column {name}. Add it to the file; its columns are: {', '.join(columns)}"
        )
    return columns[name]


def _anchor(text: str | None) -> tuple[str, float] | None:
    if text is None:
        return None
    model, _, rating = text.rpartition("=")
    try:
        value = float(rating)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(
            f"--anchor {text} is not MODEL=RATING. Give a finite rating, such as --anchor gpt-4=1000."
        )
    return model, value


def _print(board: ratings.Leaderboard, as_format: Format) -> None:
    plain = board.to_dict()
    if as_format is Format.JSON:
        write_json({**plain, "style": plain.get("style", {})})  # the key is always there
    elif as_format is Format.CSV:
        write_csv(plain["models"])
    else:
        Console().print(_table(board))


def _table(board: ratings.Leaderboard) -> Table:
    note = f"{board.battles:,} battle" + ("" if board.battles == 1 else "s")
    if len(board.components) > 1:
        note += f"; {len(board.components)} components, and no battles compare models across them"
    table = Table(title=board.method, caption=note)
    for heading in ("rank", "spread", "model", "rating", "95 % interval", "battles", ""):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for row in board.rows:
        table.add_row(
            "–" if row.rank is None else str(row.rank),
            "" if row.rank is None else f"{row.rank_low}–{row.rank_high}",
            Text(row.model),
            f"{row.rating:.0f}",
            f"{row.lower:.0f} to {row.upper:.0f}",
            f"{row.battles:,}",
            "provisional" if row.provisional else "",
        )
    for coefficient in board.coefficients:
        interval = f"{coefficient.lower:.3f} to {coefficient.upper:.3f}"
        table.add_row("", "", Text(coefficient.name), f"{coefficient.value:.3f}", interval, "", "")
    return table
