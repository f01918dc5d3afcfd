"""What `arena speed` prints: a report of one load, or the loads of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.benchmarking.load_sweep import Sweep
    from benchmarks.intervals import Interval
    from benchmarks.speed import SpeedReport, Spread


def print_report(report: SpeedReport) -> None:
    from benchmarks.speed import needed
    from benchmarks.speed_json import per_request_rows, rows

    console = Console()
    measured = rows(report)
    console.print(_table("milliseconds", "latency_ms", measured))
    if any(row["too_few"] for row in measured):
        limits = ", ".join(f"p{percentile} {needed(percentile)}" for percentile in (90, 95, 99))
        console.print(
            f"* from fewer requests than an upper bound of it with 95 % confidence needs ({limits})",
            soft_wrap=True,
        )
    console.print(_table("per request", "per_request", per_request_rows(report), marks=False))
    if report.turns:
        console.print(_turns(report.turns))
    _print_summary(console, report)


def _print_summary(console: Console, report: SpeedReport) -> None:
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


def print_sweep(found: Sweep) -> None:
    from arena.benchmarking.load_sweep import rows

    console = Console()
    unit = "requests per second" if found.by == "rate" else "requests at once"
    table = Table(unit, "within", "requests/s", "tokens/s", "TTFT p50", "p99 ms", "TPOT p50", "p99 ms", "failed")
    for row, step in zip(rows(found), found.steps, strict=True):
        good = step.report.goodput
        share = f"{good.share:.1%}" if good else "–"
        mark = "✓" if step.passed else "✗"
        numbers = (
            "requests_per_second",
            "tokens_per_second",
            "ttft_p50_ms",
            "ttft_p99_ms",
            "tpot_p50_ms",
            "tpot_p99_ms",
        )
        table.add_row(
            f"{step.load:.3g}", f"{mark} {share}", *(_shown(row[name]) for name in numbers), str(row["failed"])
        )
    console.print(table)
    console.print(sentence(found), soft_wrap=True)


def sentence(found: Sweep) -> str:
    """What a sweep found."""
    unit = "requests per second" if found.by == "rate" else "requests at once"
    wanted = f"{found.share:.0%} of requests within every objective"
    if found.highest is None:
        return f"No load that was tested has {wanted}."
    said = f"The highest load with {wanted} is {found.highest:.3g} {unit}"
    return said + ("." if found.bounded else " or more: none that was tested has less. Give more --requests.")


def _turns(turns: tuple[Spread, ...]) -> Table:
    table = Table("TTFT by turn, ms", "mean", "95 %", "p50", "p99", "measured")
    for number, spread in enumerate(turns, 1):
        mean = spread.mean
        ends = "" if mean is None or mean.lower is None or mean.upper is None else (
            f"{1000 * mean.lower:.1f} … {1000 * mean.upper:.1f}"
        )  # fmt: skip
        cells = [_shown(1000 * spread.percentiles[q].value if q in spread.percentiles else None) for q in (50, 99)]
        table.add_row(str(number), _shown(1000 * mean.value if mean else None), ends, *cells, str(spread.measured))
    return table


def _table(title: str, name: str, rows: list[dict[str, Any]], *, marks: bool = True) -> Table:
    table = Table(title, "mean", "95 %", "p50", "p90", "p95", "p99", "measured")
    for row in rows:
        ends = "" if row["mean_lower"] is None else f"{row['mean_lower']:.1f} … {row['mean_upper']:.1f}"
        few = row["too_few"].split() if marks else []
        cells = [
            _shown(row[percentile]) + ("*" if percentile in few else "")
            for percentile in ("p50", "p90", "p95", "p99")
        ]
        table.add_row(row[name], _shown(row["mean"]), ends, *cells, str(row["measured"]))
    return table


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.1f}"


def _interval(estimate: Interval) -> str:
    ends = "" if estimate.lower is None else f" ({estimate.lower:.2f} … {estimate.upper:.2f})"
    return f"{estimate.value:.2f}{ends}"
