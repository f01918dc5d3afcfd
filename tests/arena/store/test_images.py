"""Images in the store: only their voter reads them, turns keep them, unused ones go, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from arena.rules.images import Picture
from arena.store import battles as stored
from arena.store.battle_features import reclassify
from arena.store.images import (
    MOST_UNUSED,
    NoSuchImage,
    add_image,
    battles_with_images,
    contents_of_battle,
    delete_images,
    delete_unused,
    find_images,
    image_content,
)
from arena.store.models import register_models
from arena.store.schema.battles import Battle, now
from arena.store.schema.images import ImageRow, TurnImage
from arena.store.stored_battles import find_battle
from arena.store.voter_deletion import delete_voter
from arena.store.voter_export import about_voter, voter_battles
from arena.store.votes import add_vote, counted_categories, recount, rewrite_pair_counts

ME, OTHER = "a" * 32, "b" * 32
PICTURE = Picture(b"\x89PNG\x00\xff", "image/png", 4, 3)


def added(database, voter=ME, picture=PICTURE) -> str:
    with database.write() as session:
        return add_image(session, voter, picture).id


def battle_with(database, images, voter=ME) -> int:
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        session.flush()
        battle = session.get_one(Battle, stored.add_battle(session, voter, "amber", "birch", 1.0).id)
        stored.add_turn(session, battle.id, "What is this?", images)
        battle.status = "open"
        session.add(battle)
        return battle.id


def rows(database, table):
    with database.read() as session:
        return len(session.exec(select(table)).all())


def test_only_its_voter_reads_an_image(database):
    image = added(database)
    with database.read() as session:
        assert image_content(session, ME, image) == ("image/png", PICTURE.data)
        assert image_content(session, OTHER, image) is None
        assert find_images(session, ME, [image])[0].size == 6
        with pytest.raises(NoSuchImage):
            find_images(session, OTHER, [image])


def test_a_turn_has_its_images_in_their_order(database):
    second, first = added(database), added(database, picture=Picture(b"1", "image/jpeg", 9, 9))
    battle = battle_with(database, [first, second])
    with database.read() as session:
        kept = session.get(stored.Battle, battle)
        found = find_battle(session, public_id=kept.public_id)
        assert [image.id for image in found.turns[0].images] == [first, second]
        assert contents_of_battle(session, battle) == {first: b"1", second: PICTURE.data}
        assert battles_with_images(session) == {battle}
        exported = voter_battles(session, ME)[0].document
        assert exported["prompts"][0]["images"] == [first, second]
    with database.read() as session:
        assert [image["id"] for image in about_voter(session, ME)["images"]] == [second, first]


def test_another_voters_image_and_an_unknown_one_cannot_be_attached(database):
    for images in ([added(database, OTHER)], ["nothing"]):
        with pytest.raises(NoSuchImage):
            battle_with(database, images)
    assert rows(database, TurnImage) == 0


def test_a_battle_with_an_image_has_the_categories_of_its_text_and_one_more(database):
    for images in ([], [added(database)]):
        battle = battle_with(database, images)
        with database.write() as session:
            add_vote(session, battle, "human", ME, "model_a", stopped_early=False)
    with database.read() as session:
        assert counted_categories(session) == {"english": 2, "overall": 2, "images": 1}
        assert recount(session) == []
    with database.write() as session:
        assert reclassify(session) == battle
        rewrite_pair_counts(session)
    with database.read() as session:
        assert counted_categories(session)["images"] == 1


def test_unused_images_are_deleted_and_used_ones_stay(database):
    used, _ = added(database), added(database)
    battle_with(database, [used])
    with database.write() as session:
        assert delete_unused(session, now() - timedelta(days=1)) == 0
        assert delete_unused(session, now() + timedelta(seconds=1)) == 1
    with database.read() as session:
        assert session.exec(select(ImageRow.public_id)).all() == [used]


def test_a_voter_keeps_the_newest_unused_images(database):
    used = added(database)
    battle_with(database, [used])
    images = [added(database) for _ in range(MOST_UNUSED + 2)]
    other = added(database, OTHER)
    with database.read() as session:
        assert session.exec(select(ImageRow.public_id).order_by(ImageRow.id)).all() == [used, *images[2:], other]


def test_all_images_of_a_voter_can_be_deleted(database):
    battle_with(database, [added(database)])
    added(database, OTHER)
    with database.write() as session:
        assert delete_images(session, ME) == 1
    assert (rows(database, ImageRow), rows(database, TurnImage)) == (1, 0)


def test_the_deletion_of_a_voter_deletes_their_images(database):
    battle_with(database, [added(database)])
    added(database)
    with database.write() as session:
        delete_voter(session, ME)
    assert (rows(database, ImageRow), rows(database, TurnImage)) == (0, 0)
