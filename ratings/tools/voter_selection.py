"""Detection of voters who leave the battles without one model, so that nearly all their votes are about it.

The arena draws the models; whom a voter meets is no matter of taste. For voter v and model m, with x = 1 where m is in
the battle and p its share in the votes of others at the same time,

    E_vm = mean over theta of  product over votes of  (theta / P)^x ((1 - theta) / (1 - P))^(1 - x),    P = LEEWAY p

The null hypothesis: a voter votes on the battles of m up to LEEWAY times as often as others do, because battles with
long or dull completions are left more often. Votes with P >= theta are not in the product of that theta: there it
would grow with each battle without m, so that a voter who met m less often than P allows would be flagged. E_vm is a
product of likelihood ratios, so the test holds after every vote (Ville); with the weight 1 / models, a voter who keeps to
the null is flagged with a probability of at most `level`. The same time is a block of BLOCK votes: a model that is drawn
more often for a while is so in the votes of others too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ratings.data.battles import read_battles
from ratings.data.columns import Column, column_codes
from ratings.data.counts import Floats
from ratings.errors import BadOption
from ratings.inference.covariance import cluster_codes

LEEWAY = 2.0
THETAS = (0.6, 0.95)  # shares of one who leaves some or all other battles
BLOCK = 500  # votes
LEAST = 4  # votes on the model
FEWEST_OTHERS = 100  # votes of others in a block: below this their shares say nothing

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Selection:
    """A voter, the model that their votes are about, and the vote (from 1) at which 1 / level was reached."""

    voter: object
    model: str
    votes: int
    with_model: int
    flagged_after: int
    e_value: float


def check_selection(
    model_a: Column, model_b: Column, winner: Column, voter: Column, *, level: float = 0.01
) -> tuple[Selection, ...]:
    """The voters whose votes are about one model too often, over the votes in the order of rows.

    Raises BadOption for a level out of range, MissingValue for a vote without voter, and what `read_battles` raises.
    """
    if not 0 < level < 1:
        raise BadOption(f"level {level:g} is out of range. Give a number between 0 and 1.")
    battles = read_battles(model_a, model_b, winner)
    who = cluster_codes(voter, len(battles), "voter")
    a, b = battles.model_a.astype(np.int64), battles.model_b.astype(np.int64)
    size, blocks = len(battles.models), np.arange(len(battles)) // BLOCK
    met = np.bincount(np.r_[blocks, blocks] * size + np.r_[a, b], minlength=(int(blocks[-1]) + 1) * size)
    met = met.reshape(-1, size)
    counted = np.bincount(np.r_[who, who] * size + np.r_[a, b], minlength=(int(who.max()) + 1) * size)
    many = np.bincount(who)
    often = counted.reshape(-1, size) >= np.maximum(LEAST, many[:, None] * THETAS[0] / 2)
    order, ends = np.argsort(who, kind="stable"), np.cumsum(many)
    codes, labels = column_codes(voter, "voter")
    found = []
    for v, m in zip(*(index.tolist() for index in np.nonzero(often)), strict=True):
        rows = order[ends[v] - many[v] : ends[v]]
        hit = (a[rows] == m) | (b[rows] == m)
        path = _path(hit, blocks[rows], met[:, m], np.bincount(blocks)) - np.log(size)
        reached = np.flatnonzero(path >= -np.log(level))
        if len(reached):
            value = float(np.exp(min(path[-1], 460.0)))
            after = int(reached[0]) + 1
            name = labels[codes[rows[0]]]
            found.append(Selection(name, battles.models[m], len(rows), int(hit.sum()), after, value))
    return tuple(sorted(found, key=lambda s: -s.e_value))


def _path(hit: NDArray[np.bool_], block: Numbers, met: Numbers, size: Numbers) -> Floats:
    """(votes,): the log e-value after each vote of a voter, from the votes per block with the model and of all."""
    own, own_hits = np.bincount(block, minlength=len(size)), np.bincount(block, hit, len(size))
    others = (size - own)[block]
    share = (met - own_hits)[block] / np.maximum(others, 1)
    p = np.clip(LEEWAY * share, 1 / FEWEST_OTHERS, 0.99)
    known = (others >= FEWEST_OTHERS) & (LEEWAY * share < 1)
    steps = []
    for theta in THETAS:
        step = np.where(hit, np.log(theta / p), np.log((1 - theta) / (1 - p)))
        steps.append(np.cumsum(np.where(known & (p < theta), step, 0.0)))
    return np.asarray(np.logaddexp.reduce(steps, axis=0) - np.log(len(steps)))
