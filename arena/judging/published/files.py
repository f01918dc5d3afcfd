"""Files of stored verdicts: JSON or JSONL, one record a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arena.errors import InputError

Record = dict[str, Any]

# What only one scheme's records have: a file that is given to the wrong scheme is told where it belongs.
SIGNS = {
    "alpaca_eval": {"preference", "output_1"},
    "wildbench": {"session_id", "model_test"},
    "mt_bench": {"judgment", "turn"},
    "arena_hard": {"games"},
    "prd": {"answer1_id", "score"},
}


class BadVerdictFile(InputError):
    """A file that no verdicts can be read from; the message names the file, the line and what helps."""


def read_records(path: Path, protocol: str = "", needed: str = "") -> list[Record]:
    """The records of a JSON list, or of a JSONL file. Raises BadVerdictFile.

    `needed` is a field that records of `protocol` have: where the first one lacks it, the message tells what the
    file looks like.
    """
    given = _text(path)
    records = _list(path, given) if given.lstrip().startswith("[") else _lines(path, given)
    if not records:
        raise BadVerdictFile(f"{path}: no verdicts in it; is it the file that the judge's run wrote?")
    if needed and needed not in records[0]:
        raise BadVerdictFile(
            f"{path}: row 0: no {needed}. Its fields are: {', '.join(records[0])}. {_advice(path, records[0], protocol)}"
        )
    return records


def _advice(path: Path, record: Record, protocol: str) -> str:
    for other, signs in SIGNS.items():
        if other != protocol and signs <= set(record):
            where = path.parent if other in ("alpaca_eval", "prd") else path
            return f"It looks like {other}; try: arena judge score {other} {where}"
    return f"It is no file of {protocol}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise BadVerdictFile(f"{path}: {problem.strerror or problem}") from problem
    except UnicodeDecodeError as problem:
        raise BadVerdictFile(f"{path}: not UTF-8 text ({problem.reason} at byte {problem.start})") from problem


def _list(path: Path, given: str) -> list[Record]:
    try:
        records = json.loads(given)
    except json.JSONDecodeError as problem:
        raise BadVerdictFile(f"{path}: line {problem.lineno}: {problem.msg}; was it cut off?") from problem
    for row, record in enumerate(records):
        if not isinstance(record, dict):
            raise BadVerdictFile(f"{path}: row {row}: expected an object, one verdict each")
    return list(records)


def _lines(path: Path, given: str) -> list[Record]:
    records = []
    for number, line in enumerate(given.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except json.JSONDecodeError as problem:
            raise BadVerdictFile(
                f"{path}: line {number}: {problem.msg}; expected one JSON object a line"
            ) from problem
        if not isinstance(record, dict):
            raise BadVerdictFile(f"{path}: line {number}: expected an object, one verdict a line")
        records.append(record)
    return records
