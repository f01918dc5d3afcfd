"""Times of `ratings` and its peers in one process: `taskset -c 0 python reproduce/ratings.py [--sets u300_5m ...]`.

CPU time of one pinned core; contenders take turns within a task, and the median of the rounds counts. Peers come
from the extra `peers`. FastChat's methods are restated here from their description, since its package leaves
out the file; scikit-learn's recipe is the public notebook's, on one weighted row a pair and outcome.

    count    codes -> table of outcomes by pair
    strings  string columns (pandas) -> point estimate, outcomes checked
    lists    lists of texts -> point estimate, outcomes checked
    interval codes -> estimate with 95 % intervals; peers start from rows that are already aggregated
    rounds   codes -> 100 bootstrap rounds; peers' rounds are timed at 4 and scaled on the larger sets
    style    codes and four covariates -> estimate; ours always with its sandwich
    elo      codes -> online Elo

"no compiled loops" is `ratings` as it runs where no C compiler was there at installation.
"""

# ruff: noqa: E402 - threads and the path are set before the imports that look at them

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")
# This file is called like the package it times: Python must not find it first.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != Path(__file__).resolve().parent]

import choix
import evalica
import numpy as np
import pandas as pd
from arena_rank.models.bradley_terry import BradleyTerry
from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
from arena_rank.utils.data_utils import ContextualPairDataset, PairDataset
from arenakit import Arena
from arenakit import bootstrap as arenakit_bootstrap
from evalica import _brzo
from scipy.optimize import minimize
from scipy.sparse import _sparsetools
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

import ratings
from ratings.data import compiled
from ratings.data.outcomes import SCORES

NAMES = np.array(["model_a", "model_b", "tie", "both_bad"])
FEATURES = ["length", "headers", "lists", "bold"]
WINNERS = np.array([1, 2, 0, 0], dtype=np.uint8)  # evalica's codes of X, Y and a draw
TASKS = ["count", "strings", "lists", "interval", "rounds", "style", "elo"]
SIZES = {"20_50k": (20, 50_000), "100_1m": (100, 1_000_000), "300_5m": (300, 5_000_000)}


class Set:
    """One board: Bradley–Terry truth of sd 110 points, 26 % ties, covariates that go with the models."""

    def __init__(self, name, seed=1):
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
        names = np.array([f"provider-{m % 17}/model-{m:03}-instruct" for m in range(self.models)])
        self.frame = pd.DataFrame({"model_a": names[self.a], "model_b": names[self.b], "winner": NAMES[self.y]})

    def as_evalica(self):
        """Codes, winners and weights as evalica's Rust functions take them."""
        return {
            "xs": self.a.astype(np.uintp),
            "ys": self.b.astype(np.uintp),
            "winners": WINNERS[self.y],
            "weights": np.ones(self.battles),
            "total": self.models,
        }


# --- peers, restated ---------------------------------------------------------------------------------------


def unique_rows(a, b, score):
    """Aggregated rows of model A, model B and score, with their number."""
    rows, counts = np.unique(np.column_stack([a, b, score]), axis=0, return_counts=True)
    return rows[:, :2].astype(np.int64), rows[:, 2], counts.astype(np.float64)


def fastchat_fit(pairs, score, counts, models):
    """L-BFGS-B on the rows, gradient by `np.add.at`, base 10 inside the logit."""
    alpha = np.log(10.0)

    def loss(r):
        p = expit(alpha * (r[pairs[:, 0]] - r[pairs[:, 1]]))
        value = -(counts * (score * np.log(p) + (1 - score) * np.log1p(-p))).sum()
        pull = -alpha * counts * (score - p)
        gradient = np.zeros_like(r)
        np.add.at(gradient, pairs[:, 0], pull)
        np.add.at(gradient, pairs[:, 1], -pull)
        return value, gradient

    return 400 * minimize(loss, np.zeros(models), jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x + 1000


def fastchat_rounds(pairs, score, counts, models, rounds):
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(int(counts.sum()), counts / counts.sum(), rounds).astype(np.float64)
    return [fastchat_fit(pairs, score, row, models) for row in drawn]


def fastchat_style(a, b, score, z, models):
    alpha = np.log(10.0)

    def loss(x):
        p = expit(alpha * (x[a] - x[b]) + z @ x[models:])
        value = -(score * np.log(p) + (1 - score) * np.log1p(-p)).sum() + 0.5 * x @ x
        pull = p - score
        gradient = x.copy()
        np.add.at(gradient, a, alpha * pull)
        np.add.at(gradient, b, -alpha * pull)
        gradient[models:] += pull @ z
        return value, gradient

    start = np.zeros(models + z.shape[1])
    return minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 100}).x


