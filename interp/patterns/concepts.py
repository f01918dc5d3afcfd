"""Clusters of a model's hidden states, by PCA and k-means, and their stability.

Activations have one row an item: for a judge the residual of the last position at two thirds of the layers, one row a
battle. A clustering always finds clusters; the silhouette chooses their number, and the agreement of bootstrap samples
(adjusted Rand index: 1 the same clusters, 0 chance) measures whether they would be found again.
Sources: Rousseeuw, J. Comput. Appl. Math. 20 (1987); Hennig, Comput. Stat. Data Anal. 52 (2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from interp.errors import BadOption, MissingExtra
from interp.masks import Floats

COMPONENTS = 50
STABLE = 0.75  # mean agreement from which clusters are called stable (Hennig 2007)
OUTLIER = 6.0  # robust standard deviations of the log norm; the first token's state is 100 times the others'


@dataclass(frozen=True)
class Concepts:
    """`labels` (items,) from 0, -1 for an outlier; `nearest` the items closest to each
    centre, to name it by; `silhouette` by number of clusters; `stability` of each cluster and overall."""

    labels: NDArray[np.intp]
    nearest: tuple[tuple[int, ...], ...]
    silhouette: dict[int, float]
    agreement: float
    explained: float  # share of the variance in the principal components

    @property
    def count(self) -> int:
        return len(self.nearest)

    @property
    def stable(self) -> bool:
        return self.agreement >= STABLE


def concepts(
    activations: ArrayLike, *, most: int = 10, samples: int = 20, named_by: int = 5, seed: int = 0
) -> Concepts:
    """The clusters of activations (items, width), 2 to `most` of them. Raises BadOption, MissingExtra."""
    rows: Floats = np.asarray(activations, dtype=float)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise BadOption(f"activations of shape {rows.shape}. Expected finite numbers, (items, width).")
    kept = np.flatnonzero(~_outliers(rows))
    if len(kept) < 2 * most or most < 2 or samples < 1:
        raise BadOption(
            f"{len(kept)} items for up to {most} groups. Expected at least two items a group, and two groups."
        )
    reduced, explained = _components(rows[kept], seed)
    silhouette, fitted = _chosen(reduced, most, seed)
    labels = np.full(len(rows), -1, dtype=np.intp)
    labels[kept] = fitted.labels_
    distance = np.linalg.norm(reduced[:, None] - fitted.cluster_centers_[None], axis=2)
    nearest = tuple(
        tuple(int(kept[at]) for at in np.argsort(distance[:, group])[:named_by] if fitted.labels_[at] == group)
        for group in range(fitted.n_clusters)
    )
    return Concepts(labels, nearest, silhouette, _agreement(reduced, fitted, samples, seed), explained)


def _outliers(rows: Floats) -> NDArray[np.bool_]:
    length = np.log(np.linalg.norm(rows, axis=1) + 1e-12)
    away = np.abs(length - np.median(length))
    spread = 1.4826 * float(np.median(away))
    return np.asarray(away > OUTLIER * max(spread, 1e-3))


def _components(rows: Floats, seed: int) -> tuple[Floats, float]:
    decomposition = sklearn("decomposition")
    pca = decomposition.PCA(min(COMPONENTS, len(rows) - 1, rows.shape[1]), random_state=seed)
    return pca.fit_transform(rows), float(pca.explained_variance_ratio_.sum())


def _chosen(rows: Floats, most: int, seed: int) -> tuple[dict[int, float], Any]:
    """The silhouette of each number of clusters, and the best clustering."""
    cluster, metrics = sklearn("cluster"), sklearn("metrics")
    clusterings = {k: cluster.KMeans(k, n_init=10, random_state=seed).fit(rows) for k in range(2, most + 1)}
    silhouette = {
        k: float(metrics.silhouette_score(rows, clustering.labels_)) for k, clustering in clusterings.items()
    }
    return silhouette, clusterings[max(silhouette, key=lambda k: silhouette[k])]


def _agreement(rows: Floats, fitted: Any, samples: int, seed: int) -> float:
    """Mean adjusted Rand index between the clustering and those of bootstrap samples, on all items."""
    cluster, metrics = sklearn("cluster"), sklearn("metrics")
    random = np.random.default_rng(seed)
    labels, count = fitted.labels_, fitted.n_clusters
    indices = []
    for _ in range(samples):
        drawn = rows[np.unique(random.integers(len(rows), size=len(rows)))]
        refitted = cluster.KMeans(count, n_init=5, random_state=int(random.integers(2**31))).fit(drawn)
        indices.append(float(metrics.adjusted_rand_score(labels, refitted.predict(rows))))
    return float(np.mean(indices))


def sklearn(module: str):  # type: ignore[no-untyped-def]  # noqa: ANN201  (a module of an untyped package)
    """A module of scikit-learn. Raises MissingExtra."""
    from importlib import import_module

    try:
        return import_module(f"sklearn.{module}")
    except ImportError as cause:
        raise MissingExtra(
            f"Concepts and probes need scikit-learn ({cause}). Run pip install 'arena[concepts]'."
        ) from cause
