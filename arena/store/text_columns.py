"""Names that fit the width of their column: PostgreSQL refuses longer ones, SQLite keeps them."""

from __future__ import annotations

import hashlib

DIGEST_LENGTH = 32  # hexadecimal digits: two of a billion names share one with a probability of 1e-21


def fitted(name: str, width: int) -> str:
    """`name`, or its beginning and its SHA-256 if it is longer than `width` characters; equal names stay equal."""
    if len(name) <= width:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_LENGTH]
    return f"{name[: width - DIGEST_LENGTH - 1]}\N{HORIZONTAL ELLIPSIS}{digest}"
