"""`arena judge calibrate`: a stored judge on the votes of people."""

from __future__ import annotations

import csv
import io
import json

import pytest

from arena.errors import ConfigError
from arena.judging.calibration import calibrate
from arena.store.judgeable_battles import voted_battles
from arena.store.verdicts import NewVerdict, add_verdicts
from tests.support.typed import Typed
from tests.support.voted_battles import add_voted_battle

BATTLES = 40
SURE, LESS_SURE = 0.99, 0.9


def judged(database, battles=BATTLES):
    """Battles of which people gave three of four to A, and a judge too sure of A in all."""
    for number in range(battles):
        winner = "tie" if number == 0 else "model_b" if number % 4 == 0 else "model_a"
        add_voted_battle(database, f"Question {number}?", "Yes.", "No.", winner)
    with database.write() as session:
        verdicts = [
            NewVerdict(prompt, a, b, "model_a", SURE if number % 5 else LESS_SURE, 1, (), "", battle=a.id)
            for number, (prompt, a, b) in enumerate(voted_battles(session))
        ]
        assert add_verdicts(session, "judge:j", "0" * 64, verdicts) == battles


def test_a_judge_that_is_too_sure_is_calibrated_on_the_battles_of_both(sqlite):
    judged(sqlite)
    with sqlite.read() as session:
        found = calibrate(session, "judge:j")
        decided = calibrate(session, "j", without_ties=True)
    assert (found.battles, found.prompts, decided.battles) == (BATTLES, BATTLES, BATTLES - 1)
    assert found.calibration.scale < 1
    assert found.after.loss < found.before.loss
    assert 0.5 < found.before.agreement < 1


def test_the_command_prints_both_figures_in_every_format(sqlite, monkeypatch, capsys, tmp_path):
    judged(sqlite)
    typed = Typed(monkeypatch, capsys)
    (tmp_path / "arena.toml").write_text("")
    run = ("judge", "calibrate", "j")
    report = json.loads(typed(*run, "--format", "json", folder=tmp_path).stdout)
    [row] = csv.DictReader(io.StringIO(typed(*run, "--format", "csv", folder=tmp_path).stdout))
    table = typed(*run, folder=tmp_path).stdout
    assert (report["judge"], report["against"], report["battles"]) == ("judge:j", "human", BATTLES)
    assert float(row["before_loss"]) == pytest.approx(report["before"]["loss"])
    assert float(row["calibration_scale"]) == pytest.approx(report["calibration"]["scale"])
    assert f"{report['after']['loss']:.4f}" in table
    assert f"{BATTLES} battles over {BATTLES} prompts" in table


def test_too_few_battles_and_reviewers_without_labels_are_refused(sqlite):
    judged(sqlite, 19)
    with sqlite.read() as session:
        with pytest.raises(
            ConfigError, match="judge:j: 19 prompts with verdicts of both; a calibration needs at least 20"
        ):
            calibrate(session, "j")
        with pytest.raises(ConfigError, match="No battle has a verdict of both judge:k and human"):
            calibrate(session, "k")
        with pytest.raises(ConfigError, match="--against reviewers: reviewers have decided none"):
            calibrate(session, "j", against="reviewers")
