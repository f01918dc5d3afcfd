"""Solutions of proofs of work, as a client of the battle API finds them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any


def number_of(challenge: Mapping[str, Any]) -> int:
    """The number that solves a challenge."""
    for number in range(challenge["most"]):
        if hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest() == challenge["target"]:
            return number
    raise AssertionError("no number solves the challenge")


def answer_to(challenge: Mapping[str, Any]) -> str:
    """The answer that a client sends."""
    return f"{challenge['token']}.{number_of(challenge)}"
