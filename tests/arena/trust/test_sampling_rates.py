"""Published sampling rates and numbers of private variants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from arena.config import SamplingSettings
from arena.rules.model_states import ModelAction
from arena.store import battles as stored
from arena.store import model_states
from arena.store.models import register_models
from arena.store.schema.battles import Battle, now
from arena.store.schema.model_states import ModelChange
from arena.trust.sampling_rates import disclosed_variants, sampling_rates
from tests.support.ballots import ballots

SECRET = "private:0011aabb"


def drawn(database, *pairs, server="here", days=3):
    with database.write() as session:
        register_models(session, {name for pair in pairs for name in pair})
        for a, b in pairs:
            battle = session.get_one(Battle, stored.add_battle(session, "ann", a, b, 0.5, server).id)
            battle.created_at = now() - timedelta(days=days)


def test_rates_count_each_battle_for_both_models_and_name_no_private_one(database):
    drawn(database, ("one", "two"), ("two", "one"), ("one", SECRET))
    drawn(database, ("two", "old"), days=40)
    drawn(database, ("one", "two"), days=0)  # one that may still wait for its vote
    with database.write() as session:
        for name in ("one", "one", SECRET):
            number = model_states.note(session, name, ModelAction.OUTAGE, reason="503", by="arena")
            session.get_one(ModelChange, number).at = now() - timedelta(days=3)
        model_states.note(session, "one", ModelAction.OUTAGE, reason="503", by="arena")  # today's is not shown
    with database.read() as session:
        rates = sampling_rates(session, SamplingSettings(), now())
    assert (rates.battles, rates.private_battles) == (3, 1)
    assert [(row.model, row.battles, row.outages) for row in rates.models] == [("one", 3, 2), ("two", 2, 0)]
    assert rates.models[0].share == pytest.approx(1)
    assert SECRET not in str(rates.to_dict())
    assert (rates.rule, rates.floor) == ("active", 0.3)


def test_imported_battles_were_not_drawn(database):
    ballots(database)
    with database.write() as session:
        for battle in session.exec(select(Battle)):
            battle.owner, battle.created_at = None, now() - timedelta(days=3)
    with database.read() as session:
        assert sampling_rates(session, SamplingSettings(), now()).battles == 0


def test_variants_that_were_never_released_stay_in_the_number(database):
    with database.write() as session:
        model_states.hide(session, {"a": "Acme", "b": "Acme", "c": None}, "arena")
        model_states.change(session, "b", ModelAction.RELEASE, reason="launch", by="ann")
    with database.read() as session:
        rows = [(row.organisation, row.variants, row.released) for row in disclosed_variants(session)]
    assert rows == [("Acme", 2, 1), (None, 1, 0)]
