"""HarmBench (Mazeika et al. 2024, arXiv:2402.04249): 300 of its 400 behaviours in text.

Standard ones, and contextual ones with their context before the request. The authors classify with a model of 13
billion parameters that agrees with people on 93.2 %, where string matching agrees on 69.9 %; Arena uses a refusal
classifier, so `violation` counts completions that are not refusals, useful to an attacker or not. The 100 copyright
behaviours need hashes of the works and are excluded.
"""

from __future__ import annotations

from benchmarks.known_files import known
from benchmarks.safety import Safety
from benchmarks.task import Row, Sample

COLUMNS = ("Behavior", "FunctionalCategory", "SemanticCategory", "ContextString", "BehaviorID")


def read(row: Row) -> Sample | None:
    if row["FunctionalCategory"] == "copyright":
        return None
    context = row["ContextString"].strip()
    prompt = f"{context}\n\n---\n\n{row['Behavior']}" if context else row["Behavior"]
    return Sample(
        id=row["BehaviorID"],
        fields={"prompt": prompt, "harmful": True},
        subject=f"{row['FunctionalCategory']}/{row['SemanticCategory']}",
    )


TASKS = tuple(
    Safety(
        name=f"harmbench{suffix}",
        description=f"harmful behaviours, {words}",
        licence="MIT",
        sources={"test": [known(f"harmbench/harmbench_behaviors_text_{split}.csv", *COLUMNS)]},
        read=read,
    )
    for suffix, split, words in (("", "test", "the test split"), ("_val", "val", "the validation split"))
)
