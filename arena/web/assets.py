"""Styles, scripts and pictures of the pages: addresses that change with the content, and their compressed bytes."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    """A file of `arena/web/static`: its bytes, the same compressed, its media type and the hash of its content."""

    plain: bytes
    compressed: bytes
    media_type: str
    version: str


@cache
def find_asset(name: str) -> Asset | None:
    """The file of this name; None where there is none that a page may load."""
    suffix = name[name.rfind(".") :]
    file = files("arena.web") / "static" / name
    if suffix not in MEDIA_TYPES or "/" in name or not file.is_file():
        return None
    plain = file.read_bytes()
    return Asset(plain, gzip.compress(plain, 9, mtime=0), MEDIA_TYPES[suffix], sha256(plain).hexdigest()[:12])


def asset(name: str) -> str:
    """The address of a file for a template. Raises ValueError for a file that does not exist.

    >>> asset("favicon.svg").startswith("/reading/favicon.svg?v=")
    True
    """
    found = find_asset(name)
    if found is None:
        raise ValueError(f"There is no file {name!r} in arena/web/static. Add it, or correct the name.")
    return f"/reading/{name}?v={found.version}"
