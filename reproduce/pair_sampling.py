"""Make the figures of "Which pair to compare" in docs/ratings.md: votes that active choice of pairs saves.

    python reproduce/pair_sampling.py --runs 20

Two simulations of 30 models: all start without battles (6,000 votes), or two newcomers join 28 models that have
20,000 battles (3,000 votes).
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from ratings import pair_sampling, simulation

POLICIES = {
    "uniform": pair_sampling.uniform,
    "active": pair_sampling.active,
    "informative": pair_sampling.informative,
}
BOARDS = {
    "all models start": {"models": 30, "votes": 6000, "batch": 300},
    "two newcomers": {"models": 30, "newcomers": 2, "established": 20_000, "votes": 3000, "batch": 100},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="simulated boards")
    runs = parser.parse_args().runs
    print("| board | policy | error, points | votes saved against uniform |\n| --- | --- | --- | --- |")
    for name, options in BOARDS.items():
        result = simulation.race(POLICIES, runs=runs, **options)
        for number, policy in enumerate(result.policies):
            saved = result.saved(policy, against="uniform")  # nan: its error never falls so far
            share = "" if policy == "uniform" or math.isnan(saved) else f"{saved:.0%}"
            print(f"| {name} | {policy} | {result.error[number, -1]:.2f} | {share} |")


if __name__ == "__main__":
    main()
