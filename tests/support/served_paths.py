"""The addresses of an application."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any


def served_paths(routes: Iterable[Any], prefix: str = "", method: str = "GET") -> Iterator[str]:
    """The paths of a method, whether FastAPI keeps included routers whole (0.130 on) or copies their routes."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from served_paths(route.original_router.routes, prefix + route.include_context.prefix, method)
        elif method in (getattr(route, "methods", None) or ()):
            yield prefix + route.path
