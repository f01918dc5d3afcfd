"""What `arena speed` prints: a report of one load, or the loads of a sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.table import Table

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.benchmarking.load_sweep import Sweep
    from benchmarks.speed import SpeedReport, Spread


def print_report(report: SpeedReport) -> None:
    from arena.benchmarking.load_summary import summary
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
    for said in summary(report):
        console.print(said, soft_wrap=True)


def print_sweep(found: Sweep) -> None:
    from arena.benchmarking.load_sweep import rows, sentence

    console = Console()
    table = Table(
        found.unit, "within", "requests/s", "tokens/s", "TTFT p50", "p99 ms", "TPOT p50", "p99 ms", "failed"
    )
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


def _turns(turns: tuple[Spread, ...]) -> Table:
    from benchmarks.speed_json import row

    table = Table("TTFT by turn, ms", "mean", "95 %", "p50", "p99", "measured")
    for number, spread in enumerate(turns, 1):
        cells = row(str(number), spread)
        numbers = (_shown(cells["p50"]), _shown(cells["p99"]), str(cells["measured"]))
        table.add_row(str(number), _shown(cells["mean"]), _ends(cells), *numbers)
    return table


def _ends(row: dict[str, Any]) -> str:
    """The interval of the mean."""
    return "" if row["mean_lower"] is None else f"{row['mean_lower']:.1f} … {row['mean_upper']:.1f}"


def _table(title: str, name: str, rows: list[dict[str, Any]], *, marks: bool = True) -> Table:
    table = Table(title, "mean", "95 %", "p50", "p90", "p95", "p99", "measured")
    for row in rows:
        few = row["too_few"].split() if marks else []
        cells = [
            _shown(row[percentile]) + ("*" if percentile in few else "")
            for percentile in ("p50", "p90", "p95", "p99")
        ]
        table.add_row(row[name], _shown(row["mean"]), _ends(row), *cells, str(row["measured"]))
    return table


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.1f}"
