"""Benchmark results as tables and texts at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

NESTED = ("metrics", "subjects", "reasons", "options")
READ = 1200  # characters of a text that are shown


def tasks(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The shipped tasks, by dimension."""
    table = Table(title="tasks")
    for name in ("task", "dimension", "samples", "metric", "shots", "licence", "data", "description"):
        table.add_column(name, justify="right" if name in ("samples", "shots") else "left")
    for row in rows:
        cells = [row["task"], row["dimension"], _count(row["samples"]), row["metric"], str(row["shots"])]
        table.add_row(*map(Text, [*cells, row["licence"], row["data"], row["description"]]))
    return table


def results(rows: Sequence[Mapping[str, Any]]) -> Table:
    """One line a run: the value with its interval, the bounds, and the three outcomes."""
    table = Table(caption="worst … best: if every sample without a score were wrong, or right")
    shown = [name for name in ("run", "task", "model", "rung", "metric") if any(name in row for row in rows)]
    for name in shown:
        table.add_column(name)
    for name in ("value", "± se", "95 % interval", "worst … best", "scored", "unparsed", "failed"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(*(Text(str(row.get(name, ""))) for name in shown), *map(Text, _figures(row)))
    return table


def _figures(row: Mapping[str, Any]) -> list[str]:
    return [
        _number(row["value"]),
        _number(row["standard_error"]),
        _span(row["lower"], row["upper"]),
        _span(row.get("worst"), row.get("best")),
        *(f"{row[name]:,}" for name in ("scored", "unparsed", "failed")),
    ]


def comparison(pairs: Sequence[Mapping[str, Any]]) -> Table:
    """One line a pair of models and task."""
    table = Table(title="a less b, on the same samples")
    for name in ("task", "a", "b"):
        table.add_column(name)
    for name in ("samples", "a's", "b's", "difference", "95 % interval", "p", "p (Holm)", "for 1 point"):
        table.add_column(name, justify="right")
    for pair in pairs:
        style = "bold" if pair["differ"] else ""
        table.add_row(
            Text(pair["task"]), Text(pair["model_a"]), Text(pair["model_b"]), f"{pair['samples']:,}",
            _number(pair["first"]), _number(pair["second"]), f"{pair['difference']:+.4f}",
            _span(pair["lower"], pair["upper"]), f"{pair['p']:.3g}", f"{pair['p_holm']:.3g}",
            _count(pair["samples_for_one_point"]), style=style,
        )  # fmt: skip
    return table


def tell_ties(found: Mapping[str, Any], console: Console) -> None:
    """Which models the test cannot tell apart, and where they were asked in different ways."""
    for task, groups in found["ties"].items():
        console.print(f"{task}: " + "  >  ".join(" = ".join(group) for group in groups), markup=False)
    mixed = sorted({pair["task"] for pair in found["pairs"] if len(set(pair["rungs"])) > 1})
    if mixed:
        console.print(f"asked in different ways: {', '.join(mixed)}; --rung asks all in one way", style="yellow")


def tell_reasons(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Why samples have no score."""
    for row in rows:
        for reason, count in row.get("reasons", {}).items():
            named = " · ".join(str(row[name]) for name in ("task", "model") if row.get(name))
            console.print(f"{named}: {count:,} × {reason}", markup=False)


def read(rows: Sequence[Mapping[str, Any]], found: int, console: Console) -> None:
    """Samples in full, one box each."""
    for row in rows:
        told = Text()
        for name in ("prompt", "reply", "answer", "target", "reason"):
            if row[name]:
                told.append(f"{name}: ", style="bold")
                told.append(_short(row[name]) + "\n")
        told.append(", ".join(f"{name} {value:g}" for name, value in row["metrics"].items()), style="dim")
        title = f"{row['sample']} · {row['status']}" + (f" · {row['subject']}" if row["subject"] else "")
        console.print(Panel(told, title=Text(title), title_align="left"))
    if found > len(rows):
        console.print(f"{found - len(rows):,} more; --limit {found} shows all", highlight=False)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A result for CSV: metrics as columns of their own, other nested values left to JSON."""
    plain = {name: value for name, value in row.items() if name not in NESTED}
    return plain | {f"metric_{name}": value for name, value in row.get("metrics", {}).items()}


def _short(text: str) -> str:
    return text if len(text) <= READ else f"{text[: READ // 2]}\n …\n{text[-READ // 2 :]}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _span(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.4f} … {high:.4f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
