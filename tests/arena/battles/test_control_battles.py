"""Control battles: no visitor can tell them apart before the vote, and no board ever counts them."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from sqlmodel import select, update

from arena.battles import turns
from arena.battles.battles import Battles
from arena.battles.control_draw import EVEN, OWN_AFTER, ControlDraw, Shown
from arena.battles.matchmaking import Pair
from arena.config import BattleSettings, LimitSettings, ScriptedSettings
from arena.endpoints.scripted import Scripted
from arena.exchange.folder import export_arena
from arena.exchange.import_battles import import_battles
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.rules.modes import Mode
from arena.rules.suggested_prompts import suggested_prompts
from arena.store.ledger import sealed_votes
from arena.store.packed_votes import packed_differences
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.controls import ControlBattle
from arena.store.schema.usage import UsageDay
from arena.store.timings import timings
from arena.store.vote_columns import cast_votes
from arena.store.voter_history import own_votes
from arena.store.votes import pair_counts, recount
from tests.support.arenas import LISTS, PLAIN, new_file, opened_battles, settled
from tests.support.battle_clients import api_client, running_app

SUGGESTED = suggested_prompts()["coding"][0]
OTHERWISE = LISTS.model_copy(update={"name": "words-model", "style": "words"})
FAILING = ScriptedSettings(name="failing-model", endpoint="scripted", fault="before_first_token")


class Fixed(Random):
    """Draws one kind of control battle for ever: 0.0 is one model twice, 0.3 of a share of 0.4 exchanged sides."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def random(self) -> float:
        return self.value


SPEEDS = {PLAIN.name: 20.0, LISTS.name: 30.0}  # a model without a speed is the slowest
SAME, SWAPPED, ORDINARY = Fixed(0.0), Fixed(0.3), Fixed(0.9)


def drawing(battles: Battles, random: Random, after: int = 0) -> None:
    """Let the next battles be of a kind."""
    settings = battles.limits.model_copy(update={"control_share": 0.4, "control_after_votes": after})
    battles._controls = ControlDraw(battles.serving, settings, random, speeds=lambda: SPEEDS)


async def voted(battles: Battles, voter: str, prompt: str, winner: str = "model_a"):
    begun = await battles.begin(voter, prompt)
    await settled(battles, voter, begun.public_id)
    return await battles.vote(voter, begun.public_id, winner)


def backdate(battles: Battles, by: timedelta = OWN_AFTER) -> None:
    """Let all battles have begun longer ago."""
    with battles.database.write() as session:
        for battle in session.exec(select(Battle)):
            session.exec(update(Battle).where(Battle.id == battle.id).values(created_at=battle.created_at - by))


def kinds(battles: Battles) -> list[str]:
    with battles.database.read() as session:
        return list(session.exec(select(ControlBattle.kind).order_by(ControlBattle.battle_id)))


async def with_both_kinds(database) -> Battles:
    """An ordinary battle, its repetition for another voter, and one model against itself, each with a vote."""
    battles = await opened_battles(database)
    await voted(battles, "ann", SUGGESTED)
    drawing(battles, SWAPPED)
    await voted(battles, "bob", SUGGESTED)
    drawing(battles, SAME)
    await voted(battles, "cat", "Name a tree.")
    assert kinds(battles) == ["swapped", "same_model"]
    return battles


async def test_votes_on_control_battles_are_stored_and_count_nowhere(database):
    await with_both_kinds(database)
    with database.read() as session:
        assert len(session.exec(select(Vote)).all()) == 3
        assert sum(pair.wins for pair in pair_counts(session)) == 1
        assert recount(session) == packed_differences(session) == []
        assert [vote.voter for vote in cast_votes(session)] == ["ann"]
        assert [len(own_votes(session, voter).winner) for voter in ("ann", "bob", "cat")] == [1, 0, 0]
        assert [vote.control for vote in sealed_votes(session)] == [None, "swapped", "same_model"]
        assert timings(session)[LISTS.name].completions + timings(session)[PLAIN.name].completions == 4


@pytest.mark.parametrize("version", ["every-1", "mixed-1"])
async def test_seals_and_exports_hold_them_count_none_and_verify(database, tmp_path, version):
    await with_both_kinds(database)
    sealed = seal(database, version).last
    counted = [board["votes"] for board in sealed.boards]
    assert (sealed.votes, counted) == (
        3,
        [1] if version == "every-1" else [],
    )  # mixed-1: one suggested prompt of one
    export_arena(database, tmp_path / "export")
    findings = verify(tmp_path / "export")
    assert (findings.problems, findings.votes) == ([], 3)
    other = new_file(tmp_path / "other.db")
    imported = import_battles(other, tmp_path / "export" / "battles.jsonl")
    assert imported.votes == 1
    assert "control battles" in " ".join(imported.skipped)


