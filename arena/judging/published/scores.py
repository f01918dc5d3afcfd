"""Boards recomputed from stored verdicts of published protocols, without calls, for `arena judge score`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from arena.judging.published.alpaca_eval import score_alpaca_eval
from arena.judging.published.arena_hard import score_arena_hard
from arena.judging.published.board import RecomputedBoard, naming
from arena.judging.published.files import BadVerdictFile, read_records
from arena.judging.published.judge_bench import score_judge_bench
from arena.judging.published.prd import score_prd
from arena.judging.published.reward_bench import score_reward_bench, score_reward_bench_2
from judges.protocols import mt_bench, wildbench

PENALTY = 500  # characters, the default of WildBench's board


def score_wildbench(paths: Sequence[Path]) -> RecomputedBoard:
    """Board of scores of files with one model each; a file of tagged prompts among them adds scores of tasks.

    For files of pairs, the board of rewards of each model against the reference of all rows.
    """
    if all("extent" in read_records(path)[0] for path in paths):
        return _wildbench_rewards(paths)
    board, tasks, files = RecomputedBoard(), None, []
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
        raise BadVerdictFile(
            f"{paths[0]}: the file has prompts and no verdicts. Add a file of scores, one per model."
        )
    if tasks is None:
        board.notes.append("no scores of tasks; add the file of prompts with primary_tag and secondary_tags")
    board.rows.sort(key=lambda row: -row["score"])
    return board


def _wildbench_rewards(paths: Sequence[Path]) -> RecomputedBoard:
    """Board with one row per file: the reward without a length penalty and with the default of 500 characters."""
    board = RecomputedBoard()
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


def score_mt_bench(paths: Sequence[Path]) -> RecomputedBoard:
    """Board of mean ratings by turn over all files, or of win rates of pairs."""
    if all("g1_winner" in read_records(path)[0] for path in paths):
        board = RecomputedBoard()
        with naming(paths[-1]):
            board.rows = [vars(line) for line in mt_bench.pair_scores([r for p in paths for r in read_records(p)])]
        return board
    board, together = RecomputedBoard(), []
    for path in paths:
        records = read_records(path, "mt_bench", "turn")
        with naming(path):  # each alone first, so that an error names the file's own row
            board.note_unparsed(path, sum(line.unparsed for line in mt_bench.scores(records)))
        together += records
    with naming(paths[-1]):
        board.rows = [vars(line).copy() for line in mt_bench.scores(together)]
    return board


PROTOCOLS: dict[str, Callable[..., RecomputedBoard]] = {
    "alpaca_eval": score_alpaca_eval,
    "wildbench": score_wildbench,
    "arena_hard": score_arena_hard,
    "mt_bench": score_mt_bench,
    "prd": score_prd,
    "judge_bench": score_judge_bench,
    "reward_bench": score_reward_bench,
    "reward_bench_2": score_reward_bench_2,
}
