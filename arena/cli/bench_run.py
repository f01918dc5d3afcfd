"""`arena bench run`: its options, its progress and its results."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from arena.cli import bench_tables
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.progress import print_adapted, print_failures, progress_bar
from arena.cli.report_file import check_report, write_run_report
from arena.cli.terminal import Console
from arena.cli.tracking import Mlflow, Wandb, open_trackers, send

if TYPE_CHECKING:
    from arena.benchmarking.events import Event, TaskStarted
    from arena.store import Database
    from arena.web.run_pages import RunDocument


class Compat(StrEnum):
    lm_eval = "lm-eval"


class RequestTypeName(StrEnum):
    loglikelihood = "loglikelihood"
    first_token = "first_token"  # noqa: S105
    generate = "generate"


DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The folder with the benchmarks' files; default: ARENA_DATA_DIR.")
]
NoVerifyChecksum = Annotated[
    bool, typer.Option("--no-verify-checksum", help="Accept files with a different SHA-256.")
]

ReportFile = Annotated[
    Path | None,
    typer.Option("--report", help="Write the runs with all samples to an HTML file that needs no network."),
]


def run(
    models: Annotated[str, typer.Option("--models", help="Comma-separated models.")],
    tasks: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TASK…",
            help="mmlu, mmlu:anatomy, dimension:NAME, bigbench/NAME, my_task.py, lm_eval_task.yaml, inspect:PACKAGE/TASK "
            "or inspect:FILE.py@TASK.",
        ),
    ] = None,
    sample: Annotated[
        bool,
        typer.Option(
            "--sample", help="Run the sample items that ship with Arena, no benchmark; all tasks without TASK."
        ),
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Up to N samples, spread over all subjects.")] = None,
    shots: Annotated[int | None, typer.Option(min=0, help="Few-shot examples before each sample.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the selection of samples and examples.")] = 0,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Completions per sample: scored by majority vote, or pass@k.")
    ] = None,
    compat: Annotated[Compat | None, typer.Option(help="Select and order samples as this harness does.")] = None,
    request_type: Annotated[
        RequestTypeName | None, typer.Option(help="Use this request type, not the best one served.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Token limit of each completion.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD limit for each task.")] = None,
    reply_cache: Annotated[
        Path | None, typer.Option(help="File of saved replies; default: next to the database.")
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Make all calls again; do not read saved replies.")
    ] = False,
    data: DataFolder = None,
    no_verify_checksum: NoVerifyChecksum = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not download data from the hub.")] = False,
    report: ReportFile = None,
    wandb: Wandb = None,
    mlflow: Mlflow = None,
    as_format: AsFormat = Format.TABLE,
    judge: Annotated[
        str | None, typer.Option(help="Judge model, for tasks that need one; the role grader of inspect tasks.")
    ] = None,
    task_args: Annotated[
        list[str] | None,
        typer.Option("--task-arg", "-T", metavar="NAME=VALUE", help="Inspect tasks: an argument of the task."),
    ] = None,
    sandbox: Annotated[
        str | None, typer.Option(help="Inspect tasks: bubblewrap, docker or local, in place of the task's own.")
    ] = None,
    inspect_logs: Annotated[
        Path | None, typer.Option(help="Inspect tasks: folder in which the `.eval` logs stay.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Run tasks on models. Finished calls are not repeated."""
    from arena.benchmarking.config import BenchmarkConfig, InspectOptions
    from arena.benchmarking.run import run_benchmarks
    from arena.benchmarking.selection import SelectionOptions, data_folder
    from benchmarks.data import DataSources
    from benchmarks.task import RequestType

    bench_config = BenchmarkConfig(
        tasks=tasks or (),
        sample=sample,
        models=[name.strip() for name in models.split(",") if name.strip()],
        options=SelectionOptions(limit, shots, seed, compat.value if compat else None, repeats),
        request_type=RequestType(request_type) if request_type else None,
        max_tokens=max_tokens,
        budget=budget,
        judge=judge,
        data_sources=DataSources(data_folder(data), hub=not offline, verify_checksum=not no_verify_checksum),
        reply_cache=reply_cache,
        recompute=recompute,
        inspect=InspectOptions(_task_args(task_args or []), sandbox, inspect_logs),
    )
    check_report(report)
    trackers = open_trackers(wandb, mlflow)
    with opened(config, db, create=True) as (database, settings):
        result = run_benchmarks(database, settings, bench_config, progress_bar, print_event)
        numbers = [run.kept.number for run in result.runs]
        document = _document(database, numbers, result.requests()) if numbers and (report or trackers) else None
    if report is not None and document is not None:
        write_run_report(report, document)
    rows = result.rows()
    _print(rows, as_format)
    if trackers and document is not None:
        from arena.web.run_pages.tracking import tracked_bench_runs

        send(trackers, tracked_bench_runs(document, rows))
    if not result.complete:
        raise typer.Exit(1)


