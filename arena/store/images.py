"""Images in the store: added, given to a turn, read by their voter, deleted. Each in the session of the caller."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, delete
from sqlalchemy import select as columns  # of SQLModel's there is none for so many
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from arena.rules.images import Picture
from arena.store.schema.battles import Battle, Turn
from arena.store.schema.images import ImageRow, TurnImage

FACTS: tuple[Any, ...] = (ImageRow.public_id, ImageRow.media_type, ImageRow.width, ImageRow.height, ImageRow.size)
MOST_UNUSED = 16  # images of a voter that no prompt has yet: four prompts with four images


@dataclass(frozen=True)
class StoredImage:
    """What is known of an image besides its content. `size` in bytes."""

    id: str
    media_type: str
    width: int
    height: int
    size: int


class NoSuchImage(Exception):
    """The voter has no image with this id."""


def add_image(session: Session, voter: str, picture: Picture) -> StoredImage:
    """Add an image of a voter. Of those that no turn uses, the newest `MOST_UNUSED` stay."""
    row = ImageRow(
        public_id=secrets.token_urlsafe(16),
        voter=voter,
        media_type=picture.media_type,
        width=picture.width,
        height=picture.height,
        size=len(picture.data),
        data=picture.data,
    )
    session.add(row)
    session.flush()
    unused = select(ImageRow.id).where(ImageRow.voter == voter, col(ImageRow.id).not_in(_used()))
    surplus = session.exec(unused.order_by(col(ImageRow.id).desc()).offset(MOST_UNUSED)).all()
    session.execute(delete(ImageRow).where(col(ImageRow.id).in_(surplus)))
    return _stored(row.public_id, row.media_type, row.width, row.height, row.size)


def image_content(session: Session, voter: str, public_id: str) -> tuple[str, bytes] | None:
    """The media type and the bytes of an image of this voter."""
    found = select(ImageRow.media_type, ImageRow.data).where(
        ImageRow.public_id == public_id, ImageRow.voter == voter
    )
    row = session.exec(found).one_or_none()
    return (row[0], bytes(row[1])) if row else None


def find_images(session: Session, voter: str, public_ids: Sequence[str]) -> tuple[StoredImage, ...]:
    """The images of this voter with these ids, in their order. Raises `NoSuchImage`."""
    wanted = columns(*FACTS).where(col(ImageRow.public_id).in_(public_ids), col(ImageRow.voter) == voter)
    rows = session.execute(wanted)
    images = {row[0]: _stored(*row) for row in rows}
    try:
        return tuple(images[public_id] for public_id in public_ids)
    except KeyError as missing:
        raise NoSuchImage(missing.args[0]) from None


def attach(session: Session, turn_id: int, voter: str, public_ids: Sequence[str]) -> None:
    """Give images of this voter to a turn, in this order. Raises `NoSuchImage`."""
    if not public_ids:
        return
    rows = session.exec(
        select(ImageRow.public_id, ImageRow.id)
        .where(col(ImageRow.public_id).in_(public_ids), ImageRow.voter == voter)
        .with_for_update()
    )
    numbers: dict[str, int | None] = dict(rows.all())
    if missing := set(public_ids) - set(numbers):
        raise NoSuchImage(min(missing))
    session.add_all(
        TurnImage(turn_id=turn_id, number=place, image_id=numbers[public_id] or 0)
        for place, public_id in enumerate(public_ids, 1)
    )
    session.flush()


def images_of_turns(session: Session, battles: Sequence[int]) -> dict[int, tuple[StoredImage, ...]]:
    """The images of each turn of these battles that has some, by the id of the turn."""
    rows = session.execute(
        columns(*(TurnImage.turn_id, *FACTS))
        .join(ImageRow, col(ImageRow.id) == col(TurnImage.image_id))
        .join(Turn, col(Turn.id) == col(TurnImage.turn_id))
        .where(col(Turn.battle_id).in_(battles))
        .order_by(col(TurnImage.turn_id), col(TurnImage.number))
    )
    images: dict[int, tuple[StoredImage, ...]] = {}
    for turn, *facts in rows:
        images[turn] = (*images.get(turn, ()), _stored(*facts))
    return images


def images_of_voter(session: Session, voter: str) -> list[tuple[StoredImage, datetime]]:
    """All images of a voter with the times of their upload, the oldest first."""
    of_voter = columns(*(*FACTS, ImageRow.created_at)).where(col(ImageRow.voter) == voter)
    rows = session.execute(of_voter.order_by(col(ImageRow.id)))
    return [(_stored(*facts), added) for *facts, added in rows]


def contents_of_battle(session: Session, battle_id: int) -> Mapping[str, bytes]:
    """The bytes of all images of a battle by their ids."""
    rows = session.exec(
        select(ImageRow.public_id, ImageRow.data)
        .join(TurnImage, col(TurnImage.image_id) == col(ImageRow.id))
        .join(Turn, col(Turn.id) == col(TurnImage.turn_id))
        .where(Turn.battle_id == battle_id)
    )
    return {public_id: bytes(data) for public_id, data in rows}


def battles_with_images(session: Session) -> frozenset[int]:
    """The ids of the battles with an image in any turn."""
    rows = select(Turn.battle_id).join(TurnImage, col(TurnImage.turn_id) == col(Turn.id)).distinct()
    return frozenset(session.exec(rows))


def with_images() -> ColumnElement[bool]:
    """The condition on `Battle` that one of its prompts has an image."""
    rows = select(TurnImage.image_id).join(Turn, col(Turn.id) == col(TurnImage.turn_id))
    return rows.where(Turn.battle_id == Battle.id).exists()


def delete_unused(session: Session, before: datetime) -> int:
    """Delete the images that no turn uses and that are older than `before`; returns their number."""
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        delete(ImageRow).where(col(ImageRow.created_at) < before, col(ImageRow.id).not_in(_used()))
    )
    return done.rowcount


def delete_images(session: Session, voter: str) -> int:
    """Delete all images of a voter, also those of prompts; returns their number."""
    own = select(ImageRow.id).where(ImageRow.voter == voter)
    session.execute(delete(TurnImage).where(col(TurnImage.image_id).in_(own)))
    done: CursorResult[Any] = session.execute(delete(ImageRow).where(col(ImageRow.voter) == voter))  # type: ignore[assignment]
    return done.rowcount


def _used() -> SelectOfScalar[int]:
    """The images that a turn uses."""
    return select(TurnImage.image_id)


def _stored(public_id: str, media_type: str, width: int, height: int, size: int) -> StoredImage:
    return StoredImage(public_id, media_type, width, height, size)
