"""Roles of accounts, and who acts. A role may do everything that a lower one may."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from arena.rules.messages import gettext_noop


class Role(StrEnum):
    """From the fewest rights to the most."""

    VOTER = "voter"
    REVIEWER = "reviewer"
    OPERATOR = "operator"

    def includes(self, other: Role) -> bool:
        """Whether this role may do what `other` may.

        >>> Role.OPERATOR.includes(Role.REVIEWER), Role.REVIEWER.includes(Role.OPERATOR)
        (True, False)
        """
        order = list(Role)
        return order.index(self) >= order.index(other)


ROLE_NAMES = {
    Role.VOTER: gettext_noop("voter"),
    Role.REVIEWER: gettext_noop("reviewer"),
    Role.OPERATOR: gettext_noop("operator"),
}
TERMINAL = "terminal"  # the role of who runs a command: access to the machine is more than any role
ARENA = "arena"  # the name and the role of what the arena does by itself


@dataclass(frozen=True)
class Actor:
    """Who does something: an account, a user of this machine, or the arena itself."""

    name: str
    role: str
    address: str | None = None  # of an account's browser

    @classmethod
    def arena(cls) -> Self:
        """The arena, in work that nobody has started by hand."""
        return cls(ARENA, ARENA)

    @classmethod
    def terminal(cls, user: str) -> Self:
        """A user of this machine, in a command."""
        return cls(user, TERMINAL)
