"""A receipt against itself: its vote is the leaf of its path, its path leads into its seal, its head is that seal's.

Nothing is believed because it stands there: whoever shows a receipt may have written it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from arena.rules.receipts import RECEIPT, place_of, root_of
from arena.rules.seals import Seal, canonical
from arena.rules.signed_heads import head_of, is_signed

KEYS = frozenset(
    ("format", "vote", "leaf", "state", "reason", "sealed", "path", "seal", "head", "content", "proof")
)
SEAL = frozenset(field.name for field in fields(Seal))
SIGNATURE = frozenset(("public_key", "signature"))
Receipt = Mapping[str, Any]


def receipt_problems(given: Receipt, public: str | None = None, head: str | None = None) -> Iterator[str]:
    """Why a receipt does not prove that its vote is in its seal, in words.

    `public` is the arena's key and `head` the hash of its seal, each from another source. Raises LookupError, TypeError
    or ValueError for what is no receipt.
    """
    if given["format"] != RECEIPT:
        yield f"its format is {given['format']}, not {RECEIPT}"
        return
    if unknown := sorted(given.keys() - KEYS):
        yield f"it has {', '.join(unknown)}, which no receipt has"
    if "content" in given:
        yield from _content_problems(given, given["content"])
    if given.get("seal") is None:
        yield "it has no proof yet: request its address again after the vote is sealed"
        return
    if given["sealed"] is not True:
        yield f"sealed is {given['sealed']}, and it has a seal"
    seal = Seal(**{name: given["seal"][name] for name in given["seal"] if name in SEAL})
    yield from _inclusion_problems(given, seal)
    yield from _head_problems(given, seal, public)
    if head is not None and head != seal.sha256:
        yield f"its seal is {seal.sha256}, not {head}"


def leaf_of(content: Mapping[str, Any]) -> str:
    """The leaf of a vote as it is sealed."""
    return hashlib.sha256(b"\x00" + canonical(content)).hexdigest()


def _content_problems(given: Receipt, content: Mapping[str, Any]) -> Iterator[str]:
    if leaf_of(content) != given["leaf"]:
        yield "its content is not what the leaf is the hash of"
    elif canonical(content["vote"]) != canonical(given["vote"]):
        yield f"its content is vote {content['vote']}, not {given['vote']}"


def _inclusion_problems(given: Receipt, seal: Seal) -> Iterator[str]:
    """Why the leaf is not that of its vote in the seal. Numbers may be missing between the votes of a seal."""
    if root_of(given["leaf"], given["path"]) != seal.root:
        yield f"its leaf and path do not give the root of seal {seal.number}"
        return
    place = place_of(given["path"], seal.votes)
    if place is None:
        yield f"its path begins at none of the {seal.votes} leaves of seal {seal.number}"
        return
    first, last = seal.first_vote + place, seal.last_vote - (seal.votes - 1 - place)
    if type(given["vote"]) is not int or not first <= given["vote"] <= last:
        yield f"its leaf is vote {first if first == last else f'{first} to {last}'}, not {given['vote']}"


def _head_problems(given: Receipt, seal: Seal, public: str | None) -> Iterator[str]:
    if canonical(given["seal"]) != canonical(seal.to_dict()):
        yield f"the content of seal {seal.number} does not give its hash"
    own, signed = head_of(seal), given["head"]
    if own.keys() != signed.keys() or any(
        canonical(signed[name]) != canonical(own[name]) for name in own.keys() - SIGNATURE
    ):
        yield "its head is that of another seal"
    if public is not None and not is_signed(signed, public):
        yield f"its head is not signed with the key {public}"
