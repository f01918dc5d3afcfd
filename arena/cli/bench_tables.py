"""Tables and texts of benchmark results for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.box import SIMPLE
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from arena.cli.terminal import Console
from benchmarks.sample_tasks import is_sample

NESTED = ("metrics", "subjects", "reasons", "options")
SAMPLE_NOTE = (
    "…-sample: a sample of Arena's own items in the shape of the task, not the published items; no benchmark score"
)
WIDE = 150  # columns
TEXT_LENGTH = 1200  # characters of a text that are printed


def tasks(rows: Sequence[Mapping[str, Any]], width: int) -> Table:
    """The shipped tasks by dimension; on a wide terminal with descriptions and sources."""
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
    names = ["task", "dimension", "samples", "metric", "licence", "data", "sample", "description", "source"]
    if width < WIDE:
        names = names[:7]
    for name in names:
        table.add_column(name, justify="right" if name == "samples" else "left", no_wrap=name == "task")
    for row in rows:
        cells = {**row, "samples": _count(row["samples"]), "sample": "yes" if row["sample"] else "–"}
        table.add_row(*(Text(cells[name]) for name in names))
    return table


def results(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Three lines per run: the value with its interval, the bounds below it, and the three counts."""
    caption = "bounds: all samples without a score counted as wrong, or as right"
    if any(is_sample(str(row["task"])) for row in rows):
        caption += f"\n{SAMPLE_NOTE}"
    table = Table(box=SIMPLE, padding=(0, 1, 0, 0), caption=caption)
    numbered = any("run" in row for row in rows)
    names = [*(["run"] if numbered else []), "task\nrequest type", "model"]
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
    """One row per task and pair of models."""
    table = Table(
        box=SIMPLE, padding=(0, 1, 0, 0), caption="a minus b on the same samples; bold: significant difference"
    )
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
            f"{pair['p']:.3g}\n{_p(pair['p_holm'])}", _count(pair["samples_for_one_point"]), style=style,
        )  # fmt: skip
    return table


def print_comparison_notes(comparison: Mapping[str, Any], console: Console) -> None:
    """Print groups of models without a significant difference, and tasks with mixed request types."""
    for task, groups in comparison["ties"].items():
        console.print(f"{task}: " + "  >  ".join(" = ".join(group) for group in groups), markup=False)
    mixed = sorted({pair["task"] for pair in comparison["pairs"] if len(set(pair["rungs"])) > 1})
    if mixed:
        console.print(
            f"Different request types: {', '.join(mixed)}. Such differences are not of the models alone: run all models "
            "with the same --request-type.",
            style="yellow",
        )


def print_costs(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print the cost of a right answer, for models with a price."""
    for row in rows:
        if (each := row.get("cost_per_correct")) is not None:
            upper = "…" if row["cost_per_correct_upper"] is None else f"{row['cost_per_correct_upper']:.3g}"
            span = f"{row['cost_per_correct_lower']:.3g} – {upper}"
            cost = f"USD {each:.3g} per right answer ({span}), {row['cost']:.3g} in total"
            console.print(f"{row['task']} · {row['model']}: {cost}", markup=False)


def print_reasons(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Print why samples have no score."""
    for row in rows:
        for reason, count in row.get("reasons", {}).items():
            label = " · ".join(str(row[name]) for name in ("task", "model") if row.get(name))
            console.print(f"{label}: {count:,} × {reason}", markup=False)


def print_samples(rows: Sequence[Mapping[str, Any]], total: int, console: Console) -> None:
    """Print samples, one box each."""
    for row in rows:
        content = Text()
        for name in ("prompt", "reply", "answer", "target", "reason"):
            if row[name]:
                content.append(f"{name}: ", style="bold")
                content.append(_short(row[name]) + "\n")
        content.append(", ".join(f"{name} {value:g}" for name, value in row["metrics"].items()), style="dim")
        title = f"{row['sample']} · {row['status']}" + (f" · {row['subject']}" if row["subject"] else "")
        console.print(Panel(content, title=Text(title), title_align="left"))
    if total > len(rows):
        console.print(f"{total - len(rows):,} more. Show all with --limit {total}.", highlight=False)


def flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """A result as a CSV row: one column per metric, without other nested values."""
    plain = {name: value for name, value in row.items() if name not in NESTED}
    return plain | {f"metric_{name}": value for name, value in row.get("metrics", {}).items()}


def _short(text: str) -> str:
    return text if len(text) <= TEXT_LENGTH else f"{text[: TEXT_LENGTH // 2]}\n …\n{text[-TEXT_LENGTH // 2 :]}"


def _p(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _span(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{low:.4f}, {high:.4f}"


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"
