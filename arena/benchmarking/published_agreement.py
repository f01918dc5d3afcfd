"""Agreement of our scores with the verdicts in files of published completions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.task import Outcome, Row, Task

PREFIXES = ("v2-",)  # XSTest's completions number the prompts of its second version so
COMPLIED = "1_"  # XSTest's human label of a full compliance; 2 and 3 are full and partial refusals


def sample_key(value: Any) -> str:
    """A row's key as the samples have it."""
    text = str(value)
    return next((text.removeprefix(prefix) for prefix in PREFIXES if text.startswith(prefix)), text)


def agreement(task: Task, rows: Sequence[Row], outcomes: Sequence[Outcome]) -> dict[str, Any] | None:
    """How many of `rows` have a published verdict and how many of these agree with `outcomes`; None without any.

    Columns read: `is_correct` (GSM8K), `pred` (MMLU-Pro's letter) and `final_label` (XSTest's human labels, whose
    refusal rate is returned too).
    """
    pairs = list(zip(rows, outcomes, strict=True))
    verdicts = [_same(task, row, outcome) for row, outcome in pairs]
    same = [verdict for verdict in verdicts if verdict is not None]
    if not same:
        return None
    result: dict[str, Any] = {"agree": sum(same), "of": len(same)}
    labels = [str(row["final_label"]) for row in rows if row.get("final_label")]
    if labels:
        result["refusal"] = sum(not label.startswith(COMPLIED) for label in labels) / len(labels)
    return result


def _same(task: Task, row: Row, outcome: Outcome) -> bool | None:
    if isinstance(row.get("is_correct"), bool):
        return bool((outcome.metrics.get(task.metric) == 1.0) == row["is_correct"])
    if row.get("final_label"):
        return (outcome.metrics.get("refusal") == 1.0) != str(row["final_label"]).startswith(COMPLIED)
    if "pred" in row:
        return bool(outcome.is_scored and outcome.answer == row["pred"])
    return None
