"""The state of a model in this arena, as an operator sets it: drawn for battles, paused, retired, or still private."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from arena.rules.messages import gettext_noop

PRIVATE = (
    "private:"  # begins the name under which a private model is stored and shown; no model of the settings has it
)
ARENA = "arena"  # who acts when no person does


class ModelState(StrEnum):
    ENABLED = "enabled"
    PAUSED = "paused"  # drawn no more for now; running battles end normally
    RETIRED = "retired"  # drawn no more; its votes and its place on the boards stay


STATE_NAMES = {
    ModelState.ENABLED: gettext_noop("enabled"),
    ModelState.PAUSED: gettext_noop("paused"),
    ModelState.RETIRED: gettext_noop("retired"),
}


class ModelAction(StrEnum):
    """What the log of changes has."""

    ENABLE = "enable"
    PAUSE = "pause"
    RETIRE = "retire"
    WEIGHT = "weight"
    BOOST = "boost"
    HIDE = "hide"  # a model of the settings became private
    RELEASE = "release"
    OUTAGE = "outage"  # its endpoint keeps failing, so the arena has paused it
    RETURN = "return"  # its endpoint answers again
    RELOAD = "reload"  # the settings file is to be read again, by every server
    REFUSED = "refused"  # a server could not use the settings file, and nothing changed


STATE_AFTER = {
    ModelAction.ENABLE: ModelState.ENABLED,
    ModelAction.PAUSE: ModelState.PAUSED,
    ModelAction.RETIRE: ModelState.RETIRED,
}


@dataclass(frozen=True)
class ModelControl:
    """What an operator has set for a model; None is what the settings file says.

    `code` is the name of a private model in battles, votes and exports; `released_at` ends its privacy.
    """

    state: ModelState | None = None
    reason: str = ""
    since: datetime | None = None
    by: str = ""
    weight: float | None = None
    boost_votes: int | None = None
    code: str | None = None
    organisation: str | None = None
    released_at: datetime | None = None

    @property
    def private(self) -> bool:
        """Whether readers and voters may not see the name of the model."""
        return self.code is not None and self.released_at is None


def is_private(name: str) -> bool:
    """Whether a name is the code of a private model, whose votes count on no board."""
    return name.startswith(PRIVATE)
