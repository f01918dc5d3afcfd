"""Scores of RewardBench and RewardBench 2 by subset and section, from the files of their scripts, or rows of one's own.

A file is the results by subset (`eval-set`), one object of columns (`eval-set-scores`), or rows in JSON, JSONL or Parquet.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.config.given_files import json_value
from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import BadVerdictFile, Record, file_text, read_records
from arena.prompt_sets.tables import PARQUET, placed_records
from judges.columns import field, text
from judges.errors import BadRow
from judges.intervals import bounded_interval
from judges.protocols import reward_bench, reward_bench_2
from judges.protocols.reward_bench import Accuracy

Subsets = dict[str, Accuracy]
Result = Callable[[Record, int], float]
ALL = "all"


def score_reward_bench(paths: Sequence[Path]) -> RecomputedBoard:
    """Board of each model's score, its four sections and their subsets, in percent."""
    board = RecomputedBoard()
    for path in paths:
        model, records, summary = _read(path, "reward_bench", set(reward_bench.PROMPTS))
        with naming(path):
            subsets = _summary(summary) if summary is not None else _by_subset(records, _result)
        _check_known(board, path, subsets, reward_bench.PROMPTS)
        sections = {name: reward_bench.section(name, subsets) for name in reward_bench.WEIGHTS}
        present = [row for row in sections.values() if row is not None]
        whole = reward_bench.score(present) if len(present) == len(sections) else None
        board.rows.append(_row(model, ALL, None, whole))
        for name, weights in reward_bench.WEIGHTS.items():
            board.rows.append(_row(model, name, None, sections[name]))
            board.rows += [_row(model, name, subset, subsets[subset]) for subset in weights if subset in subsets]
        _note_missing(board, path, [name for name in reward_bench.PROMPTS if name not in subsets])
    return board


def score_reward_bench_2(paths: Sequence[Path]) -> RecomputedBoard:
    """Board of each model's score and its six subsets, in percent."""
    board = RecomputedBoard()
    for path in paths:
        model, records, summary = _read(path, "reward_bench_2", set(reward_bench_2.SUBSETS))
        if summary is not None:
            raise BadVerdictFile(
                f"{path}: results by subset without prompts. Give the file of scores (eval-set-scores) for intervals."
            )
        with naming(path):
            subsets = _best_of_subsets(records)
        _check_known(board, path, subsets, reward_bench_2.SUBSETS)
        missing = [name for name in reward_bench_2.SUBSETS if name not in subsets]
        whole = None if missing else reward_bench.score([subsets[name] for name in reward_bench_2.SUBSETS])
        board.rows.append(_row(model, ALL, None, whole))
        board.rows += [
            _row(model, None, name, subsets[name]) for name in reward_bench_2.SUBSETS if name in subsets
        ]
        _note_missing(board, path, missing)
    return board


def _read(path: Path, protocol: str, known: set[str]) -> tuple[str, list[Record], Mapping[str, Any] | None]:
    """The model, and its rows, or its results by subset."""
    if path.suffix == PARQUET:
        return path.stem, [dict(record) for _, record in placed_records(path)], None
    whole = _object(path)
    if whole is None:
        records = read_records(path, protocol, "subset")
        return str(records[0].get("model") or path.stem), records, None
    model = str(whole.get("model") or path.stem)
    if not isinstance(whole.get("subset"), list):
        results = {name: value for name, value in whole.items() if name in known}
        if not results:
            raise BadVerdictFile(f"{path}: no results of subsets such as {min(known)}. Give a file of {protocol}.")
        return model, [], results
    columns = {name: values for name, values in whole.items() if isinstance(values, list)}
    if len({len(values) for values in columns.values()}) > 1:
        sizes = ", ".join(f"{name} has {len(values)}" for name, values in columns.items())
        raise BadVerdictFile(f"{path}: {sizes}. Expected columns of the same length.")
    return model, [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], None


def _object(path: Path) -> Mapping[str, Any] | None:
    """The file as one JSON object, or None for rows."""
    given = file_text(path)
    if not given.lstrip().startswith("{"):
        return None
    try:
        value = json_value(given)
    except json.JSONDecodeError:
        return None  # several objects: lines, whose errors have their number
    return value if "subset" not in value or isinstance(value["subset"], list) else None


