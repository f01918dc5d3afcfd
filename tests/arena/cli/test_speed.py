"""`arena speed` against the scripted endpoint, whose pace is known."""

import json
import re

import pytest

from arena.benchmarking.conversations import Content, Conversation, Lengths, conversations, read_trace
from arena.benchmarking.load import Load, LoadTestConfig
from arena.benchmarking.load_test import Client, run_load_test, timed_repeat
from arena.config import read_settings
from arena.endpoints.scripted import Scripted
from arena.errors import ConfigError
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


def client(endpoint, timeout=120.0):
    return Client(endpoint, lambda messages: {"messages": messages}, timeout=timeout)


def short(count, turns=1):
    return conversations(count, Content(Lengths(5, 5), Lengths(9, 9), turns), 0)


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
        (("fake", "--turns", "0"), "--turns is 0. Give at least 1"),
        (("fake", "--prompt-words", "0"), "--prompt-words '0' is not valid. Lengths are at least 1"),
        (
            ("fake", "--max-tokens", "9-3"),
            "--max-tokens '9-3' is not valid. Lengths are at least 1, and a range rises",
        ),
        (
            ("fake", "--max-tokens", "few"),
            "--max-tokens 'few' is not valid. Give a number (128), a range (64-256)",
        ),
        (("fake", "--burstiness", "2"), "Give a rate too"),
        (("fake", "--rate", "1", "--burstiness", "0"), "burstiness is 0.0. Give a number above 0"),
        (("fake", "--rate", "1", "--ramp-to", "-1"), "ramp_to is -1.0. Give a number above 0"),
        (("fake", "--sweep"), "A sweep needs an objective"),
        (("fake", "--dataset", "nowhere.jsonl"), "nowhere.jsonl: no such file"),
        (("fake", "--trace", "nowhere.jsonl"), "nowhere.jsonl cannot be read"),
        (("fake", "--report", "nowhere/x.html"), "there is no folder nowhere"),
    ],
)
def test_wrong_use_is_an_error(typed, folder, words, message):
    done = typed("speed", *words, folder=folder)
    assert done.returncode == 2
    assert message in done.stderr


async def test_a_full_house_shows_in_the_times_since_scheduled():
    """Five requests due at once, with one place: the last one waits for four."""
    load = Load(requests=5, rate=1000, concurrency=1, warmup=0)
    timings = await timed_repeat(client(Scripted(replies=("a b",), delay=0.02)), short(5), load, lambda _: None)
    waited = [timing.ttft_scheduled - timing.ttft for timing in timings]
    assert max(waited) > 4 * 2 * 0.02 - 0.01


async def test_a_slow_answer_puts_nothing_off():
    """All requests are sent before the first one is answered."""
    load = Load(requests=5, rate=50, warmup=0)
    timings = await timed_repeat(client(Scripted(replies=("a",), delay=2.0)), short(5), load, lambda _: None)
    assert max(timing.sent for timing in timings) < min(timing.sent + timing.ttft for timing in timings)


async def test_a_silent_model_times_out_and_the_others_go_on():
    load = Load(requests=2, concurrency=2, warmup=0, timeout=0.1)
    timings = await timed_repeat(client(Scripted(fault="silent"), 0.1), short(2), load, lambda _: None)
    assert [timing.error for timing in timings] == ["timeout", "timeout"]
    assert all(timing.ttft is None for timing in timings)


def test_prompts_begin_differently_and_are_reproducible():
    content = Content(Lengths(3, 3))
    assert len({one.prompts[0][:4] for one in conversations(20, content, 1)}) == 20
    assert conversations(3, content, 1) == conversations(3, content, 1)


def test_repeats_have_arrivals_of_their_own_and_the_same_rate():
    load = Load(requests=20, rate=4.0, warmup=0)
    first, second = load.due(0), load.due(1)
    assert first != second
    assert first[-1] == pytest.approx(second[-1]) == pytest.approx(5.0)
    assert second == load.due(1)


