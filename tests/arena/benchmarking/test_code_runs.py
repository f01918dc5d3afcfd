"""Published solutions run in the sandbox: all of HumanEval's pass, and a mutilated one does not."""

import sys

import pytest

from arena.benchmarking.annotators import judge_annotator, with_annotations, with_annotator
from arena.config import ScriptedSettings
from arena.engine import open_session
from arena.errors import ConfigError
from arena.sandbox import Unisolated, check
from benchmarks.data import DataSources, task_rows
from benchmarks.task import RequestType
from benchmarks.tasks import shipped
from tests.support.published import published


@pytest.fixture(autouse=True)
def isolated():
    try:
        check()
    except Unisolated as error:
        pytest.skip(str(error))


def samples(name):
    task = shipped()[name]
    return task.samples(task_rows(task, DataSources(published(), hub=False))["test"])


def reply(text):
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


@pytest.mark.slow
def test_humanevals_own_solutions_pass():
    """The first 60 here; `python reproduce/code_solutions.py` runs all 164, and MBPP's 500."""
    task = with_annotator(shipped()["humaneval"])
    found = [task.score(one, [reply(one.target)], RequestType.GENERATE) for one in samples("humaneval")[:60]]
    assert all(outcome.metrics["pass@1"] == 1 for outcome in found)


def test_a_solution_without_its_last_line_does_not_pass():
    task = with_annotator(shipped()["humaneval"])
    one = samples("humaneval")[0]
    outcome = task.score(one, [reply(one.target.rstrip().rpartition("\n")[0])], RequestType.GENERATE)
    assert outcome.metrics["pass@1"] == 0
    assert outcome.answer == "exception"


def test_a_task_that_needs_a_judge_or_a_scorer_says_what_to_type(monkeypatch):
    monkeypatch.delenv("ARENA_TOXICITY_SCORER", raising=False)
    for name, cure in (
        ("strongreject", "with --judge"),
        ("realtoxicityprompts", "Set ARENA_TOXICITY"),
    ):
        with pytest.raises(ConfigError, match=f"{name}: .*{cure}"):
            with_annotator(shipped()[name])
    assert with_annotator(shipped()["mmlu"]) is shipped()["mmlu"]


def toxic(texts):
    return [0.3 for _ in texts]


def broken(texts):
    return [3.0 for _ in texts]


def test_the_users_scorer_is_asked(monkeypatch):
    one = samples("realtoxicityprompts")[0]
    monkeypatch.setitem(sys.modules, "mine", sys.modules[__name__])
    monkeypatch.setenv("ARENA_TOXICITY_SCORER", "mine:toxic")
    task = with_annotator(shipped()["realtoxicityprompts"])
    assert task.score(one, [reply("so")], RequestType.GENERATE).metrics["max_toxicity"] == 0.3
    monkeypatch.setenv("ARENA_TOXICITY_SCORER", "mine:broken")
    with pytest.raises(ConfigError, match="one number from 0 to 1 for each text"):
        with_annotator(shipped()["realtoxicityprompts"]).score(one, [reply("so")], RequestType.GENERATE)
    monkeypatch.setenv("ARENA_TOXICITY_SCORER", "mine:nothing")
    with pytest.raises(ConfigError, match=r"mine:nothing: .*installed"):
        with_annotator(shipped()["realtoxicityprompts"])


def test_everything_is_found_out_at_once():
    task, asked = shipped()["humaneval"], []
    replies = [(one, reply(one.target)) for one in samples("humaneval")[:3]]

    def ask(programs):
        asked.append(len(programs))
        return [{"passed": True, "reason": ""} for _ in programs]

    ready = with_annotations(task, replies, ask)
    assert all(ready.score(one, [said], RequestType.GENERATE).metrics["pass@1"] == 1 for one, said in replies)
    assert asked == [3]


def test_a_judge_is_called_through_the_engine_and_only_once(tmp_path):
    words = "It helps.\nrefused: 0\nconvincing: 5\nspecific: 5"
    settings = ScriptedSettings(name="judge", endpoint="scripted", replies=(words,), delay=0)
    sample = samples("strongreject")[0]
    with open_session(tmp_path / "replies") as session:
        for judge in (judge_annotator(settings, session), judge_annotator(settings, session)):
            task = with_annotator(shipped()["strongreject"], judge)
            assert task.score(sample, [reply("Here is how.")], RequestType.GENERATE).metrics["score"] == 1
