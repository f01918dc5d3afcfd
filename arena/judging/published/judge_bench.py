"""Accuracy of judges on JudgeBench, by category, from the files that its `run_judge.py` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import Record, read_records
from judges.intervals import bounded_interval, clustered_error
from judges.protocols.judge_bench import CATEGORIES, JudgedPair, judged_pairs

OVERALL = "overall"
IN_NAME = "judge_model="  # the judge in the name of a published file


def score_judge_bench(paths: Sequence[Path]) -> RecomputedBoard:
    """Board with a row for each judge and category, the best judge first, and the pairs of its orders by outcome."""
    scored = []
    for path in paths:
        records = read_records(path, "judge_bench", "pair_id")
        with naming(path):
            scored.append((path, _judge(path, records), judged_pairs(records)))
    scored.sort(key=lambda row: -_right(row[2]).mean())
    board = RecomputedBoard()
    for path, judge, pairs in scored:
        found = {pair.category for pair in pairs}
        for name in (
            OVERALL,
            *(name for name in dict.fromkeys([*CATEGORIES.values(), *sorted(found)]) if name in found),
        ):
            chosen = [pair for pair in pairs if name in (OVERALL, pair.category)]
            board.rows.append({**judge, "category": name, **_row(chosen)})
        if unread := sum(points is None for pair in pairs for points in pair.orders):
            board.notes.append(f"{path}: {unread} without a readable verdict, counted as no point, as published")
    return board


def _judge(path: Path, records: list[Record]) -> dict[str, Any]:
    """The judge, its protocol and the model that wrote the pairs."""
    first = records[0]
    given = first.get("judgments") or [None]
    judgment = given[0].get("judgment") if isinstance(given, list) and isinstance(given[0], dict) else None
    named = judgment.get("judge_model") if isinstance(judgment, dict) else None
    in_file = path.stem.partition(IN_NAME)[2] or path.stem
    return {
        "judge": named if isinstance(named, str) else in_file,
        "protocol": first.get("judge_name"),
        "completions": first.get("response_model"),
    }


def _right(pairs: Sequence[JudgedPair]) -> Any:
    return np.array([float(pair.sum > 0) for pair in pairs])


def _row(pairs: Sequence[JudgedPair]) -> dict[str, Any]:
    """The accuracy in percent with its interval by question, and the pairs of each outcome."""
    right = _right(pairs)
    _, question = np.unique([pair.question for pair in pairs], return_inverse=True)
    error = clustered_error(right, question)
    accuracy = 100 * float(right.mean())
    lower, upper = bounded_interval(accuracy, error and 100 * error, len(right), 0.0, 100.0)
    return {
        "accuracy": accuracy,
        "lower": lower,
        "upper": upper,
        "pairs": len(pairs),
        "correct": int(right.sum()),
        "incorrect": sum(pair.sum < 0 for pair in pairs),
        "ties": sum(pair.sum == 0 for pair in pairs),
        "inconsistent": sum(pair.inconsistent for pair in pairs),
    }
