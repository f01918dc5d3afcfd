"""Deletion of a voter: one transaction, then SQLite's file is cleaned of older pages."""

from __future__ import annotations

import logging

from arena.rules.messages import TranslatableError
from arena.store import Database
from arena.store.account_voters import forget_account
from arena.store.voter_deletion import Deletion, TurnRunning, delete_voter

log = logging.getLogger(__name__)


class DeletionRefused(TranslatableError):
    """Nothing was deleted. The text is for the voter."""


def delete(database: Database, voter: str) -> Deletion:
    """Erase a voter: votes stay counted, texts and the way to the person go. Raises `DeletionRefused`.

    With an account, its link to the person at the provider goes too, and what its other browsers did before they signed in.
    """
    try:
        with database.write() as session:
            others = [other for other in forget_account(session, voter) if other != voter]
            deletion = delete_voter(session, voter)
            for other in others:
                deletion = deletion.with_(delete_voter(session, other))
    except TurnRunning:
        raise DeletionRefused(
            "A battle of yours is still running. Stop it, then delete your data again."
        ) from None
    if not database.overwrite_deleted():
        log.warning(
            "Readers kept the write-ahead log from being emptied after a deletion; the next one empties it."
        )
    return deletion
