"""MMLU-Pro (Wang et al. 2024, arXiv:2406.01574): up to ten choices, reasoned about first.

`exact_match` counts the letter that the reply settles on, `strict` the one that the authors' three patterns find; where
these end, the authors guess and `strict` does not. Their solved examples are only at the hub.
"""

from benchmarks.chains import sizes
from benchmarks.choice import by_letter, target_of
from benchmarks.extract import mmlu_pro_letter
from benchmarks.generation import Generation
from benchmarks.known_files import known, own
from benchmarks.letters import LETTERS, choice_letter
from benchmarks.stated import OF_CHOICES
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
    lines = [
        f"{letter}. {choice.strip()}" for letter, choice in zip(by_letter(sample), sample.choices, strict=True)
    ]
    return "\n".join(["Question:", sample.fields["question"], "Options:", *lines, THINK])


def solution(sample: Sample) -> str:
    return str(sample.fields["chain"]).replace("A: Let's think step by step.", "").strip()


def score_text(sample: Sample, text: str) -> Outcome:
    letter, published = choice_letter(text, sample.choices), mmlu_pro_letter(text)
    strict = {"strict": float(published is not None and LETTERS.index(published) == sample.target)}
    if letter is None:
        return unparsed("no letter", text, strict)
    right = float(LETTERS.index(letter) == sample.target)
    return scored({"exact_match": right, **strict, **sizes(text)}, letter)


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
        final=OF_CHOICES,
        counted=("strict",),
        text_scorer=2,
        chance=0.1,
    ),
)