def test_a_sweep_over_a_file_says_that_its_prompts_come_again(typed, folder):
    (folder / "own.jsonl").write_text("".join(f'{{"prompt": "question {number}"}}\n' for number in range(9)))
    done = typed(
        "speed", "fake", "--sweep", "--dataset", "own.jsonl", "--requests", "1", "--warmup", "0", "--repeats", "1",
        "--objective", "ttft=60", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Each load is tested with prompts of the same file" in done.stderr


def test_a_load_needs_a_rate_or_a_concurrency():
    with pytest.raises(BadOption, match="no rate and no concurrency"):
        Load()


async def test_each_turn_is_sent_with_those_before_it():
    seen = []
    endpoint = Scripted(replies=("first", "second"))
    served = Client(endpoint, lambda messages: seen.append(messages) or {"messages": messages})
    load = Load(requests=1, concurrency=1, warmup=0)
    timings = await timed_repeat(served, [Conversation(("a", "b"), (5, 6))], load, lambda _: None)
    assert [timing.turn for timing in timings] == [0, 1]
    assert timings[1].scheduled == timings[0].ended
    assert [[message["content"] for message in messages] for messages in seen] == [["a"], ["a", "first", "b"]]


async def test_turns_after_a_failed_one_are_failures():
    load = Load(requests=1, concurrency=1, warmup=0)
    timings = await timed_repeat(client(Scripted(fault="silent"), 0.1), short(1, turns=3), load, lambda _: None)
    assert [timing.turn for timing in timings] == [0, 1, 2]
    assert timings[0].error == "timeout"
    assert [timing.error for timing in timings[1:]] == ["turn before it failed"] * 2


def test_a_fixed_output_is_asked_for():
    served = Client(Scripted(), lambda messages: {"messages": messages}, fixed_output=True)
    assert served.body([], 7) == {"messages": [], "max_tokens": 7, "ignore_eos": True, "min_tokens": 7}


def test_lengths_are_drawn_from_their_distribution():
    drawn = conversations(400, Content(Lengths.parse("3-5", "x"), Lengths.parse("normal:100:10", "x")), 0)
    words = [len(one.prompts[0].partition("words: ")[2].split()) for one in drawn]
    limits = [one.max_tokens[0] for one in drawn]
    assert set(words) == {3, 4, 5}
    assert 98 < sum(limits) / 400 < 102
    assert min(limits) < 85 < 115 < max(limits)


def test_a_data_set_is_used_whole_before_it_is_repeated():
    drawn = conversations(7, Content(dataset=(("a",), ("b", "c"), ("d",))), 0)
    assert sorted(one.prompts for one in drawn[:3]) == [("a",), ("b", "c"), ("d",)]
    assert len(drawn) == 7


def test_a_trace_gives_arrivals_and_lengths(tmp_path):
    file = tmp_path / "trace.jsonl"
    file.write_text(
        '{"timestamp": 3000, "input_length": 2, "output_length": 5}\n\n'
        '{"timestamp": 1000, "input_length": 4, "output_length": 6, "hash_ids": [1]}\n'
    )
    trace = read_trace(file)
    assert trace.times == (1.0, 3.0)
    assert trace.lengths == ((4, 6), (2, 5))
    made = LoadTestConfig(Load(requests=2, warmup=0, trace=trace), repeats=3).made
    assert [one.max_tokens for one in made] == [(6,), (5,)] * 3
    assert len({one.prompts[0].partition(":")[0] for one in made}) == 6  # no repeat is answered from a cache
    assert Load(requests=2, warmup=0, trace=trace).due() == [0.0, 2.0]
    assert Load(requests=2, warmup=0, trace=trace, rate=2.0).due() == [0.0, 1.0]
    with pytest.raises(BadOption, match="The trace has 2 requests, and a repeat needs 7"):
        Load(requests=2, trace=trace)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "is empty"),
        ("{", "trace.jsonl:1: not JSON"),
        ("[1]", "trace.jsonl:1: not a JSON object"),
        ('{"timestamp": 1, "input_length": 2}', "trace.jsonl:1: output_length is null"),
        ('{"timestamp": -1, "input_length": 2, "output_length": 2}', "timestamp is -1"),
        ('{"timestamp": true, "input_length": 2, "output_length": 2}', "timestamp is true"),
    ],
)
def test_a_bad_trace_is_named_with_its_line(tmp_path, line, said):
    (tmp_path / "trace.jsonl").write_text(line)
    with pytest.raises(ConfigError, match=said):
        read_trace(tmp_path / "trace.jsonl")


def test_prompts_of_a_file_in_several_turns_and_a_report_that_loads_nothing(typed, folder):
    (folder / "prompts.jsonl").write_text(
        "".join(
            json.dumps({"question_id": n, "category": "x", "turns": [f"a{n}", f"b{n}"]}) + "\n" for n in range(3)
        )
    )
    done = typed(
        "speed", "fake", "--dataset", "prompts.jsonl", "--requests", "4", "--warmup", "1", "--repeats", "1",
        "--report", "out.html", "--objective", "ttft=5", folder=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "8 of 8 requests in 1 repeats" in done.stdout
    assert "TTFT by turn" in done.stdout
    assert "* from fewer requests than an upper bound of it with 95 % confidence needs (p90 29" in done.stdout
    assert "2 of 5 prompts are sent again" in done.stderr
    page = (folder / "out.html").read_text()
    assert page.count("<svg") == 3
    assert "Load test of fake" in page
    assert not re.search(r"(?:src|href)=|<script|@import|url\([\"']?http", page)


def test_a_sweep_prints_its_loads_and_the_highest(typed, folder):
    words = (
        "speed",
        "fake",
        "--sweep",
        "--concurrency",
        "1",
        "--requests",
        "4",
        "--warmup",
        "0",
        "--repeats",
        "1",
    )
    done = typed(*words, "--objective", "e2e=0.0001", "--report", "out.html", folder=folder)
    assert done.returncode == 1
    assert "No load that was tested has 95% of requests within every objective" in done.stdout
    assert (folder / "out.html").read_text().count("<svg") == 4
    done = typed(*words, "--objective", "e2e=60", "--share", "0.5", "--format", "csv", folder=folder)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("concurrency,passed,share,share_lower,share_upper,requests_per_second")
    assert lines[1].startswith("1.0,yes,1.0,")
    assert [line.partition(",")[0] for line in lines[1:]] == ["1.0", "2.0", "4.0"]
