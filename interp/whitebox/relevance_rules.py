"""Layer-wise relevance as a changed backward pass, for one network, as long as a `with` lasts.

Gradient x input gives relevance when every layer's backward follows a rule (Achtibat et al., ICML 2024, arXiv
2402.05602; as gradients: Arras et al., arXiv 2502.15886). The forward pass and its numbers stay what they were:

    norms            what they divide by is a constant (`interp.whitebox.norm_rules`)   identity rule
    act(x)           the secant act(x)/x in place of the tangent                        identity rule
    gate * up        half of the gradient to each                                       uniform rule
    router           the weights of experts are constants                               as CP-LRP does with attention
    A V              half of the gradient to each: v keeps 1/2
    Q K^T            half to each of what A keeps: q and k keep 1/4
    softmax          its true Jacobian
    linear, rotary, repeated key-value heads: linear maps, no rule needed

CP-LRP (Ali et al., ICML 2022) holds A constant instead: q and k get nothing and v all. Then relevance is conserved, and
whether it is in a network shows that the rules cover all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.whitebox.network_checks import ROUNDINGS, probe
from interp.whitebox.norm_rules import norms_of, rule_of, ruled
from interp.whitebox.projections import Projection, projections

if TYPE_CHECKING:
    from interp.whitebox.transformer import Transformer

GATES = ("gate_proj", "gate_up_proj", "w3", "wi_1", "Wi")  # of feed-forwards that multiply two projections
ROUTERS = ("gate", "router", "shared_expert_gate")  # weights of experts
ACTIVATIONS = ("act", "act_fn", "activation_fn", "activation", "gelu_impl")
LOST = 1e-3  # of the relevance, by rounding in float32
_CONSERVES: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()  # by decoder
Hook = Callable[[Any, tuple[Any, ...], Any], Any]


@contextmanager
def attn_lrp_rules(lm: Transformer) -> Iterator[None]:
    """AttnLRP's backward pass. Raises UnsupportedModel for networks that the rules do not cover."""
    _check(lm)
    with _hooked(lm, query_key=0.25, value=0.5):
        yield


@contextmanager
def cp_lrp_rules(lm: Transformer) -> Iterator[None]:
    """CP-LRP's backward pass, which conserves relevance but for what biases and positions add."""
    _check(lm)
    with _hooked(lm, query_key=0.0, value=1.0):
        yield


@contextmanager
def _hooked(lm: Transformer, query_key: float, value: float) -> Iterator[None]:
    with ExitStack() as stack:
        for layer, parts in zip(lm.layers, projections(lm), strict=True):
            for part in parts:
                stack.callback(part.module.register_forward_hook(_shares(part, query_key, value)).remove)
            for module in layer.modules():
                for handle in _feed_forward_rules(module):
                    stack.callback(handle.remove)
        stack.enter_context(ruled(norms_of(lm.decoder)))
        yield


def _feed_forward_rules(module: Any) -> Iterator[Any]:
    """Hooks on routers, on activations, and on the output of feed-forwards that multiply two projections."""
    for name in ROUTERS:
        router = getattr(module, name, None)
        if isinstance(router, torch.nn.Module):
            yield router.register_forward_hook(_constant)
    for name in ACTIVATIONS:
        activation = getattr(module, name, None)
        if isinstance(activation, torch.nn.Module):
            yield activation.register_forward_hook(_secant)
            if any(hasattr(module, gate) for gate in GATES):
                yield module.register_forward_hook(scaled(0.5))  # behind a linear map: half to gate, half to up


def scaled(share: float | torch.Tensor) -> Hook:
    """A hook that lets `share` of the gradient through and leaves the output alone."""

    def hook(_module: Any, _inputs: tuple[Any, ...], output: Any) -> None:
        if output.requires_grad:
            factor = share.to(output) if isinstance(share, torch.Tensor) else share
            output.register_hook(lambda gradient: gradient * factor)

    return hook


def _shares(part: Projection, query_key: float, value: float) -> Hook:
    """Queries and keys keep one share of the gradient, values another one."""
    if part.values.ndim:
        return scaled(torch.where(part.values, value, query_key))
    share = value if bool(part.values) else query_key
    if share == 0:
        return _constant
    return scaled(share)


def _constant(_module: Any, _inputs: tuple[Any, ...], output: Any) -> Any:
    if isinstance(output, tuple):
        return tuple(part.detach() if isinstance(part, torch.Tensor) else part for part in output)
    return output.detach()


def _secant(_module: Any, inputs: tuple[Any, ...], output: Any) -> Any:
    given = inputs[0]
    slope = torch.where(given == 0, torch.zeros_like(given), output / given).detach()
    return given * slope


def _check(lm: Transformer) -> None:
    """Raise UnsupportedModel where CP-LRP loses or makes relevance on a few tokens: a part has no rule."""
    _ = lm.layers  # an encoder has none that relevance is read from
    lm.check_gradient()
    if not lm.linear_head:
        raise UnsupportedModel(
            f"the head of {type(lm.network).__name__} is not one linear map, so it has no relevance rule. Use integrated "
            "gradients or a black-box method."
        )
    if lm.decoder not in _CONSERVES:
        _CONSERVES[lm.decoder] = _conserves(lm)
    if not _CONSERVES[lm.decoder]:
        raise UnsupportedModel(
            f"the relevance rules do not cover all of a {type(lm.decoder).__name__}: relevance is not conserved. Use "
            "integrated gradients or a black-box method."
        )


def _conserves(lm: Transformer) -> bool:
    """True if the relevance of the first layer's input and of all constants sums to what is read behind the last one."""
    embeddings = lm.embed(probe(lm.network)[0])[None].requires_grad_(True)
    inputs: list[torch.Tensor] = []

    def keep(_layer: Any, given: tuple[Any, ...], options: dict[str, Any]) -> None:
        inputs.append(given[0] if given else options["hidden_states"])

    with _hooked(lm, query_key=0.0, value=1.0), torch.no_grad():
        lm.run(embeddings)  # the norms learn their rules
    with ExitStack() as stack:
        constants = stack.enter_context(_constants(lm.decoder))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_hooked(lm, query_key=0.0, value=1.0))
        stack.callback(lm.layers[0].register_forward_pre_hook(keep, with_kwargs=True).remove)
        state = lm.run(embeddings).last_hidden_state[0, -1]
        value = (state * torch.linspace(-1, 1, len(state)).to(state)).sum()
        gradients = torch.autograd.grad(value, [*inputs, *constants], allow_unused=True)
    pairs = zip([*inputs, *constants], gradients, strict=True)
    parts = torch.cat([(part * slope).sum(-1).flatten().double() for part, slope in pairs if slope is not None])
    lost = max(LOST, ROUNDINGS * torch.finfo(state.dtype).eps)
    return bool((parts.sum() - value).abs() <= lost * torch.maximum(parts.abs().sum(), value.abs()))


@contextmanager
def _constants(decoder: Any) -> Iterator[list[torch.Tensor]]:
    """What is added inside a network whatever the text: biases of linear maps and of norms, with gradients."""
    norms = norms_of(decoder)
    of_norms = {parameter for norm in norms for parameter in norm.parameters()}
    named = [parameter for name, parameter in decoder.named_parameters() if name.rsplit(".", 1)[-1] == "bias"]
    added = [parameter for parameter in named if parameter not in of_norms]
    added += [rule.bias for norm in norms if (rule := rule_of(norm)) is not None and rule.centred]
    for constant in added:
        constant.requires_grad_(True)
    try:
        yield added
    finally:
        for constant in added:
            constant.requires_grad_(False)
