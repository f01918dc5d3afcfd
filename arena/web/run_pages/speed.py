"""The result of a load test, or of a sweep, as one HTML file that loads nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from arena.benchmarking.load import LoadTestConfig
from arena.benchmarking.load_summary import summary
from arena.benchmarking.load_sweep import Sweep, rows, sentence
from arena.web.assets import inline
from arena.web.plots.curves import Curve, curves_svg
from arena.web.run_pages.file import environment
from benchmarks.speed import SpeedReport, tokens_by_second
from benchmarks.speed_json import per_request_rows
from benchmarks.speed_json import rows as latency_rows
from benchmarks.timing import Timing

POINTS = 200  # of a distribution's curve


def load_page(model: str, config: LoadTestConfig, report: SpeedReport, repeats: Sequence[Sequence[Timing]]) -> str:
    """One load: its numbers, the distributions of the latencies, and what happened in each second of the first repeat."""
    done = [timing for run in repeats for timing in run if timing.ok]
    first = repeats[0]
    by_second = [(float(second), float(count)) for second, count in enumerate(tokens_by_second(first))]
    pictures = [
        (
            "Share of requests that took at most so long",
            curves_svg(
                [
                    _distribution("TTFT", done, lambda timing: timing.ttft),
                    _distribution("end to end", done, lambda timing: timing.e2e),
                ],
                "seconds", "share",
            ),
        ),
        ("Output tokens in each second of the first repeat", curves_svg([Curve("", by_second)], "second", "tokens")),
        (
            "Requests under way in the first repeat",
            curves_svg([Curve("", _under_way(first))], "second", "requests"),
        ),
    ]  # fmt: skip
    tables = [("Latencies in milliseconds", latency_rows(report)), ("Per request", per_request_rows(report))]
    return _page(model, config, summary(report), pictures, tables)


def sweep_page(model: str, config: LoadTestConfig, found: Sweep) -> str:
    """The loads of a sweep: latencies and throughput by load."""
    table, unit = list(rows(found)), found.unit

    def curve(name: str, column: str, factor: float = 1) -> Curve:
        return Curve(
            name, [(row[found.by], factor * row[column]) for row in table if row[column] is not None], True
        )

    pictures = [
        (f"{name} by load", curves_svg([curve(f"p{q}", f"{key}_p{q}_ms") for q in (50, 99)], unit, "ms"))
        for name, key in (("Time to first token", "ttft"), ("Time per output token", "tpot"))
    ]
    pictures += [
        ("Throughput by load", curves_svg([curve("", "tokens_per_second")], unit, "tokens per second")),
        ("Requests within every objective", curves_svg([curve("", "share", 100)], unit, "%")),
    ]
    return _page(model, config, [sentence(found)], pictures, [("Loads", table)])


def _distribution(name: str, done: Sequence[Timing], measure: Callable[[Timing], float | None]) -> Curve:
    values = np.sort([value for timing in done if (value := measure(timing)) is not None])
    if not values.size:
        return Curve(name, [])
    shares = np.linspace(0, 1, min(POINTS, values.size + 1))
    return Curve(name, [(float(np.quantile(values, share)), float(share)) for share in shares])


def _under_way(run: Sequence[Timing]) -> list[tuple[float, float]]:
    """How many requests were under way, as steps over the seconds from the first one due."""
    start = min(timing.scheduled for timing in run)
    changes = sorted(
        [(timing.sent - start, 1) for timing in run]
        + [((timing.ended or timing.sent) - start, -1) for timing in run]
    )
    points, count = [(0.0, 0.0)], 0
    for when, change in changes:
        points.append((when, float(count)))
        count += change
        points.append((when, float(count)))
    return points


def _page(
    model: str,
    config: LoadTestConfig,
    said: Sequence[str],
    pictures: Sequence[tuple[str, Any]],
    tables: Sequence[tuple[str, Sequence[Any]]],
) -> str:
    return environment().get_template("speed.html").render(
        style=inline("tokens.css", "speed_report.css"),
        made_at=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        model=model, said=said, settings=load_settings(config),
        pictures=[(title, picture) for title, picture in pictures if picture], tables=tables,
    )  # fmt: skip


def load_settings(config: LoadTestConfig) -> list[tuple[str, str]]:
    """What a load test was told, as texts."""
    load = config.load
    arrivals = "constant" if load.burstiness == float("inf") else f"burstiness {load.burstiness:g}"
    rate = "no schedule" if load.rate is None else f"{load.rate:g} per second, {arrivals}"
    if load.ramp_to is not None:
        rate += f", changing to {load.ramp_to:g} per second"
    shown = [
        ("arrivals", "recorded" if load.trace is not None else rate),
        ("at once", "no limit" if load.concurrency is None else f"at most {load.concurrency}"),
        ("requests", f"{load.requests} in each of {config.repeats} repeats, after {load.warmup} of warm-up"),
        ("turns", "as in the data set" if config.content.dataset is not None else str(config.content.turns)),
        ("fixed output", "yes" if config.fixed_output else "no"),
    ]
    return shown + [(f"objective {name}", f"{limit:g} s") for name, limit in config.objectives.items()]
