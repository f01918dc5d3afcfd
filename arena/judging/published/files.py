"""Files of stored verdicts in JSON or JSONL, one record per verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arena.config.given_files import BadLine, json_lines, json_value, plain_file
from arena.errors import InputError

Record = dict[str, Any]

# fields of one protocol's records alone, to suggest the right protocol for a file
SIGNS = {
    "alpaca_eval": {"preference", "output_1"},
    "wildbench": {"session_id", "model_test"},
    "mt_bench": {"judgment", "turn"},
    "arena_hard": {"games"},
    "prd": {"answer1_id", "score"},
    "judge_bench": {"pair_id", "judgments"},
    "reward_bench_2": {"subset", "scores"},
    "reward_bench": {"subset", "results"},
}


class BadVerdictFile(InputError):
    """A file without readable verdicts; the message names the file, the line and the remedy."""


def read_records(path: Path, protocol: str = "", needed: str = "") -> list[Record]:
    """The records of a JSON list, or of a JSONL file. Raises BadVerdictFile.

    `needed` is a required field of records of `protocol`: if the first one lacks it, the message names the protocol
    that the file resembles.
    """
    given = file_text(path)
    records = _list(path, given) if given.lstrip().startswith("[") else _lines(path, given)
    if not records:
        raise BadVerdictFile(f"{path}: the file has no verdicts. Give the file written by the judge run.")
    if needed and needed not in records[0]:
        raise BadVerdictFile(
            f"{path}: row 0: no {needed}. Its fields are: {', '.join(records[0])}. {_advice(path, records[0], protocol)}"
        )
    return records


def _advice(path: Path, record: Record, protocol: str) -> str:
    for other, signs in SIGNS.items():
        if other != protocol and signs <= set(record):
            where = path.parent if other in ("alpaca_eval", "prd") else path
            return f"It looks like {other}. Run `arena judge score {other} {where}`."
    return f"Give a file of {protocol}."


def file_text(path: Path) -> str:
    """The text of a plain file in UTF-8. Raises BadVerdictFile."""
    try:
        return plain_file(path).read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise BadVerdictFile(
            f"{path}: cannot be read ({problem.strerror or problem}). Check the path and its permissions."
        ) from problem
    except UnicodeDecodeError as problem:
        raise BadVerdictFile(
            f"{path}: not UTF-8 text ({problem.reason} at byte {problem.start}). Save it as UTF-8."
        ) from problem


def _list(path: Path, given: str) -> list[Record]:
    try:
        records = json_value(given)
    except json.JSONDecodeError as problem:
        raise BadVerdictFile(
            f"{path}: line {problem.lineno}: not valid JSON ({problem.msg}). Check that the file is complete."
        ) from problem
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise BadVerdictFile(f"{path}: row {row} is not an object. Expected one object per verdict.")
    return list(records)


def _lines(path: Path, given: str) -> list[Record]:
    records = []
    try:
        for number, record in json_lines(given):
            if not isinstance(record, dict):
                raise BadVerdictFile(f"{path}: line {number} is not an object. Expected one JSON object per line.")
            records.append(record)
    except BadLine as problem:
        raise BadVerdictFile(
            f"{path}: line {problem.number}: not valid JSON ({problem.reason}). Expected one JSON object per line."
        ) from problem
    return records
