"""WildBench: scores of one completion from 1 to 10, and pairs with five choices from A++ to B++.

    score = mean s,    adjusted score = 2 (score - 5),    reward = (W + w/2 - l/2 - L) / rows

with W and w the wins by much and slightly, L and l the losses. Source: Lin et al., WildBench, arXiv 2406.04770.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judges.columns import field, text
from judges.errors import BadRow, NoVerdicts
from judges.json_replies import value_of
from judges.marks import plain_text
from judges.replies import Reason, Unparsable

TRUNCATED = "... (truncated)"  # suffix of a completion that was cut for the judge
EMPTY = "[This model response is empty.]"  # shown to the judge in place of an empty completion
TASK_WEIGHTS = {
    "Creative Tasks": 0.5,
    "Planning & Reasoning": 1.25,
    "Math & Data Analysis": 1.0,
    "Information/Advice seeking": 0.75,
    "Coding & Debugging": 1.25,
}
TASK_OF_TAG = {
    "Information seeking": "Information/Advice seeking",
    "Advice seeking": "Information/Advice seeking",
    "Coding & Debugging": "Coding & Debugging",
    "Reasoning": "Planning & Reasoning",
    "Planning": "Planning & Reasoning",
    "Math": "Math & Data Analysis",
    "Data Analysis": "Math & Data Analysis",
    "Creative Writing": "Creative Tasks",
    "Editing": "Creative Tasks",
    "Brainstorming": "Creative Tasks",
    "Role playing": "Creative Tasks",
    "Others": "Creative Tasks",
}
REFERENCES = ("gpt-4-turbo-2024-04-09", "claude-3-haiku-20240307", "Llama-2-70b-chat-hf", "Llama-2-70b-chat")
CHOICES = {"A++": 2, "A+": 1, "A=B": 0, "B+": -1, "B++": -2}
SCORE = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)(?: ?/ ?10(?:\.0)?| out of 10| ?分)?")


@dataclass(frozen=True)
class Score:
    """Scores of one model; those of tasks are None if the tasks of its prompts are unknown."""

    model: str
    score: float
    adjusted_score: float
    task_macro_score: float | None
    task_categorized_scores: dict[str, float] | None
    total: int
    unparsed: int


@dataclass(frozen=True)
class Counts:
    """Pair verdicts of one model against its reference."""

    win_much: int = 0
    win: int = 0
    tie: int = 0
    lose: int = 0
    lose_much: int = 0


def verdict_score(reply: str | None) -> float | Unparsable:
    """The score from 1 to 10 in the JSON object of a reply."""
    given = value_of(reply, "score")
    return given if isinstance(given, Unparsable) else _score(given)


def verdict_choice(reply: str | None) -> int | Unparsable:
    """The lead, 2 (A++) to -2 (B++), in the JSON object of a reply."""
    given = value_of(reply, "choice")
    if isinstance(given, Unparsable):
        return given
    if given is None:
        return Unparsable(Reason.NONE)
    lead = CHOICES.get(plain_text(given).upper().replace(" ", "")) if isinstance(given, str) else None
    return Unparsable(Reason.OUT_OF_RANGE) if lead is None else lead


def _score(value: object) -> float | Unparsable:
    if value is None:
        return Unparsable(Reason.NONE)
    score = None if isinstance(value, bool) else SCORE.fullmatch(plain_text(str(value)))
    if score is None:
        return Unparsable(Reason.OUT_OF_RANGE)
    return float(score[1]) if 1 <= float(score[1]) <= 10 else Unparsable(Reason.OUT_OF_RANGE)


def tasks_of_prompts(prompts: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """The tasks of each prompt by its id, from all its tags. Raises BadRow for an unknown tag."""
    tasks = {}
    for row, prompt in enumerate(prompts):
        tags = [field(prompt, row, "primary_tag"), *field(prompt, row, "secondary_tags")]
        for tag in tags:
            if tag not in TASK_OF_TAG:
                raise BadRow(f"row {row}: tag {tag!r} is unknown. Expected one of: {', '.join(TASK_OF_TAG)}.")
        tasks[text(prompt, row, "id", "session_id")] = frozenset(TASK_OF_TAG[tag] for tag in tags)
    return tasks


def score(rows: Sequence[Mapping[str, Any]], tasks: Mapping[str, frozenset[str]] | None = None) -> Score:
    """The score of the model in `rows`, over all rows with one; tasks exclude empty and cut completions.

    Raises BadRow for a field that is missing, a second model, a prompt twice or one without tasks, NoVerdicts
    without a readable score.
    """
    model, seen = "", set()
    scores: list[float] = []
    by_task: dict[str, list[float]] = defaultdict(list)
    for row, record in enumerate(rows):
        name, prompt = text(record, row, "model_test"), text(record, row, "session_id")
        if name != (model := model or name):
            raise BadRow(f"row {row}: model_test is {name!r} and was {model!r} before. Give one model per file.")
        if prompt in seen:
            raise BadRow(f"row {row}: session_id {prompt} appears twice. Keep one verdict per prompt.")
        seen.add(prompt)
        value = _score(field(record, row, "score"))
        if isinstance(value, Unparsable):
            continue
        scores.append(value)
        completion = text(record, row, "model_output")
        if tasks is None or not completion or completion.endswith(TRUNCATED):
            continue
        if prompt not in tasks:
            raise BadRow(
                f"row {row}: session_id {prompt} is not among the prompts. Give the prompt file of this run."
            )
        for task in tasks[prompt]:
            by_task[task].append(value)
    if not scores:
        raise NoVerdicts(f"None of {len(rows)} rows has a readable score. Check the file's protocol.")
    mean = sum(scores) / len(scores)
    means = {task: _adjusted(sum(by_task[task]) / len(by_task[task])) for task in TASK_WEIGHTS if by_task[task]}
    return Score(
        model=model.rpartition("/")[2],
        score=mean,
        adjusted_score=_adjusted(mean),
        task_macro_score=macro(means) if means else None,
        task_categorized_scores=means or None,
        total=len(scores),
        unparsed=len(rows) - len(scores),
    )


def _adjusted(mean: float) -> float:
    return (mean - 5) * 2  # 5 is the neutral score


def macro(of_tasks: Mapping[str, float]) -> float:
    """The weighted sum over tasks, divided by all five weights as published."""
    return sum(TASK_WEIGHTS[task] * value for task, value in of_tasks.items()) / sum(TASK_WEIGHTS.values())


def models_of_pairs(rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """The model of pair rows, and its reference; `model_A` and `model_B` may change places.

    The reference is the only one with a name in `REFERENCES`, as in the published files, else the second of the
    first row. Raises BadRow for a row of other models.
    """
    first = [text(rows[0], 0, "model_A"), text(rows[0], 0, "model_B")]
    for row, record in enumerate(rows):
        pair = {text(record, row, "model_A"), text(record, row, "model_B")}
        if pair != set(first):
            raise BadRow(
                f"row {row}: the models are {' and '.join(sorted(pair))}. "
                f"Expected {' and '.join(first)} in every row."
            )
    references = [name for name in first if name.rpartition("/")[2] in REFERENCES]
    reference = references[0] if len(references) == 1 else first[1]
    return next(name for name in first if name != reference), reference


def count(rows: Sequence[Mapping[str, Any]], model: str, longer_by: int | None = None) -> Counts:
    """Counts of the verdicts of pair rows for `model`; empty and cut completions are excluded.

    A slight win of a completion that is longer by more than `longer_by` characters is a tie.
    Raises BadRow for a winner that is neither of the two models nor "tie", or an extent other than 1 and 2.
    """
    tally = dict.fromkeys(("win_much", "win", "tie", "lose", "lose_much"), 0)
    for row, record in enumerate(rows):
        outputs = field(record, row, "model_outputs")
        if model not in outputs or len(outputs) != 2:
            raise BadRow(f"row {row}: outputs of {', '.join(outputs)}. Expected {model} and one other model.")
        if any(output == EMPTY or output.endswith(TRUNCATED) for output in outputs.values()):
            continue
        tally[_result(record, row, model, outputs, longer_by)] += 1
    return Counts(**tally)


def _result(
    record: Mapping[str, Any], row: int, model: str, outputs: Mapping[str, str], longer_by: int | None
) -> str:
    winner, extent = field(record, row, "winner"), field(record, row, "extent")
    if winner == "tie":
        return "tie"
    if winner not in outputs or extent not in (1, 2):
        raise BadRow(
            f"row {row}: winner {winner!r}, extent {extent!r} is unknown. Expected a model and 1 or 2, or tie."
        )
    result = "win" if winner == model else "lose"
    if extent == 2:
        return f"{result}_much"
    loser = next(name for name in outputs if name != winner)
    bought = longer_by is not None and len(outputs[winner]) > len(outputs[loser]) + longer_by
    return "tie" if bought else result


def reward(counts: Counts, total: int | None = None) -> float:
    """The reward, (W + w/2 - l/2 - L) / total, between -1 and 1.

    The published reward divides by all rows, including those excluded from the counts: `total`. Rewards of tasks
    divide by the rows counted. Raises NoVerdicts when there are none.
    """
    counted = counts.win_much + counts.win + counts.tie + counts.lose + counts.lose_much
    rows = counted if total is None else total
    if not rows:
        raise NoVerdicts("There are no pair verdicts to score. Give at least one.")
    return (counts.win_much + 0.5 * counts.win - 0.5 * counts.lose - counts.lose_much) / rows
