"""Published solutions run in the sandbox: all of HumanEval's pass, and a mutilated one does not."""

import os
from pathlib import Path

import pytest

from arena.annotating import equipped
from arena.errors import ConfigError
from arena.sandbox import Unisolated, check
from benchmarks.data import Roads, task_rows
from benchmarks.task import Rung
from benchmarks.tasks import shipped

FOLDER = Path(os.environ.get("ARENA_TEST_DATA", Path(__file__).parents[3] / "shared/data"))


@pytest.fixture(autouse=True)
def isolated():
    try:
        check()
    except Unisolated as error:
        pytest.skip(str(error))


def samples(name):
    if not FOLDER.is_dir():
        pytest.skip(f"no test data at {FOLDER}: set ARENA_TEST_DATA")
    task = shipped()[name]
    return task.samples(task_rows(task, Roads(FOLDER, hub=False))["test"])


def reply(text):
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


@pytest.mark.slow
def test_humanevals_own_solutions_pass():
    """The first 60 here; `python bench/code_solutions.py` runs all 164, and MBPP's 500."""
    task = equipped(shipped()["humaneval"])
    found = [task.score(one, [reply(one.target)], Rung.GENERATE) for one in samples("humaneval")[:60]]
    assert all(outcome.metrics["pass@1"] == 1 for outcome in found)


def test_a_solution_without_its_last_line_does_not_pass():
    task = equipped(shipped()["humaneval"])
    one = samples("humaneval")[0]
    outcome = task.score(one, [reply(one.target.rstrip().rpartition("\n")[0])], Rung.GENERATE)
    assert outcome.metrics["pass@1"] == 0
    assert outcome.answer == "exception"


def test_a_task_that_needs_a_judge_or_a_scorer_says_so():
    for name, said in (("strongreject", "needs a judge"), ("realtoxicityprompts", "needs a toxicity scorer")):
        with pytest.raises(ConfigError, match=f"{name}: it {said}"):
            equipped(shipped()[name])


def test_a_given_annotator_is_used():
    task = equipped(shipped()["realtoxicityprompts"], {"toxicity": lambda texts: [0.3 for _ in texts]})
    one = samples("realtoxicityprompts")[0]
    assert task.score(one, [reply("so")], Rung.GENERATE).metrics["max_toxicity"] == 0.3
    assert equipped(shipped()["mmlu"]) is shipped()["mmlu"]
