"""The judges that a board leaves out, because another name of the same judge counts."""

from __future__ import annotations

from collections.abc import Mapping

from arena.leaderboards.query import BOTH, BoardChoice, BoardRules
from arena.rules.judge_names import repeated_judges
from arena.rules.votes import JUDGES
from arena.store import Session
from arena.store.votes import counted_sources


def left_out(session: Session, choice: BoardChoice, rules: BoardRules) -> Mapping[str, str]:
    """The sources that a board of several judges leaves out, each with the one that counts in its place."""
    if rules.pool_judges or choice.source not in (JUDGES, BOTH, "all"):
        return {}
    return repeated_judges(counted_sources(session, choice.category))
