r"""MATH (Hendrycks et al. 2021, arXiv:2103.03874), and MATH-500, its subset of Lightman et al. 2023.

Minerva's four solved problems stand before each one. `minerva` counts the answer in the closing sentence alone,
`exact_match` also one in the last \boxed{}, as chat models write it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.chains import sizes
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.extract import last_boxed
from benchmarks.generation import Generation
from benchmarks.known_files import known
from benchmarks.math_answers import MINERVA, final_answer, minerva_answer, same
from benchmarks.task import Outcome, Row, Sample, Task, scored, unparsed


def read(row: Row) -> Sample:
    target = last_boxed(row["solution"])
    if target is None:
        raise BadData(f"{location(row)}: The solution has no \\boxed{{}} answer. Use the original file.")
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"problem": row["problem"]},
        target=target,
        subject=str(row.get("subset") or row.get("type") or ""),
    )


def score_text(sample: Sample, text: str) -> Outcome:
    answer, closing = final_answer(text), minerva_answer(text)
    if answer is None:
        return unparsed("no final answer", text)
    right = same(answer, sample.target)
    metrics = {"exact_match": float(right), "minerva": float(right and closing is not None)}
    return scored({**metrics, **sizes(text)}, answer)


class Math(Generation):
    """The solved problems are the text of a file, which ends with a problem of the test set."""

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        solved = str(extra["prompts"][0]["text"]).rpartition("Problem:\n")[0]
        return replace(self, header=lambda _: solved)


def task(name: str, file: str, description: str) -> Math:
    return Math(
        name=name,
        dimension="reasoning",
        metric="exact_match",
        description=description,
        licence="MIT",
        sources={
            "test": [known(file, "problem", "solution")],
            "prompts": [known("math/minerva_4shot_context.txt")],
        },
        read=read,
        prompt=lambda sample: f"Problem:\n{sample.fields['problem']}\n\nSolution:",
        score_text=score_text,
        max_tokens=1024,
        stop=("Problem:",),
        final=MINERVA,
        counted=("minerva",),
        text_scorer=2,
    )


TASKS = (
    task("math", "math/math_test.jsonl.gz", "competition problems of seven subjects"),
    task("math_500", "math/math_500.jsonl", "500 competition problems"),
)
