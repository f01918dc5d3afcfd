"""Published boards recomputed from stored verdicts, with no call made: what `arena judge score` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arena.judging.published.alpaca_eval import score_alpaca_eval
from arena.judging.published.arena_hard import score_arena_hard
from arena.judging.published.board import Board, naming
from arena.judging.published.files import BadVerdictFile, read_records
from arena.judging.published.prd import score_prd
from judges.protocols import mt_bench, wildbench

PENALTY = 500  # characters, what WildBench's board shows unless asked


def score_wildbench(paths: Sequence[Path]) -> Board:
    """Scores of files with one model each; a file of the prompts with their tags among them gives tasks.

    Files of pairs give the reward of their model against the reference that all rows share.
    """
    if all("extent" in read_records(path)[0] for path in paths):
        return _wildbench_rewards(paths)
    board, tasks, files = Board(), None, []
    for path in paths:
        records = read_records(path)
        if "primary_tag" in records[0]:
            with naming(path):
                tasks = wildbench.tasks_of_prompts(records)
        else:
            files.append(path)
    for path in files:
        records = read_records(path, "wildbench", "model_test")
        with naming(path):
            line = wildbench.score(records, tasks)
        board.note_unparsed(path, line.unparsed)
        names = ("model", "score", "adjusted_score", "task_macro_score", "task_categorized_scores", "total")
        board.rows.append({name: getattr(line, name) for name in names})
    if not files:
        raise BadVerdictFile(f"{paths[0]}: prompts and no verdicts; add a file of scores, one model each")
    if tasks is None:
        board.notes.append("no scores of tasks: add the file of prompts with primary_tag and secondary_tags")
    board.rows.sort(key=lambda row: -row["score"])
    return board


def _wildbench_rewards(paths: Sequence[Path]) -> Board:
    """A row a file: the reward with no length penalty and with the board's own, 500 characters."""
    board = Board()
    for path in paths:
        records = read_records(path)
        with naming(path):
            model, reference = wildbench.models_of_pairs(records)
            plain, penalised = (wildbench.count(records, model, longer_by) for longer_by in (None, PENALTY))
            row = {
                "model": model,
                "reference": reference,
                "reward": 100 * wildbench.reward(plain, len(records)),
                f"reward_{PENALTY}": 100 * wildbench.reward(penalised, len(records)),
                **vars(plain),
                "total": len(records),
            }
        board.rows.append(row)
    board.rows.sort(key=lambda row: -row["reward"])
    return board


def score_mt_bench(paths: Sequence[Path]) -> Board:
    """Mean ratings by turn of all models in the files together, or win rates of pairs."""
    if all("g1_winner" in read_records(path)[0] for path in paths):
        board = Board()
        with naming(paths[-1]):
            board.rows = [vars(line) for line in mt_bench.pair_scores([r for p in paths for r in read_records(p)])]
        return board
    board, together = Board(), []
    for path in paths:
        records = read_records(path, "mt_bench", "turn")
        with naming(path):  # alone first: what is wrong with a file is told with its own rows
            board.note_unparsed(path, sum(line.unparsed for line in mt_bench.scores(records)))
        together += records
    with naming(paths[-1]):
        board.rows = [vars(line).copy() for line in mt_bench.scores(together)]
    return board


PROTOCOLS: dict[str, Callable[..., Board]] = {
    "alpaca_eval": score_alpaca_eval,
    "wildbench": score_wildbench,
    "arena_hard": score_arena_hard,
    "mt_bench": score_mt_bench,
    "prd": score_prd,
}
