"""Whether a client takes gzip, and replies in the form that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.datastructures import Headers
from starlette.responses import Response

VARY = {"vary": "accept-encoding"}


def accepts_gzip(headers: Headers) -> bool:
    """Whether Accept-Encoding names gzip, or everything, with a quality above 0 (RFC 9110, section 12.5.3)."""
    qualities: dict[str, float] = {}
    for part in ",".join(headers.getlist("accept-encoding")).split(","):
        name, *parameters = part.split(";")
        qualities[name.strip().lower()] = _quality(parameters)
    return next((qualities[name] for name in ("gzip", "x-gzip", "*") if name in qualities), 0.0) > 0


def compressible(
    request: Headers, plain: bytes, compressed: bytes, media_type: str, headers: Mapping[str, str]
) -> Response:
    """The reply with the body that the client takes. `request` has its headers."""
    if not accepts_gzip(request):
        return Response(plain, media_type=media_type, headers={**headers, **VARY})
    encoded = {**headers, **VARY, "content-encoding": "gzip"}
    return Response(compressed, media_type=media_type, headers=encoded)


def _quality(parameters: Sequence[str]) -> float:
    """The parameter q, 1 without one, and 0 if it is not a number."""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0
