"""The last layer at the places that are read: the same values, gradients and relevance, by fewer products."""

import numpy as np
import pytest

from interp import attn_lrp, gradient_importance, saliency
from interp.whitebox.causal_lm import CausalLM
from tests.support.small_models import judged, model, torch

pytestmark = pytest.mark.slow  # torch alone takes seconds to import

KINDS = ["llama", "qwen3", "gemma3", "gpt2"]


def whole(kind):
    """The same model, whose last layer computes every token."""
    lm = CausalLM(model(kind).network, model(kind).tokenizer)
    lm.__dict__["_thin_parts"] = []
    return lm


@pytest.mark.parametrize("kind", KINDS)
def test_values_and_gradients_are_those_of_the_whole_layer(kind):
    thin = CausalLM(model(kind).network, model(kind).tokenizer)
    assert len(thin._thin_parts) == 2  # the feed-forward and the projection behind attention
    kept = np.random.default_rng(0).random((6, len(judged().text.split()) + 12)) < 0.7
    for target, other in (
        (thin.contrast(judged()), whole(kind).contrast(judged())),
        (thin.answer(judged(), " it is near ."), whole(kind).answer(judged(), " it is near .")),
    ):
        masks = kept[:, : len(target.units)].copy()
        masks[:, -1] = True
        np.testing.assert_allclose(target.kept(masks), other.kept(masks), atol=2e-5)
        for method in (saliency, attn_lrp, gradient_importance):
            np.testing.assert_allclose(method(target).scores, method(other).scores, atol=2e-5)


def test_the_last_feed_forward_runs_the_reading_position_alone():
    lm = model()
    target = lm.contrast(judged())
    assert lm._thin_parts
    shapes = []
    handle = lm.layers[1].mlp.down_proj.register_forward_hook(
        lambda _module, inputs, _output: shapes.append(inputs[0].shape[1])
    )
    try:
        with torch.no_grad():
            target.of(target.embeddings[None])
    finally:
        handle.remove()
    assert shapes == [1]


def test_a_last_layer_that_mixes_tokens_behind_its_attention_is_run_whole():
    network = model(attention_dropout=0.5).network  # one that no other test has
    own = network.model.layers[1].mlp.forward
    network.model.layers[1].mlp.forward = lambda given: own(given).cumsum(1)
    assert CausalLM(network, model().tokenizer)._thin_parts == []
