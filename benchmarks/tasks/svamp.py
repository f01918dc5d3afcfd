"""SVAMP (Patel et al. 2021, arXiv:2103.07191): word problems varied so that a shortcut gives the wrong number.

The prompt is that of `gsm8k_cot`, with the eight chains of Wei et al. before each problem.
"""

from dataclasses import replace

from benchmarks.known_files import known
from benchmarks.metrics import number
from benchmarks.task import Row, Sample
from benchmarks.tasks.gsm8k import CHAINED


def read(row: Row) -> Sample:
    return Sample(
        id=str(row["ID"]),
        fields={"question": f"{row['Body'].strip().removesuffix('.')}. {row['Question'].strip()}"},
        target=number(f"{float(row['Answer']):.10g}"),
        subject=str(row["Type"]).replace("Divison", "Division"),  # one row has it so
    )


TASKS = (
    replace(
        CHAINED,
        name="svamp",
        dimension="robustness",
        description="word problems with variations that defeat shortcuts",
        licence="MIT",
        sources={"test": [known("qwen_math_sets/svamp_test.jsonl", "ID", "Body", "Question", "Answer", "Type")]},
        read=read,
    ),
)
