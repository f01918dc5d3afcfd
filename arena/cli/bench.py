"""`arena bench`: list tasks, run them, score stored completions, compare models, show samples, delete runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import bench_fetch, bench_run, bench_tables
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.report_file import check_report
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from benchmarks.data import DataSources

app = typer.Typer(help="Static benchmarks.", no_args_is_help=True)
app.command("run")(bench_run.run)
app.command("fetch")(bench_fetch.fetch)

DataFolder = bench_run.DataFolder
NoVerifyChecksum = bench_run.NoVerifyChecksum


@app.callback()
def bench() -> None:
    """Static benchmarks."""


def _data_sources(data: Path | None, verify_checksum: bool = True) -> DataSources:
    from arena.benchmarking.selection import data_folder
    from benchmarks.data import DataSources

    return DataSources(data_folder(data), verify_checksum=verify_checksum)


@app.command("list")
def list_tasks(
    dimension: Annotated[str | None, typer.Option(help="Only the tasks of this dimension.")] = None,
    data: DataFolder = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """List the tasks with dimension, samples, metric, licence and data source."""
    from arena.benchmarking.task_list import task_rows
    from arena.benchmarking.task_specs import tasks_of_dimension

    rows = task_rows(_data_sources(data))
    if dimension is not None:
        names = {task.name for task in tasks_of_dimension(dimension)}
        rows = [row for row in rows if row["task"] in names]
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
        Path,
        typer.Argument(
            metavar="PREDICTIONS.jsonl", help="One completion per line: `id` (or in order) and `completion`."
        ),
    ],
    data: DataFolder = None,
    no_verify_checksum: NoVerifyChecksum = False,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Score stored completions without calls. Published output files of some tasks are read as they are."""
    from arena.benchmarking.predictions import score as scored
    from arena.benchmarking.selection import SelectionOptions, select
    from arena.benchmarking.task_specs import task_specs
    from arena.errors import ConfigError
    from benchmarks.errors import BenchmarkError

    data_sources = _data_sources(data, not no_verify_checksum)
    specs = task_specs([task], data_sources.folder)
    if len(specs) != 1:
        names = ", ".join(spec.task.name for spec in specs)
        raise ConfigError(f"{task!r} names {len(specs)} tasks. Name one of: {names}.")
    selected = select(specs[0], data_sources, SelectionOptions(shots=0))
    try:
        rows = [file.to_dict() for file in scored(selected, predictions)]
    except BenchmarkError as problem:
        raise ConfigError(f"{task}: {problem}") from problem
    if as_format is Format.JSON:
        write_json(rows[0] if len(rows) == 1 else rows)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in rows])
    else:
        Console().print(bench_tables.results(rows))
        bench_tables.print_reasons(rows, Console(stderr=True, soft_wrap=True, highlight=False))


@app.command("compare")
def compare(
    names: Annotated[list[str], typer.Argument(metavar="A B…", help="Models, or run numbers.")],
    task: Annotated[str | None, typer.Option(help="Only this task.")] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compare models on shared samples: paired tests, differences with intervals, ties."""
    from arena.benchmarking.comparison import compare as compared

    with opened(config, db) as (database, _), database.read() as session:
        comparison = compared(session, list(dict.fromkeys(names)), task)
    if as_format is Format.JSON:
        write_json(comparison)
    elif as_format is Format.CSV:
        write_csv([{**pair, "rungs": " ".join(pair["rungs"])} for pair in comparison["pairs"]])
    else:
        console = Console()
        console.print(bench_tables.comparison(comparison["pairs"]))
        bench_tables.print_comparison_notes(comparison, Console(stderr=True, soft_wrap=True, highlight=False))


@app.command("show")
def show(
    run: Annotated[int | None, typer.Argument(help="Run number; without one, list all runs.")] = None,
    report: bench_run.ReportFile = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Only samples that are wrong or without a score.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="Up to N samples.")] = 20,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Show the samples of a run: prompt, reply, parsed answer and target."""
    from arena.benchmarking.stored_runs import UnknownRun, all_runs, samples_of
    from arena.errors import ConfigError

    check_report(report)
    with opened(config, db) as (database, _), database.read() as session:
        if run is None:
            if report is not None:
                raise ConfigError("--report needs a run. Add a run number, as `arena bench show` lists them.")
            return _list_runs(all_runs(session), as_format)
        try:
            stored, rows = samples_of(session, run, failed=failed)
        except UnknownRun as problem:
            raise ConfigError(str(problem)) from problem
        bench_run.write_report(report, database, [run])
    if as_format is Format.JSON:
        write_json({**stored, "samples": rows[:limit], "samples_found": len(rows)})
    elif as_format is Format.CSV:
        write_csv([{**row, "metrics": str(row["metrics"])} for row in rows[:limit]])
    else:
        console = Console()
        console.print(bench_tables.results([stored]))
        bench_tables.print_samples(rows[:limit], len(rows), console)
    return None


@app.command("delete")
def delete(
    runs: Annotated[
        list[int], typer.Argument(metavar="RUN…", help="Run numbers, as `arena bench show` lists them.")
    ],
    config: Config = None,
    db: DatabaseURL = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Delete runs with their samples. Saved replies stay in the reply cache."""
    from arena.benchmarking.stored_runs import UnknownRun
    from arena.errors import ConfigError
    from arena.store.benchmarks import delete_runs

    with opened(config, db) as (database, _), database.write() as session:
        try:
            deleted = delete_runs(session, runs)
        except UnknownRun as problem:
            raise ConfigError(str(problem)) from problem
    if as_format is Format.JSON:
        write_json({"deleted": deleted})
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in deleted])
    else:
        names = ", ".join(f"{row['run']} ({row['task']}, {row['model']})" for row in deleted)
        Console(stderr=True, soft_wrap=True, highlight=False).print(f"Deleted: {names}.", markup=False)


def _list_runs(rows: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in rows])
    elif rows:
        Console().print(bench_tables.results(rows))
    else:
        Console(stderr=True).print("No runs yet. Run `arena bench run TASK --models MODEL`.", highlight=False)
