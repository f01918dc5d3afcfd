"""The battle of an imported row, so that a second import of the same rows adds nothing and no other row is lost.

A row with an id is the battle of this id and its two models; rows of one id with several voters are one battle each, and an
earlier import's battle is found again by its voter. A row without an id is the battle of its content: all fields, and
its number among the rows with the same ones. Neither the name of the file nor the order of its rows matters to it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena.exchange.formats.battle_columns import BadBattlesFile, given
from arena.rules.votes import NO_VOTER
from arena.store.imports import NewVote, StoredVote

WHOLE = re.compile(r"^(-?\d+)\.0+$")
IDS = ("question_id", "battle_id", "id")
OURS = {"question_id", "vote", "leaf"}  # columns of an Arena export
Find = Callable[[Sequence[str]], Mapping[str, Mapping[str, StoredVote]]]  # the stored votes of battles


@dataclass(frozen=True)
class ImportedRow:
    """A row with the vote that it becomes. `family` is the key of its battle, or of the first one with its id."""

    number: int
    vote: NewVote
    family: str
    exported: bool = False  # by an Arena: its voter is a pseudonym
    by_content: bool = False
    earlier: str = ""  # the key that versions before 0.3 gave a row without an id
    named: str | None = None  # the voter in the file, which earlier versions stored in some more cases


@dataclass
class Assignment:
    """The votes to add, and the number of those that are already stored."""

    new: list[NewVote] = field(default_factory=list)
    there: int = 0


def digest(*parts: str) -> str:
    """24 hexadecimal digits that identify some texts."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def content(row: Mapping[str, Any]) -> str:
    """The given fields of a row as one text, the same for a number and its digits."""
    fields = {name: _plain(value) for name, value in row.items() if given(value) is not None}
    return json.dumps(fields, sort_keys=True, default=str)


def own_id(row: Mapping[str, Any]) -> str | None:
    """The id that a row has itself."""
    return next((str(row[name]) for name in IDS if given(row.get(name)) is not None), None)


def further(family: str, number: int) -> str:
    """The key of a family's battle of this number, from 1."""
    return family if number == 1 else digest(family, str(number))


def assign(rows: Sequence[ImportedRow], find: Find) -> Assignment:
    """The votes that the store lacks, each with its battle's key. Raises BadBattlesFile for one stored differently."""
    done = Assignment()
    if _imported_before(rows, find):
        done.there, rows = sum(row.by_content for row in rows), [row for row in rows if not row.by_content]
    families: dict[str, list[ImportedRow]] = defaultdict(list)
    for row in rows:
        families[row.family].append(row)
    stored = _stored(families, find)
    for family, members in families.items():
        _assign_family(family, members, stored[family], done)
    return done


def _stored(
    families: Mapping[str, Sequence[ImportedRow]], find: Find
) -> dict[str, list[Mapping[str, StoredVote]]]:
    """The stored votes of each family, one entry a battle by source, in the order of their numbers."""
    stored: dict[str, list[Mapping[str, StoredVote]]] = {family: [] for family in families}
    alive = list(families)
    number = 1
    while alive:
        keys = {further(family, number): family for family in alive}
        found = find(list(keys))
        for key, votes in found.items():
            stored[keys[key]].append(votes)
        alive = [family for key, family in keys.items() if key in found]
        number += 1
    return stored


def _assign_family(
    family: str, members: Sequence[ImportedRow], stored: Sequence[Mapping[str, StoredVote]], done: Assignment
) -> None:
    taken: dict[str, set[int]] = defaultdict(set)  # the numbers of battles with a vote of each source
    left: dict[str, list[StoredVote]] = defaultdict(list)  # stored votes that no row has matched
    for number, votes in enumerate(stored, 1):
        for source, old in votes.items():
            taken[source].add(number)
            left[source].append(old)
    fresh = [row for row in members if not _matched(row, left[row.vote.source])]
    done.there += len(members) - len(fresh)
    for row in fresh:
        vote = row.vote
        if other := next((one for one in left[vote.source] if _same_voter(row, one)), None):
            raise BadBattlesFile(
                f"row {row.number}: this vote is already imported with winner {other.winner}, and here it is "
                f"{vote.winner}. Correct the row, or give --name NAME if the file holds other battles."
            )
        number = next(n for n in range(1, len(taken[vote.source]) + 2) if n not in taken[vote.source])
        taken[vote.source].add(number)
        done.new.append(replace(vote, public_id=further(family, number)))


def _matched(row: ImportedRow, left: list[StoredVote]) -> bool:
    """Whether the row's vote is among those that are left, which it is then taken from."""
    for place, old in enumerate(left):
        if old.winner == row.vote.winner and _same_voter(row, old):
            del left[place]
            return True
    return False


def _same_voter(row: ImportedRow, old: StoredVote) -> bool:
    voter = row.vote.voter
    return row.exported or old.voter in (voter, row.named) or (old.voter in NO_VOTER and voter in NO_VOTER)


def _imported_before(rows: Sequence[ImportedRow], find: Find) -> bool:
    """Whether a version before 0.3 imported every row without an id, by the name of the file and its number."""
    old = {row.earlier: row.vote for row in rows if row.by_content}
    found = find(list(old)) if old else {}
    return bool(old) and all(
        key in found and vote.source in found[key] and found[key][vote.source].winner == vote.winner
        for key, vote in old.items()
    )


def numbered(rows: Sequence[ImportedRow]) -> list[ImportedRow]:
    """The rows, those without an id with the key of their content and their number among equal ones."""
    seen: Counter[str] = Counter()
    done = []
    for row in rows:
        if row.by_content:
            seen[row.family] += 1
            row = replace(row, family=further(row.family, seen[row.family]))
        done.append(row)
    return done


def _plain(value: object) -> object:
    """A number as its digits: tools that write a file again turn 1 into 1.0 where a column has an empty field."""
    if not isinstance(value, bool | int | float | str):
        return value
    return WHOLE.sub(r"\1", str(value))
