"""`/reading/FILE`: styles and scripts of the pages that templates render."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from arena.web.assets import Asset, find_asset
from arena.web.compression import VARY, compressible
from arena.web.locales import gettext as _

YEAR = "public, max-age=31536000, immutable"


def routes() -> APIRouter:
    """Plotly's library and the files of `arena/web/static`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reading/plotly.js")
    def plotly(request: Request) -> Response:
        return compressible(request.headers, *_plotly(), "text/javascript", {"cache-control": YEAR})

    @router.get("/reading/{name}")
    def static(name: str, request: Request) -> Response:
        asset = find_asset(name)
        if asset is None:
            raise HTTPException(404, _("There is no file {name!r} here. Reload the page.", name=name))
        headers = _caching(asset, request)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return compressible(request.headers, asset.plain, asset.compressed, asset.media_type, headers)

    return router


def _caching(asset: Asset, request: Request) -> dict[str, str]:
    """An address with the hash of the content never changes; another is checked at each use."""
    named = request.query_params.get("v") == asset.version
    return {
        "cache-control": YEAR if named else "no-cache",
        "etag": f'W/"{asset.version}"',
        **VARY,
    }


@cache
def _plotly() -> tuple[bytes, bytes]:
    """The library from the Python package, 4.8 MB, and compressed once to a third."""
    plain = (files("plotly") / "package_data" / "plotly.min.js").read_bytes()
    return plain, gzip.compress(plain, 6)
