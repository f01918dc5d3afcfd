"""Challenges that cost a browser some seconds of arithmetic and a server one hash, as those of Altcha.

The server hides a number below `most` in `target`, the SHA-256 of salt and number; the client tries the numbers. The
token is signed together with the voter, so neither its difficulty nor its voter nor its end can be changed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass
from typing import Any

ALGORITHM = "SHA-256"
ANSWER = re.compile(r"([A-Za-z0-9_-]{1,600})\.([A-Za-z0-9_-]{43})\.(0|[1-9][0-9]{0,11})")


@dataclass(frozen=True)
class Puzzle:
    """What a client needs: try 0 to `most` - 1 until the SHA-256 of `salt` and the number in decimal is `target`."""

    token: str
    salt: str
    target: str
    most: int
    until: int  # seconds since 1970

    def document(self) -> dict[str, Any]:
        """The puzzle as JSON."""
        return {
            "kind": "proof_of_work",
            "algorithm": ALGORITHM,
            "salt": self.salt,
            "target": self.target,
            "most": self.most,
            "token": self.token,
            "expires_at": self.until,
        }


class WrongAnswer(ValueError):
    """The answer is not one to a puzzle of this voter, or comes too late."""


def puzzle(key: bytes, voter: str, most: int, until: int) -> Puzzle:
    """A puzzle for one voter, of at most `most` hashes and half of them on average."""
    salt = secrets.token_hex(16)
    target = _digest(salt, secrets.randbelow(most))
    content = {"salt": salt, "target": target, "most": most, "until": until}
    body = _encoded(json.dumps(content, separators=(",", ":")).encode())
    return Puzzle(f"{body}.{_signature(key, body, voter)}", salt, target, most, until)


def checked_answer(key: bytes, voter: str, answer: str, at: float) -> tuple[str, int]:
    """The salt and the end of the puzzle that TOKEN.NUMBER solves. Raises `WrongAnswer`."""
    match = ANSWER.fullmatch(answer)
    if match is None:
        raise WrongAnswer("not TOKEN.NUMBER")
    body, signature, number = match.groups()
    if not hmac.compare_digest(_signature(key, body, voter), signature):
        raise WrongAnswer("of another voter, or changed")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    if content["until"] < at:
        raise WrongAnswer("expired")
    if not hmac.compare_digest(_digest(content["salt"], int(number)), content["target"]):
        raise WrongAnswer("the number is wrong")
    return content["salt"], content["until"]


def hardness(issued: int, free: int, hardest: int, *, loaded: bool) -> int:
    """How many times the usual work a challenge takes after `issued` ones of an address in an hour.

    >>> [hardness(issued, 10, 16, loaded=False) for issued in (0, 9, 10, 35, 1000)]
    [1, 1, 2, 4, 16]
    """
    times = 1 + issued // free if free else 1
    return min(hardest, times * (2 if loaded else 1))


def _digest(salt: str, number: int) -> str:
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def _signature(key: bytes, body: str, voter: str) -> str:
    return _encoded(hmac.digest(key, f"{body} {voter}".encode(), "sha256"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
