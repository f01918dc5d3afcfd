"""Texts to be weighed as tokens: those of lm-evaluation-harness.

Spaces at the end of a context move to its continuation; the context is tokenised alone, and the continuation is
what the whole has more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.endpoints.planning import refused

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Tokens = tuple[int, ...]
Pair = tuple[Tokens, Tokens]  # a context and its continuation


def encoded_pair(tokenizer: PreTrainedTokenizerBase, context: str, continuation: str) -> Pair:
    """Context and continuation as tokens. An empty context is the token that begins texts, else the one that
    ends them. Raises `EndpointError` for a continuation without a token.
    """
    bare = context.rstrip()
    continuation = context[len(bare) :] + continuation
    if not bare:
        first = _first(tokenizer)
        tokens = tuple(tokenizer(continuation, add_special_tokens=False)["input_ids"])
        before = (first,)
        tokens = tokens[1:] if tokens[:1] == before and len(tokens) > 1 else tokens
    else:
        before = tuple(tokenizer(bare)["input_ids"])
        tokens = tuple(tokenizer(bare + continuation)["input_ids"])[len(before) :]
    if not tokens:
        raise refused(f"the continuation {continuation!r} adds no token to its context")
    return before, tokens


def fitted(context: tuple[int, ...], continuation: tuple[int, ...], most: int) -> Pair:
    """The end of the pair that the network can read: the context loses its beginning, never all of it."""
    if len(continuation) > most:
        raise refused(f"the continuation has {len(continuation)} tokens and the context is {most}")
    return context[-(most + 1 - len(continuation)) :], continuation


def rolling(tokenizer: PreTrainedTokenizerBase, text: str, most: int) -> list[Pair]:
    """Windows of at most `most` tokens that predict every token of `text` once.

    The first token follows the one that begins texts; each later window has one token of context, the last one
    as much as it has room for.
    """
    tokens = tuple(tokenizer(text, add_special_tokens=False)["input_ids"])
    if not tokens:
        raise refused("the text has no token")
    first = (_first(tokenizer),)
    windows: list[Pair] = [(first, tokens[:most])]
    for start in range(most, len(tokens), most):
        end = min(start + most, len(tokens))
        windows.append((tokens[max(0, end - most - 1) : start], tokens[start:end]))
    return windows


def _first(tokenizer: PreTrainedTokenizerBase) -> int:
    found = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    if found is None:
        raise refused("the tokenizer has neither a token that begins texts nor one that ends them")
    return int(found)
