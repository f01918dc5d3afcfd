"""Calibration of a stored judge on the votes of people, or on the labels of reviewers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from arena.errors import ConfigError
from arena.judging.agreement import as_judged, votes_by_battle
from arena.rules.votes import HUMAN, JUDGE
from arena.store import Session
from judges.calibration import CalibrationGain, calibration_gain
from judges.errors import JudgesError
from judges.judge import PREFERENCES


def calibrate(
    session: Session, judge: str, *, prompts: str | None = None, against: str = HUMAN, without_ties: bool = False
) -> CalibrationGain:
    """The calibration of a judge on the battles that people have decided too. Raises `ConfigError`.

    `against`: `human` for voters or `reviewers` for the labels of reviewers. `without_ties` leaves out people's ties.
    """
    source = JUDGE + judge.removeprefix(JUDGE)
    votes = votes_by_battle(session, (), prompts, against)
    preferences, people, clusters = [], [], []
    for battle, given in votes.votes.items():
        if (own := given.get(source)) is None or (theirs := given.get(votes.reference)) is None:
            continue
        winner = as_judged(theirs.winner)
        if own.preference is None or (without_ties and winner == "tie"):
            continue
        preferences.append(own.preference)
        people.append(PREFERENCES[winner])
        clusters += votes.clusters([battle])
    if not preferences:
        raise ConfigError(
            f"No battle has a verdict of both {source} and {votes.reference}. Run `arena judge battles --judge "
            f"{source.removeprefix(JUDGE)}`."
        )
    try:
        return calibration_gain(preferences, people, clusters)
    except JudgesError as problem:
        raise ConfigError(f"{source}: {problem}") from problem


def calibration_report(judge: str, against: str, found: CalibrationGain) -> Mapping[str, Any]:
    """The report that `arena judge calibrate --format json` prints."""
    return {
        "judge": JUDGE + judge.removeprefix(JUDGE),
        "against": against,
        **vars(found),
        "calibration": vars(found.calibration),
        "before": vars(found.before),
        "after": vars(found.after),
    }
