"""Peers of `ratings` on the tasks of `reproduce/ratings.py`; each needs its package from the extra `peers`.

FastChat's methods are restated from their description, since its package leaves out the file. scikit-learn's recipe is
the public notebook's, on one weighted row per pair and outcome.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
from scipy.optimize import minimize
from scipy.special import expit

SCORES = np.array([1.0, 0.0, 0.5, 0.5])
WINNERS = np.array([1, 2, 0, 0], dtype=np.uint8)  # evalica's codes of X, Y and a draw


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
    from sklearn.linear_model import LogisticRegression

    a, b, score, models = factorized(frame)
    key = np.bincount(a * models + b, score, models * models), np.bincount(a * models + b, minlength=models**2)
    pair = np.flatnonzero(key[1])
    x = np.zeros((len(pair), models))
    x[np.arange(len(pair)), pair // models], x[np.arange(len(pair)), pair % models] = 1.0, -1.0
    wins, losses = key[0][pair], key[1][pair] - key[0][pair]
    recipe = LogisticRegression(fit_intercept=False, C=np.inf, tol=1e-8)
    return recipe.fit(np.r_[x, x], np.r_[np.ones(len(pair)), np.zeros(len(pair))], np.r_[wins, losses]).coef_


def evalica_strings(frame):
    import evalica

    winners = frame.winner.map({"model_a": 1, "model_b": 2, "tie": 0, "both_bad": 0}).to_numpy(np.uint8)
    return evalica.bradley_terry(frame.model_a, frame.model_b, winners)


def arena_rank_strings(frame):
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.utils.data_utils import PairDataset

    data = PairDataset.from_pandas(frame)
    return BradleyTerry(n_competitors=len(data.competitors)).fit(data)


def arenakit_arena(board):
    from arenakit import Arena

    arena = Arena.__new__(Arena)  # its constructor takes an object a battle; these are its own arrays
    arena.models = [str(m) for m in range(board.models)]
    arena.a, arena.b, arena.y = board.a, board.b, np.minimum(board.y, 2).astype(np.int8)
    arena.item = arena.voter = None
    return arena


def fastchat(board, few):
    """task -> {contender: (function, factor by which its time counts)}."""
    rows = unique_rows(board.a, board.b, SCORES[board.y])
    z = np.stack(list(board.z.values()), axis=1)
    score = SCORES[board.y]
    return {
        "strings": {"FastChat's method": (lambda: fastchat_strings(board.frame), 1)},
        "interval": {
            "FastChat's method, 100 rounds": (lambda: fastchat_rounds(*rows, board.models, few), 100 / few)
        },
        "rounds": {"FastChat's method": (lambda: fastchat_rounds(*rows, board.models, few), 100 / few)},
        "style": {
            "FastChat's method, no intervals": (
                lambda: fastchat_style(board.a, board.b, score, z, board.models), 1)
        },
    }  # fmt: skip


def of_evalica(board, lists, few):
    """task -> {contender: (function, factor)}; `few` rounds are timed and scaled to 100."""
    import evalica
    from evalica import _brzo

    core = {
        "xs": board.a.astype(np.uintp),
        "ys": board.b.astype(np.uintp),
        "winners": WINNERS[board.y],
        "weights": np.ones(board.battles),
        "total": board.models,
    }
    columns = core["xs"], core["ys"], core["winners"]
    index, winners = pd.Index(range(board.models)), core["winners"].tolist()
    half = {"win_weight": 1.0, "tie_weight": 0.5}
    elo = {"initial": 1000.0, "base": 10.0, "scale": 400.0, "k": 4.0}
    rounds = {"n_resamples": few, "bootstrap_method": "percentile", "random_state": 0}
    return {
        "count": {
            "evalica, Rust entry": (lambda: _brzo.matrices(**core), 1),
            "evalica": (lambda: evalica.matrices(*columns, index), 1),
        },
        "strings": {"evalica": (lambda: evalica_strings(board.frame), 1)},
        "lists": {"evalica, outcomes given as codes": (lambda: evalica.bradley_terry(*lists[:2], winners), 1)},
        "rounds": {
            "evalica": (
                lambda: evalica.bootstrap(evalica.bradley_terry, *columns, index=index, **rounds), 100 / few)
        },
        "elo": {
            "evalica, Rust entry": (lambda: _brzo.elo(**core, **elo, **half), 1),
            "evalica": (lambda: evalica.elo(*columns, index), 1),
        },
    }  # fmt: skip


def arena_rank(board):
    """task -> {contender: (function, factor)}."""
    from arena_rank.models.bradley_terry import BradleyTerry
    from arena_rank.models.contextual_bradley_terry import ContextualBradleyTerry
    from arena_rank.utils.data_utils import ContextualPairDataset, PairDataset

    data = PairDataset.from_pandas(board.frame)
    table = board.frame.assign(**board.z)
    options = {"reweighted": False, "normalize_features": False}
    covariates = ContextualPairDataset.from_pandas(table, list(board.z), **options)

    def style(intervals):
        model = ContextualBradleyTerry(board.models, 4, reg=1e-9)
        return model.compute_ratings_and_cis(covariates) if intervals else model.fit(covariates)

    return {
        "strings": {"arena-rank": (lambda: arena_rank_strings(board.frame), 1)},
        "interval": {
            "arena-rank, sandwich": (
                lambda: BradleyTerry(n_competitors=board.models).compute_ratings_and_cis(data), 1)
        },
        "style": {
            "arena-rank, with intervals": (lambda: style(True), 1),
            "arena-rank, no intervals": (lambda: style(False), 1),
        },
    }  # fmt: skip


def arenakit(board, few):
    """task -> {contender: (function, factor)}."""
    from arenakit import bootstrap

    return {"rounds": {"arenakit": (lambda: bootstrap(arenakit_arena(board), n_resamples=few), 100 / few)}}


def choix(board):
    """task -> {contender: (function, factor)}."""
    import choix

    pairs, score, counts = unique_rows(board.a, board.b, SCORES[board.y])
    key = pairs[:, 0] * board.models + pairs[:, 1], pairs[:, 1] * board.models + pairs[:, 0]
    wins = np.bincount(key[0], score * counts, board.models**2)
    losses = np.bincount(key[1], (1 - score) * counts, board.models**2)
    matrix = (wins + losses).reshape(board.models, board.models)
    return {"interval": {"choix, ilsr, no interval": (lambda: choix.ilsr_pairwise_dense(matrix), 1)}}


def scikit_learn(board):
    """task -> {contender: (function, factor)}."""
    return {"strings": {"scikit-learn's recipe": (lambda: sklearn_strings(board.frame), 1)}}


def contenders(board, lists):
    """The tables of all peers whose package is installed; the names of those that are missing."""
    few, evalica_few = (4, 2) if board.battles > 100_000 else (100, 100)
    packages = {
        "evalica": lambda: of_evalica(board, lists, evalica_few),
        "arena_rank": lambda: arena_rank(board),
        "arenakit": lambda: arenakit(board, few),
        "choix": lambda: choix(board),
        "sklearn": lambda: scikit_learn(board),
    }
    missing = [name for name in packages if find_spec(name) is None]
    return [fastchat(board, few), *(make() for name, make in packages.items() if name not in missing)], missing
