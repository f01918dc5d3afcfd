"""The formats that people have battles in, each with the columns of its source and battles of our own."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.formats.winners import SPELLINGS
from arena.exchange.import_battles import import_battles
from arena.rules.votes import WINNERS
from arena.store.ledger import sealed_votes
from tests.support.typed import Typed


def lines(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def table(path: Path, *records: dict) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    return path


def read(path: Path) -> list[dict]:
    columns = read_battles_file(path).columns
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def talk(prompt: str, answer: str) -> list[dict]:
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]


@pytest.mark.parametrize(("winner", "spelling"), [(w, s) for w, spelled in SPELLINGS.items() for s in spelled])
def test_winners_are_read_as_public_sets_spell_them(tmp_path, winner, spelling):
    for text in (spelling, spelling.upper(), f" {spelling.title()} "):
        file = lines(tmp_path / "b.jsonl", {"model_a": "x", "model_b": "y", "winner": text})
        assert read(file)[0]["winner"] == winner


def test_every_outcome_has_spellings_and_no_two_share_one():
    assert tuple(SPELLINGS) == WINNERS
    assert max(Counter(spelling for spelled in SPELLINGS.values() for spelling in spelled).values()) == 1


def test_a_winner_nobody_knows_is_named_with_its_row_in_the_file(sqlite, tmp_path):
    good = {"model_a": "x", "model_b": "y", "winner": "a", "anony": True}
    file = lines(tmp_path / "b.jsonl", {**good, "anony": False}, good, {**good, "winner": "c"})
    with pytest.raises(BadBattlesFile, match="row 2: winner 'c' is unknown"):
        import_battles(sqlite, file)


def one_hot(winner: str, **changed: object) -> dict:
    outcomes = {f"winner_{name}": int(name == winner) for name in ("model_a", "model_b", "tie")}
    texts = {"prompt": '["Hi", "And now?"]', "response_a": '["Hello", null]', "response_b": '["Yes?", "Then go"]'}
    return {"id": 30192, "model_a": "north", "model_b": "south", **texts, **outcomes, **changed}


def test_columns_with_one_outcome_each_are_kaggles(sqlite, tmp_path):
    file = table(tmp_path / "train.csv", *(one_hot(w, id=n) for n, w in enumerate(("model_a", "model_b", "tie"))))
    rows = read(file)
    assert [row["winner"] for row in rows] == ["model_a", "model_b", "tie"]
    assert rows[0]["conversation_a"] == [*talk("Hi", "Hello"), *talk("And now?", "")]
    assert rows[0]["conversation_b"][3]["content"] == "Then go"
    done = import_battles(sqlite, file)
    assert (done.votes, done.without_voter) == (3, 3)


@pytest.mark.parametrize("text", ["What is [1, 2]?", "[not json"])
def test_texts_that_are_no_lists_are_one_turn(tmp_path, text):
    file = table(tmp_path / "b.csv", one_hot("tie", prompt=text, response_a="a", response_b="b"))
    assert read(file)[0]["conversation_a"] == talk(text, "a")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"winner_tie": 1}, "row 1: 2 of winner_model_a, winner_model_b, winner_tie are 1. Mark exactly one"),
        ({"winner_model_a": 0}, "row 1: 0 of winner_model_a"),
        ({"winner_model_a": "maybe"}, "row 1: winner_model_a is 'maybe'. Write 0 or 1"),
        ({"winner_model_b": None}, "row 1: winner_model_b is"),
    ],
)
def test_a_row_without_exactly_one_outcome_is_an_error(tmp_path, changed, message):
    with pytest.raises(BadBattlesFile, match=message):
        read(lines(tmp_path / "b.jsonl", one_hot("tie"), one_hot("model_a", **changed)))


def log(kind: str = "leftvote", conversation: str = "c1", shown: tuple = ("", ""), **changed: object) -> dict:
    system = [["USER", "hidden"], ["ASSISTANT", "hidden too"]]
    states = [
        {"conv_id": conversation, "model_name": name, "offset": 2,
         "messages": [*system, ["USER", "Hi"], ["ASSISTANT", answer]]}
        for name, answer in (("north", "Hello"), ("south", None))
    ]  # fmt: skip
    return {
        "tstamp": 1_700_000_000.5,
        "type": kind,
        "models": list(shown),
        "states": states,
        "ip": "192.0.2.7",
        **changed,
    }


def test_votes_of_fastchats_log_are_battles_and_its_other_lines_are_not(sqlite, tmp_path):
    chat = {"tstamp": 1.0, "type": "chat", "model": "north", "state": {}, "ip": "192.0.2.7"}
    votes = [log(kind, f"c{n}") for n, kind in enumerate(("leftvote", "rightvote", "tievote", "bothbad_vote"))]
    file = lines(tmp_path / "2026-01-01-conv.jsonl", chat, *votes, chat, log("upvote"))
    rows = read(file)
    assert [row["winner"] for row in rows] == ["model_a", "model_b", "tie", "both_bad"]
    assert (rows[0]["conversation_a"], rows[0]["conversation_b"][1]["content"]) == (talk("Hi", "Hello"), "")
    done = import_battles(sqlite, file)
    assert (done.votes, done.models, done.skipped) == (4, 2, {"not a vote": 3})
    with sqlite.read() as session:
        assert {vote.created_at for vote in sealed_votes(session)} == {"2023-11-14T22:13:20.500000+00:00"}


def test_named_and_repeated_votes_of_fastchats_log_do_not_count(tmp_path):
    """A replayed vote counts twice in FastChat, and a vote after the reveal is not blind."""
    same = log("leftvote", "c4")
    same["states"][1]["model_name"] = "north"
    nameless = log("leftvote", "c5")
    del nameless["states"][0]["model_name"]
    file = read_battles_file(
        lines(
            tmp_path / "log.jsonl",
            log("leftvote", "c1", ("Model A", "Model B")),
            log("leftvote", "c1"),
            log("rightvote", "c1", ("### Model A: north", "### Model B: south")),
            log("leftvote", "c3", ("north", "south")),
            same,
            nameless,
            log("tievote", "c6"),
        )
    )
    assert (file.columns["winner"], file.rows) == (["model_a", "tie"], [0, 6])
    assert file.skipped == {
        "a further vote on the same conversation": 1,
        "the models were named before the vote": 2,
        "both sides are the same model": 1,
        "no names of models": 1,
    }


def test_a_text_with_images_is_its_text(tmp_path):
    vote = log()
    vote["states"][0]["messages"][2][1] = ["What is this?", ["image.png"]]
    assert read(lines(tmp_path / "b.jsonl", vote))[0]["conversation_a"][0]["content"] == "What is this?"


@pytest.mark.parametrize("changed", [{"states": [1]}, {"states": None}, {"models": None}, {"states": [{}, {}]}])
def test_a_broken_vote_of_a_log_is_named_with_its_row(tmp_path, changed):
    with pytest.raises(BadBattlesFile, match="row 1: not a vote of FastChat's log"):
        read(lines(tmp_path / "b.jsonl", log(), log("tievote", "c2", **changed)))


def test_battles_cleaned_by_fastchat_are_read(sqlite, tmp_path):
    """`clean_battle_data.py` writes a JSON list, without ids or conversations in its mode "simple"."""
    row = {"model_a": "north", "model_b": "south", "winner": "tie (bothbad)", "judge": "arena_user_7", "turn": 1,
           "anony": True, "language": "English", "tstamp": 1_700_000_000.5}  # fmt: skip
    rows = [row, {**row, "winner": "model_a", "tstamp": 1_700_000_001.5}, {**row, "anony": False}]
    (tmp_path / "clean_battle_20260101.json").write_text(json.dumps(rows, indent=2))
    done = import_battles(sqlite, tmp_path / "clean_battle_20260101.json")
    assert (done.votes, done.without_voter) == (2, 0)
    assert done.skipped == {"the models were named before the vote": 1}


def vote(chosen: str | None, equal: bool | None = False, **changed: object) -> dict:
    return {
        "id": 7, "timestamp": "2025-03-01 10:00:00", "model_a_name": "nord", "model_b_name": "sud",
        "model_pair_name": ["nord", "sud"], "chosen_model_name": chosen, "both_equal": equal,
        "opening_msg": "Bonjour", "conversation_a": talk("Bonjour", "Salut"), "conversation_b": talk("Bonjour", "Oui ?"),
        "conv_turns": 1, "conversation_pair_id": "p1", "session_hash": "s1", "visitor_id": "v1", **changed,
    }  # fmt: skip


def test_votes_of_comparia(sqlite, tmp_path):
    file = lines(
        tmp_path / "votes.jsonl",
        vote("nord", id=1),
        vote("sud", id=2, visitor_id=None),
        vote(None, True, id=3),
        vote(None, None, id=4),
        vote("nord", id=5, mode="custom"),
        vote("nord", id=6, model_b_name="nord"),
    )
    rows = read(file)
    assert [(row["winner"], row["voter"]) for row in rows] == [("model_a", "v1"), ("model_b", "s1"), ("tie", "v1")]
    done = import_battles(sqlite, file)
    assert done.skipped == {
        "no choice": 1, "the voter had chosen the models": 1, "both sides are the same model": 1,
    }  # fmt: skip
    with pytest.raises(BadBattlesFile, match="row 0: chosen_model_name 'est' is neither 'nord' nor 'sud'"):
        read(lines(tmp_path / "votes.jsonl", vote("est")))


def reaction(side: str, rank: int, *marks: str, **changed: object) -> dict:
    names = ("liked", "disliked", "useful", "creative", "complete", "clear_formatting", "incorrect", "superficial")
    row = {name: value for name, value in vote(None).items() if name not in ("chosen_model_name", "both_equal")}
    return {**row, "model_pos": side, "refers_to_model": "nord" if side == "a" else "sud", "msg_rank": rank,
            **{name: name in marks for name in names}, **changed}  # fmt: skip


@pytest.mark.parametrize(
    ("a", "b", "winner"),
    [
        (["liked"], ["disliked"], "model_a"),
        (["liked"], [], "model_a"),
        ([], ["disliked"], "model_a"),
        (["incorrect"], ["liked"], "model_b"),
        (["disliked", "superficial"], ["useful"], "model_b"),
        (["liked"], ["creative"], "tie"),
        (["disliked"], ["incorrect"], "both_bad"),
        (["liked", "incorrect"], ["liked"], "model_b"),
        (["liked", "incorrect"], ["liked", "superficial"], None),
    ],
)
def test_reactions_of_comparia_make_one_vote_on_a_turn(tmp_path, a, b, winner):
    file = read_battles_file(lines(tmp_path / "b.jsonl", reaction("a", 0, *a), reaction("b", 0, *b)))
    assert file.columns["winner"] == ([] if winner is None else [winner])
    assert file.skipped == ({"reactions that prefer neither side": 1} if winner is None else {})


def test_reactions_on_several_turns_are_several_votes(sqlite, tmp_path):
    rows = [reaction("a", 0, "liked"), reaction("b", 1, "liked"), reaction("b", 0, "disliked"),
            reaction("a", 0, "liked", conversation_pair_id="p2", model_pos=None)]  # fmt: skip
    file = lines(tmp_path / "reactions.jsonl", *rows)
    assert Counter(row["winner"] for row in read(file)) == {"model_a": 2, "model_b": 1}
    assert [import_battles(sqlite, file).votes for _ in range(2)] == [3, 0]
    with pytest.raises(BadBattlesFile, match="row 0: model_pos is 'c'"):
        read(lines(tmp_path / "b.jsonl", reaction("c", 0, "liked", refers_to_model="est")))


def pair(number: int = 0, **changed: object) -> dict:
    return {"prompt": f"Prompt {number}?", "chosen": f"Good {number}.", "rejected": f"Bad {number}.",
            "chosen_model": "north", "rejected_model": "south", "source": "evol_instruct", **changed}  # fmt: skip


def test_preference_pairs_are_battles_on_either_side(sqlite, tmp_path):
    """The chosen side comes first in such files: as the left side always, position would decide every battle."""
    rows = read(file := lines(tmp_path / "dpo.jsonl", *(pair(n) for n in range(200))))
    assert {row["model_a"] if row["winner"] == "model_a" else row["model_b"] for row in rows} == {"north"}
    assert 70 < sum(row["winner"] == "model_a" for row in rows) < 130
    row = next(row for row in rows if row["winner"] == "model_b")
    assert row["conversation_b"][1]["content"].startswith("Good")
    assert [import_battles(sqlite, file, source="judge:j").votes for _ in range(2)] == [200, 0]


@pytest.mark.parametrize(
    "names", ["chosen_model rejected_model", "chosen-model rejected-model", "model_chosen model_rejected"]
)
def test_the_models_of_pairs_go_by_several_names(tmp_path, names):
    chosen, rejected = names.split()
    row = {
        "instruction": "Why?",
        "chosen": talk("Why?", "So."),
        "rejected": talk("Why?", "No."),
        chosen: "n",
        rejected: "s",
    }
    (found,) = read(lines(tmp_path / "b.jsonl", row))
    assert {found["model_a"], found["model_b"]} == {"n", "s"}
    assert talk("Why?", "So.") in (found["conversation_a"], found["conversation_b"])


def test_pairs_of_one_model_or_without_names_cannot_be_rated(tmp_path):
    file = read_battles_file(
        lines(tmp_path / "b.jsonl", pair(), pair(1, rejected_model="north"), pair(2, chosen_model=None))
    )
    assert file.skipped == {"both sides are the same model": 1, "no names of models": 1}
    bare = {name: value for name, value in pair().items() if not name.endswith("_model")}
    with pytest.raises(BadBattlesFile, match=r"the pairs do not name the models. Add columns chosen_model"):
        read(lines(tmp_path / "b.jsonl", bare))


def test_every_format_is_rated_too(tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    files = {
        "train.csv": table(
            tmp_path / "train.csv", one_hot("model_a"), one_hot("model_b", id=2), one_hot("model_a", id=3)
        ),
        "log.jsonl": lines(
            tmp_path / "log.jsonl", log("chat"), log(), log("rightvote", "c2"), log("leftvote", "c3")
        ),
        "votes.jsonl": lines(tmp_path / "votes.jsonl", vote("nord"), vote("sud"), vote("nord")),
        "reactions.jsonl": lines(tmp_path / "reactions.jsonl", *(reaction("a", n, "liked") for n in range(3))),
        "dpo.jsonl": lines(tmp_path / "dpo.jsonl", *(pair(n) for n in range(3))),
    }
    for name in files:
        done = arena("rate", name, "--format", "json", folder=tmp_path)
        assert json.loads(done.stdout)["battles"] == 3, done.stderr
        assert json.loads(done.stdout)["models"][0]["model"] in ("north", "nord")
        assert ("skipped 1 rows: not a vote" in done.stderr) == (name == "log.jsonl")
