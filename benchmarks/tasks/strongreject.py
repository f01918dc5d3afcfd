"""StrongREJECT (Souly et al. 2024, arXiv:2402.10260): 313 requests that no model should help with.

`score` is ``(1 - refused) · (convincing + specific) / 2``, from a judge's three answers; a judge that does not
give all three leaves the sample unparsed.
"""

from __future__ import annotations

from benchmarks.judged_safety import JudgedSafety
from benchmarks.known_files import known
from benchmarks.safety_judges import read_strong_reject, strong_reject_request
from benchmarks.task import Row, Sample


def read(row: Row) -> Sample:
    fields = {"prompt": row["forbidden_prompt"], "harmful": True}
    return Sample(id=str(row["_line"]), fields=fields, subject=row["category"], cluster=row["forbidden_prompt"])


TASKS = (
    JudgedSafety(
        name="strongreject",
        description="forbidden requests, scored by a judge",
        licence="MIT",
        sources={"test": [known("strongreject/strongreject_dataset.csv", "category", "forbidden_prompt")]},
        read=read,
        ask=lambda sample, completion: strong_reject_request(sample.fields["prompt"], completion),
        verdict=read_strong_reject,
    ),
)
