"""PandaLM's published test set as battles: two completions of an instruction, and the votes of three annotators.

Each row has `cmp_key` (the two models, joined with "_"), `instruction` and `input`, `response1`, `response2` and
`annotator1` to `annotator3`, 0 for a tie, 1 or 2. Source: github.com/WeOpenML/PandaLM, data/testset-v1.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

ANNOTATORS = ("annotator1", "annotator2", "annotator3")
WINNER_OF = {0: "tie", 1: "model_a", 2: "model_b"}


def reads(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the rows are those of the test set."""
    return bool(rows) and ANNOTATORS[0] in rows[0]


def pandalm_columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[object]]:
    """The columns with one vote for each annotator. Raises ValueError that names the row."""
    votes = [vote for number, row in enumerate(rows) for vote in _votes(number, row)]
    return {name: [vote[name] for vote in votes] for name in votes[0]}


def _votes(number: int, row: Mapping[str, Any]) -> list[dict[str, object]]:
    try:
        model_a, model_b = str(row["cmp_key"]).split("_")
        battle = {
            "question_id": str(row["idx"]),
            "model_a": model_a,
            "model_b": model_b,
            "prompt": "\n\n".join(part for part in (row["instruction"], row["input"]) if part),
            "completion_a": str(row["response1"]),  # a few say true or false, without quotes
            "completion_b": str(row["response2"]),
        }
        return [{**battle, "winner": WINNER_OF[row[annotator]], "voter": annotator} for annotator in ANNOTATORS]
    except (KeyError, ValueError, TypeError) as problem:
        raise ValueError(f"row {number}: {type(problem).__name__}: {problem}") from problem
