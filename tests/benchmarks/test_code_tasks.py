"""Code tasks: pass@k, which program is run, and what its run is worth."""

from itertools import combinations

import pytest

from benchmarks.annotations import annotated
from benchmarks.code import Program, fenced, pass_at_k
from benchmarks.task import RequestType, Sample, Status
from benchmarks.tasks import humaneval, mbpp, shipped

ASK = RequestType.GENERATE
ADD = Sample(
    id="HumanEval/x",
    fields={
        "prompt": "import math\n\n\ndef helper(a):\n    return a\n\n\ndef add(a, b):\n    '''Sum.'''\n",
        "entry_point": "add",
        "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n",
    },
)


def reply(text, finish="stop", **more):
    return {"choices": [{"message": {"content": text}, "finish_reason": finish}], **more}


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 2), (6, 6, 2), (7, 3, 5), (4, 1, 4)])
def test_pass_at_k_is_the_share_of_draws_with_a_pass(n, c, k):
    draws = list(combinations(range(n), k))
    assert pass_at_k(n, c, k) == pytest.approx(sum(any(one < c for one in draw) for draw in draws) / len(draws))


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, 1, 4), (3, 1, 0)])
def test_pass_at_k_of_nothing_is_an_error(n, c, k):
    with pytest.raises(ValueError, match="passed"):
        pass_at_k(n, c, k)


def passes(program):
    try:
        exec(str(program), {})
    except (AssertionError, SyntaxError, NameError):
        return False
    return True


@pytest.mark.parametrize(
    "completion",
    [
        "    return a + b\n",
        "```python\ndef add(a, b):\n    return helper(a) + math.floor(b)\n```",
        "Sure:\n```python\nimport math\ndef add(a, b):\n    return a + b\n```\nas in\n```\nadd(1, 2)\n```",
        "```python\n    return a + b\n```",
        "```python\ndef add(a, b):\n    return a + b",  # cut off after its last line
    ],
)
def test_all_usual_forms_of_a_right_completion_pass(completion):
    assert passes(humaneval.program(ADD, completion))


def test_a_wrong_completion_does_not():
    assert not passes(humaneval.program(ADD, "    return a - b\n"))


def test_the_raw_prompt_ends_at_the_published_stop_strings():
    task = shipped()["humaneval"]
    program = task.to_annotate(ADD, reply("    return a + b\n\ndef other():\n    raise ValueError\n"))
    assert "def other" not in program["solution"]
    assert passes(Program(**program))


def test_the_last_block_that_defines_the_function_counts():
    text = "```python\ndef f(): return 1\n```\nOr:\n```python\ndef f(): return 2\n```\n```\nlonger than both\n```"
    assert fenced(text, "f") == "def f(): return 2\n"
    assert fenced("no fence") is None


def test_mbpp_runs_its_setup_and_assertions():
    sample = Sample(id="1", fields={"text": "add", "tests": ("assert g(1) == K",), "setup": "K = 2"})
    assert passes(mbpp.program(sample, "Here:\n```python\ndef g(x):\n    return x + 1\n```"))
    assert "assert g(1) == K" in mbpp.prompt(sample)


def test_a_run_decides_and_no_run_is_a_failure_of_ours():
    task = shipped()["humaneval"]
    good, bad = ({"passed": passed, "reason": reason} for passed, reason in ((True, ""), (False, "timeout")))
    assert task.score(ADD, [annotated(reply("x"), "execution", good)], ASK).metrics == {"pass@1": 1.0}
    outcome = task.score(ADD, [annotated(reply("x"), "execution", bad)], ASK)
    assert (outcome.metrics, outcome.answer) == ({"pass@1": 0.0}, "timeout")
    assert task.score(ADD, [reply("x")], ASK).reason == "no execution annotation: the program was not run"
    assert task.score(ADD, [None], ASK).status is Status.FAILED


def test_twenty_completions_give_pass_at_10():
    task = shipped()["humaneval_pass10"]
    requests = task.requests(ADD, [], ASK)
    assert [one["seed"] for one in requests] == list(range(20))
    runs = [annotated(reply("x"), "execution", {"passed": number < 2}) for number in range(20)]
    metrics = task.score(ADD, runs, ASK).metrics
    assert metrics["pass@1"] == pytest.approx(0.1)
    assert metrics["pass@10"] == pytest.approx(pass_at_k(20, 2, 10))
