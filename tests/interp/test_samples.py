"""How sure a model is of its own answer, on a random network."""

import math

import pytest

from interp.whitebox.samples import sample_completions, token_entropies
from tests.support.small_models import judged, model, torch

ANSWER = " yes no one"


def test_surprises_add_up_to_the_log_probability_of_the_answer():
    target = model().answer(judged(), ANSWER)
    said = token_entropies(target, ANSWER)
    assert [one.text for one in said] == [" yes", " no", " one"]
    assert -sum(one.surprise for one in said) * math.log(2) == pytest.approx(target.value, abs=1e-4)


def test_entropy_is_between_zero_and_that_of_the_whole_vocabulary():
    target = model().answer(judged(), ANSWER)
    assert all(0 < one.bits < math.log2(128) for one in token_entropies(target, ANSWER))


def test_drawn_answers_are_as_long_as_the_answer_at_most_and_the_same_seed_draws_the_same():
    target = model().answer(judged(), ANSWER)
    state = torch.random.get_rng_state()
    first = sample_completions(target, ANSWER, 3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert first == sample_completions(target, ANSWER, 3)
    assert len(first) == 3
    assert len(target.lm.tokenizer(first[0], add_special_tokens=False)["input_ids"]) <= 4
