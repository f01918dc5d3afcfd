"""Make the table "Speed" of docs/ratings.md: CPU times of `ratings` and its peers on one pinned core.

    taskset -c 0 python reproduce/ratings.py --rounds 5 [--sets u300_5m ...] [--tasks interval ...] [--ours]

Contenders take turns within a task, and the median of the rounds counts. Peers come from the extra `peers`
(`reproduce/peers/rating_peers.py`); a peer that is not installed is skipped. The tasks:

    count    codes -> table of outcomes by pair
    strings  string columns (pandas) -> point estimate, outcomes checked
    lists    lists of texts -> point estimate, outcomes checked
    interval codes -> estimate with 95 % intervals; peers start from rows that are already aggregated
    rounds   codes -> 100 bootstrap rounds; peers' rounds are timed at 4 and scaled on the larger sets
    style    codes and four covariates -> estimate; ours always with its sandwich
    elo      codes -> online Elo

"no compiled loops" is `ratings` as it runs where no C compiler was there at installation.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

TASKS = ["count", "strings", "lists", "interval", "rounds", "style", "elo"]
SIZES = {"20_50k": (20, 50_000), "100_1m": (100, 1_000_000), "300_5m": (300, 5_000_000)}
FEATURES = ["length", "headers", "lists", "bold"]


class Board:
    """Battles with a Bradley–Terry truth of sd 110 points, 26 % ties, and covariates that go with the models."""

    def __init__(self, name, seed=1):
        import numpy as np
        from scipy.special import expit

        self.name = name
        self.models, self.battles = SIZES[name[1:]]
        rng = np.random.default_rng(seed)
        share = 1 / np.arange(1, self.models + 1) if name[0] == "z" else np.ones(self.models)
        share = share / share.sum()
        self.a = rng.choice(self.models, self.battles, p=share).astype(np.int32)
        self.b = rng.choice(self.models, self.battles, p=share).astype(np.int32)
        while (same := self.a == self.b).any():
            self.b[same] = rng.choice(self.models, int(same.sum()), p=share)
        xi = rng.normal(0, 110 * np.log(10) / 400, self.models)
        habit = rng.normal(0, 0.5, (self.models, 4))
        z = habit[self.a] - habit[self.b] + rng.normal(size=(self.battles, 4))
        self.z = {name: np.ascontiguousarray(z[:, k]) for k, name in enumerate(FEATURES)}
        won = rng.random(self.battles) < expit(xi[self.a] - xi[self.b] + z @ [0.25, 0.03, 0.02, 0.02])
        tied = rng.random(self.battles) < 0.26
        self.y = np.where(tied, np.where(rng.random(self.battles) < 0.5, 2, 3), ~won).astype(np.uint8)

    @cached_property
    def frame(self):
        """The battles as a data frame of text columns."""
        import numpy as np
        import pandas as pd

        winners = np.array(["model_a", "model_b", "tie", "both_bad"])
        names = np.array([f"provider-{m % 17}/model-{m:03}-instruct" for m in range(self.models)])
        return pd.DataFrame({"model_a": names[self.a], "model_b": names[self.b], "winner": winners[self.y]})


def bare_loop(board):
    """The quickest single pass we know: the loop in C by itself, straight into a table, with its checks of codes."""
    import numpy as np

    from ratings.data import compiled

    compiled.LOOPS.tally(board.a, board.b, board.y, board.models, np.zeros((board.models**2, 4), np.int32))


def scipy_loop(board):
    """The quickest without a loop of our own, by a private function of scipy and without a check."""
    import numpy as np
    from scipy.sparse import _sparsetools

    table, ones = np.zeros((board.models, 4 * board.models), np.int32), np.ones(1 << 18, np.int32)
    for start in range(0, board.battles, 1 << 18):
        a, b = board.a[start : start + (1 << 18)], board.b[start : start + (1 << 18)]
        column = b * np.int32(4)
        column += board.y[start : start + (1 << 18)]
        _sparsetools.coo_todense(board.models, 4 * board.models, len(a), a, column, ones, table.ravel(), 0)
    return table


def without_loops(function):
    """`function` with numpy and scipy alone."""
    from ratings.data import compiled

    def run():
        loops, compiled.LOOPS = compiled.LOOPS, None
        try:
            function()
        finally:
            compiled.LOOPS = loops

    return run


def python_elo(board, k=4.0):
    """Online Elo as a plain loop."""
    scores = [1.0, 0.0, 0.5, 0.5]
    rating = [1000.0] * board.models
    for i, j, outcome in zip(board.a.tolist(), board.b.tolist(), board.y.tolist(), strict=True):
        change = k * (scores[outcome] - 1 / (1 + 10 ** ((rating[j] - rating[i]) / 400)))
        rating[i] += change
        rating[j] -= change
    return rating


def our_contenders(board, lists):
    """task -> {contender: (function, factor by which its time counts)}."""
    import ratings

    frame, codes = board.frame, (board.a, board.b, board.y)
    from_lists, interval, style = (
        lambda: ratings.bradley_terry(*lists),
        lambda: ratings.bradley_terry(*codes).interval(),
        lambda: ratings.contextual(*codes, board.z),
    )
    numba = {"ratings, numba": (lambda: ratings.elo(*codes, engine="numba"), 1)} if find_spec("numba") else {}
    return {
        "count": {
            "ratings": (lambda: ratings.count_pairs(*codes), 1),
            "ratings, no compiled loops": (without_loops(lambda: ratings.count_pairs(*codes)), 1),
            "single pass by the loop in C": (lambda: bare_loop(board), 1),
            "single pass by scipy, unchecked": (lambda: scipy_loop(board), 1),
        },
        "strings": {"ratings": (lambda: ratings.bradley_terry(frame.model_a, frame.model_b, frame.winner), 1)},
        "lists": {"ratings": (from_lists, 1), "ratings, no compiled loops": (without_loops(from_lists), 1)},
        "interval": {"ratings": (interval, 1), "ratings, no compiled loops": (without_loops(interval), 1)},
        "rounds": {"ratings": (lambda: ratings.bootstrap(*codes), 1)},
        "style": {"ratings": (style, 1), "ratings, no compiled loops": (without_loops(style), 1)},
        "elo": {
            "ratings": (lambda: ratings.elo(*codes), 1),
            "ratings, no compiled loops": (lambda: ratings.elo(*codes, engine="recurrence"), 1),
            **numba,
            "Python loop": (lambda: python_elo(board), 1),
        },
    }


def all_contenders(board, only_ours):
    """task -> {contender: (function, factor)}, ours first."""
    lists = tuple(board.frame[name].astype(object).tolist() for name in ("model_a", "model_b", "winner"))
    table = our_contenders(board, lists)
    if only_ours:
        return table
    from reproduce.peers import rating_peers

    peers, missing = rating_peers.contenders(board, lists)
    if missing:
        print(f"skipped, not installed: {', '.join(missing)}", file=sys.stderr)
    for peer in peers:
        for task, entries in peer.items():
            table[task] |= entries
    return table


def timed(contenders, rounds):
    """Median CPU seconds of each; the first run of each is not counted (imports, caches, compilation)."""
    seconds = {name: [] for name in contenders}
    for turn in range(rounds + 1):
        for name, (function, factor) in contenders.items():
            if turn == 0 and name not in ("ratings", "ratings, numba"):
                continue
            gc.collect()
            start = time.process_time()
            function()
            if turn:
                seconds[name].append((time.process_time() - start) * factor)
    return {name: statistics.median(runs) for name, runs in seconds.items()}


def peak_memory(function):
    """MiB by which the process grew at most while `function` ran (Linux)."""
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    function()
    return (status("VmHWM") - before) / 1024


def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sets = [f"{kind}{size}" for size in SIZES for kind in "uz"]
    parser.add_argument("--sets", nargs="+", default=sets, choices=sets, help="u: uniform pairs, z: power law")
    parser.add_argument("--tasks", nargs="+", default=TASKS, choices=TASKS)
    parser.add_argument("--rounds", type=int, default=5, help="timed runs of each contender")
    parser.add_argument("--ours", action="store_true", help="skip the peers")
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| set | task | contender | CPU time | times ours | our peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.sets:
        for task, contenders in all_contenders(Board(name), options.ours).items():
            if task in options.tasks:
                print_rows(name, task, contenders, options.rounds)


def print_rows(name, task, contenders, rounds):
    memory = peak_memory(contenders["ratings"][0])
    seconds = timed(contenders, rounds)
    for contender, value in seconds.items():
        ours = contender == "ratings"
        ratio, peak = ("", f"{memory:.0f} MiB") if ours else (f"{value / seconds['ratings']:.3g}", "")
        print(f"| {name} | {task} | {contender} | {1000 * value:.4g} ms | {ratio} | {peak} |", flush=True)


if __name__ == "__main__":
    main()
