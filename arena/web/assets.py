"""Styles, scripts and pictures of the pages: addresses that change with the content, and their compressed bytes."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from arena.web.bundle import bundle

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

BUNDLES = {"battle.js": "battle"}  # name -> folder of its modules


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
    if suffix not in MEDIA_TYPES or "/" in name or not (file.is_file() or name in BUNDLES):
        return None
    plain = _bundled(BUNDLES[name]) if name in BUNDLES else file.read_bytes()
    return Asset(plain, gzip.compress(plain, 9, mtime=0), MEDIA_TYPES[suffix], sha256(plain).hexdigest()[:12])


def _bundled(folder: str) -> bytes:
    """The modules of a folder, and the texts that they use by `t`."""
    texts = (files("arena.web") / "static" / "texts.js").read_text(encoding="utf-8")
    return (texts + bundle(folder)).encode()


def asset(name: str) -> str:
    """The address of a file for a template. Raises ValueError for a file that does not exist.

    >>> asset("favicon.svg").startswith("/reading/favicon.svg?v=")
    True
    """
    found = find_asset(name)
    if found is None:
        raise ValueError(f"There is no file {name!r} in arena/web/static. Add it, or correct the name.")
    return f"/reading/{name}?v={found.version}"
