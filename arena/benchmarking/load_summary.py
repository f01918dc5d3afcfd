"""A load test in a few lines of text."""

from __future__ import annotations

from benchmarks.intervals import Interval
from benchmarks.speed import SpeedReport


def summary(report: SpeedReport) -> list[str]:
    """Requests and failures, throughput with intervals, and the goodput if there are objectives."""
    failures = ", ".join(f"{count} {name}" for name, count in report.errors.items()) or "none"
    lines = [
        f"{report.succeeded} of {report.requests} requests in {report.repeats} repeats ({report.duration:.1f} s); "
        f"failed: {failures}; no request was retried"
    ]
    throughputs = [f"{_interval(report.request_throughput)} requests per second"]
    if report.output_throughput is not None:
        throughputs.append(
            f"{_interval(report.output_throughput)} tokens per second (counted by {report.counted_by})"
        )
    lines.append("; ".join(throughputs) + f"; up to {report.peak_concurrency} at once")
    if report.goodput is not None:
        good = report.goodput
        lines.append(
            f"goodput: {good.share:.1%} ({good.lower:.1%} … {good.upper:.1%}) of all requests met every "
            f"objective, {good.per_second:.2f} per second"
        )
    return lines


def _interval(estimate: Interval) -> str:
    ends = "" if estimate.lower is None else f" ({estimate.lower:.2f} … {estimate.upper:.2f})"
    return f"{estimate.value:.2f}{ends}"
