"""The rule of norms: what a norm divides by is a constant, so that it is a linear map of its input.

    RMSNorm     x / rms(x) * w              LayerNorm     (x - mean x) / std(x) * w + b

w and b are asked of the norm itself, since some store w - 1, and the rule is compared with the norm as it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from interp.errors import UnsupportedModel
from interp.extras import torch

EPSILONS = ("variance_epsilon", "eps", "epsilon")
SAME = 1e-2  # of the largest number: rounding in bfloat16 is 4e-3 of each
Hook = Callable[[Any, tuple[Any, ...], Any], Any]


@dataclass(frozen=True)
class NormRule:
    """What a norm computes, with `epsilon` below the root; `centred` for LayerNorm."""

    epsilon: float
    centred: bool
    weight: torch.Tensor
    bias: torch.Tensor

    def __call__(self, given: torch.Tensor, *_: Any) -> torch.Tensor:
        if self.centred:
            given = given - given.mean(-1, keepdim=True)
        with torch.no_grad():
            root = torch.rsqrt(given.float().pow(2).mean(-1, keepdim=True) + self.epsilon).to(given.dtype)
        ruled = given * root * self.weight
        return ruled + self.bias if self.centred else ruled


_RULES: WeakKeyDictionary[Any, NormRule] = WeakKeyDictionary()  # of the norms that were compared with their rule


def norms_of(decoder: Any) -> list[Any]:
    """All norms of a decoder, by the name of their class."""
    return [module for module in decoder.modules() if "Norm" in type(module).__name__]


def rule_of(norm: Any) -> NormRule | None:
    """The rule of a norm that was compared with it."""
    return _RULES.get(norm)


@contextmanager
def ruled(norms: Sequence[Any]) -> Iterator[None]:
    """Norms run by their rules. Raises UnsupportedModel, in the first run, for one that computes something else."""
    known = [norm for norm in norms if norm in _RULES]
    before = [vars(norm).get("forward") for norm in known]
    for norm in known:
        norm.forward = partial(NormRule.__call__, _RULES[norm])
    handles = [norm.register_forward_hook(_compared) for norm in norms if norm not in _RULES]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
        for norm, forward in zip(known, before, strict=True):
            del norm.forward
            if forward is not None:
                norm.forward = forward


def _compared(norm: Any, inputs: tuple[Any, ...], output: Any) -> Any:
    try:
        rule = _RULES.get(norm) or _found(norm, *inputs)
    except (TypeError, AttributeError, RuntimeError) as error:  # a norm of two inputs, or of another shape
        raise _unknown(norm) from error
    by_rule = rule(inputs[0])
    ours, theirs = by_rule.detach()[..., -1, :], output.detach()[..., -1, :]  # the last token speaks for all
    if not torch.allclose(ours, theirs, rtol=SAME, atol=SAME * float(theirs.abs().max())):
        raise _unknown(norm)
    _RULES[norm] = rule
    return by_rule


def _unknown(norm: Any) -> UnsupportedModel:
    return UnsupportedModel(
        f"a {type(norm).__name__} is neither x / rms(x) * w nor (x - mean x) / std(x) * w + b, so its relevance rule is "
        "not known. Use another method."
    )


def _found(norm: Any, given: torch.Tensor) -> NormRule:
    """The rule of a norm, by three inputs: zeros give its bias, ones nothing more where it takes the mean off."""
    weight = getattr(norm, "weight", None)
    shape = given.shape[-weight.ndim :] if weight is not None else given.shape[-1:]
    epsilon = float(next((getattr(norm, name) for name in EPSILONS if hasattr(norm, name)), 0.0))
    with torch.no_grad():
        zeros = torch.zeros(shape, dtype=given.dtype, device=given.device)
        bias, ones = norm.forward(zeros), norm.forward(zeros + 1)
        if not torch.allclose(ones, bias, atol=SAME):
            return NormRule(epsilon, False, ones * (1 + epsilon) ** 0.5, bias)
        ramp = _without_zeros(shape[-1]).to(given).expand(shape)
        scale = (ramp.float().pow(2).mean(-1, keepdim=True) + epsilon).sqrt().to(given.dtype)
        return NormRule(epsilon, True, (norm.forward(ramp) - bias) * scale / ramp, bias)


def _without_zeros(width: int) -> torch.Tensor:
    """(width,) numbers of both signs whose mean is 0, none near it."""
    signs = torch.ones(width)
    signs[1::2] = -1
    if width % 2 and width > 2:
        signs[-3:] = torch.tensor([2.0, -1.0, -1.0])
    return signs
