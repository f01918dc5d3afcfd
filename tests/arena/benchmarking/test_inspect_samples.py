"""Samples of inspect's logs as outcomes: what is scored, what is not, and what nobody may guess. Needs no inspect_ai."""

import math
import sys
from types import SimpleNamespace as Given

import pytest

from arena.benchmarking.config import BenchmarkConfig, InspectOptions
from arena.benchmarking.inspect_run import check
from arena.benchmarking.inspect_samples import bounds, logged_samples, main_metric, number, own_metrics
from arena.benchmarking.selection import SelectionOptions
from arena.errors import ConfigError
from benchmarks.task import Status

MODEL = "arena/clerk"


def sample(value=None, name="includes", error=None, **more):
    scores = None if value is None else {name: Given(value=value, answer="7", explanation=None)}
    output = Given(completion="It is 7.")
    usage = {MODEL: Given(input_tokens=10, output_tokens=3)}
    given = {"id": "a", "epoch": 1, "input": "How many?", "target": "7", **more}
    return Given(scores=scores, error=error, output=output, model_usage=usage, **given)


def log_of(*samples):
    ids = list(dict.fromkeys(sample.id for sample in samples))
    return Given(samples=samples, eval=Given(dataset=Given(sample_ids=ids)))


def outcome(*given, metric="includes"):
    [logged] = logged_samples(log_of(*given), MODEL, metric)
    return logged.outcome


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("C", 1.0), ("P", 0.5), ("I", 0.0), ("N", None), (True, 1.0), (False, 0.0), (3, 3.0), (0.25, 0.25),
        ("yes", 1.0), ("FALSE", 0.0), ("0.4", 0.4), ("good", None), (math.nan, None), ("nan", None), (math.inf, None),
        ([1], None), (None, None),
    ],
)  # fmt: skip
def test_values_are_read_as_inspect_reads_them_and_never_guessed(value, read):
    assert number(value) == read


def test_a_scored_sample_has_its_metric_answer_texts_and_tokens():
    [logged] = logged_samples(log_of(sample("C")), MODEL, "includes")
    assert (logged.outcome.metrics, logged.outcome.answer) == ({"includes": 1.0}, "7")
    assert (logged.prompt, logged.reply, logged.tokens, logged.sample.target) == (
        "How many?",
        "It is 7.",
        (10, 3),
        "7",
    )


def test_a_sample_that_ended_with_an_error_is_failed_even_if_it_has_a_score():
    result = outcome(sample("C", error=Given(message="clerk: timeout:\n no reply")))
    assert (result.status, dict(result.metrics)) == (Status.FAILED, {})
    assert result.reason == "clerk: timeout: no reply"


def test_a_sample_without_a_score_is_failed():
    assert outcome(sample()).reason == "no score"


@pytest.mark.parametrize(("value", "reason"), [("N", "no answer"), ("good", "a score that is no number: 'good'")])
def test_no_answer_and_no_number_are_unparsed(value, reason):
    result = outcome(sample(value))
    assert (result.status, result.reason) == (Status.UNPARSED, reason)


def test_a_score_of_several_values_has_a_metric_each():
    log = Given(samples=[sample({"right": 1, "short": 0.5, "odd": "x"}, name="judge")])
    assert main_metric(log) == "judge/right"
    assert outcome(*log.samples, metric="judge/right").metrics == {"judge/right": 1.0, "judge/short": 0.5}


def test_epochs_are_samples_of_their_own_that_stand_together():
    logged = logged_samples(log_of(sample("I", epoch=2), sample("C")), MODEL, "includes")
    assert [(one.sample.id, one.sample.cluster) for one in logged] == [("a", "a"), ("a (epoch 2)", "a")]
    assert [one.outcome.metrics["includes"] for one in logged] == [1.0, 0.0]


def test_samples_come_in_the_order_of_the_data_set():
    """inspect's reader sorts them by id."""
    log = log_of(sample("C", id="b"), sample("I", id="a"))
    log.samples = log.samples[::-1]
    assert [one.sample.id for one in logged_samples(log, MODEL, "includes")] == ["b", "a"]


@pytest.mark.parametrize(("values", "expected"), [((0, 0.5, 1), (0.0, 1.0)), ((0, 7), None)])
def test_only_a_metric_between_0_and_1_has_bounds(values, expected):
    logged = logged_samples(log_of(*map(sample, values)), MODEL, "includes")
    assert bounds(logged, "includes") == expected


def test_metrics_of_inspect_stand_beside_ours():
    metrics = {"accuracy": Given(value=0.5), "stderr": Given(value=math.nan), "words": Given(value="many")}
    log = Given(results=Given(scores=[Given(name="includes", metrics=metrics)]))
    assert own_metrics(log) == {"includes/accuracy": 0.5}
    assert own_metrics(Given(results=None)) == {}


def test_without_the_extra_an_error_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(ConfigError, match=r"need the extra 'inspect'.*pip install 'arena\[inspect\]'"):
        check(BenchmarkConfig(["inspect:a/b"], ["clerk"]))


@pytest.mark.parametrize(
    ("more", "option"),
    [
        ({"sample": True}, "--sample"),
        ({"options": SelectionOptions(shots=2)}, "--shots"),
        ({"options": SelectionOptions(compat="lm-eval")}, "--compat"),
        ({"request_type": "generate"}, "--request-type"),
    ],
)
def test_options_that_mean_nothing_to_inspect_are_errors(more, option, monkeypatch):
    monkeypatch.setitem(sys.modules, "inspect_ai", Given())
    with pytest.raises(ConfigError, match=option):
        check(BenchmarkConfig(["inspect:a/b"], ["clerk"], inspect=InspectOptions(), **more))
