"""The peers of `reproduce/gpu.py` at their best: no logits but the last position's, frozen weights, any batch size."""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps

import torch

from interp.whitebox.fused_norms import own_norms
from interp.whitebox.gradients import BASELINE

EVALUATED = 32  # rows of a padded batch of log-likelihoods


def as_shipped(peer):
    """The peer with the network as its library made it, and with torch's own choice of attention, which our endpoints
    and `CausalLM` narrow for the process."""

    @wraps(peer)
    def run(first, *args, **options):
        network = first.lm.network if hasattr(first, "lm") else first
        before = torch.backends.cuda.cudnn_sdp_enabled()
        torch.backends.cuda.enable_cudnn_sdp(True)
        try:
            with own_norms(network):
                return peer(first, *args, **options)
        finally:
            torch.backends.cuda.enable_cudnn_sdp(before)

    return run


def contrast_of(target):
    """ids (rows, tokens) -> the contrast of the last position (rows,)."""
    a, b = ([*target.lm.spellings(target.prompt, target.ids, label)] for label in "AB")

    def forward(ids):
        last = target.lm.network(ids, use_cache=False, logits_to_keep=1).logits[:, -1]
        return torch.logsumexp(last[:, a], -1) - torch.logsumexp(last[:, b], -1)

    return forward


def baseline_of(target):
    """ids (1, tokens): the content replaced by the baseline's token."""
    empty = target.lm.tokenizer(BASELINE, add_special_tokens=False)["input_ids"][-1]
    ids = target.ids[None]
    return torch.where(torch.tensor(target.content)[None], empty, ids).to(target.lm.network.device)


@as_shipped
def captum_ablation(target, at_once: int):
    """Replace each word by the baseline's token, `at_once` words a pass."""
    from captum.attr import FeatureAblation

    from interp.prompt import groups

    mask = torch.full((1, len(target.ids)), len(target.prompt.words))
    for word, members in enumerate(groups(target.units, target.prompt.words)):
        mask[0, members] = word
    ids, device = target.ids[None], target.lm.network.device
    return FeatureAblation(contrast_of(target)).attribute(
        ids.to(device), baselines=baseline_of(target), feature_mask=mask.to(device), perturbations_per_eval=at_once
    )


@as_shipped
def captum_gradients(target, steps: int, at_once: int):
    """Integrated gradients (tokens,), float64."""
    from captum.attr import LayerIntegratedGradients

    network = target.lm.network
    method = LayerIntegratedGradients(contrast_of(target), network.get_input_embeddings())
    network.get_input_embeddings().requires_grad_(True)  # captum asks for gradients of the layer's output
    try:
        scores = method.attribute(
            target.ids[None].to(network.device),
            baselines=baseline_of(target),
            n_steps=steps,
            internal_batch_size=at_once,
        )
    finally:
        network.requires_grad_(False)
    return scores.detach().double().sum(-1)[0].cpu().numpy()


@contextmanager
def lxt_patched():
    """lxt's rules in every Llama of this process, and transformers' own code again afterwards."""
    import attribution_peers
    from transformers.models.llama import modeling_llama

    classes = (modeling_llama.LlamaMLP, modeling_llama.LlamaRMSNorm, torch.nn.Dropout)
    forwards = [each.forward for each in classes]
    names = ("eager_attention_forward", "ALL_ATTENTION_FUNCTIONS")
    functions = [getattr(modeling_llama, name) for name in names]
    attribution_peers.prepared("lxt_attn_lrp")
    try:
        yield
    finally:
        for each, forward in zip(classes, forwards, strict=True):
            each.forward = forward
        for name, function in zip(names, functions, strict=True):
            setattr(modeling_llama, name, function)


@as_shipped
def lxt_relevance(target):
    """(tokens,) by lxt; call it inside `lxt_patched`."""
    a, b = ([*target.lm.spellings(target.prompt, target.ids, label)] for label in "AB")
    embeddings = target.embeddings[None].clone().requires_grad_(True)
    last = target.lm.network(inputs_embeds=embeddings, use_cache=False, logits_to_keep=1).logits[:, -1]
    (torch.logsumexp(last[:, a], -1) - torch.logsumexp(last[:, b], -1)).sum().backward()
    return (embeddings.grad * embeddings.detach()).sum(-1)[0].double().cpu().numpy()


@as_shipped
def generated(network, tokenizer, texts, tokens: int, **sampling):
    """Completions by `generate`, all rows in one batch, padded on the left."""
    device = network.device
    rows = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
    width = max(map(len, rows))
    ids = torch.tensor([[0] * (width - len(row)) + row for row in rows], device=device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=device)
    chosen = sampling or {"do_sample": False}
    with torch.inference_mode():
        out = network.generate(ids, attention_mask=mask, max_new_tokens=tokens, pad_token_id=0, **chosen)
    return [tokenizer.decode(row) for row in out[:, width:].tolist()]


@as_shipped
def padded_log_likelihoods(network, tokenizer, pairs, at_once: int = EVALUATED):
    """log p(continuation | context) of each pair, as lm-evaluation-harness computes it: sorted by length, padded on
    the right, the softmax over every position."""
    encoded = []
    for context, continuation in pairs:
        before = tokenizer(context)["input_ids"]
        encoded.append((before, tokenizer(context + continuation)["input_ids"][len(before) :]))
    values = [0.0] * len(pairs)
    order = sorted(range(len(pairs)), key=lambda at: -sum(map(len, encoded[at])))
    for low in range(0, len(order), at_once):
        batch = order[low : low + at_once]
        rows = [(encoded[at][0] + encoded[at][1])[:-1] for at in batch]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=network.device)
        with torch.inference_mode():
            logs = torch.log_softmax(network(ids, use_cache=False).logits, -1)
            for number, at in enumerate(batch):
                tokens = torch.tensor(encoded[at][1], device=network.device)
                read = logs[number, len(rows[number]) - len(tokens) : len(rows[number])]
                values[at] = float(read.gather(1, tokens[:, None]).sum())
    return values
