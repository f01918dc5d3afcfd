"""`arena rate FILE`: a leaderboard of a battles file, with no database."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Format, write_csv, write_json
from arena.cli.rate_methods import Chosen, Cluster, Method, RateOptions, board_of
from arena.cli.terminal import Console
from arena.errors import ConfigError
from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile

if TYPE_CHECKING:
    import ratings

PRIOR = 0.25  # ratings.PRIOR, repeated so that --help needs no numpy


def rate(
    file: Annotated[Path, typer.Argument(help="Battles: a .csv, .jsonl, .parquet or .json file.")],
    method: Annotated[
        Method,
        typer.Option(
            help="Use Bradley–Terry; a parameter for ties, one that depends on the strength of the pair, or a threshold; an "
            "ability for each voter; only fresh votes on models chosen among variants; or online Elo."
        ),
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
    chosen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=VARIANTS:DATE",
            help="For fresh: MODEL was the best of so many variants, itself included, by votes before DATE. Repeatable.",
        ),
    ] = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Rate the models of a battles file: columns model_a, model_b and winner."""
    given = PRIOR if prior is None else prior
    options = RateOptions(method, style, cluster, _anchor(anchor), given, category, _all_chosen(chosen or ()))
    _check(options, prior)
    from ratings import RatingsError

    battles = read_battles_file(file)
    try:
        with Console(stderr=True).status(f"rating {file}"):
            board = board_of(battles.columns, options)
    except RatingsError as problem:
        raise BadBattlesFile(f"{file}: {type(problem).__name__}: {battles.in_file(str(problem))}") from problem
    if battles.note:
        Console(stderr=True, soft_wrap=True).print(Text(battles.note))
    _print(board, as_format)


def _check(options: RateOptions, prior: float | None) -> None:
    """Raise ConfigError for options that do not go together; `prior` is that of the command line."""
    if options.method is not Method.bt and (options.style or options.cluster):
        raise ConfigError(f"--style and --cluster do not work with --method {options.method}. Use --method bt.")
    if options.method is Method.elo and prior is not None:
        raise ConfigError("--prior does not work with --method elo. Omit it, or use --method bt.")
    if prior is not None and not 0 <= prior < math.inf:
        raise ConfigError(
            f"--prior {prior:g} is out of range. Give a precision of zero or more, such as --prior {PRIOR:g}."
        )
    if bool(options.chosen) != (options.method is Method.fresh):
        raise ConfigError("--chosen MODEL=VARIANTS:DATE and --method fresh need each other. Give both or neither.")


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


def _all_chosen(texts: Sequence[str]) -> dict[str, Chosen]:
    """The chosen models of all `--chosen`. Raises ConfigError for one that is named twice."""
    found: dict[str, Chosen] = {}
    for text in texts:
        model, chosen = _chosen(text)
        if model in found:
            raise ConfigError(f"--chosen names {model} twice. Give each model once.")
        found[model] = chosen
    return found


def _chosen(text: str) -> tuple[str, Chosen]:
    """The model of `--chosen` with its variants and the moment of its listing, the start of a day or a time."""
    model, _, facts = text.rpartition("=")
    number, _, date = facts.partition(":")
    try:
        variants, moment = int(number), datetime.fromisoformat(date)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        variants, moment = 0, datetime.min
    if not model or variants < 2:
        raise ConfigError(
            f"--chosen {text} is not MODEL=VARIANTS:DATE. Give at least two variants, such as --chosen gpt-4=10:2026-03-01."
        )
    return model, Chosen(variants, moment)


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
