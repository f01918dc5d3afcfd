"""MMLU-Pro (Wang et al. 2024, arXiv:2406.01574): up to ten choices, reasoned about first.

The answer is read in the authors' three stages; where they would guess, the sample is unparsed. Their solved
examples are only at the hub.
"""

from benchmarks.chains import sizes
from benchmarks.choice import target_of
from benchmarks.extract import LETTERS, STATED, mmlu_pro_letter
from benchmarks.generation import Generation
from benchmarks.known_files import known, own
from benchmarks.task import Outcome, Row, Sample, scored, unparsed

COLUMNS = ("question_id", "question", "options", "answer", "category")
HUB = {"hub": "TIGER-Lab/MMLU-Pro", "revision": "527feea0afed1de15a8c115abf7be4c912123315"}
THINK = "Answer: Let's think step by step."


def read(row: Row) -> Sample:
    choices = tuple(row["options"])
    return Sample(
        id=str(row["question_id"]),
        fields={"question": row["question"], "chain": row.get("cot_content", "")},
        choices=choices,
        target=target_of(row["answer"], choices, row),
        subject=row["category"],
    )


def header(sample: Sample) -> str:
    return (
        f"The following are multiple choice questions (with answers) about {sample.subject}. Think step by step "
        'and then finish your answer with "the answer is (X)" where X is the correct letter choice.\n\n\n'
    )


def prompt(sample: Sample) -> str:
    lines = [f"{letter}. {choice.strip()}" for letter, choice in zip(LETTERS, sample.choices, strict=False)]
    return "\n".join(["Question:", sample.fields["question"], "Options:", *lines, THINK])


def solution(sample: Sample) -> str:
    return str(sample.fields["chain"]).replace("A: Let's think step by step.", "").strip()


def score_text(sample: Sample, text: str) -> Outcome:
    letter = mmlu_pro_letter(text)
    if letter is None:
        return unparsed("no letter", text)
    return scored({"exact_match": float(LETTERS.index(letter) == sample.target), **sizes(text)}, letter)


TASKS = (
    Generation(
        name="mmlu_pro",
        dimension="knowledge",
        metric="exact_match",
        description="exam questions of 14 fields, up to ten choices, with reasoning",
        licence="MIT",
        sources={
            "test": [known("mmlu_pro/mmlu_pro_test.jsonl.gz", *COLUMNS, **HUB)],
            "shots": [
                own("mmlu_pro/mmlu_pro_validation.jsonl", *COLUMNS, "cot_content", **HUB, split="validation")
            ],
        },
        read=read,
        header=header,
        prompt=prompt,
        solution=solution,
        score_text=score_text,
        shots=5,
        first_n=True,
        max_tokens=2048,
        stop=("Question:",),
        final=STATED,
        chance=0.1,
    ),
)
