"""A proof of work costs what it says, and a solution serves one voter, once, for a time."""

from __future__ import annotations

import base64
import json

import pytest

from arena.rules.proof_of_work import WrongAnswer, checked_answer, puzzle
from tests.support.challenges import number_of

KEY, ANN, NOW = b"k" * 32, "ann", 1_000.0


def test_the_number_is_found_and_accepted():
    given = puzzle(KEY, ANN, 300, 1_600)
    salt, until = checked_answer(KEY, ANN, f"{given.token}.{number_of(given.document())}", NOW)
    assert (salt, until) == (given.salt, 1_600)


def test_two_puzzles_have_nothing_in_common_so_that_nothing_can_be_computed_before():
    puzzles = [puzzle(KEY, ANN, 300, 1_600) for _ in range(50)]
    assert len({one.salt for one in puzzles}) == len({one.target for one in puzzles}) == 50


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("{token}.{other}", "number is wrong"),
        ("{token}.0{number}", "not TOKEN.NUMBER"),
        ("{token}.-1", "not TOKEN.NUMBER"),
        ("{token}.9999999999999", "not TOKEN.NUMBER"),
        ("{token}.{number}\n", "not TOKEN.NUMBER"),
        ("{token}.٣", "not TOKEN.NUMBER"),
        ("{number}", "not TOKEN.NUMBER"),
        ("{long}.{token}.{number}", "not TOKEN.NUMBER"),
        ("{body}.{reversed}.{number}", "changed"),
    ],
)
def test_any_other_answer_is_wrong(answer, why):
    given = puzzle(KEY, ANN, 300, 1_600)
    body, _, signature = given.token.partition(".")
    number = number_of(given.document())
    parts = {"token": given.token, "body": body, "reversed": signature[::-1], "number": number}
    with pytest.raises(WrongAnswer, match=why):
        checked_answer(KEY, ANN, answer.format(**parts, other=(number + 1) % 300, long="A" * 100_000), NOW)


def test_a_solution_is_worth_nothing_to_another_voter_another_arena_or_later():
    given = puzzle(KEY, ANN, 300, 1_600)
    answer = f"{given.token}.{number_of(given.document())}"
    for key, voter, at in ((KEY, "bob", NOW), (b"o" * 32, ANN, NOW), (KEY, ANN, 1_601.0)):
        with pytest.raises(WrongAnswer):
            checked_answer(key, voter, answer, at)


def test_a_client_cannot_choose_its_own_puzzle():
    body, _, signature = puzzle(KEY, ANN, 300, 1_600).token.partition(".")
    content = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    for change in (
        {"most": 1},
        {"until": 9_999},
        {"target": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"},
    ):
        forged = base64.urlsafe_b64encode(json.dumps({**content, **change}).encode()).decode().rstrip("=")
        with pytest.raises(WrongAnswer, match="changed"):
            checked_answer(KEY, ANN, f"{forged}.{signature}.0", NOW)
