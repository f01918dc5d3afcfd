"""The download of everything that is stored about a voter."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

from arena import __version__
from arena.store import Database
from arena.store.ledger import as_sealed
from arena.store.schema.battles import CompletionStatus, now
from arena.store.voter_export import about_voter, voter_battles

FORMAT = "arena-voter-1"
Mask = Callable[[str, bool], str]  # a text, and whether it is whole, to the text without names of models


def export_text(database: Database, voter: str, mask: Mask) -> Iterator[str]:
    """The JSON document in parts, so that a long history takes little memory. The first part is read at once.

    `mask` hides the names of models in the texts of battles that are still blind. Raises `DatabaseUnavailable`.
    """
    parts = _parts(database, voter, mask)
    return chain([next(parts)], parts)


def _parts(database: Database, voter: str, mask: Mask) -> Iterator[str]:
    with database.read() as session:
        head = {
            "format": FORMAT,
            "made_at": as_sealed(now()),
            "made_by": f"arena {__version__}",
            **about_voter(session, voter),
        }
        yield _text(head)[:-1] + ', "battles": ['
        between = ""
        for battle, named in voter_battles(session, voter):
            yield between + _text(battle if named else _masked(battle, mask))
            between = ",\n"
    yield "]}\n"


def _masked(battle: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """A blind battle. A text that is still being written is omitted: its length would show the speed of its model."""
    shown = [{**written, "text": _shown(written, mask)} for written in battle["completions"]]
    return {**battle, "completions": shown}


def _shown(written: dict[str, Any], mask: Mask) -> str:
    if written["status"] == CompletionStatus.RUNNING:
        return ""
    return mask(written["text"], written["status"] != CompletionStatus.ABANDONED)


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
