"""No oddity of a provider ends a judge run, or gives a wrong verdict."""

from __future__ import annotations

import pytest

from reproduce.drills.provider_quirks import main, outcomes
from reproduce.drills.quirk_bodies import ALL
from reproduce.drills.quirk_refusals import ALL_QUIRKS as QUIRKS


def test_there_are_at_least_forty_quirks_and_each_has_a_name_of_its_own():
    assert len({quirk.name for quirk in QUIRKS}) == len(QUIRKS) >= 40


@pytest.mark.slow
def test_every_quirk_in_every_mode_is_read_rightly_or_not_at_all(capsys):
    assert main() == 0, capsys.readouterr().out


@pytest.mark.service
def test_what_every_mode_can_read_is_paid_once(tmp_path):
    """A sample of the quirks, one of each kind; the whole drill is slow."""
    readable = [number for number, quirk in enumerate(QUIRKS) if quirk.reads == ALL]
    found = outcomes(readable[::5], tmp_path)
    assert [(row.mode, QUIRKS[row.quirk].name, row.problem) for row in found if row.problem] == []
    assert sum(row.right for row in found) == len(readable[::5]) * 4
