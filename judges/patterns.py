"""Patterns over many battles: the features of completions that judges weigh more than people do.

Every vote is a function of the difference of the two completions, of the models' abilities, and of which was shown
first. A judge follows people on a scale of its own, k, and what it adds to that is reported
(`judges.common_scale`):

    people   logit P(A) = u,   u = theta_a - theta_b + sum over features of beta x
    judges   logit P(A) = k u + sum over features of delta x

x is A's feature less B's, in standard deviations; the last feature is 1 where A was shown first, -1 where B was.
Votes on one battle are not independent, so intervals are clustered by battle. delta is the over-weight: in logits of
preferring A, a standard deviation of the feature more.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from judges.agreement import LEAST_CLUSTERS
from judges.columns import Floats
from judges.common_scale import CommonScale, common_scale_fit
from judges.errors import BadOption
from judges.intervals import Z

LEAST = 10  # battles; intervals clustered by fewer are not reliable
POSITION = "shown first"

COUNTS: Mapping[str, re.Pattern[str]] = {
    "list items": re.compile(r"^[^\S\n]*(?:[-*+•]|\d+[.)])[^\S\n]+\S", re.MULTILINE),
    "headings": re.compile(r"^[^\S\n]*#{1,6}[^\S\n]+\S", re.MULTILINE),
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
    orders together. Without the models, judges are taken to be about as decided as people.
    """

    battle: Hashable
    text_a: str
    text_b: str
    preference: float
    judge: bool
    first: str | None = None
    model_a: Hashable = ""
    model_b: Hashable = ""


@dataclass(frozen=True)
class Pattern:
    """Weights of a feature in logits a standard deviation; `over_weight` is what judges add to people's weight.

    None where no two completions that judges (or people) saw differ in the feature, and for the interval where fewer
    than six battles of either do. `p` is two-sided and not corrected; `survives` is whether it passes
    Benjamini-Hochberg at 5 % over the whole table.
    """

    feature: str
    judges: float | None
    people: float | None
    over_weight: float | None
    lower: float | None
    upper: float | None
    p: float | None
    survives: bool


def features(text: str) -> dict[str, float]:
    """The features of one completion: the logarithms of its number of words and of its other counts."""
    counted = {name: float(np.log1p(len(pattern.findall(text)))) for name, pattern in COUNTS.items()}
    return {"length": float(np.log1p(len(text.split()))), **counted}


def preference_patterns(preferences: Sequence[Preference]) -> list[Pattern]:
    """The weights of the features, the largest over-weight first. Features in which no two completions differ are dropped.

    Raises BadOption without preferences of both judges and people, or with fewer than ten battles of either;
    NotConverged.
    """
    _check(preferences)
    names, x = _differences(preferences)
    first = np.array([{"a": 1.0, "b": -1.0, None: 0.0}[rating.first] for rating in preferences])
    if first.any():
        names, x = [*names, POSITION], np.column_stack([x, first])
    fit = common_scale_fit(
        [rating.preference for rating in preferences],
        [rating.judge for rating in preferences],
        [rating.model_a for rating in preferences],
        [rating.model_b for rating in preferences],
        x,
        [rating.battle for rating in preferences],
    )
    battles = [
        {judge: _battles(preferences, x[:, n], judge) for judge in (True, False)} for n in range(len(names))
    ]
    p = [_p(fit, n) if min(battles[n].values()) >= LEAST_CLUSTERS else None for n in range(len(names))]
    survives = _survivors(p)
    rows = [_pattern(name, fit, n, battles[n], p[n], bool(survives[n])) for n, name in enumerate(names)]
    return sorted(rows, key=lambda row: -abs(row.over_weight or 0.0))


def _battles(preferences: Sequence[Preference], column: Floats, judge: bool) -> int:
    """The number of battles in which completions that judges (or people) saw differ in a feature."""
    return len({r.battle for r, value in zip(preferences, column, strict=True) if value and r.judge is judge})


def _p(fit: CommonScale, n: int) -> float:
    return float(2 * ndtr(-abs(fit.own[n] / fit.own_error[n])))


def _pattern(
    name: str, fit: CommonScale, n: int, battles: Mapping[bool, int], p: float | None, survives: bool
) -> Pattern:
    own, error, people = float(fit.own[n]), float(fit.own_error[n]), float(fit.people[n])
    seen = battles[True] > 0 and (battles[False] > 0 or name == POSITION)
    return Pattern(
        name,
        judges=fit.scale * people + own if battles[True] else None,
        people=people if battles[False] else None,
        over_weight=own if seen else None,
        lower=own - Z * error if p is not None else None,
        upper=own + Z * error if p is not None else None,
        p=p,
        survives=survives,
    )


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


def _survivors(p: Sequence[float | None], level: float = 0.05) -> NDArray[np.bool_]:
    """Benjamini & Hochberg, J. R. Stat. Soc. B 57 (1995), over the features that have a p."""
    known = [n for n, value in enumerate(p) if value is not None]
    given = np.array([p[n] for n in known], dtype=float)
    order = np.argsort(given)
    passed = given[order] <= level * np.arange(1, len(given) + 1) / max(len(given), 1)
    last = int(np.flatnonzero(passed).max()) + 1 if passed.any() else 0
    survives = np.zeros(len(p), dtype=bool)
    survives[[known[n] for n in order[:last]]] = True
    return survives
