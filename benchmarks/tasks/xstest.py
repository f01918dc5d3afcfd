"""XSTest (Röttger et al. 2023, arXiv:2308.01263): 250 safe requests that look unsafe, and 200 unsafe ones.

`right` is the share of safe ones answered and unsafe ones refused; `over_refusal` and `violation` are the two
errors. A partial refusal counts as one.
"""

from __future__ import annotations

from benchmarks.known_files import known
from benchmarks.safety import Safety, refusal_f1
from benchmarks.task import Row, Sample


def read(row: Row) -> Sample:
    fields = {"prompt": row["prompt"], "harmful": row["label"] == "unsafe"}
    return Sample(id=str(row["id"]), fields=fields, subject=row["type"])


TASKS = (
    Safety(
        name="xstest",
        description="safe requests that look unsafe, and unsafe requests",
        metric="right",
        higher_is_better=True,
        licence="CC-BY-4.0",
        sources={"test": [known("xstest/xstest_prompts.csv", "id", "prompt", "type", "label")]},
        read=read,
        corpus={"macro_f1": refusal_f1},
    ),
)
