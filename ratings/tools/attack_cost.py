"""How many rigged votes move each model by one place on a Bradley–Terry board.

A place is moved when the ratings of a model m and its neighbour x are equal: xi_m + D_m = xi_x + D_x, where D follows
from n added votes. With H the Hessian of the board, the optimality of the new ratings reads

    H D + c(D) = n a(D),    a_m = sum over j of r_j (s - p_mj),   a_j = -r_j (s - p_mj)

in which r_j is the share of the n votes that fall on (m, j), s the score that they give m, and c what the old votes on m
add beyond H. Given D, this and the crossing are linear in n, so a few passes solve both: with p and c at the last D,

    n = (xi_x - xi_m + C_m - C_x) / (A_m - A_x),    D = n A - C,    A = H⁻¹ a,   C = H⁻¹ c

One inverse serves all models. Terms of second order in D are exact for pairs with m and left out for the others.

Attackers know the models by a detector that is right with probability `accuracy`, and win where they can:

    target        votes in battles of m alone, for m or against it
    omnipresent   votes in every battle for the side whose win moves m towards x more, the sign of H⁻¹ (e_m - e_x)

Sources: Huang et al., "Exploring and mitigating adversarial manipulation of voting-based leaderboards" (2025); Min et
al., "Improving your model ranking on Chatbot Arena by vote rigging" (ICML 2025); influence: Broderick et al. (2011.14999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

from ratings.data.counts import Floats, PairCounts
from ratings.errors import BadOption, LengthMismatch
from ratings.inference.hessian import laplacian, pair_information, win_probability
from ratings.models.bradley_terry import PRIOR, check_prior, maximise_likelihood, score_matrix

TARGET, OMNIPRESENT = "target", "omnipresent"
UP, DOWN = "up", "down"
PASSES = 30
SETTLED = 1e-3  # relative change of n in a pass, far below one vote in a hundred


@dataclass(frozen=True)
class PlaceCost:
    """The `votes` that move a model past its `neighbour`, and the `battles` that have to be begun for them.

    Both are expected numbers, rounded up; None where no number of such votes does.
    """

    model: str
    place: int
    direction: str
    attacker: str
    neighbour: str
    gap: float  # logits between the two
    votes: int | None
    battles: int | None


@dataclass(frozen=True, eq=False)
class _Board:
    """What all attacks on a board share."""

    models: tuple[str, ...]
    xi: Floats
    comparisons: Floats  # (models, models)
    p: Floats
    inverse: Floats  # of the Hessian
    chances: Floats  # (models, models): that a battle is of the pair; both triangles


def attack_cost(
    counts: PairCounts, chances: Floats, *, accuracy: float = 0.95, prior: float = PRIOR
) -> list[PlaceCost]:
    """The cost of one place up and one down for each model that has votes and is drawn, by both attackers.

    `chances` (models, models) are the probabilities that a battle is of a pair, in the order of `counts.models`; the
    matrix is symmetric, so that all entries sum to 2. Ratings are those of `bradley_terry` with this prior. Raises
    BadOption, LengthMismatch, and what `maximise_likelihood` raises.
    """
    _check(counts, chances, accuracy, prior)
    board = _board(counts, chances, prior)
    played = board.comparisons.sum(axis=1) > 0
    order = [int(m) for m in np.argsort(-board.xi, kind="stable") if played[m]]
    costs = []
    for attacker in (TARGET, OMNIPRESENT):
        for direction, step in ((UP, -1), (DOWN, 1)):
            for place, m in enumerate(order):
                if 0 <= place + step < len(order) and chances[m].any():
                    x = order[place + step]
                    costs.append(_cost(board, m, x, place + 1, direction, attacker, accuracy))
    return costs


def _check(counts: PairCounts, chances: Floats, accuracy: float, prior: float) -> None:
    check_prior(prior)
    if not prior:
        raise BadOption("prior 0 leaves ratings of some boards infinite. Give the prior of the board.")
    if not 0.5 < accuracy <= 1:
        raise BadOption(f"accuracy {accuracy:g} is out of range. Give a probability above 1/2, up to 1.")
    size = len(counts.models)
    if np.shape(chances) != (size, size):
        raise LengthMismatch(f"chances have shape {np.shape(chances)} for {size} models. Give one row for each.")


def _board(counts: PairCounts, chances: Floats, prior: float) -> _Board:
    scores = score_matrix(counts)
    comparisons = scores + scores.T
    xi = maximise_likelihood(scores, prior)
    p = win_probability(xi)
    hessian = laplacian(pair_information(comparisons, p), prior)
    inverse = cho_solve(cho_factor(hessian), np.eye(len(xi)))
    return _Board(counts.models, xi, comparisons, p, inverse, np.asarray(chances, dtype=float))


def _cost(board: _Board, m: int, x: int, place: int, direction: str, attacker: str, accuracy: float) -> PlaceCost:
    share = float(board.chances[m].sum())  # of battles that have m
    if attacker == TARGET:
        on_target, others = board.chances[m] / share, np.zeros(len(board.xi))
    else:
        on_target = board.chances[m]
        others = _pushes(board, m, x, direction, accuracy)
    score = accuracy if direction == UP else 1 - accuracy
    n = _votes(board, m, x, on_target, score, others)
    votes = None if n is None else int(np.floor(n)) + 1
    battles = votes if attacker == OMNIPRESENT or votes is None else int(np.ceil(votes / share))
    gap = float(abs(board.xi[m] - board.xi[x]))
    return PlaceCost(board.models[m], place, direction, attacker, board.models[x], gap, votes, battles)


def _pushes(board: _Board, m: int, x: int, direction: str, accuracy: float) -> Floats:
    """(models,): the gradient of one omnipresent vote in a battle without m, by chance over the pairs."""
    influence = board.inverse[m] - board.inverse[x]
    if direction == DOWN:
        influence = -influence
    score = 0.5 + (accuracy - 0.5) * np.sign(influence[:, None] - influence[None, :])
    force = board.chances * (score - board.p)
    force[m, :] = force[:, m] = 0.0
    return np.asarray(force.sum(axis=1))


def _votes(board: _Board, m: int, x: int, on_target: Floats, score: float, others: Floats) -> float | None:
    """The n of the crossing; None where votes of this kind move the two apart."""
    gap, row = board.xi[x] - board.xi[m], board.comparisons[m]
    before = board.p[m]
    slope = before * (1 - before)
    n, move = np.inf, np.zeros(len(board.xi))
    for _ in range(PASSES):
        lead = move[m] - move
        now = expit(board.xi[m] - board.xi + lead)
        beyond = row * (now - before - slope * lead)
        a = _solved(board, m, on_target * (score - now)) + board.inverse @ others
        c = _solved(board, m, beyond)
        closing = a[m] - a[x]
        if closing * gap < 0 or closing == 0:
            return None
        last, n = n, float((gap + c[m] - c[x]) / closing)
        move = n * a - c
        if abs(n - last) <= SETTLED * max(abs(n), 1.0):
            break
    return n if np.isfinite(n) and n >= 0 else None


def _solved(board: _Board, m: int, star: Floats) -> Floats:
    """H⁻¹ of sum over j of star_j (e_m - e_j)."""
    force: Floats = -star
    force[m] = star.sum() - star[m]
    return np.asarray(board.inverse @ force)


def pair_chances(weights: Floats) -> Floats:
    """(models, models): that a battle is of a pair, where two models are drawn by weight without replacement.

    w_i w_j / W  (1 / (W - w_i) + 1 / (W - w_j)),    W the sum of the weights
    """
    w = np.asarray(weights, dtype=float)
    if w.ndim != 1 or (w < 0).any() or np.count_nonzero(w) < 2:
        raise BadOption("Fewer than two models have a weight above 0, or one is negative. Give weights of models.")
    total = w.sum()
    rest = np.array([w[:i].sum() + w[i + 1 :].sum() for i in range(len(w))])
    first = np.divide(w, rest * total, out=np.zeros_like(w), where=rest > 0)
    chances = first[:, None] * w[None, :] + w[:, None] * first[None, :]
    np.fill_diagonal(chances, 0.0)
    return np.asarray(chances)
