"""The public interface, version 1: what is here stays as it is; what changes will be version 2."""

from arena.web.v1.context import Context
from arena.web.v1.routes import router

__all__ = ["Context", "router"]
