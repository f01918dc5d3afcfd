"""C-Eval (Huang et al. 2023, arXiv:2305.08322), 52 subjects in Chinese. Scored on the validation set: the labels
of the test set are not public.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.choice import MultipleChoice, by_letter, lettered, target_of
from benchmarks.known_files import known
from benchmarks.task import Row, Sample, Task

COLUMNS = ("id", "question", "A", "B", "C", "D", "answer", "subject")


def read(row: Row) -> Sample:
    choices = tuple(str(row[letter]) for letter in "ABCD")
    return Sample(
        id=f"{row['subject']}/{row['_file']}/{row['id']}",
        fields={"question": row["question"]},
        choices=choices,
        target=target_of(row["answer"], choices, row),
        subject=row["subject"],
    )


class CEval(MultipleChoice):
    """Multiple choice with a header that names the subject in Chinese; a separate file has these names."""

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        chinese_names = {
            subject: entry[1] for subject, entry in extra["names"][0].items() if not subject.startswith("_")
        }

        def header(sample: Sample) -> str:
            return f"以下是中国关于{chinese_names[sample.subject]}的单项选择题，请选出其中的正确答案。\n\n"

        return replace(self, header=header)


TASKS = (
    CEval(
        name="ceval",
        dimension="knowledge",
        description="Chinese exam questions of 52 subjects, four choices",
        licence="CC-BY-NC-SA-4.0",
        sources={
            "test": [known("ceval/ceval_val.jsonl", *COLUMNS)],
            "shots": [known("ceval/ceval_dev.jsonl", *COLUMNS)],
            "names": [known("ceval/subject_mapping.json")],
        },
        read=read,
        prompt=lambda sample: f"{lettered(sample)}\n答案：",
        options=by_letter,
        answer_line="答案：",
        shots=5,
        first_n=True,
        chance=0.25,
    ),
)
