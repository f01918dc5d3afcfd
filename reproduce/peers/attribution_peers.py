"""Each peer as its documentation shows it, on the same prompt and contrast as ours.

A peer takes the same target where it can: captum's gradients and lxt get logsumexp over spellings, and captum
the same baseline. inseq and captum's LLMAttribution know the log-probability of the next text alone; they explain
the label that the model prefers.
"""

from __future__ import annotations

import contextlib
import importlib.util
import re
import sys
from unittest import mock

import numpy as np
import torch

from interp.prompt import groups
from interp.whitebox.gradients import BASELINE

STEPS = 50  # the default of captum and inseq


def prepared(name):
    """The peer's function (name, target) -> (scores of words, what else)."""
    if name == "lxt_attn_lrp":
        _patch_llama()
    return {
        "captum_ig": captum_ig,
        "inseq_ig": inseq_gradients,
        "inseq_input_x_gradient": inseq_gradients,
        "lxt_attn_lrp": lxt_attn_lrp,
        "captum_ablation": captum_words,
        "captum_shapley": captum_words,
        "captum_kernel_shap": captum_words,
        "shap_partition": shap_partition,
    }[name]


def by_word(target, tokens):
    members = groups(target.units, target.prompt.words)
    return [float(np.sum(np.asarray(tokens)[inside])) for inside in members]


def spellings(target):
    return [target.lm.spellings(target.prompt, target.ids, label) for label in "AB"]


def contrast_of(target):
    """ids (rows, tokens) -> the contrast, through the whole model as its users call it."""
    a, b = spellings(target)

    def forward(ids):
        last = target.lm.network(ids).logits[:, -1]
        return torch.logsumexp(last[:, a], -1) - torch.logsumexp(last[:, b], -1)

    return forward


def captum_ig(_name, target):
    from captum.attr import LayerIntegratedGradients

    ids = target.ids[None]
    empty = target.lm.tokenizer(BASELINE, add_special_tokens=False)["input_ids"][-1]
    baseline = torch.where(torch.tensor(target.content)[None], empty, ids)
    method = LayerIntegratedGradients(contrast_of(target), target.lm.network.get_input_embeddings())
    scores = method.attribute(ids, baselines=baseline, n_steps=STEPS, internal_batch_size=1)
    tokens = scores.sum(-1)[0].detach().numpy()
    with torch.no_grad():
        change = float(contrast_of(target)(ids) - contrast_of(target)(baseline))
    return by_word(target, tokens), {"steps": STEPS, "tokens": tokens.tolist(), "change": change}


def inseq_gradients(name, target):
    import inseq

    kind = "integrated_gradients" if name == "inseq_ig" else "input_x_gradient"
    model = inseq.load_model(target.lm.network, kind, tokenizer=target.lm.tokenizer)
    label = target.lm.tokenizer.decode(preferred(target))
    more = {"n_steps": STEPS, "internal_batch_size": 1} if kind == "integrated_gradients" else {}
    with contextlib.redirect_stdout(sys.stderr):
        found = model.attribute(
            target.prompt.text, target.prompt.text + label, show_progress=False, skip_special_tokens=False, **more
        )
    rows = found[0].target_attributions[: len(target.units), 0].float().sum(-1).numpy()
    dropped = {target.lm.tokenizer.pad_token_id, target.lm.tokenizer.eos_token_id}
    kept = [at for at, token in enumerate(target.ids.tolist()) if token not in dropped]
    tokens = np.zeros(len(target.units))
    places = range(len(tokens)) if len(rows) == len(tokens) else kept
    for at, row in zip(places, np.nan_to_num(rows), strict=False):
        tokens[at] = row
    return by_word(target, tokens * (1 if target.value > 0 else -1)), {}


def preferred(target):
    """The spelling of the preferred label that the model itself would write."""
    ids = spellings(target)[0 if target.value > 0 else 1]
    with torch.no_grad():
        last = target.lm.network(target.ids[None], logits_to_keep=1).logits[0, -1]
    return max(ids, key=lambda token: float(last[token]))


