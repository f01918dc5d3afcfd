"""Win rates by each judge of peer rank folders: one file for an ordered pair of models and a judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from arena.judging.published.board import Board, naming
from arena.judging.published.files import BadVerdictFile, Record, read_records
from judges.columns import field as value_of
from judges.protocols import prd

PAIR_FILE = re.compile(r"answer[-_](?P<first>.+?)-vs-answer[-_](?P<second>.+)-reviewer")
PAIR_NAME = "answer_X-vs-answer_Y-…reviewer….jsonl"


def score_prd(paths: Sequence[Path], *, peer: bool = False) -> Board:
    """Win rates by each judge of folders of pair files; `peer` weighs the judges by their own scores."""
    board = Board()
    rates: dict[str, dict[str, float]] = {}
    for folder in _judge_folders(paths):
        judge = folder.name.removeprefix("ratings-")
        comparisons = _comparisons(folder, board.notes)
        with naming(folder):
            found = prd.win_rates(comparisons)
        rates[judge] = {model: line.win_rate for model, line in found.items()}
        board.rows += [
            {"judge": judge, "model": m, "win_rate": r.win_rate, "judged": r.judged} for m, r in found.items()
        ]
    if peer:
        with naming(paths[0]):
            ranked = prd.peer_rank(rates)
        board.peer = {"peer": ranked.scores, "weights": ranked.weights}
    return board


def _judge_folders(paths: Sequence[Path]) -> list[Path]:
    found = []
    for path in paths:
        if not path.is_dir():
            raise BadVerdictFile(f"{path}: no such folder; give a folder of files {PAIR_NAME}")
        inside = sorted(child for child in path.glob("ratings-*") if child.is_dir())
        found += inside or [path.resolve()]
    return found


def _comparisons(folder: Path, notes: list[str]) -> list[prd.Comparison]:
    """The comparisons of a folder between models whose answers lie beside it, or between all without any."""
    answers = {
        path.stem.removeprefix("answer_") for path in (folder.parent / "generations").glob("answer_*.jsonl")
    }
    files = sorted(folder.glob("*.jsonl"))
    found, left_out = [], 0
    for path, (first, second) in zip(files, _models_of(files), strict=True):
        if answers and not {first, second} <= answers:
            left_out += 1
            continue
        records = read_records(path, "prd", "score")
        with naming(path):
            found += [_comparison(first, second, row, record) for row, record in enumerate(records)]
    if left_out:
        notes.append(f"{folder}: {left_out} files left out; their models have no answers in generations")
    if not found:
        raise BadVerdictFile(f"{folder}: no file {PAIR_NAME} in it")
    return found


def _models_of(files: Sequence[Path]) -> list[tuple[str, str]]:
    """The models of each file. Its name ends with the second model and the judge, and only dashes between them
    and within them: the judge is what all names of a folder share, or what the folder is called after.
    """
    pairs = []
    for path in files:
        name = PAIR_FILE.match(path.name)
        if name is None:
            raise BadVerdictFile(f"{path}: the name does not tell the models; expected {PAIR_NAME}")
        pairs.append((name["first"], name["second"]))
    if not pairs:
        return []
    judge = "-" + files[0].parent.name.removeprefix("ratings-")
    if not all(second.endswith(judge) for _, second in pairs):
        judge = _shared_end([second for _, second in pairs])
    return [(first, second.removesuffix(judge)) for first, second in pairs]


def _shared_end(names: Sequence[str]) -> str:
    """The longest end from a dash on that all names have, or nothing."""
    starts = [place for place, letter in enumerate(names[0]) if letter == "-"]
    ends = (names[0][start:] for start in starts)
    return next((end for end in ends if all(name.endswith(end) for name in names)), "")


def _comparison(first: str, second: str, row: int, record: Record) -> prd.Comparison:
    question, score = value_of(record, row, "question_id"), value_of(record, row, "score")
    return prd.Comparison(first, second, str(question), prd.stored_score(score, row))
