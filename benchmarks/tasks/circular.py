"""The same question with its choices in every order of a circle (CircularEval; Liu et al. 2023, arXiv:2307.06281).

A model that likes the letter A, or the last choice, is right in some orders and wrong in others. `circular` counts
a sample only when it is right in all of them, `single` is the plain accuracy over all orders, and `steady` the
share of samples whose chosen words are the same in all, right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from benchmarks.choice import MultipleChoice, by_letter
from benchmarks.letters import LETTERS
from benchmarks.task import Outcome, Reply, Request, RequestType, Sample, scored
from benchmarks.tasks import arc, mmlu


def turned(sample: Sample, by: int) -> Sample:
    """`sample` with its first `by` choices moved to the end."""
    return replace(
        sample,
        choices=sample.choices[by:] + sample.choices[:by],
        target=(sample.target - by) % len(sample.choices),
    )


def turns(sample: Sample) -> list[Sample]:
    return [turned(sample, by) for by in range(len(sample.choices))]


@dataclass(frozen=True, kw_only=True)
class Circular(MultipleChoice):
    """A multiple-choice task with lettered choices, sent once for each order."""

    metric: str = "circular"
    counted: Sequence[str] = ("single",)

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        return [
            request
            for turn in turns(sample)
            for request in super(Circular, self).requests(turn, shots, request_type)
        ]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        """Without a score where one of the orders has none."""
        every = turns(sample)
        each = len(replies) // len(every)
        parts = [replies[at * each : (at + 1) * each] for at in range(len(every))]
        outcomes = [
            super(Circular, self).score(turn, part, request_type) for turn, part in zip(every, parts, strict=True)
        ]
        for outcome in outcomes:
            if not outcome.is_scored:
                return outcome
        rights = [outcome.metrics["acc"] for outcome in outcomes]
        chosen = {
            turn.choices[LETTERS.index(outcome.answer)] for turn, outcome in zip(every, outcomes, strict=True)
        }
        metrics = {"circular": min(rights), "single": sum(rights) / len(rights), "steady": float(len(chosen) == 1)}
        return scored(metrics, "".join(outcome.answer for outcome in outcomes))


def circular(task: MultipleChoice) -> Circular:
    return Circular(
        name=f"{task.name.removesuffix('_olmes_mc')}_circular",
        dimension="robustness",
        description=f"{task.description.partition(',')[0]}, right in all orders of the choices",
        licence=task.licence,
        sources=task.sources,
        read=task.read,
        prompt=task.prompt,
        options=by_letter,
        header=task.header,
        shots=task.shots,
        first_n=task.first_n,
        curated=task.curated,
        chance=0.25**4,
        corpus={},
    )


CHALLENGE = next(task for task in arc.TASKS if task.name == "arc_challenge_olmes_mc")
TASKS = (circular(CHALLENGE), *(circular(task) for task in mmlu.TASKS))
