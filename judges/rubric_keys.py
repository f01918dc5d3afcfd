"""A rubric from the keys of its file, each checked where it stands."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from judges.errors import BadRubric
from judges.replies import Unparsable
from judges.rubric import NAME, RESERVED, Criterion, Grading, Rubric, Scale

KEYS = ("instructions", "commit_first", "criteria", "gradings", "references")
CRITERION = ("name", "question", "scale", "weight")
SCALE = ("from", "to", "anchors", "labels")
GRADING = ("prompt", "completion", "completion_a", "completion_b", "values", "reason", "reference")
COMMIT = ("values", "answer")
MOST = 20  # criteria of a rubric, and labels of a scale: replies stay within the judge's token limit


def rubric_of(keys: Mapping[str, Any]) -> Rubric:
    """The rubric of a file's keys. Raises `BadRubric` that names the key."""
    _known("the file", keys, KEYS)
    given = keys.get("criteria")
    if not isinstance(given, list) or not 1 <= len(given) <= MOST:
        raise BadRubric(f"criteria: expected a list of 1 to {MOST} criteria, each with name, question and scale.")
    criteria = tuple(_criterion(number, criterion) for number, criterion in enumerate(given, 1))
    _distinct(criteria)
    commit = keys.get("commit_first")
    if commit is not None and commit not in COMMIT:
        raise BadRubric(f"commit_first: {commit!r} is unknown. Use one of: {', '.join(COMMIT)}.")
    references = keys.get("references") or {}
    if not isinstance(references, Mapping):
        raise BadRubric("references: expected the key of a prompt and its reference answer in each line.")
    plain = Rubric(criteria, _text("instructions", keys.get("instructions"), needed=False), commit)
    gradings = keys.get("gradings") or []
    if not isinstance(gradings, list):
        raise BadRubric("gradings: expected a list of gradings, each with prompt, completion and values.")
    return Rubric(
        criteria,
        plain.instructions,
        commit,
        tuple(_grading(plain, f"grading {number}", row) for number, row in enumerate(gradings, 1)),
        tuple((str(key), _text(f"references.{key}", text)) for key, text in references.items()),
    )


def _known(where: str, given: Any, known: tuple[str, ...]) -> None:
    if not isinstance(given, Mapping):
        raise BadRubric(f"{where}: expected keys with values. Use some of: {', '.join(known)}.")
    if unknown := [key for key in given if key not in known]:
        raise BadRubric(f"{where}: unknown key {unknown[0]}. Use some of: {', '.join(known)}.")


def _text(where: str, given: Any, *, needed: bool = True) -> str:
    text = "" if given is None else str(given).strip()
    if (needed and not text) or isinstance(given, Mapping | list):
        raise BadRubric(f"{where}: expected a text. Add it.")
    return text


def _criterion(number: int, given: Any) -> Criterion:
    where = f"criterion {number}"
    _known(where, given, CRITERION)
    name = str(given.get("name") or "")
    if not NAME.fullmatch(name) or name in RESERVED:
        raise BadRubric(
            f"{where}: name {name!r} cannot be used. Use up to 40 lower-case letters, digits and _, and none of: "
            f"{', '.join(sorted(RESERVED))}."
        )
    weight = given.get("weight", 1)
    if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 < weight < math.inf:
        raise BadRubric(f"{name}: weight {weight!r} is out of range. Use a number above zero.")
    return Criterion(name, _text(f"{name}: question", given.get("question")), _scale(name, given), float(weight))


def _distinct(criteria: tuple[Criterion, ...]) -> None:
    keys = [key for c in criteria for key in {c.name, *Rubric((c,)).keys(pairs=True)}]
    for key in keys:
        if keys.count(key) > 1:
            raise BadRubric(f"criteria: two of them need the key {key} in the judge's reply. Rename one.")


