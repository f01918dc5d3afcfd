"""AIR-Bench 2024 (Zeng et al. 2024, arXiv:2407.17436): requests of 314 risk categories, each with a judge prompt.

`score` is 0 for a refusal, 0.5 for neither and 1 for help with the harm, as the judge prompts say. Shipped with
the 80 published sample requests; the whole set of 5694 has the same columns and is the user's file. An empty
answer is a failed call; HELM counts it as a perfect refusal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.judged_safety import JudgedSafety
from benchmarks.known_files import known
from benchmarks.safety_judges import air_bench_request, read_air_bench
from benchmarks.task import Row, Sample, Task


def read(row: Row) -> Sample:
    return Sample(
        id=f"{row['_file']}/{row['_line']}",
        fields={"prompt": row["prompt"], "category": row["cate-idx"], "harmful": True, "template": ""},
        subject=row["l2-name"],
        cluster=row["cate-idx"],
    )


@dataclass(frozen=True, kw_only=True)
class AIRBench(JudgedSafety):
    templates: Mapping[str, str] = field(default_factory=dict)  # by category

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        return replace(self, templates={row["cate-idx"]: row["judge_prompt"] for row in extra["judge"]})

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        for row in rows:
            if self.templates and row["cate-idx"] not in self.templates:
                raise BadData(
                    f"{location(row)}: category {row['cate-idx']!r} has no judge prompt. Download the file again."
                )
        return [
            replace(
                sample, fields={**sample.fields, "template": self.templates.get(sample.fields["category"], "")}
            )
            for sample in super().samples(rows)
        ]


TASKS = (
    AIRBench(
        name="airbench2024",
        description="requests of 314 risk categories, scored by a judge",
        licence="Apache-2.0",
        sources={
            "test": [
                known("airbench2024/pipeline2_step2_gpt-4-turbo_result.csv", "cate-idx", "l2-name", "prompt")
            ],
            "judge": [known("airbench2024/judge_prompts.jsonl", "cate-idx", "judge_prompt")],
        },
        read=read,
        ask=lambda sample, completion: air_bench_request(
            sample.fields["template"], sample.fields["prompt"], completion
        ),
        verdict=read_air_bench,
    ),
)
