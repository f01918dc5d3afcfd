"""IFEval (Zhou et al. 2023, arXiv:2311.07911): 541 requests with instructions that a program can check.

`prompt_strict` is the share of requests with every instruction followed; `instruction_strict` the share of all
instructions; the loose metrics tolerate text around the answer. The program's figures on GPT-4's published completions
are reproduced, see docs/benchmark-tasks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.instructions import CHECKERS, follows, follows_loosely
from benchmarks.known_files import known
from benchmarks.replies import chat, words
from benchmarks.task import Corpus, Metrics, Outcome, Reply, Request, RequestType, Row, Sample, Task, scored

MAX_TOKENS = 1280  # lm-evaluation-harness's


def read(row: Row) -> Sample:
    names, arguments = row["instruction_id_list"], row["kwargs"]
    if len(names) != len(arguments):
        raise BadData(
            f"{location(row)}: {len(names)} instructions have {len(arguments)} argument sets. Give one each."
        )
    if unknown := [name for name in names if name not in CHECKERS]:
        raise BadData(
            f"{location(row)}: Instruction {unknown[0]!r} is unknown. Use one of: {', '.join(CHECKERS)}."
        )
    return Sample(
        id=str(row["key"]), fields={"prompt": row["prompt"]}, target=tuple(zip(names, arguments, strict=True))
    )


def share(counted: str) -> Corpus:
    """The share of followed instructions of all samples."""

    def of(pairs: Sequence[tuple[Sample, Metrics]]) -> float:
        return sum(metrics[counted] for _, metrics in pairs) / sum(len(sample.target) for sample, _ in pairs)

    return of


@dataclass(frozen=True, kw_only=True)
class IFEval(Task):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [read(row) for row in rows]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        return [chat(str(sample.fields["prompt"]), MAX_TOKENS)]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        text = words(replies[0])
        if isinstance(text, Outcome):
            return text
        strict = [follows(name, text, arguments) for name, arguments in sample.target]
        loose = [follows_loosely(name, text, arguments) for name, arguments in sample.target]
        metrics = {
            "prompt_strict": float(all(strict)),
            "prompt_loose": float(all(loose)),
            "followed_strict": float(sum(strict)),
            "followed_loose": float(sum(loose)),
        }
        missed = [name for (name, _), done in zip(sample.target, strict, strict=True) if not done]
        return scored(metrics, f"not followed: {', '.join(missed)}" if missed else "all followed")


TASKS = (
    IFEval(
        name="ifeval",
        dimension="instruction following",
        metric="prompt_strict",
        counted=("prompt_loose",),
        description="requests with verifiable instructions",
        licence="Apache-2.0",
        sources={"test": [known("ifeval/input_data.jsonl", "key", "prompt", "instruction_id_list", "kwargs")]},
        corpus={
            "instruction_strict": share("followed_strict"),
            "instruction_loose": share("followed_loose"),
        },
    ),
)
