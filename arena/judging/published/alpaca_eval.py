"""Win rates of AlpacaEval folders, and the length control of neighbouring files."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.config.given_files import plain_file
from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import BadVerdictFile, Record, read_records
from judges import length_control
from judges.columns import text
from judges.errors import BadRow
from judges.protocols import alpaca_eval

VERDICTS, OUTPUTS = "annotations.json", "model_outputs.json"
DIFFICULTY, GAMED = "ae_instruction_difficulty.csv", "ae_gamed_suffstats.txt"


@dataclass(frozen=True)
class LengthInputs:
    """Inputs of length control other than the annotations: difficulties by instruction, and the gamed rows."""

    difficulty: dict[str, float]
    gamed: list[length_control.GamedRows]


def score_alpaca_eval(paths: Sequence[Path], baseline: Path | None = None) -> RecomputedBoard:
    """Board of folders with annotations, length-controlled if its two data files are in the parent folder."""
    board = RecomputedBoard()
    inputs: dict[Path, LengthInputs | None] = {}
    for folder in paths:
        if not folder.is_dir():
            raise BadVerdictFile(f"{folder}: no such folder. Give a folder with {OUTPUTS} and {VERDICTS}.")
        outputs = read_records(folder / OUTPUTS, "alpaca_eval", "output")
        if not (folder / VERDICTS).exists() and baseline is not None and baseline.resolve() == folder.resolve():
            line = alpaca_eval.against_itself(len(outputs))
            board.rows.append(_alpaca_row(folder, line, length_control.LengthControlledRate(50.0, 0.0)))
            continue
        records = read_records(folder / VERDICTS, "alpaca_eval", "preference")
        with naming(folder / VERDICTS):
            _check_outputs(records)
            _check_baseline(records, baseline)
            given = alpaca_eval.preferences(records)
            line = alpaca_eval.win_rate(given)
        board.note_unparsed(folder / VERDICTS, line.missing)
        if len(records) < len(outputs):
            board.notes.append(f"{folder}: {len(records)} of {len(outputs)} outputs were judged")
        against = baseline or folder.parent / str(records[0].get("generator_1", ""))
        if against not in inputs:
            inputs[against] = _length_inputs(against, board.notes)
        board.rows.append(
            _alpaca_row(folder, line, _controlled(folder, records, given, inputs[against], board.notes))
        )
    board.rows.sort(key=lambda row: -row["win_rate"])
    return board


def _check_outputs(records: Sequence[Record]) -> None:
    for row, record in enumerate(records):
        for name in ("instruction", "output_1", "output_2"):
            text(record, row, name)


def _check_baseline(records: Sequence[Record], baseline: Path | None) -> None:
    """Nothing if the annotations are against the baseline, to which the gamed rows and difficulties belong.

    Raises BadRow otherwise.
    """
    if baseline is None:
        return
    names = {record.get("generator") for record in read_records(baseline / OUTPUTS, "alpaca_eval", "output")}
    for row, record in enumerate(records):
        against = record.get("generator_1")
        if against is not None and None not in names and against not in names:
            raise BadRow(f"row {row}: judged against {against}. Give the folder of {against} as --baseline.")


def _alpaca_row(
    folder: Path, line: alpaca_eval.WinRate, at_equal_length: length_control.LengthControlledRate | None
) -> dict[str, Any]:
    return {
        "model": folder.resolve().name,
        "win_rate": line.win_rate,
        "standard_error": line.standard_error if line.n_total > 1 else None,
        "n_wins": line.n_wins,
        "n_draws": line.n_draws,
        "n_total": line.n_total,
        "length_controlled_winrate": at_equal_length.win_rate if at_equal_length else None,
        "lc_standard_error": at_equal_length.standard_error if at_equal_length else None,
    }


def _controlled(
    folder: Path,
    records: Sequence[Record],
    given: Sequence[float | None],
    inputs: LengthInputs | None,
    notes: list[str],
) -> length_control.LengthControlledRate | None:
    if inputs is None:
        return None
    judged = [(record, value - 1) for record, value in zip(records, given, strict=True) if value is not None]
    keys = [_key(record["instruction"]) for record, _ in judged]
    unknown = sum(key not in inputs.difficulty for key in keys)
    if unknown or len(judged) < 2:
        notes.append(
            f"{folder}: no length control, because {unknown} of {len(judged)} instructions have no difficulty"
        )
        return None
    gamma = [inputs.difficulty[key] for key in keys]
    with naming(folder / VERDICTS):
        length = length_control.length_feature(
            [r["output_1"] for r, _ in judged], [r["output_2"] for r, _ in judged]
        )
        fit = length_control.fit([y for _, y in judged], length, gamma, inputs.gamed)
        return length_control.controlled(fit, gamma)


def _length_inputs(baseline: Path, notes: list[str]) -> LengthInputs | None:
    """Difficulties and gamed rows from the parent of the baseline's folder, or None and a note of missing files."""
    home = baseline.resolve().parent
    versions = [home / f"{baseline.resolve().name}_{name}" / OUTPUTS for name in ("verbose", "concise")]
    missing = [
        path for path in (home / DIFFICULTY, home / GAMED, baseline / OUTPUTS, *versions) if not path.exists()
    ]
    if missing:
        notes.append(
            f"no length control without {', '.join(map(str, missing))}. Add them, or give another --baseline."
        )
        return None
    difficulty = _difficulties(home / DIFFICULTY)
    sums = _sums(home / GAMED)
    baseline_outputs = read_records(baseline / OUTPUTS, "alpaca_eval", "output")
    gamed = []
    for path, (by_length, by_difficulty) in zip(versions, (sums[:2], sums[2:]), strict=True):
        rows = read_records(path, "alpaca_eval", "output")
        try:
            of_baseline = {row["instruction"]: row["output"] for row in baseline_outputs}
            shown = [of_baseline[row["instruction"]] for row in rows]
            gamma = np.array([difficulty[_key(row["instruction"])] for row in rows])
            length = length_control.length_feature(shown, [row["output"] for row in rows])
        except KeyError as problem:
            raise BadVerdictFile(
                f"{path}: instruction {problem} is missing in {baseline} or {DIFFICULTY}. Use files of one instruction set."
            ) from problem
        gamed.append(length_control.GamedRows(length, gamma, by_length, by_difficulty))
    return LengthInputs(difficulty, gamed)


def _key(instruction: str) -> str:
    return hashlib.sha1(instruction.encode(), usedforsecurity=False).hexdigest()[:12]


def _difficulties(path: Path) -> dict[str, float]:
    with plain_file(path).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return {row["instruction_sha1_12"]: float(row["instruction_difficulty"]) for row in rows}
    except (KeyError, TypeError, ValueError) as problem:
        columns = "instruction_sha1_12 and instruction_difficulty"
        raise BadVerdictFile(
            f"{path}: not a table of difficulties ({problem}). Expected columns {columns}, the second a number."
        ) from problem


def _sums(path: Path) -> list[float]:
    lines = [
        line
        for line in plain_file(path).read_text(encoding="utf-8").splitlines()
        if line.strip() and line[0] != "#"
    ]
    try:
        sums = [float(word) for line in lines for word in line.split()]
    except ValueError as problem:
        raise BadVerdictFile(f"{path}: {problem}. Expected four numbers.") from problem
    if len(sums) != 4:
        raise BadVerdictFile(f"{path}: {len(sums)} numbers. Expected four, two of each gamed version.")
    return sums
