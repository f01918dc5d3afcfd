"""The criteria of a rubric and the judges of a panel on the page of a judge run: columns, filters, and single values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.judging.samples import CaseDetails, JudgeCall
from arena.web.run_pages.document import Board, Cell, Filter, Row
from judges import Score, Unparsable, Verdict
from judges.json_replies import value_of
from judges.judge import OnScale
from judges.replies import reply_text
from judges.rubric import Rubric

VALUES = {"rating": 0, "score": 2, "win_rate": 1}  # the number of a board's rows, and its decimals
APART = 3.0  # points between two scores of a panel that count as a disagreement: a third of the scale
JUDGES_DISAGREE = Filter("judges-disagree", "judges disagree")


def criteria_board(result: Mapping[str, Any], models: Sequence[str], rubric: Rubric | None) -> list[Board]:
    """One row a model and one column a criterion, with intervals; none without a rubric."""
    if not (rows := result["criteria"]):
        return []
    names = list(dict.fromkeys(row["criterion"] for row in rows))
    main = _main(rows[0])
    by_place = {(row["model"], row["criterion"]): row for row in rows}
    table = [
        Row(
            Cell(model, f"model-{number}"),
            [
                Cell(_with_interval(by_place.get((model, name)), main), f"criterion-{place}-{number}")
                for place, name in enumerate(names)
            ],
        )
        for model, number in ((row["model"], models.index(row["model"])) for row in result["models"])
        if any((model, name) in by_place for name in names)
    ]
    note = f"The {main.replace('_', ' ')} by each criterion, with its 95% interval. The table of models has the total."
    return [Board("By criterion", ["model", *(_head(name, rubric) for name in names)], table, note=note)]


def judges_board(result: Mapping[str, Any], models: Sequence[str]) -> list[Board]:
    """One row a model and one column a judge; none without a panel."""
    rows = [row for row in result["models"] if row.get("judges")]
    if not rows:
        return []
    names, main = list(rows[0]["judges"]), _main(rows[0])
    table = [
        Row(
            Cell(row["model"], f"model-{models.index(row['model'])}"),
            [
                Cell(_number(value, main))
                for value in (row[main], *(row["judges"].get(name) for name in names), _spread(row["judges"]))
            ],
        )
        for row in rows
    ]
    note = (
        "Each judge over the cases that it has a verdict on. The spread is the highest minus the lowest of them."
    )
    return [Board("Judges of the panel", ["model", "panel", *names, "spread"], table, note=note)]


def criterion_filters(rubric: Rubric | None) -> list[Filter]:
    """Filters of the samples by criterion; those that match no sample are not offered."""
    names = [criterion.name for criterion in rubric.criteria] if rubric is not None else []
    return [
        *(Filter(f"low-{place}", f"{name}: lower half of the scale") for place, name in enumerate(names)),
        *(Filter(f"against-{place}", f"{name}: against the verdict") for place, name in enumerate(names)),
    ]


def criterion_tags(result: Any, models: Sequence[int]) -> set[str]:
    """What the filters and numbers find a case by: its models by criterion, low values, and criteria against the verdict."""
    if isinstance(result, Unparsable):
        return set()
    tags = {f"criterion-{place}-{model}" for place, _ in enumerate(result.criteria) for model in models}
    for place, row in enumerate(result.criteria):
        if isinstance(result, Score):
            tags |= {f"low-{place}"} if share(row) < 0.5 else set()
        elif (row.value - 0.5) * (result.preference - 0.5) < 0:
            tags.add(f"against-{place}")
    return tags | ({JUDGES_DISAGREE.tag} if _judges_disagree(result) else set())


def share(row: OnScale) -> float:
    """The place of a value on its scale, from 0 to 1."""
    return (row.value - row.low) / (row.high - row.low)


def values_table(details: CaseDetails, rubric: Rubric | None) -> Board | None:
    """The value of a case by each criterion, and of each judge of a panel; None where it has neither."""
    result = details.result
    if isinstance(result, Unparsable) or not (result.criteria or result.judges):
        return None
    rows = [*((row, "criterion") for row in result.criteria), *((row, "judge") for row in result.judges)]
    weights = {criterion.name: f"{criterion.weight:g}" for criterion in rubric.criteria} if rubric else {}
    table = [
        Row(
            Cell(row.name if kind == "criterion" else f"judge {row.name}"),
            [
                Cell(weights.get(row.name, "") if kind == "criterion" else ""),
                *map(Cell, _value(details, row, rubric)),
            ],
        )
        for row, kind in rows
    ]
    columns = ["", "weight", *(("value", "scale") if isinstance(result, Score) else ("preferred", "preference"))]
    return Board("Values", columns, table)


def spoken(call: JudgeCall, rubric: Rubric | None, shown: Sequence[str]) -> list[tuple[str, str]]:
    """What one reply says: each criterion with its value as written, and the reason. `shown`: the completions in order."""
    if rubric is None or call.saved is None or call.saved.reply is None:
        return []
    text = reply_text(call.saved.reply)
    if isinstance(text, Unparsable):
        return []
    parts = [(criterion.name, _written(text, criterion.name, shown)) for criterion in rubric.criteria]
    reason = value_of(text, "reason")
    parts.append(("reason", "" if isinstance(reason, Unparsable) else str(reason).strip()))
    return [(name, said) for name, said in parts if said]


def _written(text: str, name: str, shown: Sequence[str]) -> str:
    """The value of a criterion as the judge wrote it, or its two values with the names of the completions."""
    alone = value_of(text, name)
    if not isinstance(alone, Unparsable):
        return str(alone)
    pairs = [(who, value_of(text, f"{name}_{side}")) for who, side in zip(shown, "ab", strict=False)]
    return ", ".join(f"{who} {value}" for who, value in pairs if not isinstance(value, Unparsable))


def _value(details: CaseDetails, row: OnScale, rubric: Rubric | None) -> tuple[str, str]:
    """A value and its scale; of a pair, the preferred model and the preference for it."""
    if isinstance(details.result, Verdict):
        a, b = details.case.a.model, details.case.b.model if details.case.b else ""
        if details.case.control_pair is not None:
            a, b = "the first completion", "the second completion"
        preferred = "tie" if row.value == 0.5 else a if row.value > 0.5 else b
        return preferred, f"{max(row.value, 1 - row.value):.2f}"
    scales = {criterion.name: criterion.scale for criterion in rubric.criteria} if rubric else {}
    labels = {value: label for label, value in scales[row.name].labels} if row.name in scales else {}
    return labels.get(row.value, f"{row.value:.4g}"), f"{row.low:g} – {row.high:g}"


def _head(name: str, rubric: Rubric | None) -> str:
    """The head of a column: the criterion with its scale and weight, where they are known."""
    known = next((criterion for criterion in rubric.criteria if criterion.name == name), None) if rubric else None
    return name if known is None else f"{name} (weight {known.weight:g})"


def _main(row: Mapping[str, Any]) -> str:
    return next(name for name in VALUES if name in row)


def _number(value: float | None, main: str) -> str:
    return "–" if value is None else f"{value:,.{VALUES[main]}f}"


def _with_interval(row: Mapping[str, Any] | None, main: str) -> str:
    if row is None:
        return "–"
    limits = row.get("lower"), row.get("upper")
    interval = "" if None in limits else f" ({_number(limits[0], main)} – {_number(limits[1], main)})"
    return f"{_number(row[main], main)}{interval}"


def _spread(values: Mapping[str, float | None]) -> float | None:
    known = [value for value in values.values() if value is not None]
    return max(known) - min(known) if len(known) > 1 else None


def _judges_disagree(result: Score | Verdict) -> bool:
    """Whether two judges of a panel prefer different completions, or give scores far apart."""
    values = [row.value for row in result.judges]
    if not values:
        return False
    if isinstance(result, Score):
        return max(values) - min(values) >= APART
    return min(values) < 0.5 < max(values)
