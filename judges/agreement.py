"""Agreement of judges with people and with each other, each figure with a confidence interval.

Every figure is a function of item weights: 1 each for the value; for the interval, the number of times that a
bootstrap drew the item's cluster. Verdicts are names such as `model_a`, `model_b` and `tie`;
None is a verdict that was not given or could not be read.
Sources: Cohen (1960); Fleiss (1971); Krippendorff, Content Analysis (2004); clusters drawn whole: Davison &
Hinkley, Bootstrap Methods (1997), ch. 3.8.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from judges.columns import Floats, same_length
from judges.errors import BadOption, BadRow, NoVerdicts
from judges.judge import MIRRORED, PREFERENCES

DRAWS, SEED, LEVEL = 1000, 0, 0.95
# An interval from fewer clusters is none: the chance that all of five lie on one side of the truth, where no draw of
# them can reach, is 2 / 2^5 = 6 %.
LEAST_CLUSTERS = 6
TIE = "tie"

Verdicts = Sequence[str | None]
Statistic = Callable[[Floats], float]  # weights of the items (items,) to the figure, nan where undefined


@dataclass(frozen=True)
class Agreement:
    """A figure with its interval, computed from `items`; `left_out` items had no verdict to compare.

    `lower` and `upper` are None where the items are of fewer than six clusters, or hardly any draw defines the figure.
    """

    value: float
    lower: float | None
    upper: float | None
    items: int
    left_out: int

    @property
    def share(self) -> float:
        """Share of the items that the figure is computed from: a judge of few verdicts may be right in all of them."""
        return self.items / (self.items + self.left_out)


def accuracy(judge: Verdicts, truth: Verdicts, *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """Share of items on which the judge's verdict equals that of `truth` (items,).

    An item without a verdict of the judge counts as wrong; an item without a truth is excluded.
    Raises LengthMismatch, NoVerdicts.
    """
    same_length(judge=judge, truth=truth)
    labelled = [t is not None for t in truth]
    right = np.array([j == t for j, t in zip(judge, truth, strict=True)], dtype=float)
    return figure(mean(right), labelled, cluster)


def accuracy_without_ties(
    judge: Verdicts, truth: Verdicts, *, cluster: Sequence[Hashable] | None = None
) -> Agreement:
    """`accuracy` over the items on which both name a winner: no tie and no missing verdict."""
    same_length(judge=judge, truth=truth)
    decided = [None not in pair and TIE not in pair for pair in zip(judge, truth, strict=True)]
    right = np.array([j == t for j, t in zip(judge, truth, strict=True)], dtype=float)
    return figure(mean(right), decided, cluster)


def cohen_kappa(first: Verdicts, second: Verdicts, *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """Cohen's kappa, (p_o - p_e) / (1 - p_e), of two judges over the items with both verdicts.

    p_o is the share on which they agree, p_e the share expected by chance from each judge's own distribution.
    """
    same_length(first=first, second=second)
    both = [None not in pair for pair in zip(first, second, strict=True)]
    codes, size = _codes([first, second])

    def kappa(weight: Floats) -> float:
        table = np.zeros((size + 1, size + 1))
        np.add.at(table, (codes[0], codes[1]), weight)  # a missing verdict is code -1: the last row, weight 0
        share = table / table.sum()
        by_chance = float(share.sum(axis=1) @ share.sum(axis=0))
        return _beyond_chance(float(np.trace(share)), by_chance)

    return figure(kappa, both, cluster)


def fleiss_kappa(judges: Sequence[Verdicts], *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """Fleiss' kappa of at least two judges (judges, items) over the items with a verdict of each."""
    counts = _counts(judges)
    many = len(judges)
    complete = counts.sum(axis=1) == many
    agree = ((counts**2).sum(axis=1) - many) / (many * (many - 1))

    def kappa(weight: Floats) -> float:
        share = weight @ counts / (many * weight.sum())
        return _beyond_chance(float(weight @ agree / weight.sum()), float(share @ share))

    return figure(kappa, complete.tolist(), cluster)


