"""A speed report as JSON: our own keys, and those of vLLM's serving benchmark for tools that read them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.intervals import Interval
from benchmarks.speed import SpeedReport, Spread


@dataclass(frozen=True)
class SentLoad:
    """What vLLM's file says of the load; a rate of None is `inf` there: no schedule."""

    model: str
    rate: float | None
    burstiness: float
    concurrency: int | None


def to_dict(report: SpeedReport, load: SentLoad | None = None) -> dict[str, Any]:
    """All of the report, in seconds, with an interval for each number; `vllm` holds that tool's keys.

    `too_few` names the percentiles by latency that have fewer measurements than an upper bound of them needs.
    """
    too_few = {name: list(spread.too_few) for name, spread in report.latencies.items() if spread.too_few}
    return {**asdict(report), "too_few": too_few, "vllm": vllm(report, load)}


def vllm(report: SpeedReport, load: SentLoad | None = None) -> dict[str, Any]:
    """Milliseconds, as `vllm bench serve --save-result` names them. What was not measured is None."""
    totals = report.totals
    tokens = None if totals.input_tokens is None else totals.input_tokens + totals.output_tokens
    values: dict[str, Any] = {
        **({} if load is None else _load(load)),
        "num_prompts": report.requests,
        "completed": report.succeeded,
        "failed": report.requests - report.succeeded,
        "duration": report.duration,
        "total_input_tokens": totals.input_tokens,
        "total_output_tokens": totals.output_tokens,
        "request_throughput": report.request_throughput.value,
        "output_throughput": _value(report.output_throughput),
        "total_token_throughput": None if tokens is None else tokens / report.duration,
        "max_output_tokens_per_s": totals.most_output_tokens,
        "request_goodput": report.goodput.per_second if report.goodput else None,
        "max_concurrent_requests": report.peak_concurrency,
    }
    named = {"ttft": report.latencies["ttft"], "tpot": report.latencies["tpot"], "itl": report.itl}
    for name, spread in {**named, "e2el": report.latencies["e2e"]}.items():
        values |= {
            f"mean_{name}_ms": _ms(spread.mean),
            f"median_{name}_ms": _ms(spread.percentiles.get(50)),
            f"std_{name}_ms": _scaled(spread.deviation),
            f"p99_{name}_ms": _ms(spread.percentiles.get(99)),
        }
    return values


def _load(load: SentLoad) -> dict[str, Any]:
    return {
        "model_id": load.model,
        "request_rate": "inf" if load.rate is None else load.rate,
        "burstiness": load.burstiness,
        "max_concurrency": load.concurrency,
    }


def rows(report: SpeedReport) -> list[dict[str, Any]]:
    """A row a latency, for tables and CSV, in milliseconds."""
    spreads = {**report.latencies, "itl": report.itl, "itl_per_request": report.itl_per_request}
    return [row(name, spread) for name, spread in spreads.items()]


def per_request_rows(report: SpeedReport) -> list[dict[str, Any]]:
    """A row per count of a request: chunks, those of thinking and of content, input and output tokens."""
    return [
        {"per_request": name, **_numbers(spread, _value, lambda bound: bound)}
        for name, spread in report.per_request.items()
    ]


def row(name: str, spread: Spread) -> dict[str, Any]:
    return {"latency_ms": name, **_numbers(spread, _ms, _scaled)}


def _numbers(
    spread: Spread,
    number: Callable[[Interval | None], float | None],
    bound: Callable[[float | None], float | None],
) -> dict[str, Any]:
    percentiles = {f"p{q}": number(spread.percentiles.get(q)) for q in (50, 90, 95, 99)}
    lower = spread.mean.lower if spread.mean else None
    upper = spread.mean.upper if spread.mean else None
    ends = {"mean_lower": bound(lower), "mean_upper": bound(upper)}
    few = " ".join(f"p{percentile}" for percentile in spread.too_few)
    return {"measured": spread.measured, "mean": number(spread.mean), **ends, **percentiles, "too_few": few}


def _value(interval: Interval | None) -> float | None:
    return interval.value if interval else None


def _ms(interval: Interval | None) -> float | None:
    return _scaled(_value(interval))


def _scaled(seconds: float | None) -> float | None:
    return None if seconds is None else 1000 * seconds
