"""Recovery codes: their form, what is stored of them, and how often one may try."""

from __future__ import annotations

import math
import re

import pytest
from sqlmodel import select

from arena.store.schema.voters import RecoveryCode
from arena.voters.recovery import (
    ALPHABET,
    GROUPS,
    LETTERS,
    CodeRefused,
    code_hash,
    enter_code,
    issue_code,
    new_code,
)
from tests.support.own_votes import own_battle

ME, PHONE = "a" * 32, "c" * 32


def test_a_code_has_at_least_a_hundred_bits_in_five_groups():
    assert re.fullmatch(r"[A-Z]{5}(-[A-Z]{5}){4}", new_code())
    assert GROUPS * LETTERS * math.log2(len(ALPHABET)) >= 100
    assert len({new_code() for _ in range(200)}) == 200


@pytest.mark.parametrize("typed", ["abcde-fghjk", "ABCDE FGHJK", " abcdefghjk\n", "ＡＢＣＤＥ‐ＦＧＨＪＫ"])
def test_case_width_and_separators_do_not_matter(typed):
    assert code_hash(typed) == code_hash("ABCDE-FGHJK")


def test_the_store_has_only_the_hash(database):
    own_battle(database, ME, ("amber", "birch"), "tie")
    code = issue_code(database, ME)
    with database.read() as session:
        row = session.exec(select(RecoveryCode)).one()
    assert row.code == code_hash(code)
    assert code not in str(row)


def test_a_code_is_refused_for_a_voter_without_battles(database):
    with pytest.raises(CodeRefused, match="nothing to recover yet"):
        issue_code(database, ME)


def test_failed_attempts_count_and_right_codes_too(database):
    own_battle(database, ME, ("amber", "birch"), "tie")
    code = issue_code(database, ME)
    with pytest.raises(CodeRefused, match="not valid"):
        enter_code(database, "wrong", PHONE, "192.0.2.1", 2)
    enter_code(database, code, PHONE, "192.0.2.1", 2)
    with pytest.raises(CodeRefused, match="Too many recovery codes") as refused:
        enter_code(database, code, PHONE, "192.0.2.1", 2)
    assert refused.value.seconds > 3000
    assert enter_code(database, code, PHONE, "192.0.2.2", 2) == ME
