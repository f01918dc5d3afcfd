"""MBPP (Austin et al. 2021, arXiv:2108.07732): 500 short Python tasks, run against three assertions each.

Asked without examples: the three of the paper are in another split. The paper's sentence and its tests are shown,
since they fix the function's name.
"""

from __future__ import annotations

from benchmarks.code import Code, fenced
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

COLUMNS = ("task_id", "text", "test_list")
DONE = "[DONE]"


def read(row: Row) -> Sample:
    fields = {"text": row["text"], "tests": tuple(row["test_list"]), "setup": row.get("test_setup_code") or ""}
    return Sample(id=str(row["task_id"]), fields=fields, target=row.get("code"))


def prompt(sample: Sample) -> str:
    tests = "\n".join(sample.fields["tests"])
    return (
        f"You are an expert Python programmer, and here is your task: {sample.fields['text']} "
        f"Your code should pass these tests:\n\n{tests}\n\n"
        "Reply with the code in one fenced block, without the tests."
    )


def program(sample: Sample, completion: str) -> str:
    block = fenced(completion)
    solution = completion.replace("[BEGIN]", "") if block is None else block
    return "\n".join([solution, sample.fields["setup"], *sample.fields["tests"], ""])


TASKS = (
    Code(
        name="mbpp",
        dimension="code",
        description="short Python tasks, run against three assertions",
        licence="CC-BY-4.0",
        sources={"test": [known("mbpp/mbpp_test.jsonl", *COLUMNS)]},
        read=read,
        prompt=prompt,
        program=program,
        max_tokens=512,
        stop=(DONE,),
        seconds=10.0,  # the published solution of task 123 needs more than 3
    ),
)
