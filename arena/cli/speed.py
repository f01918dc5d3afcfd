"""`arena speed MODEL`: latencies, throughput and goodput of one model under load, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from arena.cli.options import AsFormat, Config, Format, write_csv, write_json
from arena.cli.report_file import check_report, print_report_path
from arena.cli.terminal import Console
from arena.cli.tracking import Mlflow, Wandb, open_trackers, send
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.benchmarking.load import LoadTestConfig
    from arena.benchmarking.load_sweep import Step, Sweep
    from arena.config import AnyModel
    from arena.exchange.tracked_run import TrackedRun, Tracker
    from benchmarks.speed import SpeedReport
    from benchmarks.speed_json import SentLoad
    from benchmarks.timing import Timing


@dataclass(frozen=True)
class _Output:
    """Where a result goes."""

    as_format: Format
    report_file: Path | None
    trackers: Sequence[Tracker]

    @property
    def needs_page(self) -> bool:
        return self.report_file is not None or bool(self.trackers)

    def write(self, page: str, tracked: TrackedRun) -> None:
        """Write the page and send the run. Raises `ConfigError`; the result was printed before."""
        if self.report_file is not None:
            from arena.web.run_pages import write_page

            write_page(self.report_file, page)
            print_report_path(self.report_file)
        send(self.trackers, tracked)


def speed(
    model: Annotated[str, typer.Argument(help="A model of the settings file.")],
    rate: Annotated[float | None, typer.Option(help="Requests (conversations) per second, on a schedule.")] = None,
    burstiness: Annotated[
        float,
        typer.Option(help="Of the schedule: 1 Poisson, below 1 in bursts, above 1 steadier, inf constant."),
    ] = 1.0,
    ramp_to: Annotated[
        float | None, typer.Option(help="Let the rate change to this one until the last request.")
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(help="JSON lines with timestamp (ms), input_length and output_length: arrivals as recorded."),
    ] = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Requests at once; with a rate, the limit on them.")
    ] = None,
    requests: Annotated[int, typer.Option(help="Timed requests (conversations) per repeat.")] = 50,
    repeats: Annotated[int, typer.Option(help="Repeats; intervals need at least two.")] = 3,
    warmup: Annotated[int, typer.Option(help="Requests before those, excluded from the results.")] = 5,
    max_tokens: Annotated[
        str, typer.Option(help="Token limit of each completion: 128, 64-256 or normal:128:32.")
    ] = "128",
    fixed_output: Annotated[
        bool,
        typer.Option("--fixed-output", help="Write to the token limit (ignore_eos of vLLM, SGLang, llama.cpp)."),
    ] = False,
    prompt_words: Annotated[str, typer.Option(help="Words per prompt: 128, 64-256 or normal:128:32.")] = "128",
    turns: Annotated[int, typer.Option(help="Prompts of each conversation.")] = 1,
    dataset: Annotated[
        Path | None, typer.Option(help="A prompt file, instead of random words; see `arena prompts import`.")
    ] = None,
    objectives: Annotated[
        list[str] | None,
        typer.Option(
            "--objective", help="Latency objective in seconds, for the goodput: ttft=0.5, tpot=0.05, e2e=3 …"
        ),
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Find the highest rate (or concurrency) within the objectives.")
    ] = False,
    share: Annotated[
        float, typer.Option(help="Of a sweep: the share of requests that must meet every objective.")
    ] = 0.95,
    timeout: Annotated[float, typer.Option(help="Time limit of a request, in seconds.")] = 120.0,
    seed: Annotated[
        int,
        typer.Option(help="Seed of the schedule and the prompts; a server that had them may have them cached."),
    ] = 0,
    report_file: Annotated[
        Path | None, typer.Option("--report", help="Also write the result with its curves as one HTML file.")
    ] = None,
    wandb: Wandb = None,
    mlflow: Mlflow = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
) -> None:
    """Measure the latency and throughput of a model under load."""
    from arena.benchmarking.conversations import Content, Lengths, read_trace
    from arena.benchmarking.load import Load, LoadTestConfig
    from arena.config import read_settings
    from arena.serving.model_clients import chosen, configured
    from benchmarks.errors import BadOption

    (settings,) = chosen(configured(read_settings(config)), [model], "MODEL")
    recorded = read_trace(trace) if trace is not None else None
    at_once = 1 if rate is None and recorded is None and concurrency is None else concurrency
    content = Content(
        Lengths.parse(prompt_words, "--prompt-words"), Lengths.parse(max_tokens, "--max-tokens"), turns,
        _texts(dataset) if dataset is not None else None,
    )  # fmt: skip
    try:
        load = Load(requests, rate, at_once, warmup, seed, timeout, burstiness, ramp_to, recorded)
    except BadOption as error:
        raise ConfigError(str(error)) from error
    load_test = LoadTestConfig(load, repeats, content, _objectives(objectives or []), fixed_output)
    check_report(report_file)
    output = _Output(as_format, report_file, open_trackers(wandb, mlflow))
    _note_what_is_sent(load_test, sweep=sweep)
    if sweep:
        _sweep(settings, load_test, share, output)
    else:
        _one_load(settings, load_test, output)


def _texts(path: Path) -> tuple[tuple[str, ...], ...]:
    """The prompts of each conversation of a file: what the user says, turn by turn. Raises `ConfigError`."""
    from arena.prompt_sets.files import read_prompt_file

    read = read_prompt_file(path)
    found = [
        tuple(str(message["content"]) for message in prompt.messages if message["role"] == "user")
        for prompt in read.prompts
    ]
    if texts := tuple(each for each in found if each):
        return texts
    raise ConfigError(f"{path}: no record has a prompt of a user. Give a file with prompts.")


def _note_what_is_sent(load_test: LoadTestConfig, *, sweep: bool) -> None:
    from arena.benchmarking.conversations import same_texts

    made = load_test.made
    if repeated := same_texts(made):
        _note(f"{repeated} of {len(made)} prompts are sent again, which a server may answer from its cache.")
    elif sweep and load_test.content.dataset is not None:
        _note("Each load is tested with prompts of the same file, which a server may answer from its cache.")


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


def _one_load(settings: AnyModel, load_test: LoadTestConfig, output: _Output) -> None:
    from arena.benchmarking.load_test import reported
    from arena.cli.speed_tables import print_report
    from benchmarks.speed_json import rows, to_dict

    repeats = _timings(settings, load_test, f"timing {settings.name}")
    report = reported(repeats, load_test)
    as_dict = to_dict(report, _sent(settings, load_test))
    if output.as_format is Format.JSON:
        write_json(as_dict)
    elif output.as_format is Format.CSV:
        write_csv(rows(report))
    else:
        print_report(report)
    if output.needs_page:
        from arena.web.run_pages.speed import load_page
        from arena.web.run_pages.tracking import tracked_load

        page = load_page(settings.name, load_test, report, repeats)
        output.write(page, tracked_load(settings.name, load_test, as_dict, rows(report), repeats, page))
    if report.succeeded == 0:
        raise typer.Exit(1)


def _sweep(settings: AnyModel, load_test: LoadTestConfig, share: float, output: _Output) -> None:
    from arena.benchmarking.load_sweep import rows, sweep
    from arena.benchmarking.load_test import reported
    from arena.cli.speed_tables import print_sweep

    def test(config: LoadTestConfig) -> SpeedReport:
        at = config.load.rate if config.load.rate is not None else config.load.concurrency
        return reported(_timings(settings, config, f"timing {settings.name} at {at:.3g}"), config)

    found = sweep(load_test, share, test)
    if output.as_format is Format.JSON:
        write_json(_sweep_json(found))
    elif output.as_format is Format.CSV:
        write_csv(list(rows(found)))
    else:
        print_sweep(found)
    if output.needs_page:
        from arena.web.run_pages.speed import sweep_page
        from arena.web.run_pages.tracking import tracked_sweep

        page = sweep_page(settings.name, load_test, found)
        output.write(page, tracked_sweep(settings.name, load_test, found.highest, list(rows(found)), page))
    if found.highest is None:
        raise typer.Exit(1)


def _sweep_json(found: Sweep) -> dict[str, Any]:
    from benchmarks.speed_json import to_dict

    def step(one: Step) -> dict[str, Any]:
        return {found.by: one.load, "passed": one.passed, "report": to_dict(one.report)}

    return {
        "by": found.by, "share": found.share, "highest": found.highest, "bounded": found.bounded,
        "steps": [step(one) for one in found.steps],
    }  # fmt: skip


def _timings(settings: AnyModel, load_test: LoadTestConfig, title: str) -> list[list[Timing]]:
    from arena.benchmarking.load_test import timed_repeats

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        total = sum(len(conversation.prompts) for conversation in load_test.made)
        bar = progress.add_task(title, total=total)
        return timed_repeats(settings, load_test, lambda _: progress.advance(bar))


def _sent(settings: AnyModel, load_test: LoadTestConfig) -> SentLoad:
    from benchmarks.speed_json import SentLoad

    load = load_test.load
    return SentLoad(settings.name, load.rate, load.burstiness, load.concurrency)


def _note(text: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(text, markup=False)
