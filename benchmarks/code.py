"""Tasks whose answer is a Python program: the program to run, and the score of its runs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any

from benchmarks.annotations import EXECUTION, AnnotatedTask, missing
from benchmarks.generation import before
from benchmarks.replies import chat, words
from benchmarks.task import Outcome, Reply, Request, RequestType, Row, Sample, failed, scored

BLOCK = re.compile(r"```(?:python|py|Python)?[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
AT = (1, 5, 10, 100)  # the k of pass@k that are reported, as far as there are so many completions


def pass_at_k(completions: int, passed: int, k: int) -> float:
    """The probability that at least one of k completions passes, drawn from n of which c pass.

    ``1 - Π_{i=n-c+1..n} (1 - k/i)``, and 1 where fewer than k fail. Unbiased (Chen et al. 2021, arXiv:2107.03374).
    """
    if not 0 <= passed <= completions or not 1 <= k <= completions:
        raise ValueError(
            f"{passed} of {completions} passed, k={k}. Give 0 ≤ passed ≤ completions and 1 ≤ k ≤ completions."
        )
    if completions - passed < k:
        return 1.0
    return 1.0 - prod(1.0 - k / i for i in range(completions - passed + 1, completions + 1))


def fenced(text: str, name: str = "") -> str | None:
    """The last fenced block that defines `name`, else the longest; None without a fence."""
    blocks: list[str] = BLOCK.findall(text)
    defining = [
        block for block in blocks if name and re.search(rf"^\s*(?:def|class) {re.escape(name)}\b", block, re.M)
    ]
    if defining:
        return defining[-1]
    return max(blocks, key=len) if blocks else None


@dataclass(frozen=True)
class Program:
    """A solution, and the tests that use it, which run in a process that the solution cannot reach.

    A name that neither the tests nor Python define is the solution's. Values that cross are plain data: numbers, texts,
    lists, tuples, sets and dicts; a test cannot give the solution a function.
    """

    solution: str
    tests: str
    names: tuple[str, ...] = ()  # of the solution, although Python defines them too

    def __str__(self) -> str:
        return f"{self.solution}\n{self.tests}"


@dataclass(frozen=True, kw_only=True)
class Code(AnnotatedTask):
    """A task with programs. `prompt` is the request and `program` the program of a sample and its completion.

    With `repeats` > 1 every sample has that many completions, at `temperature` and with different seeds.
    """

    read: Callable[[Row], Sample]
    prompt: Callable[[Sample], str]
    program: Callable[[Sample, str], Program]
    needs: str = EXECUTION
    metric: str = "pass@1"
    max_tokens: int = 1024
    stop: tuple[str, ...] = ()
    repeats: int = 1
    temperature: float = 0.0
    seconds: float = 3.0  # that a program may run, as in HumanEval

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [self.read(row) for row in rows]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        body = chat(self.prompt(sample), self.max_tokens, self.stop, self.temperature)
        return [body] if self.repeats == 1 else [{**body, "seed": number} for number in range(self.repeats)]

    def to_annotate(self, sample: Sample, reply: Reply) -> Any:
        """The program; also of a truncated completion, which may still contain a whole program."""
        text = words(reply, truncated=True)
        return None if isinstance(text, Outcome) else asdict(self.program(sample, before(text, self.stop)))

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        """pass@k over the replies; a reply without text does not pass."""
        there = [reply for reply in self.annotate(sample, replies) if reply is not None]
        if not there:
            return failed()
        if len(there) == 1 and isinstance(silence := words(there[0], truncated=True), Outcome):
            return silence
        if reason := missing(there, EXECUTION):
            return failed(f"{reason}: the program was not run")
        runs: list[Mapping[str, Any]] = [reply[EXECUTION] or {"passed": False} for reply in there]
        passed = sum(bool(run["passed"]) for run in runs)
        metrics = {f"pass@{k}": pass_at_k(len(runs), passed, k) for k in AT if k <= len(runs)}
        return scored(metrics, "; ".join(str(run.get("reason") or "passed") for run in runs))
