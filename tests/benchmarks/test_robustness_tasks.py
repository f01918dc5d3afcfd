"""Tasks that ask whether an answer survives another order of the choices or another wording."""

from dataclasses import replace

import pytest

from benchmarks.data import DataSources, rows
from benchmarks.letters import LETTERS
from benchmarks.task import RequestType, Sample
from benchmarks.tasks import shipped
from benchmarks.tasks.circular import turned, turns

TASK = replace(shipped()["arc_challenge_circular"], shots=0)
EGG = Sample(id="egg", fields={"question": "How long?"}, choices=("one", "four", "nine"), target=1)


def log_likelihoods(likes):
    """Log-probabilities of a model that likes a letter (`A`) or words (`four`), for every order."""
    return [
        {"logprob": 0.0 if likes in (LETTERS[place], choice) else -1.0, "greedy": False, "tokens": 1}
        for turn in turns(EGG)
        for place, choice in enumerate(turn.choices)
    ]


def test_turning_moves_the_target_with_its_words():
    assert [turn.choices[turn.target] for turn in turns(EGG)] == ["four"] * 3
    assert turned(EGG, 3) == EGG


def test_who_knows_is_right_in_every_order():
    found = TASK.score(EGG, log_likelihoods("four"), RequestType.LOGLIKELIHOOD)
    assert (found.metrics, found.answer) == ({"circular": 1.0, "single": 1.0, "steady": 1.0}, "BAC")


def test_who_always_says_a_is_right_by_chance_alone_and_never_in_all_orders():
    found = TASK.score(EGG, log_likelihoods("A"), RequestType.LOGLIKELIHOOD)
    assert found.metrics == {"circular": 0.0, "single": pytest.approx(1 / 3), "steady": 0.0}


def test_who_always_says_the_same_wrong_words_is_steady():
    found = TASK.score(EGG, log_likelihoods("nine"), RequestType.LOGLIKELIHOOD)
    assert found.metrics == {"circular": 0.0, "single": 0.0, "steady": 1.0}


def test_an_order_without_an_answer_leaves_the_sample_without_a_score():
    said = [{"choices": [{"message": {"content": text}, "finish_reason": "stop"}]} for text in ("B", "?", "C")]
    assert len(TASK.requests(EGG, (), RequestType.GENERATE)) == 3
    assert TASK.score(EGG, said, RequestType.GENERATE).status == "unparsed"
    assert TASK.score(EGG, [said[0], None, None], RequestType.GENERATE).status == "failed"


def test_svamp_has_its_thousand_problems_with_whole_numbers(benchmark_data):
    task = shipped()["svamp"]
    samples = task.samples(rows(task.sources["test"], DataSources(benchmark_data, hub=False)))
    assert (len(samples), len({one.id for one in samples}), len({one.subject for one in samples})) == (
        1000,
        1000,
        4,
    )
    assert all(one.target.isdigit() for one in samples)
    assert samples[0].fields["question"].endswith("into 93 groups. How big is each group of bananas?")
