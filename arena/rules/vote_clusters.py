"""Clusters of votes: which votes come from one voter, and which are on one prompt.

A code is a number that is the same for the same published name, so that boards computed from an export have the
clusters of the arena's own. Prompts of prompt sets, suggested and imported prompts are clusters. What a voter writes is a
prompt of its own: whether two people wrote the same must not show after one of them has deleted their texts.
"""

from __future__ import annotations

import hashlib

from arena.rules.seals import pseudonym
from arena.rules.votes import HUMAN

VOTER_BITS, PROMPT_BITS = 30, 31
SHARED = 1 << PROMPT_BITS  # set in the code of a prompt that several battles can have
LETTERS = 10_000  # of a prompt that identify it


def voter_code(voter: str | None, battle: str) -> int:
    """The cluster of a published voter, or of the vote on `battle` where the voter is not known: 30 bits."""
    is_known = voter and voter != HUMAN
    return _hashed(f"voter {voter}" if is_known else f"vote {battle}") >> 32 - VOTER_BITS


def prompt_code(prompt: str | None, battle: str) -> int:
    """The cluster of a published prompt, or of the battle itself: 31 bits, and `SHARED` for a prompt."""
    code = _hashed(f"prompt {prompt}" if prompt else f"battle {battle}") >> 32 - PROMPT_BITS
    return code | SHARED if prompt else code


def published_prompt(key: bytes, text: str) -> str | None:
    """The name of a prompt in publications, the same for the same text; None for an empty one.

    It is keyed, to prevent tests of whether a guessed prompt was used.
    """
    words = prompt_words(text)
    return pseudonym(key, f"cluster:{words}") if words else None


def prompt_words(text: str) -> str:
    """What identifies a prompt: its words, without letter case."""
    return " ".join(text[:LETTERS].split()).casefold()


def _hashed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=4).digest())
