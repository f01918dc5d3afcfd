"""Layer-wise relevance as a changed backward pass, for one network, as long as a `with` lasts.

Gradient x input gives relevance when every layer's backward follows a rule (Achtibat et al., ICML 2024, arXiv
2402.05602; as gradients: Arras et al., arXiv 2502.15886). The forward pass and its numbers stay what they were:

    RMSNorm          1/sqrt(mean x^2 + eps) is a constant                       identity rule
    act(x)           the secant act(x)/x in place of the tangent                identity rule
    gate * up        half of the gradient to each                               uniform rule
    A V              half of the gradient to each: v keeps 1/2
    Q K^T            half to each of what A keeps: q and k keep 1/4
    softmax          its true Jacobian
    linear, rotary, repeated key-value heads: linear maps, no rule needed

CP-LRP (Ali et al., ICML 2022) holds A constant instead: q and k get nothing and v all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from interp.errors import UnsupportedModel
from interp.extras import torch

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer

PROJECTIONS = ("q_proj", "k_proj", "v_proj")
GATED = ("gate_proj", "up_proj", "act_fn")
SAME = 1e-2  # of the largest number: rounding in bfloat16 is 4e-3 of each
Hook = Callable[[Any, tuple[Any, ...], Any], Any]


@contextmanager
def attn_lrp_rules(lm: Transformer) -> Iterator[None]:
    """AttnLRP's backward pass. Raises UnsupportedModel for layers other than Llama-like or Gemma-like ones."""
    with _hooked(lm, query_key=scaled(0.25), value=scaled(0.5)):
        yield


@contextmanager
def cp_lrp_rules(lm: Transformer) -> Iterator[None]:
    """CP-LRP's backward pass, which conserves relevance where linear layers have no bias."""
    with _hooked(lm, query_key=_constant, value=None):
        yield


@contextmanager
def _hooked(lm: Transformer, query_key: Hook, value: Hook | None) -> Iterator[None]:
    hooks: list[tuple[Any, Hook]] = [(norm, _norm_rule(norm)) for norm in _norms(lm.decoder)]
    for number, layer in enumerate(lm.layers):
        attention = _parts(layer, "self_attn", PROJECTIONS, number)
        gated = _parts(layer, "mlp", GATED, number)
        hooks += [(attention.q_proj, query_key), (attention.k_proj, query_key)]
        hooks += [(attention.v_proj, value)] if value else []
        hooks += [(gated.act_fn, _secant), (gated.act_fn, scaled(0.5)), (gated.up_proj, scaled(0.5))]
    handles = [module.register_forward_hook(hook) for module, hook in hooks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def scaled(share: float) -> Hook:
    """A hook that lets `share` of the gradient through and leaves the output alone."""

    def hook(_module: Any, _inputs: tuple[Any, ...], output: Any) -> None:
        if output.requires_grad:
            output.register_hook(lambda gradient: gradient * share)

    return hook


def _constant(_module: Any, _inputs: tuple[Any, ...], output: Any) -> Any:
    return output.detach()


def _secant(_module: Any, inputs: tuple[Any, ...], output: Any) -> Any:
    (given,) = inputs
    slope = torch.where(given == 0, torch.zeros_like(given), output / given).detach()
    return given * slope


def _norm_rule(norm: Any) -> Hook:
    """x * r * w with r constant. w is asked of the norm itself: some store w - 1."""
    epsilon = float(getattr(norm, "variance_epsilon", getattr(norm, "eps", 0.0)))
    with torch.no_grad():
        weight = norm(torch.ones_like(norm.weight)) * (1 + epsilon) ** 0.5

    def hook(_module: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        (given,) = inputs
        with torch.no_grad():
            root = torch.rsqrt(given.float().pow(2).mean(-1, keepdim=True) + epsilon).to(given.dtype)
        ruled = given * root * weight
        ours, theirs = ruled.detach()[..., -1, :], output.detach()[..., -1, :]  # the last token speaks for all
        if not torch.allclose(ours, theirs, rtol=SAME, atol=SAME * float(theirs.abs().max())):
            raise UnsupportedModel(
                f"a {type(norm).__name__} is not x / rms(x) * w, so its relevance rule is not known. Use another method."
            )
        return ruled

    return hook


def _norms(decoder: Any) -> list[Any]:
    norms = []
    for name, module in decoder.named_modules():
        kind = type(module).__name__
        if kind.endswith("RMSNorm"):
            norms.append(module)
        elif "Norm" in kind:
            raise UnsupportedModel(f"{name} is a {kind}. Relevance rules are known for RMSNorm only.")
    return norms


def _parts(layer: Any, name: str, needed: tuple[str, ...], number: int) -> Any:
    part = getattr(layer, name, None)
    missing = [each for each in needed if not hasattr(part, each)]
    if missing:
        raise UnsupportedModel(
            f"layer {number} has no {name}.{missing[0]}. Relevance rules are known for Llama-like and Gemma-like "
            "layers: q_proj, k_proj, v_proj and a gated feed-forward with gate_proj, up_proj, act_fn."
        )
    return part