async def test_a_changed_mark_does_not_verify(sqlite, tmp_path):
    await with_both_kinds(sqlite)
    seal(sqlite)
    with sqlite.write() as session:
        session.delete(session.exec(select(ControlBattle)).first())
    export_arena(sqlite, tmp_path / "export")
    assert any("root" in problem for problem in verify(tmp_path / "export").problems)


async def test_a_repetition_exchanges_the_texts_without_a_call_or_a_cost(sqlite):
    battles = await opened_battles(sqlite)
    battles._visitors.settings = LimitSettings(reading_speed=0)
    first = await voted(battles, "ann", SUGGESTED)
    with sqlite.read() as session:
        before = session.exec(select(UsageDay)).one().tokens
    drawing(battles, SWAPPED)
    for model in battles.serving.models.values():
        model.endpoint = Scripted(fault="before_first_token")
    again = await voted(battles, "bob", SUGGESTED)
    assert (again.model_a, again.model_b) == (first.model_b, first.model_a)
    one, other = first.exchanges[0], again.exchanges[0]
    assert (one.completion_a, one.completion_b) == (other.completion_b, other.completion_a)
    with sqlite.read() as session:
        assert session.exec(select(UsageDay)).one().tokens == before


async def test_nobody_is_shown_what_another_person_wrote_to(sqlite):
    battles = await opened_battles(sqlite)
    await voted(battles, "ann", "My own words")
    backdate(battles)
    drawing(battles, SWAPPED)
    await voted(battles, "bob", "My own words")
    assert kinds(battles) == []
    await voted(battles, "ann", "My own words")
    assert kinds(battles) == ["swapped"]


async def test_voters_see_their_own_prompt_again_only_after_a_day_and_once(sqlite):
    battles = await opened_battles(sqlite)
    await voted(battles, "ann", "My own words")
    drawing(battles, SWAPPED)
    await voted(battles, "ann", "My own words")
    assert kinds(battles) == []
    backdate(battles)
    for _ in range(4):
        await voted(battles, "ann", "My own words")
    assert kinds(battles) == ["swapped", "swapped"]  # two battles could be repeated, and no repetition is


@pytest.mark.parametrize("winner", ["tie", "both_bad"])
async def test_only_decisive_votes_are_repeated(sqlite, winner):
    battles = await opened_battles(sqlite)
    await voted(battles, "ann", SUGGESTED, winner)
    drawing(battles, SWAPPED)
    await voted(battles, "bob", SUGGESTED)
    assert kinds(battles) == []


async def test_there_are_none_before_the_arena_has_some_votes_and_none_of_share_0(sqlite):
    battles = await opened_battles(sqlite)
    drawing(battles, SAME, after=1)
    await voted(battles, "ann", "Name a tree.")
    assert kinds(battles) == []
    await voted(battles, "ann", "Name a tree.")
    assert kinds(battles) == ["same_model"]
    battles._controls = ControlDraw(battles.serving, BattleSettings(control_share=0, control_after_votes=0), SAME)
    await voted(battles, "ann", "Name a tree.")
    assert kinds(battles) == ["same_model"]


async def test_a_model_that_writes_the_same_text_twice_meets_itself_once(sqlite):
    battles = await opened_battles(sqlite)
    drawing(battles, SAME)
    for _ in range(3):
        await voted(battles, "ann", "Name a tree.")
    assert kinds(battles) == ["same_model"]


async def test_a_greedy_model_never_meets_itself(sqlite):
    greedy = {"parameters": {"temperature": 0}}
    battles = await opened_battles(sqlite, PLAIN.model_copy(update=greedy), LISTS.model_copy(update=greedy))
    drawing(battles, SAME)
    await voted(battles, "ann", "Name a tree.")
    assert kinds(battles) == []


async def test_chosen_models_are_never_replaced(sqlite):
    battles = await opened_battles(sqlite)
    drawing(battles, SAME)
    begun = await battles.begin("ann", "Name a tree.", mode=Mode.CHOSEN, models=[PLAIN.name, LISTS.name])
    assert {begun.model_a, begun.model_b} == {PLAIN.name, LISTS.name}


async def test_a_failed_battle_of_one_model_draws_another_one_for_both_sides(sqlite):
    battles = await opened_battles(sqlite, FAILING, PLAIN, LISTS.model_copy(update={"weight": 0}))
    drawing(battles, SAME)
    begun = await battles.begin("ann", "Name a tree.")
    failed = await settled(battles, "ann", begun.public_id)
    assert failed.status == "failed"
    await battles.reroll("ann", begun.public_id, "a")
    await settled(battles, "ann", begun.public_id)
    after = await battles.vote("ann", begun.public_id, "tie")
    assert after.model_a == after.model_b != FAILING.name
    with sqlite.read() as session:
        assert pair_counts(session) == []


async def test_a_repetition_goes_on_as_a_conversation(sqlite):
    battles = await opened_battles(sqlite)
    await voted(battles, "ann", SUGGESTED)
    drawing(battles, SWAPPED)
    begun = await battles.begin("bob", SUGGESTED)
    await settled(battles, "bob", begun.public_id)
    await battles.continue_("bob", begun.public_id, "And then?")
    view = await settled(battles, "bob", begun.public_id)
    assert "And then?" in view.exchanges[1].completion_a


