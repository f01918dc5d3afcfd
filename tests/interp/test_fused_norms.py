"""Norms in one kernel give the same, in copies too, and leave others alone."""

import copy

import numpy as np
import pytest

from interp.whitebox.fused_norms import fuse_norms, own_norms
from interp.whitebox.gradients import integrated_gradients
from interp.whitebox.relevance import attn_lrp
from tests.support.small_models import CausalLM, judged, model, torch

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


def fused(kind="llama"):
    lm = CausalLM(copy.deepcopy(model(kind).network), model(kind).tokenizer)
    return lm, fuse_norms(lm.decoder, ("cpu",))


@pytest.mark.parametrize(("kind", "norms"), [("llama", 5), ("qwen3", 9)])
def test_values_gradients_and_relevance_stay(kind, norms):
    lm, count = fused(kind)
    assert count == norms
    ours, plain = lm.contrast(judged()), model(kind).contrast(judged())
    assert ours.value == pytest.approx(plain.value, abs=1e-4)
    for method in (lambda target: integrated_gradients(target, max_steps=17), attn_lrp, attn_lrp):
        np.testing.assert_allclose(method(ours).scores, method(plain).scores, atol=1e-4)
    assert fuse_norms(lm.decoder, ("cpu",)) == 0  # they are


def test_norms_on_a_cpu_and_those_of_another_form_stay():
    assert fuse_norms(model().decoder) == 0
    assert fused("gemma3")[1] == 0
    wrong = torch.nn.Sequential(copy.deepcopy(model().layers[0].input_layernorm))
    wrong[0].variance_epsilon = 1e-5
    wrong[0].forward = lambda x: x
    assert fuse_norms(wrong, ("cpu",)) == 0


def test_a_copy_in_another_precision_calls_its_own_weights():
    lm, _ = fused()
    double = CausalLM(copy.deepcopy(lm.network).double(), lm.tokenizer)
    assert double.contrast(judged()).value == pytest.approx(lm.contrast(judged()).value, abs=1e-4)
    assert double.layers[0].input_layernorm.forward.__self__ is double.layers[0].input_layernorm


def test_the_library_s_norms_come_back_for_a_while():
    lm, count = fused()
    with own_norms(lm.decoder):
        assert fuse_norms(torch.nn.ModuleList([lm.layers[0].input_layernorm]), ("cpu",)) == 1
        del lm.layers[0].input_layernorm.forward
        assert not any("forward" in vars(module) for module in lm.decoder.modules())
    assert sum("forward" in vars(module) for module in lm.decoder.modules()) == count
