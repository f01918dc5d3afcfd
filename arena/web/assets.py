"""Styles, scripts and pictures of the pages: addresses that change with the content, and their compressed bytes."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

from markupsafe import Markup

from arena.web.bundle import bundle

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".woff2": "font/woff2"}

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
    """The file of this name, ours or one in `vendor`; None where there is none that a page may load."""
    suffix = name[name.rfind(".") :]
    if suffix not in MEDIA_TYPES or "/" in name:
        return None
    static = files("arena.web") / "static"
    file = next((file for file in (static / name, static / "vendor" / name) if file.is_file()), None)
    if name not in BUNDLES and file is None:
        return None
    plain = file.read_bytes() if file else _bundled(BUNDLES[name])
    return Asset(plain, gzip.compress(plain, 9, mtime=0), MEDIA_TYPES[suffix], sha256(plain).hexdigest()[:12])


def _bundled(folder: str) -> bytes:
    """The modules of a folder, behind their texts (`t`), `copyText`, and what makes the buttons of rendered texts work."""
    shared = [
        (files("arena.web") / "static" / name).read_text(encoding="utf-8")
        for name in ("texts.js", "copy.js", "text.js")
    ]
    return "".join([*shared, bundle(folder)]).encode()


def inline(*names: str) -> Markup:
    """The content of these files, for a page that must be usable after one round trip.

    >>> "--page" in inline("tokens.css")
    True
    """
    return Markup("".join(_known(name).plain.decode() for name in names))  # noqa: S704 - our own files


def asset(name: str) -> str:
    """The address of a file for a template. Raises ValueError for a file that does not exist.

    >>> asset("favicon.svg").startswith("/reading/favicon.svg?v=")
    True
    """
    return f"/reading/{name}?v={_known(name).version}"


def _known(name: str) -> Asset:
    found = find_asset(name)
    if found is None:
        raise ValueError(f"There is no file {name!r} in arena/web/static. Add it, or correct the name.")
    return found
