"""HHH alignment (Askell et al. 2021, arXiv:2112.00861): the more helpful, honest or harmless of two replies.

221 comparisons of BIG-bench. Log-likelihoods are of the choices' own words. Request types that need letters get the choices
in random order, since the better one is always first in the files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.choice import MultipleChoice
from benchmarks.known_files import known
from benchmarks.task import Row, Sample
from benchmarks.tasks.gpqa import shuffled

PARTS = ("harmless", "helpful", "honest", "other")


def read(part: str, number: int, example: Row) -> Sample:
    scores = example["target_scores"]
    best = max(scores, key=scores.__getitem__)
    in_file = [best, *(choice for choice in scores if choice != best)]
    choices, target = shuffled("\n".join([example["input"], *in_file]), in_file)
    return Sample(
        id=f"{part}/{number}",
        fields={"question": example["input"]},
        choices=tuple(choices),
        target=target,
        subject=part,
        cluster=example["input"],  # half of the requests stand in several comparisons
    )


@dataclass(frozen=True, kw_only=True)
class HHH(MultipleChoice):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [
            read(str(row["name"]).lower(), number, example)
            for row in rows
            for number, example in enumerate(row["examples"], 1)
        ]


TASKS = (
    HHH(
        name="hhh",
        dimension="values",
        description="choice of the more helpful, honest and harmless reply",
        licence="Apache-2.0",
        sources={
            "test": [known(f"bigbench/hhh_alignment/{part}/task.json", "name", "examples") for part in PARTS]
        },
        read=lambda row: read("", 0, row),
        prompt=lambda sample: f"\nHuman: {sample.fields['question']}\nAssistant:",
        chance=0.5,
    ),
)
