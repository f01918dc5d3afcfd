"""Where the parts of a transformers network are: its decoder, layers, attentions and their output projections.

Names differ by family: GPT-2 has `h` and `attn.c_proj`, BLOOM `self_attention.dense`, Pythia `attention.dense`, OPT
`self_attn.out_proj`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

from interp.errors import UnsupportedModel
from interp.extras import torch

DECODER, ENCODER_DECODER, CLASSIFIER = (
    "AutoModelForCausalLM",
    "AutoModelForSeq2SeqLM",
    "AutoModelForSequenceClassification",
)
WHAT = {DECODER: "a language model", ENCODER_DECODER: "an encoder-decoder", CLASSIFIER: "a classifier"}
LOADERS = {DECODER: "CausalLM", ENCODER_DECODER: "EncoderDecoder", CLASSIFIER: "Classifier"}
LAYERS = ("layers", "h", "blocks")
ATTENTIONS = ("self_attn", "attn", "attention", "self_attention", "norm_attn_norm", "temporal_block", "mixer")
RECURRENT = ("mamba", "linear_attn", "conv")  # work of a layer that no attention shows
OUTPUTS = ("o_proj", "out_proj", "dense", "c_proj", "wo", "Wo")
FUSED = ("qkv_proj", "query_key_value", "c_attn", "Wqkv")


def kind_of(config: Any) -> str:
    """The class of transformers that loads a network as what it was trained as, by its configuration."""
    trained_as = next(iter(config.architectures or ()), "")
    if trained_as.endswith("ForSequenceClassification"):
        return CLASSIFIER
    return ENCODER_DECODER if config.is_encoder_decoder else DECODER


def check_kind(config: Any, network_class: str) -> None:
    """Raise UnsupportedModel for a network that was not trained as `network_class`: its weights would be random."""
    kind = kind_of(config)
    if kind != network_class:
        raise UnsupportedModel(
            f"a network of type {config.model_type!r} is {WHAT[kind]}. Load it with interp.{LOADERS[kind]}."
        )


def decoder_of(network: Any) -> Any:
    """The part of a network that reads embeddings and returns hidden states. Raises UnsupportedModel."""
    for part in _candidates(network):
        if part is not network and "inputs_embeds" in inspect.signature(part.forward).parameters:
            return part
    raise UnsupportedModel(f"{type(network).__name__} has no part that reads embeddings. Use a black-box method.")


def _candidates(network: Any) -> Iterator[Any]:
    yield network.get_decoder()
    yield network.base_model
    yield from (part for part in network.children() if not isinstance(part, torch.nn.ModuleList))


def layers_of(decoder: Any) -> Any:
    """The layers, first one first. Raises UnsupportedModel when they are kept elsewhere."""
    for name in LAYERS:
        layers = getattr(decoder, name, None)
        if isinstance(layers, torch.nn.ModuleList):
            return layers
    raise UnsupportedModel(
        f"{type(decoder).__name__} has no list {', '.join(LAYERS[:-1])} or {LAYERS[-1]}. Attention, relevance and heads "
        "are read from decoders alone. Use gradients or a black-box method."
    )


def attention_of(layer: Any, number: int) -> Any:
    """The attention of a layer, with an output projection. Raises UnsupportedModel for recurrent and hybrid layers."""
    recurrent = [name for name in RECURRENT if isinstance(getattr(layer, name, None), torch.nn.Module)]
    for name in () if recurrent else ATTENTIONS:
        part = getattr(layer, name, None)
        inside = [getattr(part, inner, None) for inner in ("attention", "attn", "self")]
        for attention in (part, *inside):
            if attention is not None and output_name(attention) is not None and _attends(attention):
                return attention
    raise UnsupportedModel(
        f"layer {number}, a {type(layer).__name__}, does not work by attention alone. Attention, relevance and heads need "
        "that of every layer. Use gradients or a black-box method."
    )


def attentions_of(lm: Any) -> list[Any]:
    """The attention of every layer. Raises UnsupportedModel."""
    return [attention_of(layer, number) for number, layer in enumerate(lm.layers)]


def _attends(attention: Any) -> bool:
    """True for projections to queries, keys and values; recurrent layers have others."""
    return any(hasattr(attention, name) for name in ("q_proj", "q_b_proj", *FUSED))


def output_name(attention: Any) -> str | None:
    """The name of the projection that reads the contexts of all heads."""
    return next((name for name in OUTPUTS if isinstance(getattr(attention, name, None), torch.nn.Module)), None)


def output_projection(attention: Any) -> Any:
    """The projection that reads the contexts of all heads."""
    return getattr(attention, output_name(attention) or "")