def factorized(frame):
    codes, names = pd.factorize(pd.concat([frame.model_a, frame.model_b]), sort=True)
    score = frame.winner.map({"model_a": 1.0, "model_b": 0.0}).fillna(0.5).to_numpy()
    return codes[: len(frame)], codes[len(frame) :], score, len(names)


def fastchat_strings(frame):
    a, b, score, models = factorized(frame)
    return fastchat_fit(*unique_rows(a, b, score), models)


def sklearn_strings(frame):
    a, b, score, models = factorized(frame)
    key = np.bincount(a * models + b, score, models * models), np.bincount(a * models + b, minlength=models**2)
    pair = np.flatnonzero(key[1])
    x = np.zeros((len(pair), models))
    x[np.arange(len(pair)), pair // models], x[np.arange(len(pair)), pair % models] = 1.0, -1.0
    wins, losses = key[0][pair], key[1][pair] - key[0][pair]
    recipe = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-8)
    return recipe.fit(np.r_[x, x], np.r_[np.ones(len(pair)), np.zeros(len(pair))], np.r_[wins, losses]).coef_


def evalica_strings(frame):
    winners = frame.winner.map({"model_a": 1, "model_b": 2, "tie": 0, "both_bad": 0}).to_numpy(np.uint8)
    return evalica.bradley_terry(frame.model_a, frame.model_b, winners)


def arena_rank_strings(frame):
    data = PairDataset.from_pandas(frame)
    return BradleyTerry(n_competitors=len(data.competitors)).fit(data)


def arenakit_arena(s):
    arena = Arena.__new__(Arena)  # its constructor takes an object a battle; these are its own arrays
    arena.models = [str(m) for m in range(s.models)]
    arena.a, arena.b, arena.y = s.a, s.b, np.minimum(s.y, 2).astype(np.int8)
    arena.item = arena.voter = None
    return arena


def bare_loop(s):
    """The quickest single pass we know: the loop in C by itself, straight into a table, with its checks of codes."""
    compiled.LOOPS.tally(s.a, s.b, s.y, s.models, np.zeros((s.models * s.models, 4), np.int32))


def scipy_loop(s):
    """The quickest without a loop of our own, by a private function of scipy and without a check."""
    table, ones = np.zeros((s.models, 4 * s.models), np.int32), np.ones(1 << 18, np.int32)
    for start in range(0, s.battles, 1 << 18):
        a, b = s.a[start : start + (1 << 18)], s.b[start : start + (1 << 18)]
        column = b * np.int32(4)
        column += s.y[start : start + (1 << 18)]
        _sparsetools.coo_todense(s.models, 4 * s.models, len(a), a, column, ones, table.ravel(), 0)
    return table


def alone(function):
    """`function` with numpy and scipy alone."""

    def run():
        loops, compiled.LOOPS = compiled.LOOPS, None
        try:
            function()
        finally:
            compiled.LOOPS = loops

    return run


def python_elo(s, k=4.0):
    rating = [1000.0] * s.models
    for i, j, score in zip(s.a.tolist(), s.b.tolist(), SCORES[s.y].tolist(), strict=True):
        change = k * (score - 1 / (1 + 10 ** ((rating[j] - rating[i]) / 400)))
        rating[i] += change
        rating[j] -= change
    return rating


# --- the tasks ---------------------------------------------------------------------------------------------