def shape(value):
    """A document with its texts, times and numbers as their kinds: what a program can compare."""
    if isinstance(value, dict):
        return {key: shape(part) for key, part in value.items()}
    if isinstance(value, list):
        return [shape(part) for part in value]
    return value if isinstance(value, bool) or value in ("running", "open", "finished", "blind") else type(value)


async def test_until_the_vote_the_api_says_the_same_of_all_kinds(sqlite):
    """Documents, events and the voter's own lists and downloads have the same shape; the reveal names the kind."""
    async with running_app(sqlite, battles={"undo_seconds": 0}) as app, api_client(app) as first:
        battles = app.state.battles
        drawing(battles, ORDINARY)
        ordinary = await first.finished(SUGGESTED)
        await first.post(ordinary, "vote", winner="model_a")
        seen = {}
        for name, random in {"none": ORDINARY, "swapped": SWAPPED, "same_model": SAME}.items():
            drawing(battles, random)
            async with api_client(app) as other:
                begun = await other.begin(SUGGESTED)
                events = await other.stream(begun["id"])
                state = await other.state(begun["id"])
                export = (await other.http.get("/api/v1/me/export")).text
                history = (await other.http.get("/api/v1/me/battles")).json()
                for text in (str(begun), str(events), str(state), export, str(history)):
                    assert "control" not in text
                    assert "same_model" not in text
                    assert not {PLAIN.name, LISTS.name} & set(text.split('"'))
                kinds_of_events = {event.name: shape(event.data) for event in events}
                seen[name] = (shape(begun), kinds_of_events, shape(state), shape(history))
                revealed = (await other.post(begun["id"], "vote", winner="model_a")).json()
                assert revealed["reveal"]["control"] == (None if name == "none" else name)
        assert seen["none"] == seen["swapped"] == seen["same_model"]


@pytest.mark.parametrize("seconds", [0.0002, 0.013, 0.049, 0.061])
@pytest.mark.parametrize("random", [SAME, SWAPPED, ORDINARY])
async def test_every_draw_takes_an_even_time_whatever_it_draws(sqlite, random, seconds):
    battles = await opened_battles(sqlite)
    await voted(battles, "ann", SUGGESTED)
    settings = battles.limits.model_copy(update={"control_share": 0.4, "control_after_votes": 0})
    draw = ControlDraw(battles.serving, settings, random, iter((1.0, 1.0 + seconds)).__next__)
    with sqlite.read() as session:
        shown = draw.draw(session, Pair("plain-model", "lists-model", 1.0), "ben", SUGGESTED, images=False)
    assert shown.control == {SAME: "same_model", SWAPPED: "swapped", ORDINARY: None}[random]
    periods = (seconds + shown.wait) / EVEN
    assert periods == pytest.approx(round(periods))
    assert 0 <= shown.wait < EVEN


async def test_a_turn_begins_after_the_wait_of_its_draw(sqlite, monkeypatch):
    battles, waits = await opened_battles(sqlite), []
    monkeypatch.setattr(
        battles._controls.__class__, "draw", lambda _self, _session, pair, *_, **__: Shown(pair, wait=7.0)
    )

    async def sleep(seconds: float) -> None:
        waits.append((seconds, len(battles._running)))

    monkeypatch.setattr(turns, "sleep", sleep)
    await battles.begin("ann", SUGGESTED)
    assert waits == [(7.0, 0)]
    assert len(battles._running) == 1


@pytest.mark.parametrize("slower", ["plain-model", "lists-model"])
async def test_the_slower_model_of_the_pair_meets_itself_so_that_no_pace_gives_it_away(sqlite, slower):
    battles = await opened_battles(sqlite)
    settings = battles.limits.model_copy(update={"control_share": 0.4, "control_after_votes": 0})
    speeds = {"plain-model": 30.0, "lists-model": 30.0} | {slower: 20.0}
    draw = ControlDraw(battles.serving, settings, SAME, speeds=lambda: speeds)
    for pair in (Pair("plain-model", "lists-model", 1.0), Pair("lists-model", "plain-model", 1.0)):
        with sqlite.read() as session:
            shown = draw.draw(session, pair, "ben", SUGGESTED, images=False)
        assert (shown.pair.model_a, shown.pair.model_b) == (slower, slower)


async def test_the_speeds_of_models_are_those_of_their_battles_with_a_vote(sqlite):
    slow = PLAIN.model_copy(update={"delay": 0.01})
    battles = await opened_battles(sqlite, slow, LISTS)
    await voted(battles, "ann", SUGGESTED)
    await battles.sampling.refresh()
    assert set(battles._controls.speeds()) == {"plain-model", "lists-model"}
    assert min(battles._controls.speeds().values()) > 0
