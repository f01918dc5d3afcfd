"""Head importance: exact ablation by hand, and a gradient that agrees with it where it must."""

import numpy as np
import pytest

from interp.whitebox.causal_lm import CausalLM
from interp.whitebox.heads import ablation_importance, gradient_importance
from interp.whitebox.relevance import chefer
from tests.support.small_models import judged, model, torch

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


@pytest.mark.parametrize("kind", ["llama", "gemma3"])
def test_ablation_is_the_value_without_the_heads_columns(kind):
    lm = model(kind)
    target = lm.contrast(judged())
    message = []
    found = ablation_importance(target, progress=lambda done, of: message.append((done, of)))
    assert message == [(1, 2), (2, 2)]
    for layer in range(2):
        weight = lm.decoder.layers[layer].self_attn.o_proj.weight
        kept = weight.clone()
        for head in range(4):
            with torch.no_grad():
                weight[:, 8 * head : 8 * head + 8] = 0
            assert found.scores[layer, head] == pytest.approx(target.value - lm.contrast(judged()).value, abs=1e-5)
            with torch.no_grad():
                weight.copy_(kept)


def test_the_gradient_is_the_slope_of_scaling_a_head():
    lm = model()
    target = lm.contrast(judged())
    found = gradient_importance(target)
    weight = lm.decoder.layers[1].self_attn.o_proj.weight
    kept = weight.clone()
    for head in range(4):
        columns = slice(8 * head, 8 * head + 8)
        values = []
        for factor in (0.99, 1.01):
            with torch.no_grad():
                weight[:, columns] = kept[:, columns] * factor
            values.append(lm.contrast(judged()).value)
        with torch.no_grad():
            weight.copy_(kept)
        assert found.scores[1, head] == pytest.approx((values[1] - values[0]) / 0.02, abs=5e-3)


def test_query_heads_are_grouped_by_the_key_value_head_they_share():
    found = gradient_importance(model().contrast(judged()))
    assert (found.queries_per_key_value_head, found.scores.shape) == (2, (2, 4))
    np.testing.assert_allclose(found.by_key_value_head(), found.scores[:, ::2] + found.scores[:, 1::2])


@pytest.mark.parametrize("method", [gradient_importance, chefer])
def test_a_first_gradient_is_as_good_as_a_second_one(method):
    lm = CausalLM(model().network, model().tokenizer)  # whose gradient nobody has checked
    first, second = (method(lm.contrast(judged())) for _ in range(2))
    np.testing.assert_array_equal(first.scores, second.scores)
