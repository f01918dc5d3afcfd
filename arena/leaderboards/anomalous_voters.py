"""People who do not vote as people do: the e-process of `ratings.check_voters` over the stored votes."""

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
    """Every voter with the evidence against the claim that they vote as the others do."""

    check: ratings.VoterCheck

    @property
    def guarantee(self) -> str:
        return (
            f"A voter who votes as the others do is ever flagged with probability at most {self.check.level:g}, "
            f"however often you look: their e-value has to reach {1 / self.check.level:g}. A flag is a reason to "
            f"look at the votes, not to delete them."
        )

    def rows(self) -> list[dict[str, Any]]:
        """One a voter, the strongest evidence first."""
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
    """Check everybody who has voted. Raises `InputError` where the votes cannot tell, `ConfigError` for no level."""
    if not 0 < level < 1:
        raise ConfigError(f"--level {level:g}: it lies between 0 and 1, such as 0.05")
    votes = cast_votes(session)
    if not votes:
        raise InputError("nobody has voted yet; type: arena serve")
    names = ("model_a", "model_b", "winner", "voter")
    columns = ([getattr(vote, name) for vote in votes] for name in names)
    try:
        return VotersChecked(ratings.check_voters(*columns, level=level))
    except ratings.RatingsError as problem:
        raise InputError(f"the votes cannot be checked yet: {problem}") from problem
