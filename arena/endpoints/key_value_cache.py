"""The key-value cache of a transformers network: the name of its argument, its layers, and how to cut it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

from transformers import DynamicCache
from transformers.cache_utils import CacheLayerMixin, DynamicLayer, DynamicSlidingWindowLayer

from arena.endpoints.endpoint import EndpointError, Failure

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ARGUMENTS = ("cache", "past_key_values")  # since transformers 5.24, and before


def cache_argument(network: PreTrainedModel) -> str:
    """The name of the argument that takes the cache.

    Raises `EndpointError` for a network without one, or whose layers are all recurrent.
    """
    parameters = inspect.signature(network.forward).parameters
    layers = DynamicCache(config=network.config).layers
    if any(isinstance(layer, CacheLayerMixin) for layer in layers):
        for name in ARGUMENTS:
            if name in parameters:
                return name
    detail = f"{type(network).__name__} has no key-value cache. Use a decoder-only model with attention layers"
    raise EndpointError(Failure.UNUSABLE, detail)


def keeps_positions(network: PreTrainedModel) -> bool:
    """True if every layer caches keys and values by position; False for recurrent states, which cannot be cut."""
    layers = DynamicCache(config=network.config).layers
    return all(type(layer) in (DynamicLayer, DynamicSlidingWindowLayer) for layer in layers)


def sliding_window(network: PreTrainedModel) -> int | None:
    """The number of positions that a layer with sliding attention sees; None without such a layer."""
    layers = DynamicCache(config=network.config).layers
    if not any(isinstance(layer, DynamicSlidingWindowLayer) for layer in layers):
        return None
    config = network.config.get_text_config()
    window = getattr(config, "sliding_window", None) or config.attention_chunk_size  # Llama 4 attends in chunks
    return int(window)


def masks_itself(network: PreTrainedModel) -> bool:
    """True for attention that counts positions in a row by itself, whatever mask it is given: GPT-Neo's local layers."""
    return "local" in (getattr(network.config, "attention_layers", None) or ())


def cut(cache: DynamicCache, length: int) -> None:
    """Keep the first `length` positions of the cache."""
    for layer in cache.layers:
        if layer.is_initialized:  # a layer that shares the keys of another one stays empty
            layer.keys, layer.values = layer.keys[:, :, :length], layer.values[:, :, :length]
