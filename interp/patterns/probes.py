"""Linear probes of a model's hidden states for a property of a battle, with a baseline on the texts.

A probe proves nothing alone. It is trained and tested on different prompts (battles over one prompt share words),
with a probe for shuffled labels (what its capacity can memorise: Hewitt & Liang, arXiv 1909.03368) and a
baseline that sees the words and the length, which any reader has without the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interp.errors import BadOption
from interp.masks import Floats
from interp.patterns.concepts import sklearn

FOLDS = 5
SHUFFLES = 5
RESAMPLES = 1000


@dataclass(frozen=True)
class Accuracy:
    """Balanced accuracy on held-out groups, with a 95 % interval over groups."""

    value: float
    lower: float
    upper: float


@dataclass(frozen=True)
class Probe:
    """`selectivity` is the probe's accuracy less that of shuffled labels. `beyond_text` is its lead over the
    baseline of words and length with a 95 % interval over groups; None without texts."""

    probe: Accuracy
    shuffled: float
    baseline: Accuracy | None
    beyond_text: Accuracy | None
    classes: tuple[str, ...]
    items: int
    groups: int

    @property
    def selectivity(self) -> float:
        return self.probe.value - self.shuffled

    @property
    def verdict(self) -> str:
        """The result in plain words."""
        if self.probe.lower <= 1 / len(self.classes) or self.selectivity <= 0:
            return "not readable"
        if self.beyond_text is not None and self.beyond_text.lower <= 0:
            return "readable, but no better than from the words and the length"
        return "readable"


def linear_probe(
    activations: ArrayLike,
    labels: Sequence[object],
    groups: Sequence[object],
    texts: Sequence[str] | None = None,
    *,
    strength: float = 0.1,
    seed: int = 0,
) -> Probe:
    """Logistic regression on activations (items, width), tested on groups (prompts) it was not trained on.

    `strength` is scikit-learn's C on standardised features. Raises BadOption for unequal lengths, fewer than two
    classes or fewer groups than folds; MissingExtra.
    """
    rows: Floats = np.asarray(activations, dtype=float)
    names = np.array([str(label) for label in labels])
    parts = np.array([str(group) for group in groups])
    _check(rows, names, parts, texts)
    random = np.random.default_rng(seed)
    right = _held_out(_on_states(strength), rows, names, parts)
    shuffled = [
        _balanced(_held_out(_on_states(strength), rows, mixed, parts), mixed)
        for mixed in (random.permutation(names) for _ in range(SHUFFLES))
    ]
    baseline = beyond = None
    if texts is not None:
        by_text = _held_out(_on_texts(strength), np.array(list(texts), dtype=object), names, parts)
        baseline = _interval([by_text], names, parts, seed)
        beyond = _interval([right, by_text], names, parts, seed)
    return Probe(
        probe=_interval([right], names, parts, seed),
        shuffled=float(np.mean(shuffled)),
        baseline=baseline,
        beyond_text=beyond,
        classes=tuple(sorted(set(names.tolist()))),
        items=len(names),
        groups=len(set(parts.tolist())),
    )


def _check(rows: Floats, names: NDArray[Any], parts: NDArray[Any], texts: Sequence[str] | None) -> None:
    lengths = {len(rows), len(names), len(parts), *([] if texts is None else [len(texts)])}
    if rows.ndim != 2 or len(lengths) > 1:
        raise BadOption(
            f"{len(rows)} activations, {len(names)} labels, {len(parts)} groups. Expected one of each for each item."
        )
    if len(set(names.tolist())) < 2:
        raise BadOption(f"every label is {str(names[0])!r}. A probe needs at least two classes.")
    if len(set(parts.tolist())) < FOLDS:
        raise BadOption(f"{len(set(parts.tolist()))} groups. A test on unseen groups needs at least {FOLDS}.")


def _on_states(strength: float) -> Any:
    pipeline, preprocessing, linear = sklearn("pipeline"), sklearn("preprocessing"), sklearn("linear_model")
    classifier = linear.LogisticRegression(C=strength, max_iter=2000, class_weight="balanced")
    return pipeline.make_pipeline(preprocessing.StandardScaler(), classifier)


def _on_texts(strength: float) -> Any:
    """TF-IDF of words, and the length."""
    pipeline, preprocessing, linear = sklearn("pipeline"), sklearn("preprocessing"), sklearn("linear_model")
    text = sklearn("feature_extraction.text")
    length = pipeline.make_pipeline(preprocessing.FunctionTransformer(_lengths), preprocessing.StandardScaler())
    features = pipeline.FeatureUnion([("words", text.TfidfVectorizer(min_df=1)), ("length", length)])
    classifier = linear.LogisticRegression(C=max(strength, 1.0), max_iter=2000, class_weight="balanced")
    return pipeline.make_pipeline(features, classifier)


def _lengths(texts: Sequence[str]) -> Floats:
    return np.log1p([[len(text.split()), len(text)] for text in texts])


def _held_out(model: Any, rows: Any, names: NDArray[Any], parts: NDArray[Any]) -> NDArray[np.bool_]:
    """(items,): whether each item was named right by a model that never saw its group."""
    selection = sklearn("model_selection")
    right = np.zeros(len(names), dtype=bool)
    for train, test in selection.GroupKFold(FOLDS).split(names, groups=parts):
        if len(set(names[train].tolist())) > 1:
            right[test] = model.fit(rows[train], names[train]).predict(rows[test]) == names[test]
    return right


def _balanced(right: NDArray[np.bool_], names: NDArray[Any]) -> float:
    return float(np.mean([right[names == name].mean() for name in np.unique(names)]))


def _interval(rights: list[NDArray[np.bool_]], names: NDArray[Any], parts: NDArray[Any], seed: int) -> Accuracy:
    """Of the first, or of the first less the second, by resampling groups."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(parts == part) for part in np.unique(parts)]

    def measured(items: NDArray[np.intp]) -> float:
        values = [_balanced(right[items], names[items]) for right in rights]
        return values[0] - (values[1] if len(values) > 1 else 0.0)

    drawn = [
        measured(np.concatenate([members[part] for part in random.integers(len(members), size=len(members))]))
        for _ in range(RESAMPLES)
    ]
    lower, upper = np.quantile(drawn, [0.025, 0.975])
    return Accuracy(measured(np.arange(len(names))), float(lower), float(upper))
