"""Patterns over many battles: the features that judges weigh more than people do.

Every vote is a function of the difference of the two answers and of which was shown first. Judges and people have
separate coefficients, and their difference is reported:

    logit P(A) = sum over features of  (beta + delta * judge) * x  +  (gamma + eta * judge) * first

x is A's feature less B's, in standard deviations; `first` is 1 where A was shown first, -1 where B was. Votes on
one battle are not independent, so intervals are clustered by battle. delta is the over-weight: in logits of
preferring A, a standard deviation of the feature more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from interp.errors import BadOption
from interp.masks import Floats

RIDGE = 1e-3  # of the weight of all votes: finite coefficients where judges always side with the longer answer
LEAST = 10  # battles; intervals clustered by fewer are not reliable
Z = 1.959964
POSITION = "shown first"

COUNTS: Mapping[str, re.Pattern[str]] = {
    "list items": re.compile(r"^\s*(?:[-*+•]|\d+[.)])\s+\S", re.MULTILINE),
    "headings": re.compile(r"^\s*#{1,6}\s+\S", re.MULTILINE),
    "bold": re.compile(r"\*\*[^*\n]+\*\*|__[^_\n]+__"),
    "code": re.compile(r"```|`[^`\n]+`"),
    "numbers": re.compile(r"\d+(?:[.,]\d+)*"),
    "exclamations": re.compile(r"!"),
    "questions": re.compile(r"\?"),
    "links": re.compile(r"https?://|\]\("),
    "hedges": re.compile(
        r"\b(?:perhaps|maybe|might|may|could|possibly|probably|likely|seems?|appears?|"
        r"i think|i believe|not sure)\b",
        re.IGNORECASE,
    ),
    "courtesies": re.compile(
        r"\b(?:sure|certainly|of course|great question|happy to|i hope|sorry|please)\b", re.IGNORECASE
    ),
    "first person": re.compile(r"\b(?:i|i'm|my|me|we|our)\b", re.IGNORECASE),
}
FEATURES = ("length", *COUNTS)


@dataclass(frozen=True)
class Preference:
    """One preference for A, in [0, 1], of a judge or a person. `first` is the side shown first, None for both
    orders together."""

    battle: object
    text_a: str
    text_b: str
    preference: float
    judge: bool
    first: str | None = None


@dataclass(frozen=True)
class Pattern:
    """Weights of a feature in logits a standard deviation; `over_weight` is the judges' less the people's.

    `p` is two-sided and not corrected; `survives` is whether it passes Benjamini-Hochberg at 5 % over the whole
    table.
    """

    feature: str
    judges: float
    people: float
    over_weight: float
    lower: float
    upper: float
    p: float
    survives: bool


def features(text: str) -> dict[str, float]:
    """The features of one answer: the logarithms of its number of words and of its other counts."""
    counted = {name: float(np.log1p(len(pattern.findall(text)))) for name, pattern in COUNTS.items()}
    return {"length": float(np.log1p(len(text.split()))), **counted}


def preference_patterns(preferences: Sequence[Preference]) -> list[Pattern]:
    """The weights of the features, the largest over-weight first. Features in which no two answers differ are dropped.

    Raises BadOption without preferences of both judges and people, or with fewer than ten battles of either.
    """
    _check(preferences)
    names, x = _differences(preferences)
    judge = np.array([rating.judge for rating in preferences], dtype=float)
    first = np.array([{"a": 1.0, "b": -1.0, None: 0.0}[rating.first] for rating in preferences])
    if first.any():
        names, x = [*names, POSITION], np.column_stack([x, first])
    design = np.column_stack([x, x * judge[:, None]])
    y = np.array([rating.preference for rating in preferences])
    beta, covariance = logistic(design, y, [str(rating.battle) for rating in preferences])
    count = len(names)
    errors = np.sqrt(np.diag(covariance))[count:]
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * ndtr(-np.abs(beta[count:] / errors))
    survives = _survivors(p)
    rows = [
        Pattern(
            name,
            judges=float(beta[n] + beta[count + n]),
            people=float(beta[n]),
            over_weight=float(beta[count + n]),
            lower=float(beta[count + n] - Z * errors[n]),
            upper=float(beta[count + n] + Z * errors[n]),
            p=float(p[n]),
            survives=bool(survives[n]),
        )
        for n, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -abs(row.over_weight))


def logistic(design: Floats, y: Floats, cluster: Sequence[str]) -> tuple[Floats, Floats]:
    """Coefficients and their covariance clustered by `cluster`, for y in [0, 1]; Newton with a small ridge."""
    ridge = RIDGE * len(y) * np.eye(design.shape[1])
    beta = np.zeros(design.shape[1])
    for _ in range(100):
        p = expit(design @ beta)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + ridge
        step = np.linalg.solve(hessian, design.T @ (y - p) - ridge @ beta)
        beta = beta + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-9:
            break
    p = expit(design @ beta)
    inverse = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design + ridge)
    influence = design * (y - p)[:, None]
    _, place = np.unique(np.array(cluster), return_inverse=True)
    summed = np.zeros((int(place.max()) + 1, design.shape[1]))
    np.add.at(summed, place, influence)
    clusters = len(summed)
    meat = summed.T @ summed * clusters / max(1, clusters - 1)
    return beta, inverse @ meat @ inverse


def _check(preferences: Sequence[Preference]) -> None:
    for kind, name in ((True, "judges"), (False, "people")):
        battles = {str(rating.battle) for rating in preferences if rating.judge is kind}
        if len(battles) < LEAST:
            raise BadOption(
                f"{len(battles)} battles with votes of {name}. At least {LEAST} are needed to compare."
            )
    wrong = next((r for r in preferences if not 0 <= r.preference <= 1 or r.first not in ("a", "b", None)), None)
    if wrong is not None:
        raise BadOption(
            f"preference {wrong.preference}, first {wrong.first!r}. Expected 0 to 1, and a, b or None."
        )


def _differences(preferences: Sequence[Preference]) -> tuple[list[str], Floats]:
    """Names and (ratings, features): A's less B's in standard deviations, features without any left out."""
    counted = {text: features(text) for rating in preferences for text in (rating.text_a, rating.text_b)}
    rows = np.array(
        [[counted[r.text_a][name] - counted[r.text_b][name] for name in FEATURES] for r in preferences]
    )
    spread = np.sqrt((rows**2).mean(axis=0))
    varying = np.flatnonzero(spread > 0)
    return [FEATURES[n] for n in varying], rows[:, varying] / spread[varying]


def _survivors(p: Floats, level: float = 0.05) -> NDArray[np.bool_]:
    """Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995)."""
    order = np.argsort(p)
    passed = p[order] <= level * np.arange(1, len(p) + 1) / len(p)
    last = int(np.flatnonzero(passed).max()) + 1 if passed.any() else 0
    survives = np.zeros(len(p), dtype=bool)
    survives[order[:last]] = True
    return survives