def krippendorff_alpha(judges: Sequence[Verdicts], *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """Krippendorff's nominal alpha, 1 - observed / expected disagreement, of judges (judges, items).

    Verdicts may be missing. An item with fewer than two is excluded.
    """
    counts = _counts(judges)
    given = counts.sum(axis=1)
    comparable = given >= 2
    apart = (given**2 - (counts**2).sum(axis=1)) / np.maximum(given - 1, 1)

    def alpha(weight: Floats) -> float:
        totals = weight @ counts
        n = float(totals.sum())
        expected = (n**2 - float(totals @ totals)) / (n - 1)
        return 1 - float(weight @ apart) / expected if expected else float("nan")

    return figure(alpha, comparable.tolist(), cluster)


def swap_consistency(
    first_order: Verdicts, second_order: Verdicts, *, cluster: Sequence[Hashable] | None = None
) -> Agreement:
    """Share of items with the same winner in both orders.

    Verdicts are about the completions that the judge saw as model A and model B. Items without both verdicts are
    excluded. Raises BadRow for an unknown verdict.
    """
    same_length(first_order=first_order, second_order=second_order)
    both = [None not in pair for pair in zip(first_order, second_order, strict=True)]
    same = [
        a == _mirrored(b, row) if given else False
        for row, (a, b, given) in enumerate(zip(first_order, second_order, both, strict=True))
    ]
    return figure(mean(np.array(same, dtype=float)), both, cluster)


def position_bias(verdicts: Verdicts, *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """P(first wins) - P(second wins), of verdicts about the completions seen as model A and model B.

    If each pair was judged in both orders, a judge without position bias has 0, whichever model is better.
    Raises BadRow for an unknown verdict.
    """
    given = [verdict is not None for verdict in verdicts]
    for row, verdict in enumerate(verdicts):
        if verdict is not None:
            _mirrored(verdict, row)
    sign = {"model_a": 1.0, "model_b": -1.0}
    return figure(mean(np.array([sign.get(v or "", 0.0) for v in verdicts])), given, cluster)


def position_logit(
    first_order: Verdicts, second_order: Verdicts, *, cluster: Sequence[Hashable] | None = None
) -> Agreement:
    """How many logits the first place adds, from verdicts as in `swap_consistency`; 0 is no position bias.

    With logit P(first wins) = quality + pi, the pairs that two orders decide differently do not depend on the
    quality: of those that change sides, expit(2 pi) have the first place win twice, and of those with one tie
    expit(pi). So pairs of close models and pairs with a baseline give the same pi, where the share of
    `position_bias` differs. Half a pair each way keeps it finite. Source: conditional likelihood of the Rasch model
    (Andersen, J. R. Stat. Soc. B 32, 1970). Raises BadRow for an unknown verdict.
    """
    same_length(first_order=first_order, second_order=second_order)
    change = np.zeros(len(first_order))
    both = [None not in pair for pair in zip(first_order, second_order, strict=True)]
    for row, (a, b, given) in enumerate(zip(first_order, second_order, both, strict=True)):
        if given:
            change[row] = _points(a, row) + _points(b, row) - 1  # of the first place

    def logit(weight: Floats) -> float:
        half, whole = (weight @ (change == size) for size in (0.5, 1.0))
        half_back, whole_back = (weight @ (change == -size) for size in (0.5, 1.0))
        return _conditional_maximum(whole + 0.5, whole_back + 0.5, half, half_back)

    return figure(logit, both, cluster)


def _points(verdict: str | None, row: int) -> float:
    """1, 1/2 or 0 for the completion in the first place."""
    _mirrored(verdict, row)
    return PREFERENCES[str(verdict)]


def _conditional_maximum(whole: float, whole_back: float, half: float, half_back: float) -> float:
    """The pi that maximises whole log expit(2 pi) + whole_back log expit(-2 pi) + the same of halves at pi; Newton."""
    pi = 0.0
    for _ in range(50):
        p, q = expit(2 * pi), expit(pi)
        slope = 2 * (whole * (1 - p) - whole_back * p) + half * (1 - q) - half_back * q
        step = slope / (4 * (whole + whole_back) * p * (1 - p) + (half + half_back) * q * (1 - q))
        pi += max(-1.0, min(1.0, step))
        if abs(step) < 1e-10:
            break
    return float(pi)


def _mirrored(verdict: str | None, row: int) -> str:
    if verdict not in MIRRORED:
        raise BadRow(f"row {row}: verdict {verdict!r} is unknown. Expected {', '.join(MIRRORED)} or None.")
    return MIRRORED[verdict]


def mean(values: Floats) -> Statistic:
    return lambda weight: float(weight @ values / weight.sum())


def _beyond_chance(observed: float, by_chance: float) -> float:
    return (observed - by_chance) / (1 - by_chance) if by_chance < 1 else float("nan")


def _codes(judges: Sequence[Verdicts]) -> tuple[NDArray[np.int64], int]:
    """(judges, items) codes of the verdicts, -1 for none, and the number of distinct verdicts."""
    names = sorted({verdict for given in judges for verdict in given if verdict is not None})
    number = {name: place for place, name in enumerate(names)}
    codes = [[-1 if verdict is None else number[verdict] for verdict in given] for given in judges]
    return np.array(codes, dtype=np.int64), len(names)


def _counts(judges: Sequence[Verdicts]) -> Floats:
    """(items, verdicts) number of judges with each verdict. Raises BadOption for fewer than two judges."""
    if len(judges) < 2:
        raise BadOption(f"Agreement cannot be computed for {len(judges)} judge. Give at least two.")
    same_length(**{f"judge {number}": given for number, given in enumerate(judges)})
    codes, size = _codes(judges)
    return np.stack([(codes == code).sum(axis=0) for code in range(size)] or [codes[0] * 0], axis=1).astype(float)


def figure(statistic: Statistic, kept: Sequence[bool], cluster: Sequence[Hashable] | None) -> Agreement:
    """The statistic over the items kept, with a percentile interval of a cluster bootstrap."""
    weight = np.array(kept, dtype=float)
    items = int(weight.sum())
    if not items:
        raise NoVerdicts(
            f"None of {len(kept)} items has the verdicts to compare. Judge or label some of them first."
        )
    groups = _groups(cluster, len(kept))
    many = int(groups.max()) + 1
    rng = np.random.default_rng(SEED)
    chances = np.full(many, 1 / many)
    drawn = (rng.multinomial(many, chances)[groups] * weight for _ in range(DRAWS))
    values = [statistic(w) for w in drawn if w.any()]
    defined = np.array([value for value in values if np.isfinite(value)])
    lower = upper = None
    enough = len(np.unique(groups[weight > 0])) >= LEAST_CLUSTERS
    if enough and len(defined) >= DRAWS * LEVEL:
        tail = (1 - LEVEL) / 2
        lower, upper = (float(q) for q in np.quantile(defined, [tail, 1 - tail]))
    return Agreement(statistic(weight), lower, upper, items, len(kept) - items)


def _groups(cluster: Sequence[Hashable] | None, items: int) -> NDArray[np.int64]:
    if cluster is None:
        return np.arange(items)
    same_length(items=range(items), cluster=cluster)
    number: dict[Hashable, int] = {}
    return np.array([number.setdefault(name, len(number)) for name in cluster], dtype=np.int64)
