"""The attention weights of each layer, shown while a network runs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.whitebox.architecture import attentions_of

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer

ROUNDING = 1e-2  # of a row's sum, in half precision


@contextmanager
def observed(lm: Transformer, observe: Callable[[int, torch.Tensor], None]) -> Iterator[None]:
    """Runs inside show each layer's weights (rows, heads, queries, keys) to `observe(layer, weights)`.

    Only eager attention has weights to show; the network's own implementation is put back at the end. Raises
    UnsupportedModel for layers that do not work by attention alone, and for weights that are none.
    """

    def hook(number: int) -> Callable[[Any, Any, Any], None]:
        def show(attention: Any, _inputs: Any, output: Any) -> None:
            observe(number, _weights(attention, output))

        return show

    own = lm.network.config._attn_implementation
    with ExitStack() as stack:
        for number, attention in enumerate(attentions_of(lm)):
            stack.enter_context(_removed(attention.register_forward_hook(hook(number))))
            if "output_attentions" in inspect.signature(attention.forward).parameters:
                stack.enter_context(_removed(attention.register_forward_pre_hook(_asked, with_kwargs=True)))
        _use(lm.network, "eager")
        stack.callback(_use, lm.network, own)
        yield


def _use(network: Any, attention: str) -> None:
    """Change the implementation of attention. Falcon refuses that, and reads its configuration at every run."""
    network.set_attn_implementation(attention)
    if network.config._attn_implementation != attention:
        network.config._attn_implementation = attention


def _asked(_attention: Any, inputs: Any, options: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Some attentions return their weights only when they are asked to."""
    return inputs, {**options, "output_attentions": True}


def _weights(attention: Any, output: Any) -> torch.Tensor:
    """The weights in an attention's output: shares of each query, over keys that it may see."""
    for part in output if isinstance(output, tuple | list) else ():
        if isinstance(part, torch.Tensor) and part.ndim == 4 and part.shape[-1] == part.shape[-2]:
            shares = part.detach()
            if shares.min() >= 0 and shares.sum(-1).max() <= 1 + ROUNDING and not shares.triu(1).any():
                return part
    raise UnsupportedModel(
        f"a {type(attention).__name__} shows no attention weights. Use gradients or a black-box method."
    )


@contextmanager
def _removed(handle: Any) -> Iterator[None]:
    try:
        yield
    finally:
        handle.remove()