def _scale(name: str, criterion: Mapping[str, Any]) -> Scale:
    given = criterion.get("scale")
    if given == "choice":
        return Scale("choice", 0.0, 1.0)
    _known(f"{name}: scale", given, SCALE)
    assert isinstance(given, Mapping)
    return _labels(name, given) if "labels" in given else _numbers(name, given)


def _numbers(name: str, given: Mapping[str, Any]) -> Scale:
    ends = given.get("from"), given.get("to")
    if any(isinstance(end, bool) or not isinstance(end, int | float) or not math.isfinite(end) for end in ends):
        raise BadRubric(f"{name}: scale: expected `choice`, labels, or from and to as numbers.")
    low, high = float(ends[0] or 0), float(ends[1] or 0)
    if not -1e5 <= low < high <= 1e5:
        raise BadRubric(
            f"{name}: scale: from {low:g} to {high:g} is no range. Let the better end be the higher one."
        )
    scale = Scale("numbers", low, high)
    return Scale("numbers", low, high, _anchors(name, scale, given.get("anchors") or {}))


def _labels(name: str, given: Mapping[str, Any]) -> Scale:
    labels = given["labels"]
    if isinstance(labels, list):  # from the worst to the best, in equal steps
        labels = {label: place for place, label in enumerate(labels)}
    if not isinstance(labels, Mapping) or not 2 <= len(labels) <= MOST or "from" in given or "to" in given:
        raise BadRubric(f"{name}: labels: expected 2 to {MOST} labels, worst first, or a number for each.")
    pairs = []
    for label, value in labels.items():
        if isinstance(label, bool):
            raise BadRubric(f"{name}: labels: {label} is no text. Put yes and no in quotes.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise BadRubric(f"{name}: labels: {label} has the value {value!r}. Use a number.")
        pairs.append((_text(f"{name}: labels", label), float(value)))
    values = [value for _, value in pairs]
    if min(values) == max(values) or len({label.casefold() for label, _ in pairs}) < len(pairs):
        raise BadRubric(f"{name}: labels: all have the same value, or two are spelled alike. Change one.")
    scale = Scale("labels", min(values), max(values), labels=tuple(pairs))
    anchors = _anchors(name, scale, given.get("anchors") or {})
    return Scale("labels", min(values), max(values), anchors, tuple(pairs))


def _anchors(name: str, scale: Scale, given: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(given, Mapping):
        raise BadRubric(f"{name}: anchors: expected a value of the scale and its meaning in each line.")
    for value in given:
        if isinstance(scale.value(value), Unparsable):
            raise BadRubric(f"{name}: anchors: {value} is not on the scale. Use values of the scale.")
    return tuple((str(value), _text(f"{name}: anchors: {value}", text)) for value, text in given.items())


def _grading(rubric: Rubric, where: str, given: Any) -> Grading:
    _known(where, given, GRADING)
    one, two = "completion" in given, "completion_a" in given and "completion_b" in given
    if one == two or (one and ("completion_a" in given or "completion_b" in given)):
        raise BadRubric(f"{where}: give either completion, or completion_a and completion_b.")
    names = ("completion_a", "completion_b") if two else ("completion",)
    values = given.get("values")
    wanted = rubric.keys(pairs=two) if two else tuple(c.name for c in rubric.criteria if c.scale.kind != "choice")
    _known(f"{where}: values", values, wanted)
    if missing := [key for key in wanted if key not in values]:
        raise BadRubric(
            f"{where}: values: {missing[0]} is missing. Give a value for each of: {', '.join(wanted)}."
        )
    for key in wanted:
        if isinstance(rubric.of_key(key, two).scale.value(values[key]), Unparsable):
            raise BadRubric(f"{where}: values: {key} is {values[key]!r}, which is not on its scale. Correct it.")
    return Grading(
        _text(f"{where}: prompt", given.get("prompt")),
        tuple(_text(f"{where}: {name}", given[name]) for name in names),
        {key: str(values[key]) for key in wanted},
        _text(f"{where}: reason", given.get("reason"), needed=False),
        _text(f"{where}: reference", given.get("reference"), needed=False) or None,
    )
