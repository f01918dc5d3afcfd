"""`arena judge`: judge runs, and boards of stored verdicts."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from arena.cli import (
    judge_align,
    judge_board,
    judge_calibrate,
    judge_import,
    judge_link,
    judge_peers,
    judge_rank,
    judge_run,
)
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened, write_csv
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.judging.published.board import RecomputedBoard

app = typer.Typer(help="Judges and their verdicts.", no_args_is_help=True)


class Protocol(StrEnum):
    """The format of stored verdicts."""

    alpaca_eval = "alpaca_eval"
    wildbench = "wildbench"
    arena_hard = "arena_hard"
    mt_bench = "mt_bench"
    prd = "prd"
    judge_bench = "judge_bench"
    reward_bench = "reward_bench"
    reward_bench_2 = "reward_bench_2"


NAMES = ("judge", "model", "protocol", "completions", "category", "section", "subset")  # columns of text
TAKES_BASELINE = (Protocol.alpaca_eval, Protocol.arena_hard)


@app.callback()
def judge() -> None:
    """Judges and their verdicts."""


app.command("single")(judge_run.single)
app.command("baseline")(judge_run.baseline)
app.command("pairwise")(judge_run.pairwise)
app.command("battles")(judge_run.battles)
app.command("rank")(judge_rank.rank)
app.command("peers")(judge_peers.peers)
app.command("link")(judge_link.link)
app.command("run")(judge_run.run)
app.command("board")(judge_board.board)
app.command("calibrate")(judge_calibrate.calibrate)
app.command("align")(judge_align.align)
app.command("import")(judge_import.import_)


@app.command("delete")
def delete(
    name: Annotated[
        str, typer.Argument(metavar="JUDGE", help="The judge, as `arena leaderboard` names its votes.")
    ],
    config: Config = None,
    db: DatabaseURL = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Delete a judge's scores. Its votes are never deleted: `arena votes set-aside` lets them no longer count."""
    from arena.rules.votes import JUDGE
    from arena.store.judge_scores import delete_scores

    source = JUDGE + name.removeprefix(JUDGE)
    with opened(config, db) as (database, _), database.write() as session:
        scores = delete_scores(session, source)
    if not scores:
        raise ConfigError(
            f"{source} has no scores. To let its votes no longer count: "
            f"arena votes set-aside --judge {name.removeprefix(JUDGE)} --reason TEXT"
        )
    if not for_programs({"deleted": scores}, as_format):
        Console(stderr=True, soft_wrap=True).print(
            f"Deleted: {scores:,} scores of {source}. To let its votes no longer count: "
            f"arena votes set-aside --judge {name.removeprefix(JUDGE)} --reason TEXT",
            markup=False,
        )


@app.command("score")
def score(
    protocol: Annotated[Protocol, typer.Argument(help="Format of the verdicts.")],
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH…", help="Files, or folders for alpaca_eval and prd.")
    ],
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="alpaca_eval: the baseline's folder; arena_hard: the model at 1000."),
    ] = None,
    peer: Annotated[bool, typer.Option("--peer", help="prd: weight each judge by its own score.")] = False,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Recompute a board from stored verdicts; make no calls."""
    if peer and protocol is not Protocol.prd:
        raise ConfigError(f"--peer needs the protocol prd, not {protocol}. Remove --peer.")
    if baseline is not None and protocol not in TAKES_BASELINE:
        raise ConfigError(
            f"--baseline needs the protocol {' or '.join(TAKES_BASELINE)}, not {protocol}. Remove --baseline."
        )
    options: dict[str, Any] = {"baseline": baseline} if baseline else {"peer": True} if peer else {}
    from arena.judging.published.scores import PROTOCOLS

    with Console(stderr=True).status(f"scoring {protocol}"):
        board = PROTOCOLS[protocol](paths, **options)
    for note in dict.fromkeys(board.notes):
        Console(stderr=True).print(f"Note: {note}", markup=False, highlight=False, soft_wrap=True)
    _print(board, protocol, as_format)


def _print(board: RecomputedBoard, protocol: Protocol, as_format: Format) -> None:
    rows = board.rows + _peer_rows(board)
    if as_format is Format.JSON:
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    if as_format is Format.CSV:
        write_csv([{name: _cell(value) for name, value in row.items()} for row in rows], names)
        return
    table = Table(title=protocol)
    for name in names:
        table.add_column(name, justify="left" if name in NAMES else "right", overflow="fold")
    for row in rows:
        table.add_row(*(_shown(row.get(name)) for name in names))
    Console().print(table)


def _peer_rows(board: RecomputedBoard) -> list[dict[str, Any]]:
    """The peer-weighted scores as rows of a judge called `peer`, with the weight of a model that judges."""
    if board.peer is None:
        return []
    weights = board.peer["weights"]
    return [
        {"judge": "peer", "model": model, "win_rate": value, "judged": None, "weight": weights.get(model)}
        for model, value in board.peer["peer"].items()
    ]


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, dict):
        return "\n".join(f"{name} {_shown(cell)}" for name, cell in value.items())
    return f"{value:.4f}" if isinstance(value, float) else str(value)
