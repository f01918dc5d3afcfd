"""Precision and recall of the categories by rule on labelled prompts of our own, some of which were never tuned on.

    python reproduce/categories.py             # both parts, with 95 % intervals (Wilson)
    python reproduce/categories.py --misses    # and the prompts of the tuned part that are wrong

The prompts, with small talk and traps such as "my pet python", are in tests/arena/rules/category_prompts.jsonl. Those
held out were written after the rules of this version and are measured once; their misses are not printed.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from arena.rules.categories import VERSION, categories

PROMPTS = Path(__file__).parents[1] / "tests/arena/rules/category_prompts.jsonl"
CATEGORIES = ("code", "math", "creative writing", "instruction following", "hard")
Z = 1.96


def parts() -> dict[str, list[dict]]:
    """The labelled prompts that the rules were tuned on, and those held out."""
    rows = [json.loads(line) for line in PROMPTS.read_text(encoding="utf-8").splitlines()]
    return {part: [row for row in rows if row["half"] == part] for part in ("tuned", "held out")}


def counts(rows: list[dict], category: str) -> tuple[int, int, int]:
    """(right, found, labelled) prompts of a category."""
    labelled = {row["prompt"] for row in rows if category in row["categories"]}
    found = {row["prompt"] for row in rows if category in categories([row["prompt"]])}
    return len(labelled & found), len(found), len(labelled)


def share(right: int, of: int) -> str:
    """A share with its 95 % interval by Wilson's formula."""
    if not of:
        return "none"
    p, n = right / of, of
    middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
    width = Z / (1 + Z**2 / n) * (p * (1 - p) / n + Z**2 / (4 * n**2)) ** 0.5
    return f"{p:.0%} ({middle - width:.0%}–{middle + width:.0%}, {right}/{of})"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--misses", action="store_true")
    misses = options.parse_args().misses
    for part, rows in parts().items():
        print(f"{VERSION}, {part}: {len(rows)} prompts")
        for category in CATEGORIES:
            right, found, labelled = counts(rows, category)
            print(f"  {category:<22} precision {share(right, found):<24} recall {share(right, labelled)}")
    for row in parts()["tuned"] if misses else ():
        got = [name for name in categories([row["prompt"]]) if name in CATEGORIES]
        if sorted(got) != row["categories"]:
            print(f"{', '.join(row['categories']) or '–'} as {', '.join(got) or '–'}: {row['prompt'][:150]!r}")


if __name__ == "__main__":
    main()
