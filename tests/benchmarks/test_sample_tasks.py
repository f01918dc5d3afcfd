"""The sample items that ship: each task reads its own, a perfect model has every one right and a wrong one none."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from arena.benchmarking.annotators import program_runner
from arena.benchmarking.selection import SelectionOptions, select
from arena.benchmarking.task_specs import TaskSpec, sample_specs
from arena.errors import ConfigError
from benchmarks.annotations import AnnotatedTask
from benchmarks.choice import MultipleChoice
from benchmarks.data import DataSources
from benchmarks.known_files import known_files
from benchmarks.letters import LETTERS
from benchmarks.report import report
from benchmarks.safety import HARMFUL, Safety
from benchmarks.sample_tasks import FOLDER, SHOWN, SUFFIX, is_sample, sample_tasks, token_limit
from benchmarks.task import RequestType, dimensions
from benchmarks.tasks import shipped
from benchmarks.tasks.arc_agi import drawn

ANSWERED = (*SHOWN, "svamp", "ceval", "arc_challenge", "mbpp_chat", "advbench", "math", "mmlu_pro", "arc_agi_1")
COMPARED = (
    "crows_pairs",
    "stereoset",
)  # sentences whose likelihoods are compared; the other sets of files are above
WRITTEN = json.loads((Path(__file__).parent / "sample_replies.json").read_text())


def selected(name):
    return select(TaskSpec(sample_tasks()[name]), DataSources(None, hub=False), SelectionOptions())


def said(text):
    return {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}


def picked(letter):
    content = [{"token": letter, "top_logprobs": [{"token": letter, "logprob": -0.1}]}]
    return {
        "choices": [{"message": {"content": letter}, "finish_reason": "length", "logprobs": {"content": content}}]
    }


def letter(sample, *, right):
    return LETTERS[sample.target if right else (sample.target + 1) % len(sample.choices)]


def choice_replies(task, sample, right):
    """One reply, or one for each order of the choices."""
    if not task.name.startswith("mmlu_circular"):
        return [picked(letter(sample, right=right))]
    size = len(sample.choices)
    targets = [(sample.target - turn) % size for turn in range(size)]
    return [picked(LETTERS[target if right else (target + 1) % size]) for target in targets]


def call_text(sample, right):
    if sample.target is None:  # no function fits
        name = sample.fields["functions"][0]["name"]
        return "None of the functions fits." if right else f"[{name}(x=1)]"
    ((name, accepted),) = sample.target[0].items()
    arguments = ", ".join(f"{key}={values[0]!r}" for key, values in accepted.items() if values[0] != "")
    return f"[{name}({arguments})]" if right else f"[{name}()]"


def text_of(name, sample, right):
    """What a perfect or a wrong model writes."""
    if name == "ifeval":
        return WRITTEN["ifeval"][sample.id][0 if right else 1]
    if name in ("humaneval_chat", "mbpp_chat"):
        stub = sample.fields.get("prompt", "") if right else ""
        return f"```python\n{stub}{sample.target if right else 'pass'}\n```"
    if name == "bfcl_written":
        return call_text(sample, right)
    if name in ("triviaqa", "nq_open"):
        return sample.target[0] if right else "marmalade"
    if name in ("gsm8k", "svamp"):
        return f"The answer is {sample.target if right else float(sample.target) + 1}."
    if name == "bbh":
        return f"So the answer is {sample.target if right else 'marmalade'}."
    if name == "math":
        return f"The answer is $\\boxed{{{sample.target if right else 'marmalade'}}}$."
    if name == "mmlu_pro":
        return f"The answer is ({letter(sample, right=right)})."
    assert name == "lambada"
    return sample.target if right else "marmalade"


def replies(task, sample, right):
    if isinstance(task, MultipleChoice):
        return choice_replies(task, sample, right), RequestType.FIRST_TOKEN
    if isinstance(task, Safety):
        refuse = sample.fields[HARMFUL] == right
        text = "I'm sorry, but I cannot help with that." if refuse else "Sure. First, take a pen and paper."
        return [said(text)], RequestType.GENERATE
    if task.name == f"arc_agi_1{SUFFIX}":
        grids = [drawn(grid if right else [[9, *grid[0]]]) for grid in sample.target]
        return [said(f"The rule is found.\n{grid}") for grid in grids for _ in range(2)], RequestType.GENERATE
    return [said(text_of(task.name.removesuffix(SUFFIX), sample, right))], RequestType.GENERATE


def outcome_value(name, right):
    chosen = selected(name)
    task = chosen.task
    if isinstance(task, AnnotatedTask):
        task = replace(task, annotator=program_runner(3.0))
    outcomes = [task.score(sample, *replies(task, sample, right)) for sample in chosen.samples]
    return report(task, chosen.samples, outcomes), outcomes


@pytest.mark.parametrize("name", sorted(sample_tasks()))
def test_every_sample_is_read_by_its_own_task(name):
    chosen = selected(name)
    assert len(chosen.samples) == 20
    examples = chosen.examples()
    for sample in chosen.samples:
        shots = examples(sample)
        assert len(shots) == chosen.shots
        assert all(chosen.task.requests(sample, shots, kind) for kind in chosen.task.request_types)


@pytest.mark.parametrize(
    "name",
    [pytest.param(f"{name}{SUFFIX}", marks=[pytest.mark.slow] if "_chat" in name else []) for name in ANSWERED],
)
def test_a_perfect_model_has_every_item_right_and_a_wrong_one_none(name):
    task = sample_tasks()[name]
    metric = "right" if isinstance(task, Safety) else "acc" if "wino" in name else task.metric
    found, outcomes = outcome_value(name, right=True)
    assert [one.metrics.get(metric) for one in outcomes] == [0.0 if metric == "violation" else 1.0] * 20
    assert (found.scored, found.unparsed, found.failed) == (20, 0, 0)
    _, outcomes = outcome_value(name, right=False)
    assert [one.metrics.get(metric, 0.0) for one in outcomes] == [0.0] * 20


@pytest.mark.parametrize(("name", "best", "worst"), [("crows_pairs", 0.0, 0.5), ("stereoset", 100.0, 0.0)])
def test_a_model_with_no_preference_has_the_best_value_and_one_that_prefers_stereotypes_the_worst(
    name, best, worst
):
    chosen = selected(f"{name}{SUFFIX}")

    def value(fair):
        outcomes = []
        for number, sample in enumerate(chosen.samples):
            by_place = [-10.0, -20.0, -50.0] if number % 2 or not fair else [-20.0, -10.0, -50.0]
            replies = [{"logprob": logprob, "tokens": 5} for logprob in by_place[: len(sample.choices)]]
            outcomes.append(chosen.task.score(sample, replies, RequestType.LOGLIKELIHOOD))
        return report(chosen.task, chosen.samples, outcomes).value

    assert value(fair=True) == pytest.approx(best)
    assert value(fair=False) == pytest.approx(worst)


def test_every_dimension_is_shown_by_at_least_twenty_tasks():
    names = [spec.task.name for spec in sample_specs([])]
    assert len(names) >= 20
    assert {spec.task.dimension for spec in sample_specs([])} == set(dimensions())
    assert [spec.task.name for spec in sample_specs(["mmlu:astronomy", "dimension:values"])] == [
        "mmlu-sample", "hhh-sample",
    ]  # fmt: skip


def test_a_sample_is_another_task_than_its_benchmark():
    for name, task in sample_tasks().items():
        origin = shipped()[name.removesuffix(SUFFIX)]
        assert "not the published items" in task.description
        assert {source.sha256 for files in task.sources.values() for source in files}.isdisjoint(
            file.sha256 for file in known_files().values()
        )
        assert (task.metric, task.dimension) == (origin.metric, origin.dimension)
        assert is_sample(name)
        assert not is_sample(origin.name)


def test_a_task_without_items_says_where_to_look():
    with pytest.raises(ConfigError, match="arc_agi_2: This task has no sample items"):
        sample_specs(["arc_agi_2"])


def test_every_file_belongs_to_a_task_and_right_answers_are_spread():
    used = {
        Path(source.file)
        for task in sample_tasks().values()
        for files in task.sources.values()
        for source in files
    }
    assert {path for path in FOLDER.rglob("*") if path.is_file()} - used == {FOLDER / "NOTICE"}
    for name in (f"{name}{SUFFIX}" for name in ANSWERED):
        if isinstance(sample_tasks()[name], MultipleChoice):
            targets = [sample.target for sample in selected(name).samples]
            assert max(targets.count(target) for target in set(targets)) <= 13, name


@pytest.mark.parametrize("name", ["bfcl_written", "ifeval"])
def test_right_replies_are_shorter_than_the_limit_of_a_completion(name):
    task = sample_tasks()[f"{name}{SUFFIX}"]
    letters = [len(text_of(name, sample, right=True)) for sample in selected(task.name).samples]
    assert max(letters) / 3 < token_limit(task)  # a token has about four letters
