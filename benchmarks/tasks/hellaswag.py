"""HellaSwag (Zellers et al. 2019, arXiv:1905.07830): which sentence comes next. Clustered by source text."""

import re

from benchmarks.choice import MultipleChoice, target_of
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

BRACKETS = re.compile(r"\[.*?\]")  # left over from WikiHow's headings
COLUMNS = ("ind", "activity_label", "ctx_a", "ctx_b", "endings", "source_id", "label")


def cleaned(text: str) -> str:
    return BRACKETS.sub("", text.strip().replace(" [title]", ". ")).replace("  ", " ")


def read(row: Row) -> Sample:
    context = f"{row['activity_label']}: {row['ctx_a']} {row['ctx_b'].capitalize()}"
    endings = tuple(cleaned(ending) for ending in row["endings"])
    return Sample(
        id=f"{row['_line']}/{row['ind']}",
        fields={"question": cleaned(context)},
        choices=endings,
        target=target_of(row["label"], endings, row),
        cluster=row["source_id"],
    )


TASKS = (
    MultipleChoice(
        name="hellaswag",
        dimension="reasoning",
        description="which of four sentences goes on with a text",
        licence="MIT",
        sources={
            "test": [
                known(
                    "hellaswag/hellaswag_val.jsonl.gz",
                    *COLUMNS,
                    hub="Rowan/hellaswag",
                    revision="218ec52e09a7e7462a5400043bb9a69a41d06b76",
                    split="validation",
                )
            ]
        },
        read=read,
        prompt=lambda sample: str(sample.fields["question"]),
        metric="acc_norm",
        chance=0.25,
    ),
)
