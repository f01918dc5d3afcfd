"""The addresses of an application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def served_paths(routes: Iterable[Any], prefix: str = "") -> Iterator[str]:
    """The paths of GET, whether FastAPI keeps included routers whole (0.130 on) or copies their routes."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from served_paths(route.original_router.routes, prefix + route.include_context.prefix)
        elif "GET" in (getattr(route, "methods", None) or ()):
            yield prefix + route.path
