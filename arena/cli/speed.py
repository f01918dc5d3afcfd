"""`arena speed MODEL`: latencies, throughput and goodput of one model under load, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from arena.cli.options import AsFormat, Config, Format, write_csv, write_json
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from benchmarks.intervals import Interval
    from benchmarks.speed import SpeedReport


def speed(
    model: Annotated[str, typer.Argument(help="A model of the settings file.")],
    rate: Annotated[float | None, typer.Option(help="Requests per second, on a Poisson schedule.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests at once; with a rate, the limit on them.")
    ] = None,
    requests: Annotated[int, typer.Option(help="Timed requests per repeat.")] = 50,
    repeats: Annotated[int, typer.Option(help="Repeats; intervals need at least two.")] = 3,
    warmup: Annotated[int, typer.Option(help="Requests before those, excluded from the results.")] = 5,
    max_tokens: Annotated[int, typer.Option(help="Token limit of each completion.")] = 128,
    prompt_words: Annotated[int, typer.Option(help="Words per prompt.")] = 128,
    objectives: Annotated[
        list[str] | None,
        typer.Option(
            "--objective", help="Latency objective in seconds, for the goodput: ttft=0.5, tpot=0.05, e2e=3 …"
        ),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Time limit of a request, in seconds.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Seed of the schedule and the prompts.")] = 0,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
) -> None:
    """Measure the latency and throughput of a model under load."""
    from arena.benchmarking.load_test import Load, LoadTestConfig, run_load_test
    from arena.config import read_settings
    from arena.serving.model_clients import chosen, configured
    from benchmarks.errors import BadOption

    (settings,) = chosen(configured(read_settings(config)), [model], "MODEL")
    limits = _objectives(objectives or [])
    at_once = concurrency if concurrency is not None or rate is not None else 1
    try:
        load = Load(requests, rate, at_once, warmup, seed, timeout)
    except BadOption as error:
        raise ConfigError(str(error)) from error
    load_test = LoadTestConfig(load, repeats, max_tokens, prompt_words, limits)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bar = progress.add_task(f"timing {settings.name}", total=load_test.requests)
        report = run_load_test(settings, load_test, lambda _: progress.advance(bar))
    _print(report, as_format)


def _objectives(texts: list[str]) -> dict[str, float]:
    """Seconds by latency. Raises `ConfigError`."""
    from benchmarks.timing import LATENCIES

    limits = {}
    for text in texts:
        name, _, seconds = text.partition("=")
        try:
            limits[name] = float(seconds)
        except ValueError:
            raise ConfigError(f"--objective {text!r} is not valid. Give a name and seconds: ttft=0.5.") from None
        if name not in LATENCIES or not limits[name] > 0:
            names = ", ".join(LATENCIES)
            raise ConfigError(f"--objective {text!r} is not valid. Give one of {names} and a number above 0.")
    return limits


def _print(report: SpeedReport, as_format: Format) -> None:
    from benchmarks.speed_json import per_request_rows, rows, to_dict

    if as_format is Format.JSON:
        write_json(to_dict(report))
    elif as_format is Format.CSV:
        write_csv(rows(report))
    else:
        _print_table(report, rows(report), per_request_rows(report))
    if report.succeeded == 0:
        raise typer.Exit(1)


def _print_table(report: SpeedReport, rows: list[dict[str, Any]], counts: list[dict[str, Any]]) -> None:
    console = Console()
    console.print(_table("milliseconds", "latency_ms", rows))
    console.print(_table("per request", "per_request", counts))
    failures = ", ".join(f"{count} {name}" for name, count in report.errors.items()) or "none"
    console.print(
        f"{report.succeeded} of {report.requests} requests in {report.repeats} repeats ({report.duration:.1f} s); "
        f"failed: {failures}; no request was retried",
        soft_wrap=True,
    )
    throughputs = [f"{_interval(report.request_throughput)} requests per second"]
    if report.output_throughput is not None:
        throughputs.append(
            f"{_interval(report.output_throughput)} tokens per second (counted by {report.counted_by})"
        )
    console.print("; ".join(throughputs) + f"; up to {report.peak_concurrency} at once", soft_wrap=True)
    if report.goodput is not None:
        good = report.goodput
        console.print(
            f"goodput: {good.share:.1%} ({good.lower:.1%} … {good.upper:.1%}) of all requests met every "
            f"objective, {good.per_second:.2f} per second",
            soft_wrap=True,
        )


def _table(title: str, name: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title, "mean", "95 %", "p50", "p90", "p95", "p99", "measured")
    for row in rows:
        ends = "" if row["mean_lower"] is None else f"{row['mean_lower']:.1f} … {row['mean_upper']:.1f}"
        cells = [_shown(row[percentile]) for percentile in ("p50", "p90", "p95", "p99")]
        table.add_row(row[name], _shown(row["mean"]), ends, *cells, str(row["measured"]))
    return table


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _interval(estimate: Interval) -> str:
    ends = "" if estimate.lower is None else f" ({estimate.lower:.2f} … {estimate.upper:.2f})"
    return f"{estimate.value:.2f}{ends}"
