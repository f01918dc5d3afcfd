"""Anomalous voters: the e-process of `ratings.check_voters` over the stored votes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ratings
from arena.errors import ConfigError, InputError
from arena.store import Session
from arena.store.votes import cast_votes

LEVEL = 0.05


@dataclass(frozen=True)
class VotersChecked:
    """Every voter with the evidence that they vote differently from the others."""

    check: ratings.VoterCheck

    @property
    def guarantee(self) -> str:
        return (
            f"A voter who votes as the others do is flagged with probability at most {self.check.level:g}, however "
            f"often the check is run: a flag needs an e-value of {1 / self.check.level:g}. Inspect the votes of a "
            f"flagged voter before you exclude any."
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

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `arena voters --format json`."""
        rows = self.rows()
        return {
            "level": self.check.level,
            "guarantee": self.guarantee,
            "votes": int(self.check.votes.sum()),
            "flagged": sum(row["flagged"] for row in rows),
            "voters": rows,
        }


def check_stored_voters(session: Session, level: float = LEVEL) -> VotersChecked:
    """The check of every voter. Raises `InputError` for too few votes, `ConfigError` for a level outside (0, 1)."""
    if not 0 < level < 1:
        raise ConfigError(f"--level {level:g} is out of range. Give a probability between 0 and 1, such as 0.05.")
    votes = cast_votes(session)
    if not votes:
        raise InputError("There are no votes of people yet. Run `arena serve` and vote.")
    names = ("model_a", "model_b", "winner", "voter")
    columns = ([getattr(vote, name) for vote in votes] for name in names)
    try:
        return VotersChecked(ratings.check_voters(*columns, level=level))
    except ratings.RatingsError as problem:
        raise InputError(
            f"There are too few votes to check voters: {problem}. Run the command again with more votes."
        ) from problem
