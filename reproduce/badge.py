"""How often the badge "beats random" is given to perfect maps and to random ones.

    python reproduce/badge.py [--judges 400]

Each judge adds up the weights of the words that it reads: 1, 2 or 5 driving words of random size and side among 10 to 80,
and nothing of the others; a second kind adds a little of every word. Three maps of it are measured by
`interp.faithfulness`: its own weights (the oracle), normal random scores, and the oracle's own scores on random words,
the hardest kind to tell from it: of 10 words of which one decides, one arrangement in ten is the oracle itself.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path[:] = [str(Path(__file__).resolve().parents[1]), *sys.path[1:]]

WORDS = (10, 20, 40, 80)
DRIVING = (1, 2, 5)
REST = 0.02  # of a driving word: the spread of the other words' weights in the second kind of judge


def weights(random: np.random.Generator, words: int, driving: int, rest: float) -> np.ndarray:
    """The weights of one judge."""
    own = rest * random.normal(size=words)
    own[random.choice(words, driving, replace=False)] += random.choice([-1, 1], driving) * random.uniform(
        1, 3, driving
    )
    return own


def accepted(words: int, driving: int, rest: float, judges: int) -> tuple[float, float, float]:
    """Shares with the badge: of oracle maps, of normal random maps, of the oracle's scores on random words."""
    from interp import faithfulness

    given = np.zeros((judges, 3))
    for number in range(judges):
        random = np.random.default_rng([number, words, driving])
        own = weights(random, words, driving, rest)
        for kind, scores in enumerate((own, random.normal(size=words), random.permutation(own))):
            given[number, kind] = faithfulness(
                lambda masks, own=own: masks @ own, scores, seed=number
            ).beats_random
    return tuple(given.mean(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judges", type=int, default=400, help="judges for each row")
    given = parser.parse_args()
    print(
        "| words | driving words | other words | oracle maps | random maps | the oracle's scores on random words |"
    )
    print("| ---: | ---: | --- | ---: | ---: | ---: |")
    for rest, name in ((0.0, "nothing"), (REST, "a little")):
        for words in WORDS:
            for driving in DRIVING:
                shares = accepted(words, driving, rest, given.judges)
                print(
                    f"| {words} | {driving} | {name} | " + " | ".join(f"{share:.1%}" for share in shares) + " |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
