"""GPQA (Rein et al. 2023, arXiv:2311.12022) and Humanity's Last Exam (Phan et al. 2025, arXiv:2501.14249).

Both do not allow redistribution: put your own copy below the data folder, `gpqa/gpqa_diamond.csv` and
`hle/hle.jsonl`. The hub has GPQA for users who accepted its terms.
"""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.choice import MultipleChoice
from benchmarks.generation import Generation
from benchmarks.known_files import own
from benchmarks.letters import LETTERS, choice_letter
from benchmarks.metrics import exact_match
from benchmarks.task import Outcome, Row, Sample, scored, unparsed

RIGHT = "Correct Answer"
WRONG = ("Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3")
CLOSING = re.compile(r"(?:^|\n)(?:[^\S\n]|\*)*+(?:Exact )?Answer:[\s*]*(.+)", re.IGNORECASE)


def shuffled(key: str, choices: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """The choices in an order that depends only on the question, and the new index of the first one."""
    order = list(range(len(choices)))
    digest = hashlib.sha256(key.encode()).digest()
    random.Random(digest).shuffle(order)  # noqa: S311  (a seed that anybody can make again)
    return tuple(choices[at] for at in order), order.index(0)


def read(row: Row) -> Sample:
    choices = [str(row[name]).strip() for name in (RIGHT, *WRONG)]
    mixed, target = shuffled(row["Question"], choices)
    return Sample(
        id=str(row.get("Record ID") or f"{row['_file']}/{row['_line']}"),
        fields={"question": row["Question"].strip()},
        choices=mixed,
        target=target,
        subject=str(row.get("High-level domain") or ""),
    )


def prompt(sample: Sample) -> str:
    lines = [f"({letter}) {choice}" for letter, choice in zip(LETTERS, sample.choices, strict=False)]
    question = f"What is the correct answer to this question:{sample.fields['question']}"
    return "\n".join([question, "Choices:", *lines, "Answer:"])


def bracketed(sample: Sample) -> Sequence[str]:
    return [f"({letter})" for letter in LETTERS[: len(sample.choices)]]


@dataclass(frozen=True, kw_only=True)
class LastExam(Generation):
    """Questions without images, since requests have only text."""

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [self.read(row) for row in rows if not row.get("image")]


def read_exam(row: Row) -> Sample:
    return Sample(
        id=str(row["id"]),
        fields={"question": row["question"], "kind": row.get("answer_type", "exactMatch")},
        target=str(row["answer"]),
        subject=str(row.get("category") or ""),
    )


def score_exam(sample: Sample, text: str) -> Outcome:
    """The exact match; the authors use a judge model, which accepts other wordings."""
    answers = CLOSING.findall(text)
    if not answers:
        return unparsed('no line "Answer: …"', text)
    answer = answers[-1].strip().strip("*").strip()
    if sample.fields["kind"] == "multipleChoice":
        answer = choice_letter(f"Answer: {answer}", LETTERS) or answer
    return scored({"exact_match": exact_match(answer, [sample.target])}, answer)


TASKS = (
    MultipleChoice(
        name="gpqa_diamond",
        dimension="knowledge",
        description="PhD-level questions in biology, physics and chemistry; your own file",
        licence="CC-BY-4.0",
        sources={
            "test": [
                own(
                    "gpqa/gpqa_diamond.csv", "Question", RIGHT, *WRONG,
                    hub="Idavidrein/gpqa:gpqa_diamond", split="train",
                    revision="5233cd1db58884ed0bf678c7c6be731722a23f84",
                )
            ]
        },
        read=read,
        prompt=prompt,
        options=bracketed,
        chance=0.25,
    ),
    LastExam(
        name="hle",
        dimension="knowledge",
        metric="exact_match",
        description="Humanity's Last Exam, questions without images; your own file",
        licence="MIT",
        sources={
            "test": [
                own(
                    "hle/hle.jsonl", "id", "question", "answer",
                    hub="cais/hle", revision="5a81a4c7271a2a2a312b9a690f0c2fde837e4c29",
                )
            ]
        },
        read=read_exam,
        prompt=lambda sample: (
            f"{sample.fields['question']}\n\nReason as long as you need to. "
            'End with a line "Answer: …" that has your final answer and nothing else.'
        ),
        score_text=score_exam,
        text_scorer=2,
        max_tokens=8192,
    ),
)  # fmt: skip
