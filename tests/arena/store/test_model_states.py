"""What operators set for models, and the log of it, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlmodel import select

from arena.errors import ConfigError
from arena.rules.model_states import ModelAction, ModelState, is_private
from arena.store import model_states
from arena.store.model_states import PrivateVariants
from arena.store.schema.battles import now
from arena.store.schema.model_states import ModelChange
from tests.support.ballots import ballots


def changed(database, name, action, **given):
    with database.write() as session:
        return model_states.change(session, name, action, **{"reason": "because", "by": "ann", **given})


def log_of(database, name=None):
    with database.read() as session:
        return [(row.name, row.action, row.value) for row in model_states.changes(session, name)]


def test_a_change_is_in_force_and_in_the_log(database):
    before = now()
    control = changed(database, "one", ModelAction.PAUSE)
    assert (control.state, control.reason, control.by) == (ModelState.PAUSED, "because", "ann")
    assert control.since is not None
    assert before <= control.since <= now()
    changed(database, "one", ModelAction.WEIGHT, value=2.5)
    changed(database, "one", ModelAction.BOOST, value=40)
    changed(database, "one", ModelAction.RETIRE)
    with database.read() as session:
        (name, control), *others = model_states.controls(session).items()
        assert model_states.version(session) == session.exec(select(ModelChange.id)).all()[-1]
    assert (name, others) == ("one", [])
    assert (control.state, control.weight, control.boost_votes) == (ModelState.RETIRED, 2.5, 40)
    assert log_of(database, "one") == [
        ("one", "retire", None),
        ("one", "boost", 40),
        ("one", "weight", 2.5),
        ("one", "pause", None),
    ]


@pytest.mark.parametrize(
    ("action", "value", "message"),
    [
        (ModelAction.PAUSE, None, "one is in this state already: paused"),
        (ModelAction.WEIGHT, -1, "-1 is out of range. Give a number from 0 to"),
        (ModelAction.BOOST, 1e12, "is out of range"),
        (ModelAction.RELEASE, None, "one is not private"),
    ],
)
def test_a_change_of_nothing_changes_nothing(database, action, value, message):
    changed(database, "one", ModelAction.PAUSE)
    with pytest.raises(ConfigError, match=message):
        changed(database, "one", action, value=value)
    assert log_of(database) == [("one", "pause", None)]


def test_readers_cannot_see_from_the_version_that_an_endpoint_fails(database):
    changed(database, "one", ModelAction.PAUSE)
    with database.write() as session:
        before = model_states.version(session)
        for action in (ModelAction.OUTAGE, ModelAction.RETURN):
            model_states.note(session, "one", action, reason="503", by="arena")
        assert model_states.version(session) == before


def test_an_outage_is_no_change_that_a_person_makes(database):
    with pytest.raises(ValueError, match="no change that a person makes"):
        changed(database, "one", ModelAction.OUTAGE)


def test_private_models_stay_counted_when_they_are_released_or_never_are(database):
    with database.write() as session:
        for _ in range(2):  # a server that starts again gives no further codes
            model_states.hide(session, {"a-1": "Acme", "a-2": "Acme", "x": None}, "arena")
        codes = {control.code for control in model_states.controls(session).values()}
    assert len(codes) == 3
    assert all(code is not None and is_private(code) for code in codes)
    control = changed(database, "a-2", ModelAction.RELEASE)
    assert not control.private
    assert control.released_at is not None
    with database.read() as session:
        assert model_states.private_variants(session) == [
            PrivateVariants("Acme", 2, 1),
            PrivateVariants(None, 1, 0),
        ]


def test_a_model_in_battles_under_its_name_cannot_become_private(database):
    ballots(database)
    with database.write() as session, pytest.raises(ConfigError, match="amber is in battles under its name"):
        model_states.hide(session, {"amber": None}, "arena")


def test_outages_of_stopped_servers_are_not_listed(database):
    with database.write() as session:
        for server, minutes in (("alive", 1), ("stopped", -10)):
            due = now() + timedelta(minutes=minutes)
            model_states.set_outage(session, "one", server, reason="503", tries=2, next_try=due)
            model_states.set_outage(session, "one", server, reason="502", tries=3, next_try=due)
    with database.read() as session:
        (row,) = model_states.outages(session, now() - timedelta(minutes=2))
        assert (row.server, row.reason, row.tries) == ("alive", "502", 3)
    with database.write() as session:
        model_states.end_outage(session, "one", "alive")
        model_states.end_outage(session, "one", "alive")
    with database.read() as session:
        assert not model_states.outages(session, now() - timedelta(minutes=2))
