"""`arena bench`: the tasks, runs of them, stored completions scored, models compared, samples read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from arena.cli import bench_run, bench_tables
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json

if TYPE_CHECKING:
    from benchmarks.data import DataSources

app = typer.Typer(help="Static benchmarks.", no_args_is_help=True)
app.command("run")(bench_run.run)

DataFolder = bench_run.DataFolder
Unchecked = bench_run.Unchecked


@app.callback()
def bench() -> None:
    """Static benchmarks."""


def _roads(data: Path | None, unchecked: bool = False) -> DataSources:
    from arena.benchmarking.selection import data_folder
    from benchmarks.data import DataSources

    return DataSources(data_folder(data), unchecked=unchecked)


@app.command("list")
def list_tasks(
    dimension: Annotated[str | None, typer.Option(help="Only the tasks of this dimension.")] = None,
    data: DataFolder = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """List the tasks: dimension, samples, metric, licence, and where their data comes from."""
    from arena.benchmarking.selection import of_dimension
    from arena.benchmarking.task_list import listed

    rows = listed(_roads(data))
    if dimension is not None:
        known = {task.name for task in of_dimension(dimension)}
        rows = [row for row in rows if row["task"] in known]
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv([{**row, "rungs": " ".join(row["rungs"])} for row in rows])
    else:
        console = Console()
        console.print(bench_tables.tasks(rows, console.width))


@app.command("score")
def score(
    task: Annotated[str, typer.Argument(help="A task, as `arena bench list` names it.")],
    predictions: Annotated[
        Path, typer.Argument(metavar="PREDICTIONS.jsonl", help="`id` (or in order) and `completion` a line.")
    ],
    data: DataFolder = None,
    unchecked: Unchecked = False,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Score stored completions; nothing is asked. Published output files of some tasks are read as they are."""
    from arena.benchmarking.predictions import score as scored
    from arena.benchmarking.selection import Options, choose, named
    from arena.errors import ConfigError
    from benchmarks.errors import BenchmarkError

    wanted = named([task])
    if len(wanted) != 1:
        several = ", ".join(one.task.name for one in wanted)
        raise ConfigError(f"{task!r} is {len(wanted)} tasks; name one: {several}")
    chosen = choose(wanted[0], _roads(data, unchecked), Options(shots=0))
    try:
        found = [one.to_dict() for one in scored(chosen, predictions)]
    except BenchmarkError as problem:
        raise ConfigError(f"{task}: {problem}") from problem
    if as_format is Format.JSON:
        write_json(found[0] if len(found) == 1 else found)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in found])
    else:
        Console().print(bench_tables.results(found))
        bench_tables.tell_reasons(found, Console(stderr=True, soft_wrap=True, highlight=False))


@app.command("compare")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="A B…", help="Models, or numbers of runs.")],
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compare models on the samples that all have taken: paired tests, the difference with its interval, ties."""
    from arena.benchmarking.comparison import compare as compared

    with opened(config, db) as (database, _), database.read() as session:
        found = compared(session, list(dict.fromkeys(names)), task)
    if as_format is Format.JSON:
        write_json(found)
    elif as_format is Format.CSV:
        write_csv([{**pair, "rungs": " ".join(pair["rungs"])} for pair in found["pairs"]])
    else:
        console = Console()
        console.print(bench_tables.comparison(found["pairs"]))
        bench_tables.tell_ties(found, Console(stderr=True, soft_wrap=True, highlight=False))


@app.command("show")
def show(
    run: Annotated[int | None, typer.Argument(help="A run's number; all runs are listed without one.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only samples that are wrong or not scored.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="So many samples at most.")] = 20,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Read the samples of a run: what was asked, written, read and right."""
    from arena.benchmarking.stored_runs import UnknownRun, runs_there, samples_of
    from arena.errors import ConfigError

    with opened(config, db) as (database, _), database.read() as session:
        if run is None:
            return _list_runs(runs_there(session), as_format)
        try:
            stored, rows = samples_of(session, run, failed=failed)
        except UnknownRun as problem:
            raise ConfigError(str(problem)) from problem
    if as_format is Format.JSON:
        write_json({**stored, "samples": rows[:limit], "samples_found": len(rows)})
    elif as_format is Format.CSV:
        write_csv([{**row, "metrics": str(row["metrics"])} for row in rows[:limit]])
    else:
        console = Console()
        console.print(bench_tables.results([stored]))
        bench_tables.read(rows[:limit], len(rows), console)
    return None


def _list_runs(rows: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in rows])
    elif rows:
        Console().print(bench_tables.results(rows))
    else:
        Console(stderr=True).print("no runs yet; type: arena bench run TASK --models MODEL", highlight=False)
