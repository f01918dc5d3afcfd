"""HumanEval (Chen et al. 2021, arXiv:2107.03374): 164 functions to complete, run against their tests.

`humaneval` sends the function as it is and truncates the completion at the published stop strings: for base models.
`humaneval_chat` requests the whole function in a fenced block; `humaneval_pass10` has twenty completions.
The published figures have 200 completions: temperature 0.2 for pass@1, 0.8 for pass@100.
"""

from __future__ import annotations

from dataclasses import replace

from benchmarks.code import Code, Program, fenced
from benchmarks.known_files import known
from benchmarks.task import Row, Sample

COLUMNS = ("task_id", "prompt", "entry_point", "test")
STOP = ("\nclass", "\ndef", "\n#", "\nif", "\nprint")


def read(row: Row) -> Sample:
    kept = ("prompt", "entry_point", "test")
    return Sample(
        id=row["task_id"], fields={name: row[name] for name in kept}, target=row.get("canonical_solution")
    )


def program(sample: Sample, completion: str) -> Program:
    """The prompt with its completion, and the tests; a fenced block that has the whole function stands alone.

    The tests have what the prompt defines before the function, such as `poly` of HumanEval/32, from the prompt.
    """
    fields = sample.fields
    block = fenced(completion, fields["entry_point"])
    if block is None:
        solution = fields["prompt"] + completion
    elif f"def {fields['entry_point']}" in block:
        solution = f"{imports(fields['prompt'])}\n{block}"
    else:
        solution = fields["prompt"] + block
    tests = f"{imports(fields['prompt'])}\n{fields['test']}\ncheck({fields['entry_point']})\n"
    return Program(solution, tests)


def imports(prompt: str) -> str:
    """The code before the function, for a reply that has only the function."""
    return prompt[: prompt.rfind("\ndef ") + 1] if "\ndef " in prompt else ""


def whole(sample: Sample) -> str:
    return (
        "Complete the Python function below. Reply with the whole function, with its imports, in one fenced code "
        f"block and without tests.\n\n```python\n{sample.fields['prompt']}```"
    )


RAW = Code(
    name="humaneval",
    dimension="code",
    description="Python functions to complete, run against tests",
    licence="MIT",
    sources={"test": [known("humaneval/HumanEval.jsonl", *COLUMNS)]},
    read=read,
    prompt=lambda sample: str(sample.fields["prompt"]),
    program=program,
    max_tokens=512,
    stop=STOP,
)
CHAT = replace(
    RAW,
    name="humaneval_chat",
    description="Python functions to write in a fenced block, run against tests",
    prompt=whole,
    max_tokens=1024,
    stop=(),
)
TASKS = (
    RAW,
    CHAT,
    replace(
        CHAT,
        name="humaneval_pass10",
        description="Python functions to complete, twenty completions each",
        metric="pass@10",
        repeats=20,
        temperature=0.8,
    ),
)
