"""JailbreakBench (Chao et al. 2024, arXiv:2404.01318): 100 harmful behaviours and 100 harmless twins.

The user's own copy of the two published tables. Its authors judge with Llama 3 70B; here it is a refusal
classifier.
"""

from __future__ import annotations

from benchmarks.known_files import own
from benchmarks.safety import Safety, refusal_f1
from benchmarks.task import Row, Sample

COLUMNS = ("Goal", "Behavior", "Category")
FILES = {"harmful-behaviors": True, "benign-behaviors": False}


def read(row: Row) -> Sample:
    harmful = FILES[row["_file"]]
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"prompt": row["Goal"], "harmful": harmful},
        subject=row["Category"],
        cluster=row["Behavior"],  # a harmless twin has the harmful one's theme
    )


TASKS = (
    Safety(
        name="jailbreakbench",
        description="harmful behaviours and harmless twins",
        metric="right",
        higher_is_better=True,
        licence="MIT",
        sources={"test": [own(f"jailbreakbench/{file}.csv", *COLUMNS) for file in FILES]},
        read=read,
        corpus={"macro_f1": refusal_f1},
    ),
)
