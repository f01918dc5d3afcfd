"""A reviewer's desk: the battle to decide, without names of models and earlier votes, and what they do with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from arena.rules.messages import TranslatableError
from arena.rules.name_masking import NameMasker
from arena.rules.reviews import SKIPS
from arena.rules.votes import WINNERS
from arena.store import Database, Session
from arena.store.battle_features import prompts_of_battle
from arena.store.judgeable_battles import conversations
from arena.store.models import model_names
from arena.store.review_queue import Assignment, NotAssigned, Rules, deal, decide, skip, undo
from arena.store.schema.battles import now


class ReviewRefused(TranslatableError):
    """Nothing was changed. The text is for the reviewer."""


@dataclass(frozen=True)
class ReviewedTurn:
    """A prompt with what stands on the reviewer's left and right."""

    prompt: str
    left: str
    right: str


@dataclass(frozen=True)
class Task:
    """A battle as its reviewer sees it. `earlier` are the prompts of a set before the first turn."""

    assignment: int
    earlier: tuple[str, ...]
    turns: tuple[ReviewedTurn, ...]


def own_names(names: Collection[str]) -> NameMasker:
    """The masker of these names alone."""
    return NameMasker(names, ())


@dataclass(frozen=True)
class Desk:
    """What reviewers can do. `hours` is how long an assignment holds; `unshared`, whether battles that voters did not
    share are dealt, too; `masker` hides the names of models, given all that have battles here.
    """

    database: Database
    hours: float
    unshared: bool = False
    masker: Callable[[Collection[str]], NameMasker] = own_names

    def next(self, account: int, own: Collection[str] = ()) -> Task | None:
        """What this reviewer has to decide now; None while nothing is left. `own` are the voters that they are."""
        with self.database.write() as session:
            assignment = deal(session, account, own, self._rules(), now())
        if assignment is None:
            return None
        with self.database.read() as session:
            return _task(session, assignment, self.masker(model_names(session)))

    def decide(self, account: int, assignment: int, winner: str) -> None:
        """Save the choice of an assignment, in the sides that the reviewer saw. Raises `ReviewRefused`."""
        if winner not in WINNERS:
            raise ReviewRefused("This choice does not exist. Choose one of the four buttons.")
        with self.database.write() as session:
            try:
                decide(session, account, assignment, winner, now())
            except NotAssigned:
                raise _gone() from None

    def skip(self, account: int, assignment: int, reason: str) -> None:
        """Give an assignment back for good. Raises `ReviewRefused`."""
        if reason not in SKIPS:
            raise ReviewRefused("A battle is skipped with a reason. Choose one from the list.")
        with self.database.write() as session:
            try:
                skip(session, account, assignment, reason, now())
            except NotAssigned:
                raise _gone() from None

    def undo(self, account: int) -> None:
        """Take back the reviewer's last decision, whose battle is then the next one. Raises `ReviewRefused`."""
        with self.database.write() as session:
            if not undo(session, account, self._rules(), now()):
                raise ReviewRefused(
                    "You have decided no battle in the last five minutes, so nothing can be undone."
                )

    def _rules(self) -> Rules:
        return Rules(now() + timedelta(hours=self.hours), self.unshared)


def _gone() -> ReviewRefused:
    return ReviewRefused("This battle is no longer yours to decide. The next one is below.")


def _task(session: Session, assignment: Assignment, masker: NameMasker) -> Task:
    turns = conversations(session, [assignment.battle]).get(assignment.battle, [])
    prompts: Sequence[str] = prompts_of_battle(session, assignment.battle)
    masked = [(prompt, masker.hide(left), masker.hide(right)) for prompt, left, right in turns]
    shown = tuple(
        ReviewedTurn(prompt, right, left) if assignment.swapped else ReviewedTurn(prompt, left, right)
        for prompt, left, right in masked
    )
    return Task(assignment.id, tuple(prompts[: len(prompts) - len(turns)]), shown)
