"""Online Elo: the rating after each battle in turn, which depends on the order of the battles.

    E_A = 1 / (1 + base^((R_B - R_A) / scale)),   R_A += k (S_A - E_A),   R_B -= k (S_A - E_A)

with S_A = 1, 1/2 or 0; a tie, and a battle where both were bad, is 1/2.
Source: Elo, The Rating of Chessplayers (1978). For a board use `bradley_terry`: models do not change between
battles, so there is no reason to give the last ones more weight.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ratings.data import compiled, components, scipy_loops
from ratings.data.battles import Battles, read_battles
from ratings.data.columns import Column
from ratings.data.counts import Floats, tabulate
from ratings.data.outcomes import SCORES
from ratings.errors import BadOption
from ratings.inference.clusters import for_few
from ratings.inference.covariance import cluster_codes
from ratings.inference.fit import Fit
from ratings.inference.score_sums import effective_clusters
from ratings.models import elo_recurrence
from ratings.scale import BASE, CENTRE, SCALE

K = 4.0  # what the public arena used: small, so that the board forgets over hundreds of battles, not tens

# The ways to run the recurrence agree to 1e-9 points. Measured in docs/decisions/ratings-elo.md: the compiled
# loop takes 10 ns a battle, numba as much and half a second to start, scipy's recurrence 50, the loop 300.
WORTH_COMPILING = 10_000_000
WORTH_VECTORISING = 2_000
Engine = Literal["auto", "loop", "compiled", "recurrence", "numba"]


def elo(
    model_a: Column,
    model_b: Column = None,
    winner: Column = None,
    *,
    k: float = K,
    scale: float = SCALE,
    base: float = BASE,
    initial: float = CENTRE,
    rounds: int = 0,
    seed: int = 0,
    cluster: Column = None,
    engine: Engine = "auto",
) -> Fit:
    """Elo ratings after the battles in the order given: three columns, or a table with these.

    With `rounds` > 0 the covariance is that of so many bootstrap rounds, each a draw of as many battles with
    replacement in a random order: it covers the noise of the votes and of their order. Without, it is nan: a single
    pass gives no standard error. With `cluster` (battles,), rounds draw as many clusters and move each in time as a whole;
    intervals then hold for few clusters as `widened` has it.

    `engine` chooses how the recurrence is run; the results agree to 1e-9 points. Raises BadOption for a k, scale or
    base that is not positive (base: above 1), for one round or an engine that is not available, and what `read_battles`
    raises.
    """
    for name, value, least in (("k", k, 0.0), ("scale", scale, 0.0), ("base", base, 1.0)):
        if not (math.isfinite(value) and value > least):
            raise BadOption(f"{name} {value:g} is out of range. Give a number above {least:g}.")
    if rounds == 1 or rounds < 0:
        raise BadOption(f"rounds {rounds} is out of range. Give 0 for one pass in order, or at least 2.")
    battles = read_battles(model_a, model_b, winner)
    step = k * math.log(base) / scale  # in logits: the recurrence knows no other unit
    run = _runner(engine, len(battles) * max(rounds, 1))
    size = len(battles.models)
    xi = run(battles.model_a, battles.model_b, battles.outcome, size, step)
    covariance, degrees = np.full((size, size), np.nan), None
    if rounds:
        groups = None if cluster is None else cluster_codes(cluster, len(battles))
        covariance = np.atleast_2d(np.cov(_bootstrap(battles, step, run, rounds, seed, groups).T))
        if groups is not None:
            covariance, degrees = for_few(covariance, _effective(battles, groups), int(groups.max()) + 1)
    points = scale / math.log(base)
    counts = tabulate(battles)
    battles_of_pair = counts.matrix(counts.table.sum(axis=1))
    return Fit(
        models=battles.models,
        ratings=initial + points * xi,
        covariance=points**2 * covariance,
        component=components.weak_components(battles_of_pair),
        method="elo",
        parameters={"k": k, "scale": scale, "base": base, "initial": initial, "rounds": rounds},
        battles=len(battles),
        degrees=degrees,
    )


def _effective(battles: Battles, groups: NDArray[np.int64]) -> Floats:
    """(models,): the number of clusters of equal size that would tell as much about each model."""
    size = len(battles.models)
    ends = np.concatenate([battles.model_a, battles.model_b]).astype(np.int64)
    cell, met = np.unique(np.tile(groups, 2) * size + ends, return_counts=True)
    played = np.bincount(ends, minlength=size).astype(np.float64)
    return effective_clusters(
        played, np.asarray(np.bincount(cell % size, met.astype(np.float64) ** 2, size), dtype=np.float64)
    )


Outcomes = NDArray[np.uint8]
Run = Callable[[NDArray[Any], NDArray[Any], Outcomes, int, float], Floats]


def python_loop(a: NDArray[Any], b: NDArray[Any], outcome: Outcomes, size: int, step: float) -> Floats:
    """Ratings (size,) in logits, from zero, by the definition in plain Python; tests hold the others to it."""
    xi = [0.0] * size
    for i, j, s in zip(a.tolist(), b.tolist(), SCORES[outcome].tolist(), strict=True):
        change = step * (s - 1.0 / (1.0 + math.exp(xi[j] - xi[i])))
        xi[i] += change
        xi[j] -= change
    return np.array(xi)


def compiled_loop(a: NDArray[Any], b: NDArray[Any], outcome: Outcomes, size: int, step: float) -> Floats:
    """Ratings (size,) in logits by the same loop in C, which has to be built."""
    assert compiled.LOOPS is not None
    xi = np.zeros(size)
    for battles in compiled.chunks(a, b, outcome):
        compiled.LOOPS.elo(*battles, xi, step)
    return xi


def _numba_loop(a: NDArray[Any], b: NDArray[Any], outcome: Outcomes, size: int, step: float) -> Floats:
    """Ratings (size,) in logits by the same loop over arrays, which numba compiles."""
    xi = np.zeros(size)
    for t in range(len(a)):
        i, j = a[t], b[t]
        change = step * (SCORES[outcome[t]] - 1.0 / (1.0 + math.exp(xi[j] - xi[i])))
        xi[i] += change
        xi[j] -= change
    return xi


def _runner(engine: Engine, battles: int) -> Run:
    has_numba = find_spec("numba") is not None
    if engine == "numba" and not has_numba:
        raise BadOption("engine 'numba' needs numba, which is not installed. Use engine='auto'.")
    if engine == "recurrence" and not scipy_loops.runs_recurrences():
        raise BadOption("engine 'recurrence' relies on a loop that this scipy does not have. Use engine='auto'.")
    if engine == "compiled" and compiled.LOOPS is None:
        raise BadOption(
            "engine 'compiled' is missing: ratings was installed without a C compiler. Use engine='auto'."
        )
    if engine == "compiled" or (engine == "auto" and compiled.LOOPS is not None):
        return compiled_loop
    if engine == "numba" or (engine == "auto" and has_numba and battles >= WORTH_COMPILING):
        return _numba()
    if engine == "recurrence":
        return elo_recurrence.run
    if engine == "auto" and battles >= WORTH_VECTORISING and scipy_loops.runs_recurrences():
        return elo_recurrence.run
    if engine in ("auto", "loop"):
        return python_loop
    raise BadOption(f"engine {engine!r} is unknown. Expected auto, loop, compiled, recurrence or numba.")


_JITTED: list[Run] = []  # compiled once a process


def _numba() -> Run:
    if not _JITTED:
        # half a second: only when asked for or worth it
        from numba import njit  # type: ignore[import-not-found, import-untyped, unused-ignore]

        _JITTED.append(njit(nogil=True)(_numba_loop))
    return _JITTED[0]


def _bootstrap(
    battles: Battles, step: float, run: Run, rounds: int, seed: int, groups: NDArray[np.int64] | None
) -> Floats:
    rng = np.random.default_rng(seed)
    a, b, outcome = battles.model_a, battles.model_b, battles.outcome
    drawn = np.empty((rounds, len(battles.models)))
    rows = (
        [] if groups is None else np.split(np.argsort(groups, kind="stable"), np.cumsum(np.bincount(groups))[:-1])
    )
    for r in range(rounds):
        # A draw with replacement is in random order already: nothing is left to shuffle.
        order = rng.integers(0, len(a), len(a)) if groups is None else _shifted_clusters(rows, len(a), rng)
        drawn[r] = run(a[order], b[order], outcome[order], len(battles.models), step)
    return drawn


def _shifted_clusters(rows: list[NDArray[np.int64]], battles: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The battles of as many clusters, drawn with replacement, each cluster moved in time as a whole.

    Battles of a cluster that are near each other, such as those of a visit, stay so: the last ones have most weight.
    """
    drawn = [rows[c] for c in rng.integers(0, len(rows), len(rows))]
    moved = [
        (own + shift) % battles for own, shift in zip(drawn, rng.integers(0, battles, len(rows)), strict=True)
    ]
    return np.concatenate(drawn)[np.argsort(np.concatenate(moved), kind="stable")]
