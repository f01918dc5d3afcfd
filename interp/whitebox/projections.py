"""Queries, keys and values of an attention, where three modules make them and where one makes all.

Families order the columns of one module in different ways: GPT-2 and Phi-3 [queries | keys | values], Pythia, BLOOM
and Falcon for each key-value head [its queries | key | value]. Which columns are values is found by one gradient: the
attention weights do not depend on values.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.whitebox.architecture import FUSED, attentions_of
from interp.whitebox.attention_weights import observed
from interp.whitebox.network_checks import probe

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer

SEPARATE = ("q_proj", "k_proj", "v_proj")
_VALUES: WeakKeyDictionary[Any, torch.Tensor] = WeakKeyDictionary()  # by module, True for columns of values


@dataclass(frozen=True)
class Projection:
    """A module that makes queries, keys or values; `values` (columns,) is True for columns of values."""

    module: Any
    values: torch.Tensor


def projections(lm: Transformer) -> list[tuple[Projection, ...]]:
    """The projections of every layer's attention. Raises UnsupportedModel."""
    attentions = attentions_of(lm)
    fused = [_fused(attention) for attention in attentions]
    if any(module is not None and module not in _VALUES for module in fused):
        _find_values(lm, fused)
    return [_of(attention, module) for attention, module in zip(attentions, fused, strict=True)]


def _of(attention: Any, fused: Any) -> tuple[Projection, ...]:
    if fused is not None:
        return (Projection(fused, _VALUES[fused]),)
    modules = [getattr(attention, name) for name in SEPARATE]
    return tuple(
        Projection(module, torch.tensor(name == "v_proj")) for name, module in zip(SEPARATE, modules, strict=True)
    )


def _fused(attention: Any) -> Any:
    """The module that makes all three; None where there are three. Raises UnsupportedModel where it is neither."""
    if all(hasattr(attention, name) for name in SEPARATE):
        return None
    for name in FUSED:
        module = getattr(attention, name, None)
        if isinstance(module, torch.nn.Module):
            return module
    raise UnsupportedModel(
        f"a {type(attention).__name__} has neither {', '.join(SEPARATE)} nor {', '.join(FUSED[:-1])} or {FUSED[-1]}, so "
        "its values cannot be read. Use gradients or a black-box method."
    )


def _find_values(lm: Transformer, fused: list[Any]) -> None:
    weights: dict[int, torch.Tensor] = {}
    outputs: dict[int, torch.Tensor] = {}
    embeddings = lm.embed(probe(lm.network)[0])[None].clone().requires_grad_(True)
    with torch.enable_grad(), observed(lm, weights.__setitem__), _kept(fused, outputs):
        lm.run(embeddings)
        for number, output in outputs.items():
            draw = torch.linspace(-1, 1, weights[number].numel()).reshape(weights[number].shape).to(output)
            (gradient,) = torch.autograd.grad((weights[number] * draw).sum(), output, retain_graph=True)
            _VALUES[fused[number]] = (gradient == 0).flatten(0, -2).all(0)


@contextmanager
def _kept(modules: list[Any], outputs: dict[int, torch.Tensor]) -> Iterator[None]:
    with ExitStack() as stack:
        for number, module in enumerate(modules):
            if module is not None:
                handle = module.register_forward_hook(
                    lambda _module, _inputs, output, number=number: outputs.update({number: output})
                )
                stack.callback(handle.remove)
        yield
