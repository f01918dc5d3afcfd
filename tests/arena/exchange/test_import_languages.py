"""Languages that imported files name: 60 Spanish battles became English."""

from __future__ import annotations

import json

import pytest

from arena.exchange.import_battles import import_battles
from arena.store.battle_features import reclassify
from arena.store.votes import counted_categories, recount, rewrite_pair_counts

TALK = [{"role": "user", "content": "Code: what is the plan?"}, {"role": "assistant", "content": "ok"}]


def imported(database, tmp_path, *rows: dict) -> dict[str, int]:
    (tmp_path / "b.json").write_text(
        json.dumps([{"model_a": "x", "model_b": "y", "winner": "a", **row} for row in rows])
    )
    import_battles(database, tmp_path / "b.json")
    with database.read() as session:
        return counted_categories(session)


@pytest.mark.parametrize(
    "named",
    [
        {"language": "Spanish"},
        {"language": "es"},
        {"lang": "es-MX"},
        {"languages": ["es", "fr"]},
        {"languages": '["es"]'},
    ],
)
def test_the_language_of_a_row_is_its_category(database, tmp_path, named):
    found = imported(
        database, tmp_path, *({**named, "conversation_a": TALK, "conversation_b": TALK, "n": n} for n in range(3))
    )
    assert (found["spanish"], found.get("english")) == (3, None)


def test_a_row_without_texts_has_its_language(database, tmp_path):
    """As of FastChat's `clean_battle` files."""
    assert imported(database, tmp_path, {"language": "German"}, {"language": "unknown"}, {}) == {
        "overall": 3,
        "german": 1,
    }


@pytest.mark.parametrize("language", ["unknown", "Undetermined", "", None, 7])
def test_an_unknown_language_is_detected(database, tmp_path, language):
    found = imported(database, tmp_path, {"language": language, "conversation_a": TALK, "conversation_b": TALK})
    assert found["english"] == 1


def test_classifying_again_keeps_the_language_that_the_file_named(database, tmp_path):
    imported(database, tmp_path, {"language": "Spanish", "conversation_a": TALK, "conversation_b": TALK})
    with database.write() as session:
        assert reclassify(session) is not None
        rewrite_pair_counts(session)
    with database.read() as session:
        assert (counted_categories(session)["spanish"], recount(session)) == (1, [])
        assert "english" not in counted_categories(session)
