"""`/reading/FILE`: styles and scripts of the pages that templates render."""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

from arena.web.assets import Asset, find_asset
from arena.web.locales import gettext as _

YEAR = "public, max-age=31536000, immutable"


def routes() -> APIRouter:
    """Plotly's library and the files of `arena/web/static`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/reading/plotly.js")
    def plotly() -> Response:
        headers = {"content-encoding": "gzip", "cache-control": YEAR, "vary": "accept-encoding"}
        return Response(_plotly(), media_type="text/javascript", headers=headers)

    @router.get("/reading/{name}")
    def static(name: str, request: Request) -> Response:
        asset = find_asset(name)
        if asset is None:
            raise HTTPException(404, _("There is no file {name!r} here. Reload the page.", name=name))
        headers = _caching(asset, request)
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(asset.plain, media_type=asset.media_type, headers=headers)
        return Response(
            asset.compressed, media_type=asset.media_type, headers={**headers, "content-encoding": "gzip"}
        )

    return router


def _caching(asset: Asset, request: Request) -> dict[str, str]:
    """An address with the hash of the content never changes; another is checked at each use."""
    named = request.query_params.get("v") == asset.version
    return {
        "cache-control": YEAR if named else "no-cache",
        "etag": f'W/"{asset.version}"',
        "vary": "accept-encoding",
    }


@cache
def _plotly() -> bytes:
    """The library from the Python package, compressed once to a third of its 4.8 MB."""
    return gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6)
