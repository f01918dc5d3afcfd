"""Latencies, throughput and goodput of timings whose answers can be counted on the fingers."""

import json

import numpy as np
import pytest

from benchmarks.errors import BadOption
from benchmarks.speed import goodput, needed, peak, report, tokens_by_second
from benchmarks.speed_json import SentLoad, to_dict, vllm
from benchmarks.timing import Timing


def timing(start=0.0, waited=0.0, first=0.2, gap=0.1, tokens=5, **more):
    """Sent `waited` seconds after it was due, the first token after `first`, the others after `gap` each."""
    sent = start + waited
    chunks = tuple(sent + first + gap * number for number in range(tokens))
    given = {"ended": chunks[-1], "output_tokens": tokens, "counted_by": "usage", **more}
    return Timing(scheduled=start, sent=sent, chunks=chunks, **given)


FAILED = Timing(scheduled=0.0, sent=0.0, ended=1.0, error="timeout")


def test_the_wait_for_a_place_is_in_the_time_since_scheduled_alone():
    one = timing(waited=3.0)
    assert one.ttft == pytest.approx(0.2)
    assert one.ttft_scheduled == pytest.approx(3.2)
    assert one.e2e == pytest.approx(0.6)
    assert one.e2e_scheduled == pytest.approx(3.6)


def test_time_per_token_leaves_out_the_first_and_the_normalised_latency_does_not():
    assert timing().tpot == pytest.approx(0.1)
    assert timing().normalised_latency == pytest.approx(0.12)
    assert timing().gaps == pytest.approx((0.1,) * 4)


def test_what_was_not_measured_is_none_and_never_0():
    assert timing(tokens=1).tpot is None
    assert FAILED.ttft is None
    found = report([[FAILED, timing(tokens=1)]])
    assert found.latencies["tpot"].measured == 0
    assert found.latencies["tpot"].mean is None
    assert found.latencies["ttft"].measured == 1
    assert vllm(found)["mean_tpot_ms"] is None
    assert found.goodput is None


def test_failed_requests_are_counted_by_kind():
    found = report([[FAILED, timing(), Timing(0.0, 0.0, ended=0.1)]])
    assert (found.requests, found.succeeded) == (3, 1)
    assert found.errors == {"timeout": 1, "no text": 1}


def test_percentiles_are_numpys():
    rng = np.random.default_rng(0)
    firsts = rng.exponential(size=100)
    found = report([[timing(first=float(first)) for first in firsts]]).latencies["ttft"]
    assert found.percentiles[90].value == pytest.approx(np.percentile(firsts, 90))
    assert found.mean.lower < firsts.mean() < found.mean.upper


def test_throughput_is_counted_over_the_span_of_a_repeat():
    found = report([[timing(start=0.0), timing(start=1.4)]] * 2)  # from 0 to 2.0 s
    assert found.request_throughput.value == pytest.approx(1.0)
    assert found.output_throughput.value == pytest.approx(5.0)
    assert found.repeats == 2


@pytest.mark.slow
def test_repeats_that_differ_widen_the_interval():
    """An interval from one run cannot know what changes between runs."""
    slow, fast = [[timing(first=first + n / 1000) for n in range(20)] for first in (0.1, 0.3)]
    one = report([slow + fast]).latencies["ttft"].mean
    several = report([slow, fast, slow, fast]).latencies["ttft"].mean
    assert several.upper - several.lower > 0.05
    assert report([slow, slow]).request_throughput.lower == report([slow, slow]).request_throughput.upper
    assert one.value == pytest.approx(several.value)


def test_goodput_counts_failed_requests_as_bad():
    found = goodput([timing(), timing(first=0.9), FAILED, timing()], {"ttft": 0.5, "e2e": 1.0}, seconds=2.0)
    assert found.share == 0.5
    assert found.per_second == 1.0
    assert found.lower == pytest.approx(0.150, abs=1e-3)  # Wilson's interval of 2 of 4
    assert found.upper == pytest.approx(0.850, abs=1e-3)


def test_peak_concurrency():
    assert peak([timing(0.0), timing(0.1), timing(0.65)]) == 2


def test_a_percentile_needs_so_many_measurements_that_one_is_probably_above_it():
    assert [needed(percentile) for percentile in (50, 90, 95, 99)] == [5, 29, 59, 299]
    assert 1 - 0.99**299 > 0.95 > 1 - 0.99**298
    found = report([[timing(first=0.01 * number) for number in range(60)]]).latencies["ttft"]
    assert found.too_few == (99,)


def test_totals_and_the_best_second():
    found = report([[timing(tokens=4, prompt_tokens=7), timing(start=1.0, tokens=8, prompt_tokens=3), FAILED]])
    assert (found.totals.input_tokens, found.totals.output_tokens) == (10, 12)
    assert found.totals.most_output_tokens == 8  # from 1.2 to 1.9 s
    np.testing.assert_array_equal(tokens_by_second([timing(tokens=4, output_tokens=8)]), [8])
    assert report([[timing()]]).totals.input_tokens is None


def test_first_tokens_are_reported_by_turn():
    run = [timing(turn=turn, first=0.1 * (turn + 1)) for turn in (0, 1, 2) for _ in range(3)]
    assert [spread.mean.value for spread in report([run]).turns] == pytest.approx([0.1, 0.2, 0.3])
    assert report([[timing()]]).turns == ()


def test_the_report_is_json_with_vllms_keys():
    found = to_dict(report([[timing()]], {"ttft": 1.0}))
    message = json.loads(json.dumps(found))
    assert message["vllm"]["mean_ttft_ms"] == pytest.approx(200)
    assert message["vllm"]["median_tpot_ms"] == pytest.approx(100)
    assert {"p99_itl_ms", "mean_e2el_ms", "request_throughput", "output_throughput"} <= set(message["vllm"])
    sent = vllm(
        report([[timing(prompt_tokens=7), timing(first=0.4, prompt_tokens=7)]]), SentLoad("m", None, 1.0, 4)
    )
    assert (sent["request_rate"], sent["max_concurrency"], sent["num_prompts"]) == ("inf", 4, 2)
    assert (sent["total_input_tokens"], sent["total_output_tokens"]) == (14, 10)
    assert sent["total_token_throughput"] == pytest.approx(24 / sent["duration"])
    assert sent["std_ttft_ms"] == pytest.approx(100)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: report([[]]), "A repeat has no requests"),
        (lambda: goodput([timing()], {"itl": 1}, 1), "Objective 'itl' is unknown. Use one of: ttft"),
        (lambda: goodput([timing()], {"ttft": 0}, 1), "Objective ttft=0"),
    ],
)
def test_wrong_use_is_named(call, said):
    with pytest.raises(BadOption, match=said):
        call()
