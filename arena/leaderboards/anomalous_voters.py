"""Anomalous voters and groups of voters: `ratings.check_voters` and `ratings.check_groups` over the stored votes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import ratings
from arena.errors import ConfigError, InputError
from arena.store import Session
from arena.store.vote_columns import CastVote, cast_votes

LEVEL = 0.05
TASTE = 1.0  # logits, the bound of `ratings.check_voters`
MOST_TASTE = 3.0


@dataclass(frozen=True)
class VotersChecked:
    """Every voter with the evidence that they are no honest voter, and the groups of accounts that favour one model."""

    check: ratings.VoterCheck
    groups: ratings.GroupCheck

    @property
    def guarantee(self) -> str:
        """What the level bounds, and for whom."""
        level = self.check.level
        return (
            f"An honest voter is flagged with probability at most about {level:g}, however often the check is run, if "
            f"their tastes differ from the crowd's by up to {self.check.taste:g} logits "
            f"({ratings.POINTS_PER_LOGIT * self.check.taste:.0f} points, standard deviation per model), they choose one "
            f"side in up to 65 % of equal pairs, and have any habit of ties short of always. A flag needs an e-value of "
            f"{1 / level:g}. It proves nothing about voters who differ more: read the votes before you exclude any."
        )

    @property
    def group_guarantee(self) -> str:
        """What the level bounds for groups."""
        return (
            f"Accounts of up to 30 votes whose first votes are close in time. If accounts vote independently, or share "
            f"a taste of up to about 0.25 logits, any group is listed with probability at most about "
            f"{self.groups.level:g} ({self.groups.tested:,} tested)."
        )

    def rows(self) -> list[dict[str, Any]]:
        """One row for each voter, the strongest evidence first."""
        check = self.check
        rows = [
            {
                "voter": str(check.voters[v]),
                "votes": int(check.votes[v]),
                "e_value": float(check.e_value[v]),
                "highest": float(check.peak[v]),
                "flagged": bool(check.flagged_after[v]),
                "flagged_after": int(check.flagged_after[v]) or None,
                "likeliest": check.likeliest[v],
            }
            for v in range(len(check.voters))
        ]
        return sorted(rows, key=lambda row: (-row["highest"], row["voter"]))

    def group_rows(self) -> list[dict[str, Any]]:
        """One row for each flagged group, the smallest p-value first."""
        return [
            {
                "model": group.model,
                "from": _moment(group.start),
                "until": _moment(group.end),
                "accounts": len(group.accounts),
                "votes": group.votes,
                "won": group.won,
                "expected": group.expected,
                "p_value": group.p_value,
                "voters": sorted(map(str, group.accounts)),
            }
            for group in self.groups.groups
        ]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `arena voters --format json`."""
        rows = self.rows()
        return {
            "level": self.check.level,
            "taste": self.check.taste,
            "guarantee": self.guarantee,
            "votes": int(self.check.votes.sum()),
            "flagged": sum(row["flagged"] for row in rows),
            "voters": rows,
            "groups": self.group_rows(),
            "groups_tested": self.groups.tested,
            "groups_guarantee": self.group_guarantee,
        }


def check_stored_voters(session: Session, level: float = LEVEL, taste: float = TASTE) -> VotersChecked:
    """The check of every voter and of groups of small accounts.

    Votes without a known voter, as in some imports, are excluded. Raises `InputError` for too few votes,
    `ConfigError` for an option out of range.
    """
    if not 0 < level < 1:
        raise ConfigError(f"--level {level:g} is out of range. Give a probability between 0 and 1, such as 0.05.")
    if not 0 < taste < MOST_TASTE:
        raise ConfigError(
            f"--taste {taste:g} is out of range. Give a number of logits between 0 and 3, such as 1."
        )
    votes = cast_votes(session)
    if not votes:
        raise InputError("There are no votes of people yet. Run `arena serve` and vote.")
    try:
        return _checked(votes, level, taste)
    except ratings.RatingsError as problem:
        raise InputError(
            f"There are too few votes to check voters: {problem}. Run the command again with more votes."
        ) from problem


def _checked(votes: list[CastVote], level: float, taste: float) -> VotersChecked:
    """Groups are tested without the voters who are flagged, and voters against ratings without the groups."""
    a, b, winner, voter = ([getattr(v, name) for v in votes] for name in ("model_a", "model_b", "winner", "voter"))
    time = [vote.created_at.timestamp() for vote in votes]
    check = ratings.check_voters(a, b, winner, voter, level=level, taste=taste)
    flagged = set(check.flagged)
    excluded = [name in flagged for name in voter]
    groups = ratings.check_groups(a, b, winner, voter, time, level=level, taste=taste, excluded=excluded)
    if groups.accounts:
        excluded = [name in groups.accounts for name in voter]
        check = ratings.check_voters(a, b, winner, voter, level=level, taste=taste, excluded=excluded)
    return VotersChecked(check, groups)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="minutes")