def _patch_llama():
    """Patch Llama for lxt. Its other imports are missing and not used."""
    import transformers.pytorch_utils
    from transformers.models.llama import modeling_llama

    transformers.pytorch_utils.find_pruneable_heads_and_indices = None
    vision = ("torchvision", "torchvision.models", "torchvision.models.vision_transformer")
    names = ["zennit", "zennit.composites", "zennit.rules", "zennit.core", "lxt.efficient.zennit_patches"]
    present = "torchvision" in sys.modules or importlib.util.find_spec(
        "torchvision"
    )  # what was put there has no spec
    names += [] if present else vision
    sys.modules.update({name: mock.MagicMock() for name in names})
    from lxt.efficient import monkey_patch

    monkey_patch(modeling_llama)
    patched = modeling_llama.ALL_ATTENTION_FUNCTIONS  # a dict, which transformers 5 asks by another name
    modeling_llama.ALL_ATTENTION_FUNCTIONS = mock.Mock(get_interface=patched.get)


def lxt_attn_lrp(_name, target):
    network = target.lm.network.requires_grad_(True)  # its examples leave parameters as they are loaded
    a, b = spellings(target)
    embeddings = network.get_input_embeddings()(target.ids[None]).detach().requires_grad_(True)
    last = network(inputs_embeds=embeddings, use_cache=False).logits[:, -1]
    (torch.logsumexp(last[:, a], -1) - torch.logsumexp(last[:, b], -1)).sum().backward()
    tokens = (embeddings.grad * embeddings.detach()).sum(-1)[0].numpy()
    network.zero_grad()
    return by_word(target, tokens), {"tokens": tokens.tolist()}


def captum_words(name, target):
    """captum's perturbations over words by its own classes for language models; a word left out is deleted."""
    from captum import attr

    lm, words = target.lm, [word.text for word in target.prompt.words]
    pieces, at = [], 0
    for word in target.prompt.words:
        pieces += [target.prompt.text[at : word.start].replace("{", "{{").replace("}", "}}"), "{}"]
        at = word.end
    template = "".join([*pieces, target.prompt.text[at:].replace("{", "{{").replace("}", "}}")])
    method = {
        "captum_ablation": attr.FeatureAblation,
        "captum_shapley": attr.ShapleyValueSampling,
        "captum_kernel_shap": attr.KernelShap,
    }[name](lm.network)
    # captum takes a template from "{}" and the values: text in, its own tokenisation
    shown = attr.TextTemplateInput(template, values=words, baselines=[""] * len(words))
    samples = {"captum_shapley": {"n_samples": 2}, "captum_kernel_shap": {"n_samples": 200}}.get(name, {})
    asked = attr.LLMAttribution(method, lm.tokenizer)
    label = lm.tokenizer.decode(preferred(target))
    found = asked.attribute(shown, target=label, skip_tokens=[lm.tokenizer.bos_token_id], **samples)
    scores = found.seq_attr.detach().numpy() * (1 if target.value > 0 else -1)
    return scores.astype(float).tolist(), {}


def shap_partition(_name, target):
    """shap's partition explainer over words, each a token of a tokenizer of ours; a masked word is deleted."""
    import shap

    words = target.prompt.words
    value = contrast_of(target)
    network_tokens = target.lm.tokenizer

    def text_of(masked):
        shown, at = [], 0
        # every word begins with \x01; a masked one is \x02 in its place
        parts = re.findall(r"\x02|\x01[^\x01\x02]*", masked)
        for word, part in zip(words, parts, strict=True):
            shown += [target.prompt.text[at : word.start], "" if part == "\x02" else word.text]
            at = word.end
        return "".join([*shown, target.prompt.text[at:]])

    def f(texts):
        with torch.no_grad():
            rows = [network_tokens(text_of(text), add_special_tokens=False)["input_ids"] for text in texts]
            return np.array([float(value(torch.tensor([row]))[0]) for row in rows])

    def tokenizer(text, **_):
        found = [match.span() for match in re.finditer(r"\x02|\x01[^\x01\x02]*", text)]
        return {"input_ids": [text[low:high] for low, high in found], "offset_mapping": found}

    masker = shap.maskers.Text(tokenizer, mask_token="\x02", collapse_mask_token=False)
    explainer = shap.PartitionExplainer(f, masker)
    whole = "".join(f"\x01{word.text}" for word in words)
    found = explainer([whole], silent=True)
    return np.asarray(found.values[0], dtype=float).ravel().tolist(), {}
