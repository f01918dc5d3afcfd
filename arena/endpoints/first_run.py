"""What a network does, found out by a first run of a few tokens: whether it writes text, and whether its cache is kept.

An architecture that nobody has listed then works, or is refused before it writes its first token.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import torch

from arena.endpoints.endpoint import EndpointError, Failure

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from arena.endpoints.batch_model import Model

TOKENS, FIRST = 8, 20  # numbers of tokens that are not special in any tokenizer that we know
SHARE, ROUNDINGS = 1e-3, 8  # of the largest number; in half precision so many roundings
# What a network may raise that is given a cache of another kind than its own.
FOREIGN_CACHE = (RuntimeError, TypeError, ValueError, AttributeError, IndexError, KeyError)

logger = logging.getLogger(__name__)


def probe(network: PreTrainedModel) -> list[int]:
    """The tokens of a short text."""
    size = int(network.get_input_embeddings().weight.shape[0])
    return [number % size for number in range(FIRST, FIRST + TOKENS)]


def same(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    """True if two ways to the same numbers agree to rounding."""
    share = max(SHARE, ROUNDINGS * torch.finfo(theirs.dtype).eps)
    return bool((ours.float() - theirs.float()).abs().max() <= share * theirs.float().abs().max())


def check_text(network: PreTrainedModel) -> None:
    """Raise `EndpointError` for a network that reads text in both directions, such as BERT: it writes none."""
    tokens = probe(network)
    with torch.inference_mode():
        before, after = (
            network(input_ids=torch.tensor([[*tokens[:-1], last]], device=network.device), use_cache=False).logits
            for last in (tokens[-1], tokens[0])
        )
    if not same(after[:, :-1], before[:, :-1]):
        detail = (
            f"{type(network).__name__} reads text in both directions and writes none. Use a decoder-only model."
        )
        raise EndpointError(Failure.UNUSABLE, detail)


def check_cache(model: Model, network: PreTrainedModel) -> None:
    """Raise `EndpointError` unless two steps behind a cache give the logits of the whole text."""
    tokens = probe(network)
    try:
        with torch.inference_mode():
            whole = network(input_ids=torch.tensor([tokens], device=network.device), use_cache=False).logits[0, -1]
            cache, ones = model.empty_cache(), torch.ones((1, TOKENS), dtype=torch.long, device=network.device)
            for low, high in ((0, TOKENS - 2), (TOKENS - 2, TOKENS - 1), (TOKENS - 1, TOKENS)):
                last = model.logits([tokens[low:high]], ones[:, :high], cache)[0]
        kept, reason = same(last, whole), "its logits differ"
    except FOREIGN_CACHE as cause:
        logger.warning("%s does not take a cache", type(network).__name__, exc_info=cause)
        kept, reason = False, str(cause)
    if not kept:
        detail = (
            f"{type(network).__name__} does not work with the cache of transformers ({reason}). Use another model."
        )
        raise EndpointError(Failure.UNUSABLE, detail)
