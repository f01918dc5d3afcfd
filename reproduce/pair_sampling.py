"""Make the figures of "Which pair to compare" in docs/ratings.md: votes that active choice of pairs saves.

    python reproduce/pair_sampling.py --runs 20

Two simulations of 30 models: all start without battles (6,000 votes), or two newcomers join 28 models that have
20,000 battles (3,000 votes). Errors and half-widths of 95 % intervals are in points; `covered` is the share of intervals
that hold the truth, and `slope` that of the estimates against the truth, which is 1 without bias.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import math
import sys
from functools import partial
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from ratings import pair_sampling, simulation

POLICIES = {
    "uniform": pair_sampling.uniform,
    "active": pair_sampling.active,
    "informative": pair_sampling.informative,
    "informative, floor 0.3": partial(pair_sampling.informative, floor=0.3),  # the default of arena.toml
    "informative, floor 0.5": partial(pair_sampling.informative, floor=0.5),
}
MEASURES = {"error": 2, "width": 2, "covered": 3, "slope": 4}
HEAD = "| board | policy | error | half-width | covered | slope | saved to the error | saved to the width |"
BOARDS = {
    "all models start": {"models": 30, "votes": 6000, "batch": 300},
    "two newcomers": {"models": 30, "newcomers": 2, "established": 20_000, "votes": 3000, "batch": 100},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20, help="simulated boards")
    runs = parser.parse_args().runs
    print(HEAD + "\n" + "| --- " * HEAD.count(" | ") + "| --- |")
    for name, options in BOARDS.items():
        result = simulation.race(POLICIES, runs=runs, **options)
        for number, policy in enumerate(result.policies):
            cells = [f"{getattr(result, measure)[number, -1]:.{digits}f}" for measure, digits in MEASURES.items()]
            print(f"| {name} | {policy} | {' | '.join(cells)} | {_saved(result, policy)} |")


def _saved(result: simulation.Race, policy: str) -> str:
    """The share of votes saved until the final error, and the final width, of uniform choice."""
    if policy == "uniform":
        return " | "
    shares = (result.saved(policy, against="uniform", measure=measure) for measure in ("error", "width"))
    return " | ".join(
        "" if math.isnan(share) else f"{share:.0%}" for share in shares
    )  # nan: it never falls so far


if __name__ == "__main__":
    main()
