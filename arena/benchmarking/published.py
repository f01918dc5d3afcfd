"""Verdicts that stand beside published completions, and how often ours are the same."""

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

    Read are `is_correct` (GSM8K), `pred` (MMLU-Pro's letter) and `final_label` (XSTest's people, whose rate of
    refusals is told too).
    """
    pairs = list(zip(rows, outcomes, strict=True))
    found = [_same(task, row, outcome) for row, outcome in pairs]
    known = [same for same in found if same is not None]
    if not known:
        return None
    told: dict[str, Any] = {"agree": sum(known), "of": len(known)}
    labels = [str(row["final_label"]) for row in rows if row.get("final_label")]
    if labels:
        told["refusal"] = sum(not label.startswith(COMPLIED) for label in labels) / len(labels)
    return told


def _same(task: Task, row: Row, outcome: Outcome) -> bool | None:
    if isinstance(row.get("is_correct"), bool):
        return bool((outcome.metrics.get(task.metric) == 1.0) == row["is_correct"])
    if row.get("final_label"):
        return (outcome.metrics.get("refusal") == 1.0) != str(row["final_label"]).startswith(COMPLIED)
    if "pred" in row:
        return bool(outcome.is_scored and outcome.answer == row["pred"])
    return None
