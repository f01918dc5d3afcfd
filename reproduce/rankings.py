"""Time `plackett_luce` beside choix on rankings of several models, and compare their estimates.

    python reproduce/rankings.py --rounds 5        needs the package choix for the comparison

Both fit the same drawn rankings without ties in one process, turn by turn; medians of the rounds in seconds. Ours
includes the covariance, which choix does not compute. `opt_rankings` is exact, `ilsr_rankings` has another penalty.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import statistics
import sys
import time
from importlib.util import find_spec
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

import ratings

SIZES = [(20, 1_000, 4), (50, 10_000, 5), (100, 20_000, 10)]  # models, rankings, models in a ranking
PRIOR = 0.01  # precision; choix weighs the square with alpha, not with half of it
SLOW = 1_000  # rankings above which choix's exact optimiser takes minutes


def drawn(models: int, rankings: int, among: int) -> list[list[int]]:
    rng = np.random.default_rng(models)
    xi = rng.normal(0, 0.7, models)
    rows = [rng.choice(models, among, replace=False) for _ in range(rankings)]
    return [row[np.argsort(-(xi[row] + rng.gumbel(size=among)))].tolist() for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="rounds whose median counts")
    rounds = parser.parse_args().rounds
    has_choix = find_spec("choix") is not None
    print(
        "| models | rankings | of | ours, s | choix opt_rankings, s | choix ilsr_rankings, s | largest difference, logits |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for models, count, among in SIZES:
        data = drawn(models, count, among)
        contenders = {"ours": lambda data=data, n=models: ours(data, n)}
        if has_choix:
            import choix

            if count <= SLOW:
                contenders["opt"] = lambda data=data, n=models: choix.opt_rankings(
                    n, data, alpha=PRIOR / 2, tol=1e-9
                )
            contenders["ilsr"] = lambda data=data, n=models: choix.ilsr_rankings(n, data, alpha=PRIOR)
        times: dict[str, list[float]] = {name: [] for name in contenders}
        found = {}
        for _ in range(rounds):
            for name, fit in contenders.items():
                begun = time.perf_counter()
                found[name] = np.asarray(fit())
                times[name].append(time.perf_counter() - begun)
        shown = [
            f"{statistics.median(times[name]):.3f}" if name in times else "–" for name in ("ours", "opt", "ilsr")
        ]
        apart = f"{np.abs(centred(found['ours']) - centred(found['opt'])).max():.1e}" if "opt" in found else "–"
        print(f"| {models} | {count:,} | {among} | {' | '.join(shown)} | {apart} |", flush=True)


def ours(data: list[list[int]], models: int) -> np.ndarray:
    fit = ratings.plackett_luce(data, models=[str(m) for m in range(models)], prior=PRIOR)
    return np.asarray(fit.ratings) / ratings.POINTS_PER_LOGIT


def centred(xi: np.ndarray) -> np.ndarray:
    return xi - xi.mean()


if __name__ == "__main__":
    main()
