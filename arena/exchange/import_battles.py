"""`arena import`: battles of other arenas, with their votes, voters, times and conversations."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import ratings
from arena.config.given_files import UNWRITABLE
from arena.exchange.battles_file import read_battles_file
from arena.exchange.formats.battle_columns import BadBattlesFile, BattlesFile, given, records
from arena.exchange.import_holds import held_elsewhere
from arena.exchange.import_keys import OURS, ImportedRow, assign, content, digest, numbered, own_id
from arena.exchange.import_rows import vote_of_row
from arena.exchange.vote_sources import named_voter, source_of, voter_of
from arena.rules.votes import HUMAN
from arena.store import Database
from arena.store.imports import (
    ExistingBattle,
    NewVote,
    StoredVote,
    add_votes,
    begin_import,
    stored_battles,
    stored_votes,
)
from arena.store.ledger import ledger_key

BATCH = 2_000  # votes in one transaction: others write in between
LONGEST_ID = 40  # characters of a battle's public id
LONGEST_NAME = 120  # characters of a model's name


@dataclass(frozen=True)
class Imported:
    """The counts of an import. `there` are votes that an earlier import of the same rows added.

    `without_voter` are people's votes that name no voter; `skipped` counts rows that are no battles, by reason.
    """

    name: str
    votes: int
    there: int
    models: int
    without_voter: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)


def import_battles(
    database: Database, path: Path, name: str | None = None, source: str | None = None, share: bool = False
) -> Imported:
    """Import the votes of a file in any of the formats of `arena.exchange.formats`.

    Rows with an id are identified by it, their models and `name` (default: the name of the file), others by their
    content (and `name` where it is given), so that a second import adds nothing; rows of an Arena export by their battle.
    Votes that the arena of an export holds are held here, too, if its list of them lies beside the file.
    `source` is that of rows that do not say who chose, "human" by default. `share` lets readers see the texts.
    Raises `BadBattlesFile` that names the row, before anything is written.
    """
    file = read_battles_file(path)
    if not file.names_the_source and source is None:
        raise BadBattlesFile(
            f"{path}: the file does not say who chose. Add --source people, or --source NAME for the choices of a judge."
        )
    models = _checked_models(path, file)
    with database.read() as session:
        key = ledger_key(session)
    try:
        rows = numbered(list(_rows(path, file, name, source, share, key)))
        assigned = assign(rows, lambda keys: _stored(database, keys))
        _check_battles(database, assigned.new)
    except BadBattlesFile as problem:
        raise BadBattlesFile(f"{path}: {problem}") from problem
    number, votes = None, 0
    for start in range(0, len(assigned.new), BATCH):
        with database.write() as session:
            number = number or begin_import(session, name or path.stem)
            votes += add_votes(session, assigned.new[start : start + BATCH], number)
    unknown = sum(row.vote.source == row.vote.voter == HUMAN for row in rows)
    there = assigned.there + len(assigned.new) - votes  # another import of the file may run
    return Imported(name or path.stem, votes, there, len(models), unknown, file.skipped)


def _checked_models(path: Path, file: BattlesFile) -> tuple[str, ...]:
    """The models of the battles. Raises BadBattlesFile for a row that is no battle, and for a name too long."""
    columns = file.columns
    try:
        battles = ratings.read_battles(columns["model_a"], columns["model_b"], columns["winner"])
    except ratings.RatingsError as problem:
        raise BadBattlesFile(f"{path}: {type(problem).__name__}: {file.in_file(str(problem))}") from problem
    for model in battles.models:
        if model != unicodedata.normalize("NFC", model.strip()):
            raise BadBattlesFile(
                f"{path}: model name {model[:40]!r} reads as {unicodedata.normalize('NFC', model.strip())[:40]!r}, which "
                f"would be another model. Remove spaces around it, and write it in Unicode's form NFC."
            )
        if len(model) > LONGEST_NAME or not model.isprintable():
            raise BadBattlesFile(
                f"{path}: model name {model[:40]!r} is longer than {LONGEST_NAME} characters or not printable. "
                f"Rename the model."
            )
    return battles.models


def _check_battles(database: Database, votes: Sequence[NewVote]) -> None:
    """Raises BadBattlesFile for a battle with other models than in the store or in an earlier row, and for an open one."""
    known: dict[str, ExistingBattle] = {}
    for start in range(0, len(votes), BATCH):
        with database.read() as session:
            known |= stored_battles(session, [vote.public_id for vote in votes[start : start + BATCH]])
    for vote in votes:
        battle = known.setdefault(vote.public_id, ExistingBattle(vote.model_a, vote.model_b))
        if (battle.model_a, battle.model_b) != (vote.model_a, vote.model_b):
            raise BadBattlesFile(
                f"battle {vote.public_id} is between {battle.model_a} and {battle.model_b}, and a row has "
                f"{vote.model_a} and {vote.model_b}. Correct the row."
            )
        if battle.is_open:
            raise BadBattlesFile(f"battle {vote.public_id} waits for the vote of its own voter. Remove the row.")


def _stored(database: Database, keys: Sequence[str]) -> dict[str, dict[str, StoredVote]]:
    found: dict[str, dict[str, StoredVote]] = {}
    for start in range(0, len(keys), BATCH):
        with database.read() as session:
            found |= stored_votes(session, keys[start : start + BATCH])
    return found


def _rows(
    path: Path, file: BattlesFile, name: str | None, default: str | None, share: bool, key: bytes
) -> Iterator[ImportedRow]:
    exported = file.columns.keys() >= OURS
    turns, held = _turns_of_ids(file), held_elsewhere(path, name or path.stem) if exported else None
    for place, row in enumerate(records(file.columns)):
        number = file.rows[place]
        try:
            source = source_of(row, default)
            vote = vote_of_row(row, source, voter_of(row, source, key), share)
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as problem:
            raise BadBattlesFile(f"row {number}: {problem}") from problem
        named = named_voter(row)
        if (own := own_id(row)) is None:
            family = digest(*([name] if name else []), content(row))
            earlier = digest(name or path.stem, f"#{number}", vote.model_a, vote.model_b)
            yield ImportedRow(number, vote, family, by_content=True, earlier=earlier, named=named)
        elif exported:
            if UNWRITABLE.search(own) or len(own) > LONGEST_ID:
                raise BadBattlesFile(
                    f"row {number}: question_id {own[:40]!r} is no id of a battle. Correct the row."
                )
            vote = replace(vote, held=held.hold_of(row) if held else None)
            yield ImportedRow(number, vote, own, exported=True)
        else:
            several = len(turns[own, vote.model_a, vote.model_b]) > 1
            turn = [f"turn {row.get('turn')}"] if several else []
            family = digest(name or path.stem, own, vote.model_a, vote.model_b, *turn)
            yield ImportedRow(number, vote, family, named=named)


def _turns_of_ids(file: BattlesFile) -> Mapping[tuple[str, str, str], set[Any]]:
    """The turns that are judged of each id and its models: MT-bench has votes on each of two."""
    turns: dict[tuple[str, str, str], set[Any]] = defaultdict(set)
    for row in records(file.columns) if "turn" in file.columns else ():
        if (own := own_id(row)) is not None:
            turns[own, str(row["model_a"]), str(row["model_b"])].add(str(given(row.get("turn"))))
    return turns
