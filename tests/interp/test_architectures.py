"""Every architecture works exactly, or is refused by name: nothing is wrong without a word."""

import warnings

import numpy as np
import pytest

from interp import (
    CausalLM,
    UnsupportedModel,
    attn_lrp,
    cp_lrp,
    flow_graph,
    gradient_importance,
    integrated_gradients,
    rollout,
)
from interp.whitebox.attention import each_layer, layers
from interp.whitebox.heads import ablation_importance
from reproduce.tiny_networks import DECODERS
from tests.support.small_models import judged, tokenizer, torch

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # torch alone takes seconds to import

RECURRENT = {
    "qwen3_next",
    "qwen3_5_text",
    "olmo_hybrid",
    "granitemoehybrid",
    "minimax",
    "lfm2",
    "bamba",
    "jamba",
    "zamba",
    "zamba2",
    "falcon_h1",
    "nemotron_h",
    "mamba",
    "mamba2",
    "falcon_mamba",
    "recurrent_gemma",
    "rwkv",
    "xlstm",
}

WITHOUT_RULES = {"ctrl", "deepseek_v2", "deepseek_v3", "minicpm3", "gpt_oss", "modernbert-decoder"}
POSITIONS = {"gpt2", "gpt_neo", "gpt_bigcode", "openai-gpt", "opt", "biogpt", "xglm"}


@pytest.fixture(scope="module", params=[each.model_type for each in DECODERS])
def target(request):
    architecture = next(each for each in DECODERS if each.model_type == request.param)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CausalLM(architecture.build(), tokenizer(), name=request.param).contrast(judged(), "aye", "nay")


def test_the_contrast_is_that_of_the_networks_own_logits(target):
    vocabulary = target.lm.tokenizer.get_vocab()
    with torch.no_grad():
        logits = target.lm.network(input_ids=target.ids[None], use_cache=False).logits[0, -1]
    assert target.value == pytest.approx(float(logits[vocabulary["aye"]] - logits[vocabulary["nay"]]), abs=1e-4)


def test_a_kept_prefix_and_padding_change_nothing(target):
    kept = np.random.default_rng(0).random((8, len(target.units))) < 0.7
    kept[:, -1] = True
    kept[0] = True
    alone = [target.of(target.embeddings[torch.tensor(np.flatnonzero(row))][None]).item() for row in kept]
    np.testing.assert_allclose(target.kept(kept), alone, atol=1e-4)
    assert target.lm.shares_prefix == (target.lm.name not in RECURRENT | {"openai-gpt"})


def test_integrated_gradients_are_complete(target):
    found = integrated_gradients(target, tolerance=0.9)
    assert found.total() == pytest.approx(found.parameters["change"], abs=1e-6)
    assert found.parameters["error"] < 0.9


def test_attention_and_heads_or_a_refusal(target):
    if target.lm.name in RECURRENT | {"ctrl"}:
        with pytest.raises(UnsupportedModel, match=r"does not work by attention alone|shows no attention weights"):
            rollout(target)
        with pytest.raises(UnsupportedModel):
            flow_graph(target)
        return
    for matrix in layers(target, "keep"):
        assert torch.allclose(matrix.sum(1), torch.ones(len(matrix)), atol=1e-5)
        assert not matrix.triu(1).any()
    assert rollout(target).scores.sum() <= 1 + 1e-5
    found = ablation_importance(target).scores
    assert found.shape == (2, 4)
    assert found.any()
    assert np.isfinite(gradient_importance(target).scores).all()


def test_relevance_is_conserved_or_refused(target):
    name = target.lm.name
    if name in RECURRENT | WITHOUT_RULES:
        with pytest.raises(UnsupportedModel):
            attn_lrp(target)
        return
    found = cp_lrp(target)
    if name not in POSITIONS:  # learned positions take a part of the relevance
        assert found.total() == pytest.approx(target.value, abs=1e-3 * max(1, np.abs(found.scores).sum()))
    assert np.isfinite(attn_lrp(target).scores).all()


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neox", "bloom", "falcon", "opt", "phi3"])
def test_weights_are_those_that_the_network_shows(kind):
    architecture = next(each for each in DECODERS if each.model_type == kind)
    target = CausalLM(architecture.build(), tokenizer()).contrast(judged(), "aye", "nay")
    shown = []
    each_layer(target, lambda _, matrix: shown.append(matrix), "keep")
    network = architecture.build()
    network.config._attn_implementation = "eager"
    with torch.no_grad():
        weights = network(input_ids=target.ids[None], output_attentions=True, use_cache=False).attentions
    for matrix, own in zip(shown, weights, strict=True):
        expected = (own[0].mean(0) + torch.eye(len(matrix))) / 2
        assert torch.allclose(matrix, expected, atol=1e-5)


@pytest.mark.parametrize(
    "kind", ["llama", "qwen3_moe", "gemma3_text", "gpt2", "gpt_neox", "phi3", "falcon", "mamba"]
)
def test_half_precision_supports_what_float32_supports(kind):
    architecture = next(each for each in DECODERS if each.model_type == kind)
    single, half = (
        CausalLM(architecture.build().to(dtype), tokenizer()).contrast(judged(), "aye", "nay")
        for dtype in (torch.float32, torch.bfloat16)
    )
    assert half.value == pytest.approx(single.value, abs=0.2)
    assert half.lm.shares_prefix == single.lm.shares_prefix
    if kind == "mamba":
        return
    relevance = [attn_lrp(target).scores for target in (single, half)]
    assert np.corrcoef(*relevance)[0, 1] > 0.9
