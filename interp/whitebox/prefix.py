"""Keys and values of a prompt's first tokens, computed once and shared by every run that starts with them."""

from __future__ import annotations

from typing import Any

from interp.errors import UnsupportedModel
from interp.extras import torch, transformers

Cache, DynamicLayer = transformers.cache_utils.Cache, transformers.cache_utils.DynamicLayer

Pair = tuple["torch.Tensor", "torch.Tensor"]


class _Shared(DynamicLayer):  # type: ignore[misc, valid-type]  # transformers is not typed
    """One layer's prefix (1, heads, length, width), read by any number of rows and never written."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.lazy_initialization(keys, values)
        self.keys, self.values = keys, values

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> Pair:
        rows = len(key_states)
        return (
            torch.cat([self.keys.expand(rows, -1, -1, -1), key_states], dim=-2),
            torch.cat([self.values.expand(rows, -1, -1, -1), value_states], dim=-2),
        )


class Prefix:
    """The keys and values of a whole prompt, to be cut to any length."""

    def __init__(self, cache: Any) -> None:
        """From the cache that one run over the prompt filled. Raises UnsupportedModel for recurrent layers."""
        if not cache.layers:
            raise UnsupportedModel("the network keeps no past. Only attention over all tokens can share a prefix.")
        for number, layer in enumerate(cache.layers):
            if getattr(layer, "keys", None) is None or type(layer) is not DynamicLayer:
                raise UnsupportedModel(
                    f"layer {number} keeps its past in a {type(layer).__name__}. Only attention over all tokens "
                    "can share a prefix."
                )
        self._layers = [(layer.keys.detach(), layer.values.detach()) for layer in cache.layers]

    def cut(self, length: int) -> Any:
        """A transformers cache of the first `length` tokens that runs do not change, None for no tokens."""
        if length == 0:
            return None
        return Cache(layers=[_Shared(keys[:, :, :length], values[:, :, :length]) for keys, values in self._layers])
