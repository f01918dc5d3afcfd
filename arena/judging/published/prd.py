"""Win rates by judge of peer rank folders, with one file per judge and ordered pair of models."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import BadVerdictFile, Record, read_records
from judges.columns import field as value_of
from judges.protocols import prd

PAIR_FILE = re.compile(r"answer[-_](?P<first>.+?)-vs-answer[-_](?P<second>.+)-reviewer")
PAIR_NAME = "answer_X-vs-answer_Y-…reviewer….jsonl"


def score_prd(paths: Sequence[Path], *, peer: bool = False) -> RecomputedBoard:
    """Board of win rates by judge of folders of pair files; `peer` weights the judges by their own scores."""
    board = RecomputedBoard()
    rates: dict[str, dict[str, float]] = {}
    for folder in _judge_folders(paths):
        judge = folder.name.removeprefix("ratings-")
        comparisons = _comparisons(folder, board.notes)
        with naming(folder):
            win_rates = prd.win_rates(comparisons)
        rates[judge] = {model: line.win_rate for model, line in win_rates.items()}
        board.rows += [
            {"judge": judge, "model": m, "win_rate": r.win_rate, "judged": r.judged} for m, r in win_rates.items()
        ]
    if peer:
        with naming(paths[0]):
            ranked = prd.peer_rank(rates)
        board.peer = {"peer": ranked.scores, "weights": ranked.weights}
    return board


def _judge_folders(paths: Sequence[Path]) -> list[Path]:
    folders = []
    for path in paths:
        if not path.is_dir():
            raise BadVerdictFile(f"{path}: no such folder. Give a folder of files {PAIR_NAME}.")
        inside = sorted(child for child in path.glob("ratings-*") if child.is_dir())
        folders += [folder.resolve() for folder in inside or [path]]
    return list(dict.fromkeys(folders))  # a folder that is named twice is one judge


def _comparisons(folder: Path, notes: list[str]) -> list[prd.Comparison]:
    """The comparisons of a folder between models with answers in `generations`, or between all if there are none."""
    answers = {
        path.stem.removeprefix("answer_") for path in (folder.parent / "generations").glob("answer_*.jsonl")
    }
    files = sorted(folder.glob("*.jsonl"))
    comparisons: list[prd.Comparison] = []
    excluded, of_pair = 0, Counter[tuple[str, str]]()
    for path, (first, second) in zip(files, _models_of(files), strict=True):
        if answers and not {first, second} <= answers:
            excluded += 1
            continue
        of_pair[first, second] += 1
        records = read_records(path, "prd", "score")
        with naming(path):
            comparisons += [_comparison(first, second, row, record) for row, record in enumerate(records)]
    if excluded:
        notes.append(f"{folder}: {excluded} files excluded, whose models have no answers in generations")
    notes += [
        f"{folder}: {count} files of {first} against {second}; their verdicts on a question are one comparison, "
        "and a draw where they differ. Remove all but one."
        for (first, second), count in of_pair.items()
        if count > 1
    ]
    if not comparisons:
        raise BadVerdictFile(f"{folder}: no comparisons to score. Give a folder of files {PAIR_NAME}.")
    return comparisons


def _models_of(files: Sequence[Path]) -> list[tuple[str, str]]:
    """The models of each file.

    A name ends with the second model and the judge, with dashes between and within them. The judge is the suffix in
    the folder's name, or the suffix shared by all files of the folder.
    """
    pairs = []
    for path in files:
        name = PAIR_FILE.match(path.name)
        if name is None:
            raise BadVerdictFile(f"{path}: the file name does not name the models. Expected {PAIR_NAME}.")
        pairs.append((name["first"], name["second"]))
    if not pairs:
        return []
    judge = "-" + files[0].parent.name.removeprefix("ratings-")
    if not all(second.endswith(judge) for _, second in pairs):
        judge = _shared_end([second for _, second in pairs])
    return [(first, second.removesuffix(judge)) for first, second in pairs]


def _shared_end(names: Sequence[str]) -> str:
    """The longest suffix of all names that starts with a dash, or an empty string."""
    starts = [place for place, letter in enumerate(names[0]) if letter == "-"]
    ends = (names[0][start:] for start in starts)
    return next((end for end in ends if all(name.endswith(end) for name in names)), "")


def _comparison(first: str, second: str, row: int, record: Record) -> prd.Comparison:
    question, score = value_of(record, row, "question_id"), value_of(record, row, "score")
    return prd.Comparison(first, second, str(question), prd.stored_score(score, row))
