"""The search of the highest load against servers whose limit is known."""

import pytest

from arena.benchmarking.load import Load, LoadTestConfig
from arena.benchmarking.load_sweep import rows, sweep
from arena.errors import ConfigError
from benchmarks.speed import report
from benchmarks.timing import Timing

OBJECTIVES = {"ttft": 0.5}


def config(**load):
    return LoadTestConfig(Load(requests=200, warmup=0, **load), repeats=1, objectives=OBJECTIVES)


def server(limit):
    """A server whose first token is late for a tenth of the requests above its limit; also the loads that were tested."""
    tested = []

    def test(one):
        load = one.load.rate if one.load.rate is not None else one.load.concurrency
        tested.append(load)
        late = 20 if load > limit else 0
        firsts = [1.0] * late + [0.1] * (200 - late)
        run = [Timing(0.0, 0.0, (first, first + 0.1), ended=first + 0.1, output_tokens=2) for first in firsts]
        return report([run], one.objectives)

    return test, tested


@pytest.mark.parametrize("limit", [0.3, 1.0, 7.7, 100.0])
def test_the_highest_rate_is_found_within_a_tenth(limit):
    test, tested = server(limit)
    found = sweep(config(rate=1.0), 0.95, test)
    assert limit / 1.1 <= found.highest <= limit
    assert found.bounded
    assert len(tested) <= 24
    assert [step.load for step in found.steps] == sorted(tested)


@pytest.mark.parametrize("limit", [1, 5, 8, 31])
def test_the_highest_number_at_once_is_found(limit):
    test, _ = server(limit)
    found = sweep(config(concurrency=4), 0.95, test)
    assert limit / 1.1 <= found.highest <= limit
    assert {type(row["concurrency"]) for row in rows(found)} == {float}


def test_a_smaller_share_lets_a_tenth_be_late():
    found = sweep(config(rate=1.0), 0.9, server(3.0)[0])
    assert not found.bounded
    assert found.highest == 128  # 200 requests at 256 per second are sent in less than a second


def test_a_server_that_is_never_fast_enough_has_no_highest_load():
    found = sweep(config(concurrency=8), 0.95, server(0)[0])
    assert found.highest is None
    assert [step.load for step in found.steps] == [1, 2, 4, 8]


@pytest.mark.parametrize("load", [{"rate": 1.0}, {"concurrency": 4}])
def test_no_step_sends_what_another_sent(load):
    """Else a server with a prefix cache is faster from the second load on."""
    test, _ = server(7)

    def sent():
        steps = []
        sweep(config(**load), 0.95, lambda one: steps.append((one.made, one.load.due())) or test(one))
        return steps

    steps = sent()
    beginnings = [conversation.prompts[0].partition(":")[0] for made, _ in steps for conversation in made]
    assert len(steps) > 3
    assert len(set(beginnings)) == len(beginnings)
    gaps = [tuple(round(time / due[-1], 9) for time in due) for _, due in steps if due]
    assert len(set(gaps)) == len(gaps)
    assert sent() == steps


def test_a_sweep_says_what_is_missing():
    test, tested = server(1)
    with pytest.raises(ConfigError, match="needs an objective"):
        sweep(LoadTestConfig(Load(rate=1.0)), 0.95, test)
    with pytest.raises(ConfigError, match="--share is 0"):
        sweep(config(rate=1.0), 0, test)
    with pytest.raises(ConfigError, match="Remove --trace and --ramp-to"):
        sweep(config(rate=1.0, ramp_to=3.0), 0.95, test)
    assert tested == []
