"""`/reading/FILE`: styles and scripts of the pages that templates render."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException
from fastapi.responses import Response

YEAR = "public, max-age=31536000, immutable"
MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def routes() -> APIRouter:
    """Plotly's library and the files of `arena/web/static`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reading/plotly.js")
    def plotly() -> Response:
        headers = {"content-encoding": "gzip", "cache-control": YEAR, "vary": "accept-encoding"}
        return Response(_plotly(), media_type="text/javascript", headers=headers)

    @router.get("/reading/{name}")
    def static(name: str) -> Response:
        suffix = name[name.rfind(".") :]
        file = files("arena.web") / "static" / name
        if suffix not in MEDIA_TYPES or "/" in name or not file.is_file():
            raise HTTPException(404, f"There is no file {name!r} here. Reload the page.")
        return Response(file.read_bytes(), media_type=MEDIA_TYPES[suffix], headers={"cache-control": "no-cache"})

    return router


@cache
def _plotly() -> bytes:
    """The library from the Python package, compressed once to a third of its 4.8 MB."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6)