def _task_args(given: Sequence[str]) -> dict[str, Any]:
    """The arguments of `NAME=VALUE`, with values in YAML. Raises `ConfigError`."""
    import yaml

    from arena.errors import ConfigError

    arguments = {}
    for argument in given:
        name, separator, value = argument.partition("=")
        try:
            arguments[name.strip().replace("-", "_")] = yaml.safe_load(value)
        except yaml.YAMLError as problem:
            raise ConfigError(f"--task-arg {argument}: the value is not YAML. Quote it.") from problem
        if not separator or not name.strip():
            raise ConfigError(f"--task-arg {argument}: no value. Give NAME=VALUE.")
    return arguments


def write_report(
    report: Path | None, database: Database, numbers: Sequence[int], requests: Sequence[tuple[str, Any]] = ()
) -> None:
    """Write a report of these runs, if there is a file for it and a run. Raises `ConfigError`, `UnknownRun`."""
    if report is not None and numbers:
        write_run_report(report, _document(database, numbers, requests))


def _document(database: Database, numbers: Sequence[int], requests: Sequence[tuple[str, Any]]) -> RunDocument:
    from arena.web.run_pages.bench_document import bench_document, sent

    with database.read() as session:
        return bench_document(session, numbers, sent(requests))


def print_event(event: Event) -> None:
    """Print what a run starts, skips, and could not call."""
    from arena.benchmarking.events import Noted, Replaced, Skipped, TaskStarted, Unprotected
    from arena.engine import what_next

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    if isinstance(event, Skipped):
        console.print(f"[yellow]skipped:[/] {escape(event.reason)}")
    elif isinstance(event, TaskStarted):
        _print_start(event, console)
    elif isinstance(event, Unprotected):
        console.print(f"[bold red]warning:[/] {escape(event.reason)}")
    elif isinstance(event, Noted | Replaced):
        console.print(f"[yellow]note:[/] {escape(event.reason)}")
    else:
        print_adapted(event.call_counts.adapted, console)
        print_failures(event.call_counts.failed, event.call_counts.examples, console)
        hints = what_next(event.call_counts.failed, event.call_counts.unusable) if event.call_counts.failed else ()
        for hint in hints:
            console.print(hint)


def _print_start(event: TaskStarted, console: Console) -> None:
    selected = event.selected
    counts = f"{len(selected.samples):,} samples, {selected.shots} shots"
    console.print(f"[bold]{escape(selected.task.name)}[/]: {counts}")
    for model in event.models:
        refused = "; ".join(f"not {request_type}: {why}" for request_type, why in model.served.refused.items())
        console.print(escape(f"  {model.name}: {model.request_type}" + (f" ({refused})" if refused else "")))


def _print(rows: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in rows])
    else:
        console = Console(stderr=True, soft_wrap=True, highlight=False)
        Console().print(bench_tables.results(rows))
        bench_tables.print_costs(rows, console)
        bench_tables.print_reasons(rows, console)
