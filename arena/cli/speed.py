"""`arena speed MODEL`: latencies, throughput and goodput of one model under load, with intervals."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from arena.cli.options import AsFormat, Config, Format, write_csv, write_json
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.benchmarking.load_test import Load
    from arena.config import AnyModel
    from benchmarks.speed import SpeedReport, Timing


def speed(
    model: Annotated[str, typer.Argument(help="A model of the settings file.")],
    rate: Annotated[float | None, typer.Option(help="Requests a second, on a Poisson schedule.")] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests at once; the most at once if there is a rate too.")
    ] = None,
    requests: Annotated[int, typer.Option(help="Timed requests of each repeat.")] = 50,
    repeats: Annotated[int, typer.Option(help="Repeats; intervals need two, and better three.")] = 3,
    warmup: Annotated[int, typer.Option(help="Requests before those, left out.")] = 5,
    max_tokens: Annotated[int, typer.Option(help="Tokens to write, at most.")] = 128,
    prompt_words: Annotated[int, typer.Option(help="Words of each prompt.")] = 128,
    objectives: Annotated[
        list[str] | None,
        typer.Option("--objective", help="For the goodput: ttft=0.5, tpot=0.05, e2e=3 … in seconds."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds for one request.")] = 120.0,
    seed: Annotated[int, typer.Option(help="Of the schedule and the prompts.")] = 0,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
) -> None:
    """Measure how fast a model answers under load."""
    from arena.benchmarking.load_test import Load
    from arena.config import read_settings
    from arena.serving.model_clients import chosen, configured
    from benchmarks.errors import BenchmarkError
    from benchmarks.speed import report

    (settings,) = chosen(configured(read_settings(config)), [model], "MODEL")
    wanted = _objectives(objectives or [])
    if repeats < 1 or max_tokens < 1 or prompt_words < 1:
        raise ConfigError("--repeats, --max-tokens and --prompt-words are at least 1")
    at_once = concurrency if concurrency is not None or rate is not None else 1
    try:
        load = Load(requests, rate, at_once, warmup, seed, timeout)
        runs = asyncio.run(_measure(settings, load, repeats, max_tokens, prompt_words))
        _print(report(runs, wanted), as_format)
    except BenchmarkError as error:
        raise ConfigError(str(error)) from error


def _objectives(given: list[str]) -> dict[str, float]:
    from benchmarks.speed import LATENCIES

    found = {}
    for text in given:
        name, _, limit = text.partition("=")
        try:
            found[name] = float(limit)
        except ValueError:
            raise ConfigError(f"--objective {text!r}; give a name and seconds, such as ttft=0.5") from None
        if name not in LATENCIES or not found[name] > 0:
            raise ConfigError(f"--objective {text!r}; one of {', '.join(LATENCIES)} and a number above 0")
    return found


async def _measure(settings: AnyModel, load: Load, repeats: int, tokens: int, words: int) -> list[list[Timing]]:
    """The repeats, each with prompts of its own, under a progress bar."""
    from arena.benchmarking.load_test import prompts, run
    from arena.endpoints import EndpointError
    from arena.serving.model_clients import no_answer
    from arena.serving.models import ServedModel, make_endpoint

    model = ServedModel(settings, make_endpoint(settings))
    each = load.warmup + load.requests
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    try:
        await model.endpoint.start()
        with Progress(*columns, console=Console(stderr=True)) as progress:
            bar = progress.add_task(f"timing {settings.name}", total=each * repeats)
            texts = prompts(each * repeats, words, load.seed)
            bodies = [
                {**model.request([{"role": "user", "content": text}]), "max_tokens": tokens} for text in texts
            ]
            return [
                await run(
                    model.endpoint,
                    bodies[each * number : each * (number + 1)],
                    load,
                    lambda _: progress.advance(bar),
                )
                for number in range(repeats)
            ]
    except EndpointError as error:
        raise no_answer(settings.name, error) from error
    finally:
        await model.endpoint.close()


def _print(report: SpeedReport, as_format: Format) -> None:
    from benchmarks.speed_json import rows, to_dict

    if as_format is Format.JSON:
        write_json(to_dict(report))
    elif as_format is Format.CSV:
        write_csv(rows(report))
    else:
        _table(report, rows(report))
    if report.succeeded == 0:
        raise typer.Exit(1)


def _table(report: SpeedReport, found: list[dict[str, Any]]) -> None:
    console = Console()
    table = Table("milliseconds", "mean", "95 %", "p50", "p90", "p95", "p99", "measured")
    for row in found:
        ends = "" if row["mean_lower"] is None else f"{row['mean_lower']:.1f} … {row['mean_upper']:.1f}"
        cells = [_shown(row[name]) for name in ("p50", "p90", "p95", "p99")]
        table.add_row(row["latency_ms"], _shown(row["mean"]), ends, *cells, str(row["measured"]))
    console.print(table)
    failures = ", ".join(f"{count} {name}" for name, count in report.errors.items()) or "none"
    console.print(
        f"{report.succeeded} of {report.requests} requests in {report.repeats} repeats; failed: {failures}",
        soft_wrap=True,
    )
    through = [f"{_interval(report.request_throughput)} requests a second"]
    if report.output_throughput is not None:
        through.append(f"{_interval(report.output_throughput)} tokens a second (counted by {report.counted_by})")
    console.print("; ".join(through) + f"; at most {report.peak_concurrency} at once", soft_wrap=True)
    if report.goodput is not None:
        good = report.goodput
        console.print(
            f"goodput: {good.share:.1%} ({good.lower:.1%} … {good.upper:.1%}) of all requests met every "
            f"objective, {good.per_second:.2f} a second",
            soft_wrap=True,
        )


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def _interval(found: Any) -> str:
    ends = "" if found.lower is None else f" ({found.lower:.2f} … {found.upper:.2f})"
    return f"{found.value:.2f}{ends}"
