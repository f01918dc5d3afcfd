"""A causal language model as a batch sees it."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from arena.endpoints.device_memory import attention_without_plans
from arena.endpoints.first_run import check_cache, check_text
from arena.endpoints.fixed_step import Rooms, fixed
from arena.endpoints.key_value_cache import cache_argument, keeps_positions, sliding_window


class Model:
    """Tokens in, logits of the last position out. `rooms` are None where steps of fixed shape gain nothing."""

    def __init__(self, network: PreTrainedModel) -> None:
        attention_without_plans()
        self._network = network
        takes = inspect.signature(network.forward).parameters
        self._cache_argument = cache_argument(network)
        self._takes_positions = "position_ids" in takes
        self._keep = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        # Attention alone can be padded on the left and cut. A recurrent state would read the padding.
        self.joins = keeps_positions(network)
        slides = sliding_window(network) is not None
        self.rooms = (
            Rooms(network, self._run) if fixed(network, self.joins, self._takes_positions, slides) else None
        )

    @property
    def device(self) -> torch.device:
        return self._network.device

    def empty_cache(self) -> DynamicCache:
        """For rows that join, every layer keeps all positions and the mask alone makes the window slide."""
        return DynamicCache() if self.joins else DynamicCache(config=self._network.config)

    def logits(self, tokens: list[list[int]], mask: torch.Tensor, cache: DynamicCache) -> torch.Tensor:
        """Logits, shape (rows, vocabulary), after `tokens` (rows × new); `mask` covers old ones and new."""
        ids = torch.tensor(tokens, device=self._network.device)
        positions = (mask.cumsum(-1)[:, -ids.shape[1] :] - 1).clamp_(min=0) if self._takes_positions else None
        return self._run(ids, mask, positions, cache)

    def _run(
        self, ids: torch.Tensor, mask: torch.Tensor, positions: torch.Tensor | None, cache: Any
    ) -> torch.Tensor:
        options: dict[str, Any] = {self._cache_argument: cache, **self._keep}
        if positions is not None:
            options["position_ids"] = positions
        out = self._network(
            input_ids=ids,
            attention_mask=mask,
            use_cache=True,
            return_dict=True,
            **options,
        )
        last: torch.Tensor = out.logits[:, -1]
        return last


def check_network(network: PreTrainedModel) -> None:
    """Raise `EndpointError` for a network that writes no text, or whose cache is not kept."""
    model = Model(network)
    check_text(network)
    check_cache(model, network)