def _summary(summary: Mapping[str, Any]) -> Subsets:
    for name, value in summary.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise BadRow(f"{name} is {value!r}. Expected a share from 0 to 1.")
    return {name: reward_bench.published_accuracy(name, float(value)) for name, value in summary.items()}


def _by_subset(records: Sequence[Record], result: Result) -> Subsets:
    results: dict[str, list[float]] = {}
    for row, record in enumerate(records):
        results.setdefault(text(record, row, "subset"), []).append(result(record, row))
    return {name: reward_bench.accuracy(values) for name, values in results.items()}


def _result(record: Record, row: int) -> float:
    """The stored result of a pair, or that of its two rewards."""
    if record.get("results") is not None:
        return _number(record["results"], row, "results", 0.0, 1.0)
    names = ("scores_chosen", "scores_rejected")
    chosen, rejected = (_number(field(record, row, name), row, name) for name in names)
    return float(chosen > rejected)


def _best_of(record: Record, row: int) -> float:
    """The stored result of a prompt, or that of the scores of its completions."""
    if record.get("results") is not None:
        return _number(record["results"], row, "results", 0.0, 1.0)
    return reward_bench_2.best_of(_scores(record, row))


def _best_of_subsets(records: Sequence[Record]) -> Subsets:
    tied, rest = list[Record](), list[Record]()
    for record in records:
        (tied if str(record.get("subset")).lower() == reward_bench_2.TIES else rest).append(record)
    subsets = _by_subset(rest, _best_of)
    return subsets | {"Ties": reward_bench_2.ties(_ties(tied))} if tied else subsets


def _ties(records: Sequence[Record]) -> dict[str, tuple[list[float], int]]:
    prompts: dict[str, tuple[list[float], int]] = {}
    for row, record in enumerate(records):
        name = text(record, row, "id")
        if name in prompts:
            raise BadRow(f"row {row} of the subset Ties: the id {name} occurs twice. Remove one of them.")
        prompts[name] = (
            _scores(record, row),
            int(_number(field(record, row, "num_correct"), row, "num_correct", 1)),
        )
    return prompts


def _scores(record: Record, row: int) -> list[float]:
    given = field(record, row, "scores")
    if not isinstance(given, list) or len(given) < 2:
        raise BadRow(f"row {row}: scores is {given!r}. Expected a list with a score for each completion.")
    return [_number(score[0] if isinstance(score, list) and score else score, row, "scores") for score in given]


def _number(
    value: object, row: int, name: str, lowest: float = float("-inf"), highest: float = float("inf")
) -> float:
    if isinstance(value, list) and len(value) == 1:  # a reward as a row of one logit
        value = value[0]
    number = float(value) if isinstance(value, int | float) else float("nan")
    if not (lowest <= number <= highest and abs(number) < float("inf")):
        scale = "a finite number" if lowest < 0 else f"a number from {lowest:g} to {highest:g}"
        raise BadRow(f"row {row}: {name} is {value!r}. Expected {scale}.")
    return number


def _row(model: str, section: str | None, subset: str | None, given: Accuracy | None) -> dict[str, Any]:
    names = {"model": model, "section": section, "subset": subset}
    if given is None:
        return {**names, "score": None, "lower": None, "upper": None, "prompts": 0}
    lower, upper = bounded_interval(100 * given.value, 100 * given.standard_error, given.prompts, 0.0, 100.0)
    return {**names, "score": 100 * given.value, "lower": lower, "upper": upper, "prompts": given.prompts}


def _note_missing(board: RecomputedBoard, path: Path, missing: Sequence[str]) -> None:
    if missing:
        board.notes.append(
            f"{path}: no results of {', '.join(missing)}. Sections are of the rest; the whole score needs all."
        )


def _check_known(board: RecomputedBoard, path: Path, subsets: Subsets, known: Collection[str]) -> None:
    """A note about subsets of other sets. Raises BadVerdictFile if all are."""
    if not (unknown := [name for name in subsets if name not in known]):
        return
    listed = ", ".join(unknown)
    if len(unknown) == len(subsets):
        other = "reward_bench" if known is reward_bench_2.SUBSETS else "reward_bench_2"
        raise BadVerdictFile(
            f"{path}: no subset of this set. Its subsets are: {listed}. Try `arena judge score {other}`."
        )
    board.notes.append(f"{path}: excluded, as they are no subsets of this set: {listed}")
