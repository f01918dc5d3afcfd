"""How often the preference of a judge by content holds when its prompt is reworded.

    python reproduce/rewordings.py --battles testset-v1.json [--count 200] [--save figures.json]

The battles are the shortest of PandaLM's test set on which all three people prefer one side. Each is read in both orders
under the built-in one-letter prompt and its rewordings (`judges.rewordings`); content is half the difference of the two
orders. Printed: how often the sign of the content is the same under all wordings, how often it exceeds the position
bias, how often the judge agrees with people where the sign holds and where it does not, and the disputes, on which the
judge prefers the other side than people under every wording. The judge is the bundled SmolLM2-135M-Instruct.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[:] = [str(Path(__file__).resolve().parents[1]), *sys.path[1:]]

SIDES = 2
JUDGE = "smollm2-135m-instruct"


def battles(path: Path, count: int) -> list[tuple[int, dict[str, Any]]]:
    """(number, row) of the shortest battles that all people decide for one side."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    decided = [
        (number, row)
        for number, row in enumerate(rows, 1)
        if row["annotator1"] == row["annotator2"] == row["annotator3"] != 0
        and len({str(row[side]).strip() for side in ("response1", "response2")} - {""}) == SIDES
    ]
    return sorted(decided, key=lambda battle: len(json.dumps(battle[1])))[:count]


def pair_of(number: int, row: dict[str, Any]):
    from judges import Pair

    prompt = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
    a, b = row["cmp_key"].split("_", 1)
    return Pair(
        prompt=str(number),
        messages=({"role": "user", "content": prompt},),
        model_a=a,
        completion_a=str(row["response1"]),
        model_b=b,
        completion_b=str(row["response2"]),
    )


def weights():
    """The bundled judge."""
    from arena.serving.bundled import embedded
    from arena.serving.local_weights import load

    (judge,) = [model for model in embedded() if model.name == JUDGE]
    return load(judge, lambda stage: print(stage, file=sys.stderr))


def contents(lm, pair, template: str) -> tuple[float, float]:
    """Content and position bias under one wording."""
    from arena.explaining.prompts import chat_text
    from interp import Prompt
    from judges import PairwiseJudge

    judge = PairwiseJudge(JUDGE, "token", template)
    first, second = (
        lm.contrast(Prompt(chat_text(lm, judge.requests(order)[0]["messages"]), ())).value
        for order in (pair, pair.swapped())
    )
    return (first - second) / 2, (first + second) / 2


def measured(path: Path, count: int) -> Iterator[dict[str, Any]]:
    from judges.rewordings import rewordings
    from judges.template import own

    templates = [own("token"), *rewordings(own("token")).values()]
    lm = weights()
    for number, row in battles(path, count):
        values = [contents(lm, pair_of(number, row), template) for template in templates]
        people = 1 if row["annotator1"] == 1 else -1
        yield {
            "row": number,
            "people": people,
            "content": [content for content, _ in values],
            "bias": [bias for _, bias in values],
        }


def holds(battle: dict[str, Any]) -> bool:
    return min(battle["content"]) > 0 or max(battle["content"]) < 0


def table(results: list[dict[str, Any]]) -> None:
    steady = [battle for battle in results if holds(battle)]
    agree = [battle["people"] * battle["content"][0] > 0 for battle in results]
    print(f"{len(results)} battles, {len(results[0]['content'])} wordings")
    print(f"the sign of the content holds under all wordings: {len(steady) / len(results):.0%}")
    print(
        f"content exceeds position: {statistics.mean(abs(b['content'][0]) > abs(b['bias'][0]) for b in results):.0%}"
    )
    for name, kept in (("holds", True), ("does not", False)):
        some = [ok for ok, battle in zip(agree, results, strict=True) if holds(battle) is kept]
        print(f"agrees with people where it {name}: {statistics.mean(some):.0%} of {len(some)}")
    print("\n| battle | people | content | its range | bias |\n| --- | --- | --- | --- | --- |")
    for battle in steady:
        content, bias = battle["content"], battle["bias"][0]
        if battle["people"] * content[0] < 0:
            side = "A" if battle["people"] > 0 else "B"
            low, high = min(content), max(content)
            print(f"| {battle['row']} | {side} | {content[0]:+.3f} | {low:+.3f} to {high:+.3f} | {bias:+.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battles", type=Path, required=True, help="testset-v1.json of PandaLM")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--save", type=Path, help="write the figures of every battle to this file")
    given = parser.parse_args()
    results = []
    for battle in measured(given.battles, given.count):
        results.append(battle)
        if given.save:
            given.save.write_text(json.dumps(results))
    table(results)


if __name__ == "__main__":
    main()
