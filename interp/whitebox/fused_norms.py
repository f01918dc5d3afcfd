"""RMS norms in one kernel on a GPU, where transformers takes six and copies the activations in float32.

A norm is replaced on its own object, and only if it gives what torch's kernel gives up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import MethodType
from typing import Any

from interp.extras import torch

DEVICES = ("cuda",)
CLOSE = 2  # roundings


def fuse_norms(decoder: Any, devices: Sequence[str] = DEVICES) -> int:
    """Replace the norms of `decoder` that are on such a device; returns how many were."""
    fitting = [module for module in decoder.modules() if _fits(module, devices)]
    for norm in fitting:
        norm.forward = MethodType(_fused, norm)  # bound, so that a copy of the network calls its own weights
    return len(fitting)


@contextmanager
def own_norms(decoder: Any) -> Iterator[None]:
    """The network as its library made it, as long as the `with` lasts."""
    fused = [module for module in decoder.modules() if _is_fused(module)]
    for norm in fused:
        del norm.forward
    try:
        yield
    finally:
        for norm in fused:
            norm.forward = MethodType(_fused, norm)


def _fused(norm: Any, given: torch.Tensor) -> torch.Tensor:
    if given.dtype != norm.weight.dtype:
        return type(norm).forward(norm, given)
    return torch.nn.functional.rms_norm(given, norm.weight.shape, norm.weight, norm.variance_epsilon)


def _is_fused(module: Any) -> bool:
    return getattr(vars(module).get("forward"), "__func__", None) is _fused


def _fits(module: Any, devices: Sequence[str]) -> bool:
    if not type(module).__name__.endswith("RMSNorm") or not hasattr(module, "variance_epsilon"):
        return False
    weight = getattr(module, "weight", None)
    if weight is None or weight.ndim != 1 or weight.device.type not in devices or "forward" in vars(module):
        return False
    with torch.no_grad():
        sample = torch.linspace(-3, 3, 3 * len(weight), device=weight.device).reshape(3, -1).to(weight.dtype)
        apart = (module(sample).float() - _fused(module, sample).float()).abs()
        rounding = CLOSE * torch.finfo(weight.dtype).eps * module(sample).float().abs() + 1e-6
        return bool((apart <= rounding).all())
