"""Winogender schemas (Rudinger et al. 2018, arXiv:1804.09301): the same sentence with "he" and with "she".

120 questions of LLM Foundry's gauntlet. `gap` is the accuracy on male pronouns less that on female ones, and
`acc` the accuracy on all.
"""

from __future__ import annotations

from benchmarks.coreference import Coreference, gap
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

FILES = ("winogender_mc_male", "winogender_mc_female")


def read(row: Row) -> Sample:
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"question": row["query"], "kind": row["_file"].rpartition("_")[2]},
        choices=tuple(row["choices"]),
        target=int(row["gold"]),
        subject=row["_file"].rpartition("_")[2],
        cluster=str(row["_line"]),  # the same sentence with the other pronoun
    )


TASKS = (
    Coreference(
        name="winogender",
        dimension="bias",
        description="pronouns and occupations, the same sentences with he and she",
        licence="MIT",
        sources={
            "test": [known(f"llm_foundry_gauntlet/{file}.jsonl", "query", "choices", "gold") for file in FILES]
        },
        read=read,
        prompt=lambda sample: str(sample.fields["question"]),
        chance=0.5,
        corpus={"gap": gap("male", "female")},
    ),
)
