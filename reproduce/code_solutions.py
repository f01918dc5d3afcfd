"""The published solutions of HumanEval and MBPP, run in the sandbox: how many pass, and how fast.

ARENA_DATA_DIR=... python reproduce/code_solutions.py
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from arena.benchmarking.annotators import runner
from benchmarks.data import DataSources, task_rows
from benchmarks.tasks import shipped


def main():
    folder = os.environ.get("ARENA_DATA_DIR") or os.environ.get("ARENA_TEST_DATA")
    if folder is None:
        raise SystemExit("set ARENA_DATA_DIR to the folder with humaneval/ and mbpp/ in it")
    for name in ("humaneval", "mbpp"):
        task = shipped()[name]
        samples = task.samples(task_rows(task, DataSources(Path(folder), hub=False))["test"])
        replies = [{"choices": [{"message": {"content": one.target}, "finish_reason": "stop"}]} for one in samples]
        programs = [task.to_annotate(one, reply) for one, reply in zip(samples, replies, strict=True)]
        began = time.perf_counter()
        found = runner(task.seconds)(programs)
        seconds = time.perf_counter() - began
        failed = {one.id: run["reason"] for one, run in zip(samples, found, strict=True) if not run["passed"]}
        share = f"{len(found) - len(failed)} of {len(found)}"
        print(f"{name}: {share} pass in {seconds:.1f} s; failed: {failed or 'none'}")


if __name__ == "__main__":
    main()
