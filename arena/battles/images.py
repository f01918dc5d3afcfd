"""Images that voters attach: decoded in a thread, a few at once, and kept for the prompt that will have them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from arena.battles.battle_access import BattleAccess
from arena.battles.image_checks import most_images
from arena.battles.refusals import NO_READERS, BattleRefused
from arena.rules.images import Picture, picture_of
from arena.rules.messages import gettext_noop
from arena.serving.availability import Visitor
from arena.store import Session, images
from arena.store.images import StoredImage
from arena.store.schema.battles import now

UNUSED = timedelta(days=1)  # after which an image that no prompt has used is deleted
DECODED_AT_ONCE = 2  # each has up to 200 MB in memory, see `arena.rules.images.MOST_PIXELS`
UPLOADS_AT_ONCE = 16  # those that wait for it included

BUSY = gettext_noop("The arena is reading many images. Attach yours again in a moment.")


class Images(BattleAccess):
    """The images of voters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._decoding = asyncio.Semaphore(DECODED_AT_ONCE)
        self._uploads = 0

    async def add_image(self, voter: str, data: bytes, address: str | None = None) -> StoredImage:
        """Keep an image for a prompt. Raises `ImageRejected` and `BattleRefused`."""
        if not most_images(self.serving, self.limits):
            raise BattleRefused(NO_READERS, code="image_rejected")
        await self._write(lambda session: self._visitors.count_image(session, Visitor(voter, address)))
        picture = await self._decoded(data)

        def add(session: Session) -> StoredImage:
            self._visitors.check_voter(session, voter)
            return images.add_image(session, voter, picture)

        return await self._write(add)

    async def _decoded(self, data: bytes) -> Picture:
        """The image of a file, decoded when its turn has come. Raises `ImageRejected` and `BattleRefused`."""
        if self._uploads >= UPLOADS_AT_ONCE:
            raise BattleRefused(BUSY, code="busy")
        self._uploads += 1
        try:
            async with self._decoding:
                return await asyncio.to_thread(picture_of, data)
        finally:
            self._uploads -= 1

    async def image(self, voter: str, public_id: str) -> tuple[str, bytes] | None:
        """The media type and the bytes of an image of this voter."""

        def find() -> tuple[str, bytes] | None:
            with self.database.read() as session:
                return images.image_content(session, voter, public_id)

        return await asyncio.to_thread(find)

    async def delete_unused_images(self) -> int:
        """Delete the images that no prompt has used within a day; returns their number."""
        before = now() - UNUSED

        def delete(session: Session) -> int:
            return images.delete_unused(session, before)

        return await self._write(delete)
