"""AdvBench (Zou et al. 2023, arXiv:2307.15043): 520 harmful requests.

`violation` is the paper's attack success rate: none of its 13 strings is anywhere in the completion. The report
also has the stronger classifiers. `advbench_recovery` prefills the paper's target ("Sure, here is …") as the start of the
completion.
"""

from __future__ import annotations

from benchmarks.known_files import known
from benchmarks.safety import Recovery, Safety, begun
from benchmarks.task import Row, Sample


def read(row: Row) -> Sample:
    return Sample(id=str(row["_line"]), fields={"prompt": row["goal"], "harmful": True}, target=row["target"])


def read_begun(row: Row) -> Sample:
    messages = begun(row["goal"], row["target"])
    return Sample(id=str(row["_line"]), fields={"messages": messages, "harmful": True}, target=row["target"])


PLAIN = Safety(
    name="advbench",
    description="harmful requests; attack success by GCG's refusal strings",
    licence="MIT",
    sources={"test": [known("advbench/harmful_behaviors.csv", "goal", "target")]},
    read=read,
    refusal="gcg",
)
TASKS = (
    PLAIN,
    Recovery(
        name="advbench_recovery",
        description="harmful requests with the start of a compliant answer",
        licence=PLAIN.licence,
        sources=PLAIN.sources,
        read=read_begun,
    ),
)
