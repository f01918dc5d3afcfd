"""Content and position bias from both orders, aligned on words."""

import numpy as np
import pytest

from interp.errors import BadOption, BadPrompt
from interp.evaluation.orders import both_orders
from interp.prompt import Prompt
from interp.whitebox.gradients import input_x_gradient, saliency
from tests.support.known_models import summed
from tests.support.small_models import judged, model

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

A, B = "the sun is a bright star .", "the moon is cold and not a star ."


def swapped():
    return Prompt.of(
        (None, "which answer is better ?\n"),
        ("prompt", "why is it bright ?"),
        (None, "\nfirst :"),
        ("completion_b", f" {B}"),
        (None, "\nsecond :"),
        ("completion_a", f" {A}"),
        (None, "\nReply"),
    )


def asked(prompt):
    return input_x_gradient(model().contrast(prompt))


def test_half_difference_and_half_sum_word_by_word():
    ab, ba = asked(judged(A, B)), asked(swapped())
    joined = both_orders(ab, ba)
    assert joined.content.value == pytest.approx((ab.value - ba.value) / 2)
    assert joined.bias.value == pytest.approx((ab.value + ba.value) / 2)
    assert joined.swap_consistent == (ab.value * ba.value < 0)
    for part, sign in ((joined.content, -1), (joined.bias, 1)):
        for word, score in zip(part.units, part.scores, strict=True):
            places = [
                next(
                    at
                    for at, other in enumerate(found.by_word().units)
                    if (other.segment, other.text) == (word.segment, word.text)
                    and _nth(found.by_word().units, at) == _nth(part.units, part.units.index(word))
                )
                for found in (ab, ba)
            ]
            one, other = ab.by_word().scores[places[0]], ba.by_word().scores[places[1]]
            assert score == pytest.approx((one + sign * other) / 2)
        words = part.total() + part.parameters["template"]
        assert words == pytest.approx((ab.total() + sign * ba.total()) / 2)


def _nth(units, at):
    same = (units[at].segment, units[at].text)
    return sum((unit.segment, unit.text) == same for unit in units[:at])


def test_exchanging_the_orders_turns_content_round_and_leaves_the_bias():
    ab, ba = asked(judged(A, B)), asked(swapped())
    one, other = both_orders(ab, ba), both_orders(ba, ab)
    assert other.content.value == pytest.approx(-one.content.value)
    assert other.bias.value == pytest.approx(one.bias.value)
    assert sorted(other.content.scores) == pytest.approx(sorted(-one.content.scores))


def test_a_model_without_positions_has_no_content_that_it_could_not_tell_apart():
    ab, _ = summed(lambda total: total, judged(A, B))
    ba, _ = summed(lambda total: total, swapped())
    joined = both_orders(input_x_gradient(ab), input_x_gradient(ba))
    np.testing.assert_allclose(joined.content.scores, 0, atol=1e-5)
    assert joined.content.value == pytest.approx(0, abs=1e-5)


def test_sentences_are_sums_of_words():
    joined = both_orders(asked(judged(A, B)), asked(swapped()))
    assert joined.content.by_sentence().total() == pytest.approx(joined.content.total())
    assert [unit.segment for unit in joined.content.by_sentence().units] == [
        "prompt",
        "completion_a",
        "completion_b",
    ]


def test_orders_that_do_not_fit_are_reported():
    ab = asked(judged(A, B))
    with pytest.raises(
        BadPrompt, match=r"segment 'completion_b' differs between the orders \(' cold' and ' big'\)"
    ):
        both_orders(ab, asked(judged(A, B.replace("cold", "big"))))
    with pytest.raises(BadPrompt, match=r"\(9 and 8 words\)"):
        both_orders(ab, asked(judged(A, B.removesuffix(" ."))))
    with pytest.raises(BadOption, match=r"input_x_gradient of .* with saliency"):
        both_orders(ab, saliency(model().contrast(swapped())))
