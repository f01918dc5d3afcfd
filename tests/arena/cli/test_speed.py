"""`arena speed` against the scripted endpoint, whose pace is known."""

import json

import pytest

from arena.benchmarking.load_test import Load, LoadTestConfig, prompts, run_load_test, timed_repeat
from arena.config import read_settings
from arena.endpoints.scripted import Scripted
from benchmarks.errors import BadOption
from tests.support.typed import Typed

SETTINGS = """
[[models]]
name = "fake"
endpoint = "scripted"
delay = 0.002
replies = ["one two three four five"]

[[models]]
name = "broken"
endpoint = "scripted"
fault = "midway"
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "arena.toml").write_text(SETTINGS)
    return tmp_path


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def bodies(count):
    return [{"messages": [{"role": "user", "content": text}]} for text in prompts(count, 5, 0)]


def test_a_scripted_model_has_its_scripts_speed(typed, folder):
    done = typed(
        "speed", "fake", "--concurrency", "2", "--requests", "6", "--warmup", "1", "--repeats", "2",
        "--objective", "ttft=5", "--format", "json", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["requests"], report["succeeded"], report["repeats"]) == (12, 12, 2)
    assert report["latencies"]["tpot"]["percentiles"]["50"]["value"] >= 0.002
    assert report["counted_by"] == "usage"
    assert report["peak_concurrency"] == 2
    assert report["goodput"]["share"] == 1


def test_a_load_test_can_be_run_from_python(folder):
    [model, _] = read_settings(folder / "arena.toml").models
    report = run_load_test(model, LoadTestConfig(Load(requests=3, concurrency=1, warmup=1), repeats=2))
    assert (report.requests, report.succeeded, report.repeats) == (6, 6, 2)


def test_a_model_that_fails_has_no_latencies_and_the_command_fails(typed, folder):
    done = typed(
        "speed", "broken", "--requests", "3", "--warmup", "0", "--repeats", "1", "--format", "csv", folder=folder
    )
    assert done.returncode == 1
    assert "ttft,0,,,,,,," in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nobody",), "MODEL: no model is called 'nobody'. Name one of: fake, broken"),
        (("fake", "--objective", "ttft"), "--objective 'ttft' is not valid. Give a name and seconds"),
        (("fake", "--objective", "fast=1"), "--objective 'fast=1' is not valid. Give one of ttft"),
        (("fake", "--rate", "0"), "rate is 0.0. Give a number above 0"),
        (("fake", "--rate", "nan"), "rate is nan. Give a number above 0"),
        (("fake", "--requests", "0"), "requests is 0. Give at least 1"),
        (("fake", "--repeats", "0"), "at least 1"),
    ],
)
def test_wrong_use_is_an_error(typed, folder, words, message):
    done = typed("speed", *words, folder=folder)
    assert done.returncode == 2
    assert message in done.stderr


async def test_a_full_house_shows_in_the_times_since_scheduled():
    """Five requests due at once, with one place: the last one waits for four."""
    load = Load(requests=5, rate=1000, concurrency=1, warmup=0)
    timings = await timed_repeat(Scripted(replies=("a b",), delay=0.02), bodies(5), load, lambda _: None)
    waited = [timing.ttft_scheduled - timing.ttft for timing in timings]
    assert max(waited) > 4 * 2 * 0.02 - 0.01


async def test_a_slow_answer_puts_nothing_off():
    """All requests are sent before the first one is answered."""
    load = Load(requests=5, rate=50, warmup=0)
    timings = await timed_repeat(Scripted(replies=("a",), delay=2.0), bodies(5), load, lambda _: None)
    assert max(timing.sent for timing in timings) < min(timing.sent + timing.ttft for timing in timings)


async def test_a_silent_model_times_out_and_the_others_go_on():
    load = Load(requests=2, concurrency=2, warmup=0, timeout=0.1)
    timings = await timed_repeat(Scripted(fault="silent"), bodies(2), load, lambda _: None)
    assert [timing.error for timing in timings] == ["timeout", "timeout"]
    assert all(timing.ttft is None for timing in timings)


def test_prompts_begin_differently_and_are_reproducible():
    assert len({text[:4] for text in prompts(20, 3, 1)}) == 20
    assert prompts(3, 3, 1) == prompts(3, 3, 1)


def test_a_load_needs_a_rate_or_a_concurrency():
    with pytest.raises(BadOption, match="no rate and no concurrency"):
        Load()
