"""The public interface, version 1: what is here stays as it is; what changes will be version 2."""

from arena.web.v1.battle_context import BattleContext
from arena.web.v1.context import Context
from arena.web.v1.image_routes import IMAGES
from arena.web.v1.routes import router
from arena.web.v1.stream_places import StreamPlaces

__all__ = ["IMAGES", "BattleContext", "Context", "StreamPlaces", "router"]
