"""Benchmark results as tables and texts at a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

NESTED = ("metrics", "subjects", "reasons", "options")
WIDE = 150  # columns
READ = 1200  # characters of a text that are shown


def tasks(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """The shipped tasks, by dimension; a wide terminal also shows what they are and who published them."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    names = ["task", "dimension", "samples", "metric", "licence", "data", "description", "source"]
    if width < WIDE:
        names = names[:6]
    for name in names:
        table.add_column(name, justify="right" if name == "samples" else "left", no_wrap=name == "task")
    for row in rows:
        told = {**row, "samples": _count(row["samples"])}
        table.add_row(*(Text(told[name]) for name in names))
    return table


def results(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Three lines a run: the value with its interval, the bounds below it, and the three outcomes."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption="bounds: every sample without a score wrong, or right")
    numbered = any("run" in row for row in rows)
    names = [*(["run"] if numbered else []), "task\nrung", "model"]
    for name in names:
        table.add_column(name, overflow="fold", min_width=3 if name == "run" else 13)
    for name in ("metric\nvalue ± se", "95 % interval\nbounds", "scored\nunparsed\nfailed"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        number = [str(row["run"])] if numbered else []
        cells = [*number, f"{row['task']}\n{row.get('rung', '')}", str(row.get("model", "")), *_figures(row)]
        table.add_row(*map(Text, cells))
    return table


def _figures(row: Mapping[str, Any]) -> list[str]:
    return [
        f"{row['metric']}\n{_number(row['value'])} ± {_number(row['standard_error'])}",
        f"{_span(row['lower'], row['upper'])}\n{_span(row.get('worst'), row.get('best'))}",
        "\n".join(f"{row[name]:,}" for name in ("scored", "unparsed", "failed")),
    ]


def comparison(pairs: Sequence[Mapping[str, Any]]) -> Table:
    """One line a pair of models and task."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption="a less b on the same samples; bold: they differ")
    for name in ("task\nsamples", "a\nb"):
        table.add_column(name, overflow="fold")
    for name in ("value", "difference\n95 % interval\nbounds", "p\nHolm", "samples for\none point"):
        table.add_column(name, justify="right", no_wrap=True)
    for pair in pairs:
        style = "bold" if pair["differ"] else ""
        table.add_row(
            Text(f"{pair['task']}\n{pair['samples']:,}"), Text(f"{pair['model_a']}\n{pair['model_b']}"),
            f"{_number(pair['first'])}\n{_number(pair['second'])}",
            f"{pair['difference']:+.4f}\n{_span(pair['lower'], pair['upper'])}\n{_span(pair['worst'], pair['best'])}",
            f"{pair['p']:.3g}\n{pair['p_holm']:.3g}", _count(pair["samples_for_one_point"]), style=style,
        )  # fmt: skip
    return table


def tell_ties(found: Mapping[str, Any], console: Console) -> None:
    """Which models the test cannot tell apart, and where they were asked in different ways."""
    for task, groups in found["ties"].items():
        console.print(f"{task}: " + "  >  ".join(" = ".join(group) for group in groups), markup=False)
    mixed = sorted({pair["task"] for pair in found["pairs"] if len(set(pair["rungs"])) > 1})
    if mixed:
        console.print(
            f"asked in different ways: {', '.join(mixed)}; --request-type asks all in one way", style="yellow"
        )


def tell_costs(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """What right answers cost, of models with a price."""
    for row in rows:
        if (each := row.get("cost_per_correct")) is not None:
            upper = "…" if row["cost_per_correct_upper"] is None else f"{row['cost_per_correct_upper']:.3g}"
            span = f"{row['cost_per_correct_lower']:.3g} – {upper}"
            told = (
                f"{row['task']} · {row['model']}: USD {each:.3g} a right answer ({span}), {row['cost']:.3g} in all"
            )
            console.print(told, markup=False)


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
    return "–" if low is None or high is None else f"{low:.4f}, {high:.4f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
