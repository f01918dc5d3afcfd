"""BIG-Bench Hard (Suzgun et al. 2022, arXiv:2210.09261): 27 tasks with the authors' three chains of thought.

`exact_match` compares the answer without its markup and capitals, `strict` as the authors do: what follows the last
"the answer is " to the character. On the authors' own outputs both are the same.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.chains import sizes
from benchmarks.extract import after_the_answer_is
from benchmarks.generation import Generation
from benchmarks.known_files import known, known_files
from benchmarks.short_answers import short_answer
from benchmarks.stated import OF_VALUES
from benchmarks.task import Outcome, Row, Sample, Task, scored, unparsed

CANARY_END = "-----\n"  # above it the file asks not to be trained on
EXAMPLES = re.compile(r"^bbh/\w+\.json$")
CHAINS = re.compile(r"^bbh/cot-prompts/\w+\.txt$")


def score_text(sample: Sample, text: str) -> Outcome:
    answer, published = short_answer(text), after_the_answer_is(text)
    strict = {"strict": float(published == sample.target)}
    if answer is None:
        return unparsed("no answer", text, strict)
    right = float(answer.casefold() == str(sample.target).casefold())
    return scored({"exact_match": right, **strict, **sizes(text)}, answer)


class BigBenchHard(Generation):
    """One file a subject, and one file with its chains."""

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [
            Sample(
                id=f"{row['_file']}/{number}",
                fields={"input": example["input"]},
                target=example["target"],
                subject=str(row["_file"]),
            )
            for row in rows
            for number, example in enumerate(row["examples"])
        ]

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        chains = {row["_file"]: row["text"].partition(CANARY_END)[2].strip() for row in extra["prompts"]}
        return replace(self, header=lambda sample: f"{chains[sample.subject]}\n\n")


TASKS = (
    BigBenchHard(
        name="bbh",
        dimension="reasoning",
        metric="exact_match",
        description="27 hard BIG-bench tasks with chains of thought",
        licence="MIT",
        sources={
            "test": [known(file, "examples") for file in known_files() if EXAMPLES.match(file)],
            "prompts": [known(file) for file in known_files() if CHAINS.match(file)],
        },
        read=lambda row: Sample(id=str(row["_line"])),
        prompt=lambda sample: f"Q: {sample.fields['input']}\nA: Let's think step by step.",
        score_text=score_text,
        max_tokens=1024,
        stop=("\n\nQ:", "</s>"),
        final=OF_VALUES,
        counted=("strict",),
        text_scorer=2,
    ),
)
