"""MMLU (Hendrycks et al. 2020, arXiv:2009.03300), 57 subjects; the prompt of lm-evaluation-harness."""

from benchmarks.choice import MultipleChoice, by_letter, own_choice
from benchmarks.choice import lettered as shown
from benchmarks.known_files import known
from benchmarks.task import Sample

COLUMNS = ("subject", "question", "choices", "answer")
HUB = {"hub": "cais/mmlu:all", "revision": "c30699e8356da336a370243923dbaf21066bb9fe"}


def header(sample: Sample) -> str:
    about = sample.subject.replace("_", " ")
    return f"The following are multiple choice questions (with answers) about {about}.\n\n"


TASKS = (
    MultipleChoice(
        name="mmlu",
        dimension="knowledge",
        description="exams of 57 subjects, four choices",
        licence="MIT",
        sources={
            "test": [known("mmlu/mmlu_test.jsonl.gz", *COLUMNS, **HUB)],
            "shots": [known("mmlu/mmlu_dev.jsonl", *COLUMNS, **HUB, split="dev")],
        },
        read=own_choice,
        prompt=lambda sample: f"{shown(sample)}\nAnswer:",
        options=by_letter,
        header=header,
        shots=5,
        first_n=True,
        chance=0.25,
    ),
)
