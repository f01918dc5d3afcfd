"""BFCL, the Berkeley function-calling leaderboard, version 4: single turns in Python's categories.

`acc` by AST as published: the calls are compared, never run. `bfcl` gives the functions as `tools`; `bfcl_written`
describes them in the prompt and reads ``[f(x=1)]`` from the text, for endpoints without tools. In `irrelevance`
no call is right; in `live_relevance` any call is. Java, JavaScript and the turns that need simulated services are
excluded.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.function_calls import calls_of, tool, wrong
from benchmarks.known_files import known
from benchmarks.replies import is_truncated
from benchmarks.task import Outcome, Reply, Request, RequestType, Row, Sample, Task, failed, scored, unparsed

ANSWERED = (
    "simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_parallel",
    "live_parallel_multiple",
)  # fmt: skip
UNANSWERED = {"irrelevance": 0, "live_relevance": 1}  # calls, at least
PREFIX = "BFCL_v4_"

INSTRUCTION = (
    "You can call the functions below. If the request can be met with them, reply with the calls alone, as a "
    "Python list such as [name(argument=value), other(argument=value)]. If none of them fits, or a required "
    "argument is not given, say so in words.\n\n"
)


@dataclass(frozen=True, kw_only=True)
class BFCL(Task):
    written: bool = False  # the functions in the prompt instead of `tools`
    answers: Mapping[str, Sequence[Mapping[str, object]]] = field(default_factory=dict)

    def prepare(self, extra: Mapping[str, Sequence[Row]]) -> Task:
        return replace(self, answers={row["id"]: row["ground_truth"] for row in extra["answers"]})

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [self.sample(row) for row in rows]

    def sample(self, row: Row) -> Sample:
        category = row["_file"].removeprefix(PREFIX)
        if category in ANSWERED and row["id"] not in self.answers:
            raise BadData(
                f"{location(row)}: {row['id']!r} has no accepted answer. Download possible_answer/ again."
            )
        fields = {"messages": row["question"][0], "functions": row["function"]}
        return Sample(id=row["id"], fields=fields, target=self.answers.get(row["id"]), subject=category)

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        messages, functions = list(sample.fields["messages"]), sample.fields["functions"]
        body = {"max_tokens": 1024, "temperature": 0.0}
        if not self.written:
            return [{**body, "messages": messages, "tools": [tool(function) for function in functions]}]
        described = INSTRUCTION + "\n".join(json.dumps(function, ensure_ascii=False) for function in functions)
        return [{**body, "messages": [{"role": "system", "content": described}, *messages]}]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        reply = replies[0]
        if reply is None:
            return failed()
        if is_truncated(reply):
            return unparsed("truncated")
        calls = calls_of(reply)
        shown = json.dumps([{call.name: call.arguments} for call in calls or []], default=str, ensure_ascii=False)
        if sample.subject in UNANSWERED:
            right = bool(calls) == bool(UNANSWERED[sample.subject])
            return scored({"acc": float(right), "calls": float(len(calls or []))}, shown)
        if calls is None:
            return unparsed("the calls cannot be read", str(reply["choices"][0]["message"])[:500])
        reason = wrong(calls, sample.fields["functions"], sample.target)
        return scored(
            {"acc": float(not reason), "calls": float(len(calls))}, f"{reason}: {shown}" if reason else shown
        )


TOOLS = BFCL(
    name="bfcl",
    dimension="reasoning",
    metric="acc",
    description="function calls with the server's tools",
    licence="Apache-2.0",
    sources={
        "test": [
            known(f"bfcl_v4/{PREFIX}{category}.json", "id", "question", "function")
            for category in (*ANSWERED, *UNANSWERED)
        ],
        "answers": [
            known(f"bfcl_v4/possible_answer/{PREFIX}{category}.json", "id", "ground_truth")
            for category in ANSWERED
        ],
    },
)
TASKS = (
    TOOLS,
    replace(TOOLS, name="bfcl_written", description="function calls, written as text", written=True),
)
