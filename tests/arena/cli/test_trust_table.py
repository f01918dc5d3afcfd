"""The table of `arena trust check`."""

import pytest

from arena.cli.trust import _print
from arena.rules.vote_states import QuarantineReason
from arena.trust.checks import Finding

pytestmark = pytest.mark.unit


def test_a_flagged_voter_is_printed_whole(monkeypatch, capsys):
    """An operator types the name into `arena votes quarantine --voter`, which finds no part of a name."""
    monkeypatch.setenv("COLUMNS", "80")
    voter = "0d5a4d183a2bcdd379a5e78e40123456"
    evidence = "always left; e-value 1.0e+03 at its highest, 100 reached at vote 15 of 20"
    _print([Finding(QuarantineReason.VOTER_TEST, evidence, (voter,), (1, 2))], "2 votes")
    assert voter in capsys.readouterr().out
