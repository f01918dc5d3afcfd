"""Battles that tests share: simulated boards and small ones written out."""

import numpy as np

NAMES = ("model_a", "model_b", "tie", "both_bad")


def simulated(models=8, battles=600, seed=0, ties=0.2, bad=0.05):
    """Columns of names, of which no model is undefeated."""
    rng = np.random.default_rng(seed)
    xi = rng.normal(0, 0.7, models)
    a = rng.integers(0, models, battles)
    b = (a + rng.integers(1, models, battles)) % models
    kind = rng.random(battles)
    won = rng.random(battles) < 1 / (1 + np.exp(xi[b] - xi[a]))
    code = np.where(kind < bad, 3, np.where(kind < bad + ties, 2, np.where(won, 0, 1)))
    name = [f"m{m}" for m in range(models)]
    return [name[i] for i in a], [name[i] for i in b], [NAMES[c] for c in code]


def mirrored(winner):
    """The same outcomes seen from the other side."""
    other = {"model_a": "model_b", "model_b": "model_a"}
    return [other.get(w, w) for w in winner]


def by_model(fit):
    return dict(zip(fit.models, fit.ratings.tolist(), strict=True))
