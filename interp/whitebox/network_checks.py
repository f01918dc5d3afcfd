"""What a network does, found out by running it on a few tokens: its logits, its direction, its cache.

A name or a field says what a network was meant to do. A run of eight tokens says what it does, so an architecture that
nobody has listed works or is refused, and is not explained wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from interp.errors import UnsupportedModel
from interp.extras import torch, transformers
from interp.whitebox.prefix import Prefix

CLOSE = 1e-3  # of the largest number, in float32
ROUNDINGS = 8  # in half precision
TOKENS, FIRST = 8, 20  # numbers of tokens that are not special in any tokenizer that we know
STEP = 1e-3  # of the embeddings
SLOPE = 0.1  # the step is not infinitely short
PLAIN = ("DynamicLayer", "DynamicSlidingWindowLayer")  # keys and values by position, nothing else
# What a network may raise that is given a cache of another kind than its own.
FOREIGN_CACHE = (RuntimeError, TypeError, ValueError, AttributeError, IndexError, KeyError)


def probe(network: Any) -> torch.Tensor:
    """(1, tokens): ids of a short text."""
    size = int(network.get_input_embeddings().weight.shape[0])
    return torch.arange(FIRST, FIRST + TOKENS, device=network.device)[None] % size


def close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """True if two ways to the same numbers agree to rounding."""
    if ours.shape != theirs.shape:
        return False
    share = max(CLOSE, ROUNDINGS * torch.finfo(theirs.dtype).eps)
    reach = max(float(theirs.float().abs().max()), 1e-6)
    return bool((ours.float() - theirs.float()).abs().max() <= share * reach)


def scales(config: Any) -> Iterator[float]:
    """What the logits of known families are multiplied with after the unembedding."""
    yield 1.0
    for name, inverse in (
        ("logit_scale", False),  # Cohere
        ("logits_scaling", True),  # Granite
        ("logits_scaling", False),  # HyperCLOVA X
        ("lm_head_multiplier", False),  # Falcon-H1
        ("output_multiplier", False),
    ):
        scale = getattr(config, name, None)
        if isinstance(scale, int | float) and scale:
            yield 1 / scale if inverse else float(scale)
    width = getattr(config, "hidden_size", None)
    if width:
        yield float(width) ** -0.5  # T5 with one matrix for embeddings and unembedding
        yield getattr(config, "dim_model_base", width) / width  # MiniCPM


def embedding_scales(network: Any) -> Iterator[float]:
    """What networks multiply the embeddings of tokens with before they read them, while they leave given ones alone."""
    yield 1.0
    config = network.config.get_text_config()
    yield float(getattr(config, "embedding_multiplier", 1.0))  # Falcon-H1
    yield float(network.get_input_embeddings().weight.shape[-1]) ** 0.5  # BART and others with scaled embeddings


def embedding_scale(decoder: Any, network: Any) -> float:
    """The scale at which a decoder reads embeddings as it reads tokens. Raises UnsupportedModel."""
    ids = probe(network)
    with torch.no_grad():
        theirs = decoder(input_ids=ids, use_cache=False).last_hidden_state
        embeddings = network.get_input_embeddings()(ids)
        for scale in embedding_scales(network):
            if close(decoder(inputs_embeds=embeddings * scale, use_cache=False).last_hidden_state, theirs):
                return scale
    raise unlike_tokens(network)


def unlike_tokens(network: Any) -> UnsupportedModel:
    """The refusal of a network that cannot be given embeddings."""
    return UnsupportedModel(
        f"{type(network).__name__} does not read embeddings as it reads their tokens. Use a black-box method through an "
        "endpoint, which removes words from the text."
    )


def with_padding(network: Any, embeddings: torch.Tensor, lengths: torch.Tensor) -> Callable[..., Any]:
    """The network on rows of embeddings, of which it sees the first `lengths` (rows,)."""
    mask = (torch.arange(embeddings.shape[1])[None] < lengths[:, None]).long().to(embeddings.device)
    return partial(network, inputs_embeds=embeddings.clone(), attention_mask=mask)


def rounds_over_passes(lm: Any) -> bool:
    """True for a network packed into integers that rounds by the largest number of a whole pass, so that one row changes
    another one and each must run alone.

    Raises UnsupportedModel for a network whose earlier states depend on later tokens: it has no next token.
    """
    embeddings = lm.embed(probe(lm.network)[0])[None]
    changed = embeddings.clone()
    changed[:, -1] = embeddings[:, 0]
    with torch.no_grad():
        alone = lm.run(embeddings).last_hidden_state
        if close(lm.run(changed).last_hidden_state[:, :-1], alone[:, :-1]):
            return False
        if not close(lm.run(torch.cat([embeddings, 9 * embeddings])).last_hidden_state[:1], alone):
            return True
    raise UnsupportedModel(
        f"{type(lm.network).__name__} reads text in both directions, so it has no next token to explain. Load a decoder, "
        "or a classifier with interp.Classifier."
    )


def shares_prefix(lm: Any) -> bool:
    """True if texts run behind a kept prefix give what they give when run whole. False for recurrent states."""
    try:
        kinds = [type(layer).__name__ for layer in transformers.DynamicCache(config=lm.network.config).layers]
        if not set(kinds) <= set(PLAIN):
            return False
        return _same_behind_a_prefix(lm)
    except UnsupportedModel:
        return False
    except FOREIGN_CACHE:
        return False


def _same_behind_a_prefix(lm: Any) -> bool:
    embeddings = lm.embed(probe(lm.network)[0])[None].expand(2, -1, -1)
    middle = TOKENS // 2
    with torch.no_grad():
        past = Prefix(lm.cache(embeddings[:1, :-1])).cut(middle)
        return close(lm.states(embeddings[:, middle:], past), lm.states(embeddings)[:, middle:])


def has_gradient(lm: Any) -> bool:
    """True if the gradient at the embeddings is the slope of a short step; integers pass none, or a part of it."""
    if any(callable(weight) for weight in _weights(lm.network)):
        return False
    embeddings = lm.embed(probe(lm.network)[0])[None]
    draw = torch.linspace(-1, 1, embeddings.numel()).reshape(embeddings.shape).to(embeddings)
    step = STEP * embeddings.norm() / draw.norm() * draw
    lengths = torch.tensor([embeddings.shape[1]])

    def value(rows: torch.Tensor) -> torch.Tensor:
        ends = lm.ends(rows, lengths, lengths[:0])
        return (ends * torch.linspace(-1, 1, ends.numel()).reshape(ends.shape).to(ends)).sum()

    try:
        with torch.enable_grad():
            rows = embeddings.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(value(rows), rows)
    except RuntimeError:
        return False
    if embeddings.dtype != torch.float32:
        return True  # a short step is lost in rounding
    with torch.no_grad():
        slope = float(value(embeddings + step) - value(embeddings - step)) / 2
    along = float((gradient * step).sum())
    return abs(slope - along) <= SLOPE * max(abs(slope), abs(along), SLOPE * float((gradient * step).abs().sum()))


def _weights(network: Any) -> Iterator[Any]:
    return (module.weight for module in network.modules() if hasattr(module, "weight"))
