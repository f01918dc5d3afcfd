"""MBPP (Austin et al. 2021, arXiv:2108.07732): 500 short Python tasks, run against three assertions each.

`mbpp` has the paper's prompt with its three solved tasks (2, 3 and 4 of the set), as lm-evaluation-harness has it;
`mbpp_chat` asks for a fenced block without examples. Both show the tests, which fix the function's name.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.code import Code, Program, fenced
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

COLUMNS = ("task_id", "text", "test_list")
DONE = "[DONE]"
# Task, tests and code of the set's examples; its line ends are those of Windows.
SOLVED = (
    (
        "Write a function to find the similar elements from the given two tuple lists.",
        (
            "assert similar_elements((3, 4, 5, 6),(5, 7, 4, 10)) == (4, 5)",
            "assert similar_elements((1, 2, 3, 4),(5, 4, 3, 7)) == (3, 4)",
            "assert similar_elements((11, 12, 14, 13),(17, 15, 14, 13)) == (13, 14)",
        ),
        "def similar_elements(test_tup1, test_tup2):\r\n  res = tuple(set(test_tup1) & set(test_tup2))\r\n"
        "  return (res) ",
    ),
    (
        "Write a python function to identify non-prime numbers.",
        (
            "assert is_not_prime(2) == False",
            "assert is_not_prime(10) == True",
            "assert is_not_prime(35) == True",
        ),
        "import math\r\ndef is_not_prime(n):\r\n    result = False\r\n"
        "    for i in range(2,int(math.sqrt(n)) + 1):\r\n        if n % i == 0:\r\n            result = True\r\n"
        "    return result",
    ),
    (
        "Write a function to find the largest integers from a given list of numbers using heap queue algorithm.",
        (
            "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],3)==[85, 75, 65] ",
            "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],2)==[85, 75] ",
            "assert heap_queue_largest( [25, 35, 22, 85, 14, 65, 75, 22, 58],5)==[85, 75, 65, 58, 35]",
        ),
        "import heapq as hq\r\ndef heap_queue_largest(nums,n):\r\n  largest_nums = hq.nlargest(n, nums)\r\n"
        "  return largest_nums",
    ),
)


def read(row: Row) -> Sample:
    fields = {"text": row["text"], "tests": tuple(row["test_list"]), "setup": row.get("test_setup_code") or ""}
    return Sample(id=str(row["task_id"]), fields=fields, target=row.get("code"))


def problem(text: str, tests: Sequence[str]) -> str:
    shown = "\n".join(tests)
    return (
        f"You are an expert Python programmer, and here is your task: {text} "
        f"Your code should pass these tests:\n\n{shown}\n"
    )


def prompt(sample: Sample) -> str:
    solved = [f"{problem(text, tests)}[BEGIN]\n{code}\n{DONE}" for text, tests, code in SOLVED]
    return "\n\n".join([*solved, f"{problem(sample.fields['text'], sample.fields['tests'])}[BEGIN]\n"])


def chat_prompt(sample: Sample) -> str:
    return (
        f"{problem(sample.fields['text'], sample.fields['tests'])}\n"
        "Reply with the code in one fenced block, without the tests."
    )


def program(sample: Sample, completion: str) -> Program:
    block = fenced(completion)
    solution = completion.replace("[BEGIN]", "") if block is None else block
    tests = "\n".join([sample.fields["setup"], *sample.fields["tests"], ""])
    return Program(solution, tests, replaced_builtins(tests))


def replaced_builtins(tests: str) -> tuple[str, ...]:
    """The function that the tests call, if Python has one of that name (`sum` in task 126), which is then another.

    >>> replaced_builtins("assert sum(10,15) == 6"), replaced_builtins("assert set(f(1)) == {1}")
    (('sum',), ())
    """
    used = [node.id for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.Name)]
    return tuple(used[:1]) if used and all(hasattr(builtins, name) for name in used) else ()


WRITTEN = Code(
    name="mbpp",
    dimension="code",
    description="short Python tasks after three solved ones, run against three assertions",
    licence="CC-BY-4.0",
    sources={"test": [known("mbpp/mbpp_test.jsonl", *COLUMNS)]},
    read=read,
    prompt=prompt,
    program=program,
    max_tokens=512,
    stop=(DONE,),
    seconds=10.0,  # the published solution of task 123 needs more than 3
)
TASKS = (
    WRITTEN,
    replace(
        WRITTEN,
        name="mbpp_chat",
        description="short Python tasks to write in a fenced block, run against three assertions",
        prompt=chat_prompt,
    ),
)
