"""`/api/v1/images`: images are uploaded before the prompt that has them, and read by their voter alone."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response

from arena.rules.images import MEDIA_TYPES
from arena.web.v1 import battle_examples as examples
from arena.web.v1.battle_context import Api, BattleRoute
from arena.web.v1.battle_problems import NO_SUCH_IMAGE, NOT_AN_IMAGE, BattleProblem
from arena.web.v1.visitors import Asking

IMAGES = "/api/v1/images"
BODY = {
    "requestBody": {
        "required": True,
        "content": {media: {"schema": {"type": "string", "format": "binary"}} for media in MEDIA_TYPES},
    }
}
HEADERS = {
    "cache-control": "private, max-age=86400, immutable",
    "content-disposition": "inline",
    "content-security-policy": "default-src 'none'; sandbox",
    "x-content-type-options": "nosniff",
    "vary": "Cookie, Authorization",
}


class ImageRoute(BattleRoute):
    """A route whose body is an image."""

    media_types = MEDIA_TYPES
    other_media = NOT_AN_IMAGE


router = APIRouter(prefix="/images", route_class=ImageRoute, tags=["battles"])


@router.post("", status_code=201, responses=examples.UPLOADED, openapi_extra=BODY)
async def upload(request: Request, visitor: Asking, api: Api) -> dict[str, Any]:
    """Keep an image for a prompt: decoded, at most 2048 pixels a side, without metadata. Unused ones go after a day."""
    kept = asdict(await api.battles.add_image(visitor.voter, await request.body(), visitor.address))
    return {"id": kept["id"], "width": kept["width"], "height": kept["height"], "bytes": kept["size"]}


@router.get("/{image}", responses=examples.IMAGE_BYTES)
async def image(image: str, visitor: Asking, api: Api) -> Response:
    """An image of the voter, as the models read it."""
    found = await api.battles.image(visitor.voter, image)
    if found is None:
        raise BattleProblem("not_found", NO_SUCH_IMAGE)
    media_type, content = found
    return Response(content, HTTPStatus.OK, HEADERS, media_type)
