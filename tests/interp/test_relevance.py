"""Relevance rules: conservation, the rules written out by hand, and no trace left on the model."""

import numpy as np
import pytest

from interp.errors import BadOption, UnsupportedModel
from interp.whitebox.causal_lm import CausalLM
from interp.whitebox.projections import projections
from interp.whitebox.relevance import attn_lrp, chefer, cp_lrp
from interp.whitebox.relevance_rules import attn_lrp_rules
from tests.support.small_models import SIZES, judged, model, torch, transformers


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3"])
def test_cp_lrp_conserves_exactly(kind):
    target = model(kind).contrast(judged(), "aye", "nay")  # one spelling each
    found = cp_lrp(target)
    assert found.total() == pytest.approx(target.value, abs=1e-5 * max(1, np.abs(found.scores).sum()))
    assert found.delta == pytest.approx(abs(found.total() - target.value), abs=1e-5)


def by_hand(target):
    """AttnLRP of a Llama, each rule where it applies, in plain tensors without a module's forward."""
    network = target.lm.network.model
    config = target.lm.config
    heads, shared = config.num_attention_heads, config.num_attention_heads // config.num_key_value_heads
    width = config.hidden_size // heads

    def share(x, part=0.5):
        return part * x + (1 - part) * x.detach()

    def norm(x, module):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + module.variance_epsilon).detach() * module.weight

    def turned(x):
        return torch.cat([-x[..., width // 2 :], x[..., : width // 2]], -1)

    embeddings = target.embeddings.clone().requires_grad_(True)
    tokens = len(embeddings)
    cosine, sine = (part[0] for part in network.rotary_emb(embeddings[None], torch.arange(tokens)[None]))
    causal = torch.full((tokens, tokens), -torch.inf).triu(1)
    state = embeddings
    for layer in network.layers:
        given, attention = norm(state, layer.input_layernorm), layer.self_attn
        q = (given @ attention.q_proj.weight.T).unflatten(-1, (-1, width)).transpose(0, 1)
        k = (given @ attention.k_proj.weight.T).unflatten(-1, (-1, width)).transpose(0, 1)
        v = (given @ attention.v_proj.weight.T).unflatten(-1, (-1, width)).transpose(0, 1)
        q, k = q * cosine + turned(q) * sine, k * cosine + turned(k) * sine
        k, v = k.repeat_interleave(shared, 0), v.repeat_interleave(shared, 0)
        logits = share(q) @ share(k).transpose(1, 2) / width**0.5
        moved = share(torch.softmax(logits + causal, -1)) @ share(v)
        state = state + moved.transpose(0, 1).flatten(1) @ attention.o_proj.weight.T
        given, gated = norm(state, layer.post_attention_layernorm), layer.mlp
        gate = given @ gated.gate_proj.weight.T
        act = gate * torch.sigmoid(gate).detach()
        state = state + (share(act) * share(given @ gated.up_proj.weight.T)) @ gated.down_proj.weight.T
    value = target.terms[0].read(norm(state, network.norm)[None])
    (gradient,) = torch.autograd.grad(value.sum(), embeddings)
    return (gradient * target.embeddings).sum(-1).numpy()


def test_attn_lrp_is_the_rules_written_out_by_hand():
    target = model().contrast(judged())
    np.testing.assert_allclose(attn_lrp(target).scores, by_hand(target), atol=1e-5)


def test_rules_leave_no_trace():
    lm = model()
    target = lm.contrast(judged())
    before, hooks = target.value, sum(len(module._forward_hooks) for module in lm.network.modules())
    attn_lrp(target)
    with pytest.raises(RuntimeError, match="stop"), attn_lrp_rules(lm):
        raise RuntimeError("stop")
    assert sum(len(module._forward_hooks) for module in lm.network.modules()) == hooks
    assert lm.contrast(judged()).value == before


class Product(torch.nn.Module):
    """A feed-forward that multiplies, under names that nobody knows."""

    def __init__(self):
        super().__init__()
        self.one, self.other = torch.nn.Linear(32, 32), torch.nn.Linear(32, 32)

    def forward(self, x):
        return self.one(x) * self.other(x)


def test_a_part_without_a_rule_is_noticed():
    network = model(attention_dropout=0.3).network  # one that no other test has
    network.model.layers[1].mlp = Product()
    lm = CausalLM(network, model().tokenizer)
    with pytest.raises(UnsupportedModel, match="do not cover all of a LlamaModel: relevance is not conserved"):
        attn_lrp(lm.contrast(judged()))


def test_fused_projections_have_the_relevance_of_separate_ones():
    lm = model(attention_dropout=0.4)
    config = transformers.Phi3Config(**{**SIZES, "rms_norm_eps": 1e-6, "pad_token_id": 0})
    fused = transformers.Phi3ForCausalLM(config)
    weights = dict(lm.network.state_dict())
    for number in range(2):
        layer = f"model.layers.{number}"
        parts = [weights.pop(f"{layer}.self_attn.{name}_proj.weight") for name in "qkv"]
        gated = [weights.pop(f"{layer}.mlp.{name}_proj.weight") for name in ("gate", "up")]
        weights[f"{layer}.self_attn.qkv_proj.weight"] = torch.cat(parts)
        weights[f"{layer}.mlp.gate_up_proj.weight"] = torch.cat(gated)
    fused.load_state_dict(weights)
    ours, theirs = (
        attn_lrp(each.contrast(judged())) for each in (CausalLM(fused, lm.tokenizer, name="fused"), lm)
    )
    assert ours.value == pytest.approx(theirs.value, abs=1e-5)
    np.testing.assert_allclose(ours.scores, theirs.scores, atol=1e-5)


def gpt2_by_hand(target):
    """AttnLRP of a GPT-2: norms with a mean, one projection for queries, keys and values, no gate."""
    network = target.lm.network.transformer

    def share(x):
        return 0.5 * x + 0.5 * x.detach()

    def norm(x, module):
        centred = x - x.mean(-1, keepdim=True)
        return centred * torch.rsqrt(centred.pow(2).mean(-1, keepdim=True) + module.eps).detach() * module.weight

    embeddings = target.embeddings.clone().requires_grad_(True)
    tokens = len(embeddings)
    causal = torch.full((tokens, tokens), -torch.inf).triu(1)
    state = embeddings + network.wpe.weight[:tokens]
    for layer in network.h:
        given = norm(state, layer.ln_1) @ layer.attn.c_attn.weight
        q, k, v = (part.unflatten(-1, (4, -1)).transpose(0, 1) for part in given.split(32, dim=-1))
        logits = share(q) @ share(k).transpose(1, 2) / 8**0.5
        moved = share(torch.softmax(logits + causal, -1)) @ share(v)
        state = state + moved.transpose(0, 1).flatten(1) @ layer.attn.c_proj.weight
        inner = norm(state, layer.ln_2) @ layer.mlp.c_fc.weight
        state = state + (inner * (layer.mlp.act(inner) / inner).detach()) @ layer.mlp.c_proj.weight
    value = target.terms[0].read(norm(state, network.ln_f)[None])
    (gradient,) = torch.autograd.grad(value.sum(), embeddings)
    return (gradient * target.embeddings).sum(-1).numpy()


def test_attn_lrp_of_gpt2_is_the_rules_written_out_by_hand():
    target = model("gpt2").contrast(judged())
    np.testing.assert_allclose(attn_lrp(target).scores, gpt2_by_hand(target), atol=1e-5)


class TwiceRMSNorm(torch.nn.Module):
    """Called like an RMSNorm, and none."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(32))

    def forward(self, x):
        return 2 * x * self.weight


def test_a_layer_that_the_rules_would_change_is_noticed():
    network = model(attention_dropout=0.1).network  # one that no other test has
    network.model.layers[0].input_layernorm = TwiceRMSNorm()
    lm = CausalLM(network, model().tokenizer)
    with pytest.raises(UnsupportedModel, match="TwiceRMSNorm is neither x / rms"):
        attn_lrp(lm.contrast(judged()))


def test_a_missing_projection_is_named():
    lm = model(attention_dropout=0.2)
    attention = lm.layers[1].self_attn
    kept = attention._modules.pop("v_proj")
    try:
        with pytest.raises(UnsupportedModel, match="LlamaAttention has neither q_proj, k_proj, v_proj nor"):
            projections(lm)
    finally:
        attention._modules["v_proj"] = kept


def test_chefer_by_the_definition_with_full_matrices():
    target = model().contrast(judged())
    network = target.lm.network
    network.set_attn_implementation("eager")
    embeddings = target.embeddings[None].clone().requires_grad_(True)
    run = network.model(inputs_embeds=embeddings, output_attentions=True)
    value = target.terms[0].read(run.last_hidden_state[:, -1:])
    gradients = torch.autograd.grad(value.sum(), run.attentions)
    network.set_attn_implementation("sdpa")
    for side, sign in (("first", 1), ("second", -1)):
        relevance = torch.eye(len(target.units))
        for weights, gradient in zip(run.attentions, gradients, strict=True):
            relevance = relevance + (sign * weights * gradient)[0].clamp_min(0).mean(0) @ relevance
        np.testing.assert_allclose(chefer(target, side).scores, relevance[-1].detach().numpy(), atol=1e-5)
    assert network.config._attn_implementation == "sdpa"


def test_chefer_says_what_it_cannot_do():
    target = model().contrast(judged())
    with pytest.raises(BadOption, match="side 'left'"):
        chefer(target, "left")
    with pytest.raises(BadOption, match="Omit `against`"):
        chefer(model().answer(judged(), " yes", against=" no"))