def tasks(s):
    """task -> {contender: (function, factor by which its time counts)}, ours first."""
    core = s.as_evalica()
    half = {"win_weight": 1.0, "tie_weight": 0.5}
    scaled = s.battles > 100_000
    rows = unique_rows(s.a, s.b, SCORES[s.y])
    wins = np.bincount(rows[0][:, 0] * s.models + rows[0][:, 1], rows[1] * rows[2], s.models**2)
    losses = np.bincount(rows[0][:, 1] * s.models + rows[0][:, 0], (1 - rows[1]) * rows[2], s.models**2)
    win_matrix = (wins + losses).reshape(s.models, s.models)
    frame = s.frame
    data = PairDataset.from_pandas(frame)
    index = pd.Index(range(s.models))
    z = np.stack(list(s.z.values()), axis=1)
    lists = tuple(column.astype(object).tolist() for column in (frame.model_a, frame.model_b, frame.winner))
    evalica_winners = core["winners"].tolist()
    few = 4 if scaled else 100
    elo = {"initial": 1000.0, "base": 10.0, "scale": 400.0, "k": 4.0}

    def arena_rank_style(compute):
        table = pd.DataFrame({**s.z, "model_a": frame.model_a, "model_b": frame.model_b, "winner": frame.winner})
        given = ContextualPairDataset.from_pandas(table, FEATURES, reweighted=False, normalize_features=False)

        def run():
            model = ContextualBradleyTerry(s.models, 4, reg=1e-9)
            return model.compute_ratings_and_cis(given) if compute else model.fit(given)

        return run

    evalica_few = 2 if scaled else 100
    evalica_rounds = {"n_resamples": evalica_few, "bootstrap_method": "percentile", "random_state": 0}
    return {
        "count": {
            "ratings": (lambda: ratings.count_pairs(s.a, s.b, s.y), 1),
            "ratings, no compiled loops": (alone(lambda: ratings.count_pairs(s.a, s.b, s.y)), 1),
            "single pass by the loop in C": (lambda: bare_loop(s), 1),
            "single pass by scipy, unchecked": (lambda: scipy_loop(s), 1),
            "evalica, Rust entry": (lambda: _brzo.matrices(**core), 1),
            "evalica": (lambda: evalica.matrices(core["xs"], core["ys"], core["winners"], index), 1),
        },
        "strings": {
            "ratings": (lambda: ratings.bradley_terry(frame.model_a, frame.model_b, frame.winner), 1),
            "evalica": (lambda: evalica_strings(frame), 1),
            "FastChat's method": (lambda: fastchat_strings(frame), 1),
            "arena-rank": (lambda: arena_rank_strings(frame), 1),
            "scikit-learn's recipe": (lambda: sklearn_strings(frame), 1),
        },
        "lists": {
            "ratings": (lambda: ratings.bradley_terry(*lists), 1),
            "ratings, no compiled loops": (alone(lambda: ratings.bradley_terry(*lists)), 1),
            "evalica, outcomes given as codes": (lambda: evalica.bradley_terry(*lists[:2], evalica_winners), 1),
        },
        "interval": {
            "ratings": (lambda: ratings.bradley_terry(s.a, s.b, s.y).interval(), 1),
            "ratings, no compiled loops": (alone(lambda: ratings.bradley_terry(s.a, s.b, s.y).interval()), 1),
            "arena-rank, sandwich": (
                lambda: BradleyTerry(n_competitors=s.models).compute_ratings_and_cis(data), 1),
            "FastChat's method, 100 rounds": (lambda: fastchat_rounds(*rows, s.models, few), 100 / few),
            "choix, ilsr, no interval": (lambda: choix.ilsr_pairwise_dense(win_matrix), 1),
        },
        "rounds": {
            "ratings": (lambda: ratings.bootstrap(s.a, s.b, s.y), 1),
            "FastChat's method": (lambda: fastchat_rounds(*rows, s.models, few), 100 / few),
            "evalica": (lambda: evalica.bootstrap(
                evalica.bradley_terry, core["xs"], core["ys"], core["winners"], index=index, **evalica_rounds),
                100 / evalica_few),
            "arenakit": (lambda: arenakit_bootstrap(arenakit_arena(s), n_resamples=few), 100 / few),
        },
        "style": {
            "ratings": (lambda: ratings.contextual(s.a, s.b, s.y, s.z), 1),
            "ratings, no compiled loops": (alone(lambda: ratings.contextual(s.a, s.b, s.y, s.z)), 1),
            "arena-rank, with intervals": (arena_rank_style(True), 1),
            "arena-rank, no intervals": (arena_rank_style(False), 1),
            "FastChat's method, no intervals": (lambda: fastchat_style(s.a, s.b, SCORES[s.y], z, s.models), 1),
        },
        "elo": {
            "ratings": (lambda: ratings.elo(s.a, s.b, s.y), 1),
            "ratings, no compiled loops": (lambda: ratings.elo(s.a, s.b, s.y, engine="recurrence"), 1),
            "ratings, numba": (lambda: ratings.elo(s.a, s.b, s.y, engine="numba"), 1),
            "evalica, Rust entry": (lambda: _brzo.elo(**core, **elo, **half), 1),
            "evalica": (lambda: evalica.elo(core["xs"], core["ys"], core["winners"], index), 1),
            "Python loop": (lambda: python_elo(s), 1),
        },
    }  # fmt: skip


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
    parser.add_argument("--sets", nargs="+", default=[f"{kind}{size}" for size in SIZES for kind in "uz"])
    parser.add_argument(
        "--tasks", nargs="+", default=["count", "strings", "lists", "interval", "rounds", "style", "elo"]
    )
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("| set | task | contender | CPU time | times ours | our peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name in options.sets:
        s = Set(name)
        for task, contenders in tasks(s).items():
            if task not in options.tasks:
                continue
            memory = peak_memory(contenders["ratings"][0])
            seconds = timed(contenders, options.rounds)
            for contender, value in seconds.items():
                ratio, peak = (f"{value / seconds['ratings']:.3g}", "") if contender != "ratings" else (
                    "", f"{memory:.0f} MiB")  # fmt: skip
                print(f"| {name} | {task} | {contender} | {1000 * value:.4g} ms | {ratio} | {peak} |", flush=True)


if __name__ == "__main__":
    main()
