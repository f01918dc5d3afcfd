"""Run the published solutions of HumanEval and MBPP in the sandbox: pass rate and time.

ARENA_DATA_DIR=... python reproduce/code_solutions.py
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

from arena.benchmarking.annotators import program_runner
from benchmarks.data import DataSources, task_rows
from benchmarks.tasks import shipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    folder = os.environ.get("ARENA_DATA_DIR") or os.environ.get("ARENA_TEST_DATA")
    if folder is None:
        raise SystemExit("ARENA_DATA_DIR is not set. Set it to the folder that has humaneval/ and mbpp/.")
    for name in ("humaneval", "mbpp"):
        task = shipped()[name]
        samples = task.samples(task_rows(task, DataSources(Path(folder), hub=False))["test"])
        replies = [
            {"choices": [{"message": {"content": sample.target}, "finish_reason": "stop"}]} for sample in samples
        ]
        programs = [task.to_annotate(sample, reply) for sample, reply in zip(samples, replies, strict=True)]
        began = time.perf_counter()
        runs = program_runner(task.seconds)(programs)
        seconds = time.perf_counter() - began
        failed = {sample.id: run["reason"] for sample, run in zip(samples, runs, strict=True) if not run["passed"]}
        share = f"{len(runs) - len(failed)} of {len(runs)}"
        print(f"{name}: {share} pass in {seconds:.1f} s; failed: {failed or 'none'}")


if __name__ == "__main__":
    main()
