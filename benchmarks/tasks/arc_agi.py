"""ARC-AGI (Chollet 2019, arXiv:1911.01547), first and second set: grids as digits, the whole grid has to be right.

Two attempts for every test grid; a sample counts as solved when each of its grids is right in one of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.known_files import known
from benchmarks.replies import chat, words
from benchmarks.task import Outcome, Reply, Request, RequestType, Row, Sample, Task, failed, scored, unparsed

ATTEMPTS = 2
GRID_LINE = re.compile(r"^[\s|\[(]*\d(?:[\s,]*\d)*[\s|\]),]*$")
INSTRUCTION = (
    "Below are pairs of grids; each digit is a colour. One rule turns every input into its output. Find the rule "
    "and apply it to the last input. Write the output grid at the end of your answer, one row a line, digits "
    "parted by spaces, and nothing after it."
)

Grid = list[list[int]]


def drawn(grid: Grid) -> str:
    return "\n".join(" ".join(map(str, row)) for row in grid)


def last_grid(text: str) -> Grid | None:
    """The last block of lines that are digits alone, as a rectangle; None where there is none."""
    block: Grid = []
    grid: Grid | None = None
    for line in [*text.split("\n"), ""]:
        if GRID_LINE.match(line):
            block.append([int(digit) for digit in re.findall(r"\d", line)])
        elif block and line.strip(" `"):
            grid, block = block, []
    grid = block or grid
    return grid if grid and len({len(row) for row in grid}) == 1 else None


@dataclass(frozen=True, kw_only=True)
class ArcAgi(Task):
    max_tokens: int = 8192
    temperature: float = 0.7

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        every = {name: puzzle for row in rows for name, puzzle in row.items() if not name.startswith("_")}
        return [
            Sample(id=name, fields={"train": puzzle["train"], "inputs": [pair["input"] for pair in puzzle["test"]]},
                   target=[pair["output"] for pair in puzzle["test"]])
            for name, puzzle in every.items()
        ]  # fmt: skip

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        return [
            {**chat(self.prompt(sample, grid), self.max_tokens, (), self.temperature), "seed": attempt}
            for grid in sample.fields["inputs"]
            for attempt in range(ATTEMPTS)
        ]

    def prompt(self, sample: Sample, grid: Grid) -> str:
        pairs = [
            f"Input {number}:\n{drawn(pair['input'])}\n\nOutput {number}:\n{drawn(pair['output'])}"
            for number, pair in enumerate(sample.fields["train"], 1)
        ]
        last = len(pairs) + 1
        return "\n\n".join([INSTRUCTION, *pairs, f"Input {last}:\n{drawn(grid)}", f"Output {last}:"])

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        """`grids` is the share of test grids that are right."""
        if any(reply is None for reply in replies):
            return failed()
        tried: list[list[Any]] = [
            [_grid(reply) for reply in replies[at * ATTEMPTS : (at + 1) * ATTEMPTS]]
            for at in range(len(sample.target))
        ]
        if all(isinstance(grid, Outcome) for attempts in tried for grid in attempts):
            first: Outcome = tried[0][0]
            return first
        right = [target in attempts for target, attempts in zip(sample.target, tried, strict=True)]
        metrics = {"solved": float(all(right)), "grids": sum(right) / len(right)}
        return scored(metrics, f"{sum(right)} of {len(right)} grids")


def _grid(reply: Reply | None) -> Grid | Outcome:
    text = words(reply)
    if isinstance(text, Outcome):
        return text
    return last_grid(text) or unparsed("no grid", text)


def task(name: str, file: str, description: str) -> ArcAgi:
    return ArcAgi(
        name=name,
        dimension="reasoning",
        metric="solved",
        description=description,
        licence="Apache-2.0",
        sources={"test": [known(file)]},
        counted=("grids",),
    )


TASKS = (
    task("arc_agi_1", "arc_agi/arc_agi_1_evaluation.json", "puzzles of coloured grids, public evaluation set"),
    task("arc_agi_2", "arc_agi/arc_agi_2_evaluation.json", "harder puzzles of coloured grids, public set"),
)
