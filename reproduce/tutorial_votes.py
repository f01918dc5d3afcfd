"""Make docs/tutorials/battles.csv, the simulated votes that docs/tutorials/read.md uses.

    python reproduce/tutorial_votes.py > docs/tutorials/battles.csv

Nine voters compare three models with known ratings: 120 votes, one every five hours, a tenth of them ties.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import csv
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from ratings.data.outcomes import OUTCOMES
from ratings.scale import POINTS_PER_LOGIT
from ratings.tools.simulation import simulate_outcomes

TRUTH = {"amber": 1120, "birch": 970, "cedar": 910}  # points
VOTES, VOTERS, SEED = 120, 9, 3
START, STEP = datetime(2026, 11, 1, tzinfo=UTC), timedelta(hours=5)
COLUMNS = ("model_a", "model_b", "winner", "voter", "timestamp")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rng = np.random.default_rng(SEED)
    pairs = np.array([rng.choice(len(TRUTH), 2, replace=False) for _ in range(VOTES)])
    truth = np.array(list(TRUTH.values())) / POINTS_PER_LOGIT
    winners = simulate_outcomes(truth[pairs[:, 0]] - truth[pairs[:, 1]], rng, ties=0.1)
    voters = rng.integers(1, VOTERS + 1, VOTES)
    names = list(TRUTH)
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(COLUMNS)
    for number, ((a, b), winner, voter) in enumerate(zip(pairs, winners, voters, strict=True)):
        time = (START + number * STEP).strftime("%Y-%m-%dT%H:%M:%SZ")
        rows.writerow([names[a], names[b], OUTCOMES[winner].name, f"v{voter}", time])


if __name__ == "__main__":
    main()
