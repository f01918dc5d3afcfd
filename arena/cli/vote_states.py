"""`arena votes list`, `quarantine` and `release`: votes that are held, one by one or by voter."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from arena.cli.operator_options import Act, operator_command, printable
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.tables import print_rows
from arena.config.given_files import plain_file
from arena.errors import ConfigError
from arena.rules.roles import Actor
from arena.rules.vote_states import HELD, QuarantineReason, VoteState, sentence_of

if TYPE_CHECKING:
    from arena.accounts.own_votes import Releasable
    from arena.store import Database, Session
    from arena.store.held_votes import HeldFilter, HeldVote
    from arena.store.schema.vote_states import VoteStateEvent

IN_TABLE = ("vote", "state", "reason", "voter", "held_by", "detail")  # more columns fit on no terminal
Votes = Annotated[list[int] | None, typer.Option("--vote", metavar="ID", help="Number of a vote; repeatable.")]
Voter = Annotated[
    str | None, typer.Option(metavar="NAME", help="Voter, as `arena voters` or an export names them.")
]
Ids = Annotated[
    Path | None, typer.Option("--file", help="File with one number of a vote per line, or CSV with a column vote.")
]
Reasons = Annotated[QuarantineReason, typer.Option(help="Why the votes do not count; readers see its sentence.")]
OfReason = Annotated[QuarantineReason | None, typer.Option("--reason", help="Only votes held for this reason.")]
OfState = Annotated[
    VoteState | None, typer.Option("--state", help="Only votes in this state: pending, quarantined.")
]
Detail = Annotated[str, typer.Option(help="What was found, for operators and reviewers; it is not published.")]
Why = Annotated[str, typer.Option(help="Why the votes count again, for the log and for voters who appealed.")]
Limit = Annotated[int, typer.Option(help="Largest number of held votes.", min=1)]


@dataclass(frozen=True)
class Entry:
    """What the audit trail says of a change."""

    by: str
    action: str
    reason: str
    voter: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def list_(
    state: OfState = None,
    reason: OfReason = None,
    voter: Voter = None,
    limit: Limit = 100,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """List the judges and imports with votes, and the number of votes in each state.

    With --state, --reason or --voter: single held votes, the newest first. The import "before 0.3" has all votes that
    earlier versions imported.
    """
    with opened(config, db) as (database, _), database.read() as session:
        if state or reason or voter:
            _print_held(session, _filter(session, state, reason, voter), limit, as_format)
        else:
            _print_all(session, as_format)


def _print_held(session: Session, wanted: HeldFilter, limit: int, as_format: Format) -> None:
    from arena.store.held_votes import held

    rows = [_held_row(row) for row in held(session, wanted, limit=limit)]
    if not for_programs({"held": rows}, as_format, rows):
        few = [{key: row[key] for key in IN_TABLE} for row in rows]
        print_rows(few, f"{len(rows):,} held votes; --format json or csv has all of them", whole=("voter",))


def _print_all(session: Session, as_format: Format) -> None:
    from arena.store.held_votes import counts_by_state_and_reason
    from arena.store.set_aside import listed

    rows = [
        {"kind": row.kind, "name": row.name, "votes": row.votes, "set_aside": row.set_aside}
        for row in listed(session)
    ]
    counts = counts_by_state_and_reason(session, source=None)
    states = [
        {"state": state, "reason": reason, "votes": votes} for (state, reason), votes in sorted(counts.items())
    ]
    if not for_programs({"selections": rows, "states": states}, as_format, rows):
        print_rows(rows, f"{len(rows):,} judges and imports")
        print_rows(states, "Votes by state")


@operator_command
def quarantine(
    act: Act, reason: Reasons, detail: Detail = "", vote: Votes = None, voter: Voter = None, file: Ids = None
) -> None:
    """Let single votes or those of a voter no longer count. They stay sealed and exported, and can be released.

    A vote that is held for a check becomes quarantined; one that is quarantined already keeps its reason. Many votes change
    in parts, so that voters need not wait; run an interrupted command again, and it does the rest.
    """
    from arena.store.quarantine import hold

    text, author = printable("--detail", detail) if detail else "", act.person

    def choose(session: Session) -> Sequence[int]:
        return _chosen(session, vote, voter, file)

    def change(session: Session, ids: Sequence[int]) -> int:
        return hold(session, ids, VoteState.QUARANTINED, reason, detail=text, by=author, again=True)

    entry = Entry(author, "vote.quarantine", text, voter, {"code": reason})
    with opened(act.config, act.db) as (database, _):
        number, rows = _changed(database, choose, change, entry, dry_run=act.dry_run)
    _report(number, rows, f"{'would be' if act.dry_run else 'are'} quarantined", act.as_format)


@operator_command
def release(
    act: Act,
    why: Why,
    vote: Votes = None,
    voter: Voter = None,
    file: Ids = None,
    reason: OfReason = None,
    state: OfState = None,
) -> None:
    """Let held votes count again: single ones, those of a voter, or those that are held for a reason.

    Quarantined votes are released then and pending ones accepted. Open appeals are decided with them. Nobody releases
    their own votes: those that the account of --by has cast stay held.
    """
    from arena.accounts.own_votes import releasable, voters_of_name
    from arena.store.held_votes import held_ids
    from arena.store.quarantine import release as release_votes

    text, author = printable("--why", why), act.person

    def choose(session: Session) -> Releasable:
        if not (reason or state):
            ids = _chosen(session, vote, voter, file)
        else:
            ids = held_ids(session, _filter(session, state, reason, voter))
            ids = sorted(set(ids) & set(_chosen(session, vote, None, file))) if vote or file else ids
        return releasable(session, ids, voters_of_name(session, author))

    def change(session: Session, ids: Sequence[int]) -> int:
        return release_votes(session, ids, text, author)

    entry = Entry(author, "vote.release", text, voter)
    with opened(act.config, act.db) as (database, _):
        with database.read() as session:
            chosen = choose(session)
        if chosen.own:
            _refuse_own(database, chosen, entry, dry_run=act.dry_run)
        number, rows = _changed(database, lambda _: chosen.others, change, entry, dry_run=act.dry_run)
    _report(number, rows, f"{'would count' if act.dry_run else 'count'} again", act.as_format)


def _refuse_own(database: Database, chosen: Releasable, entry: Entry, *, dry_run: bool) -> None:
    """Record that own votes stay held, and print it. Raises `ConfigError` if there are no others."""
    from arena.cli.terminal import Console

    if not dry_run:
        with database.write() as session:
            chosen.record_refusal(session, Actor.terminal(entry.by), entry.reason)
    stay = f"Votes of {entry.by}'s own that stay held: {len(chosen.own):,}. Another operator has to release them."
    if not chosen.others:
        raise ConfigError(stay)
    Console(stderr=True).print(Text(stay))


def _chosen(session: Session, votes: list[int] | None, voter: str | None, file: Path | None) -> Sequence[int]:
    """The votes that the options choose. Raises `ConfigError`."""
    from arena.store.held_votes import unknown_votes, vote_ids_of

    if sum(given is not None for given in (votes or None, voter, file)) != 1:
        raise ConfigError(
            "Give one of --vote ID, --voter NAME and --file FILE. `arena voters` shows voters, and exports show votes."
        )
    if voter is not None:
        return vote_ids_of(session, _stored_voter(session, voter))
    ids = votes if votes else _ids_of(file or Path())
    if unknown := unknown_votes(session, ids):
        raise ConfigError(f"There is no vote {unknown[0]} here. Give numbers from the column vote of an export.")
    return ids


def _stored_voter(session: Session, name: str) -> str:
    from arena.store.held_votes import stored_voter

    found = stored_voter(session, name)
    if found is None:
        raise ConfigError(f"No voter {name[:80]!r} has votes here. `arena voters` shows the voters.")
    return found


def _ids_of(path: Path) -> list[int]:
    """The numbers in a file. Raises `ConfigError`."""
    try:
        lines = plain_file(path).read_text(encoding="utf-8-sig").splitlines()
        if lines and "vote" in lines[0].split(","):
            return [int(row["vote"]) for row in csv.DictReader(lines)]
        return [int(line) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError) as problem:
        raise ConfigError(
            f"{path} has no numbers of votes ({problem}). Write one number per line, or CSV with a column vote."
        ) from problem


def _filter(session: Session, state: str | None, reason: str | None, voter: str | None) -> HeldFilter:
    from arena.store.held_votes import HeldFilter

    if state is not None and state not in HELD:
        raise ConfigError(f"Votes that are {state} count. Give --state pending or --state quarantined.")
    return HeldFilter(state, reason, None if voter is None else _stored_voter(session, voter))


def _changed(
    database: Database,
    choose: Callable[[Session], Sequence[int]],
    change: Callable[[Session, Sequence[int]], int],
    entry: Entry,
    *,
    dry_run: bool,
) -> tuple[int, list[dict[str, Any]]]:
    """The number of votes that change, and the boards with them; a dry run takes everything back."""
    from arena.accounts.audit import recorded, target_of_votes
    from arena.cli.progress import stage_bar
    from arena.cli.terminal import Console
    from arena.store.vote_parts import PART, changed_in_parts

    with database.read() as session:
        ids = sorted(set(choose(session)))
    target = target_of_votes(ids, entry.voter)
    who = Actor.terminal(entry.by)
    change = recorded(change, who, entry.action, target, reason=entry.reason, details=entry.details)
    if len(ids) <= PART:
        done = changed_in_parts(database, ids, change, dry_run=dry_run)
    else:
        with stage_bar(Console(stderr=True), "votes") as progress:
            done = changed_in_parts(
                database, ids, change, lambda *seen: progress("changing", *seen), dry_run=dry_run
            )
    return done.votes, _board_rows(done.before, done.after)


def _board_rows(
    before: Mapping[tuple[str, str], int], after: Mapping[tuple[str, str], int]
) -> list[dict[str, Any]]:
    from arena.rules.votes import OVERALL

    return [
        {"category": category, "source": source, "counted_before": before.get((source, category), 0),
         "counted_after": after.get((source, category), 0)}
        for source, category in sorted(before.keys() | after.keys(), key=lambda key: (key[1] != OVERALL, key))
        if before.get((source, category), 0) != after.get((source, category), 0)
    ]  # fmt: skip


def _held_row(row: HeldVote) -> dict[str, Any]:
    return {
        "vote": row.vote,
        "state": row.state,
        "reason": row.reason,
        "voter": row.voter,
        "battle": row.battle,
        "model_a": row.model_a,
        "model_b": row.model_b,
        "winner": row.winner,
        "voted_at": _time(row.created_at),
        "held_at": _time(row.set_at),
        "held_by": row.set_by,
        "detail": row.detail,
        "sentence": str(sentence_of(row.state, row.reason)),
    }


def logged(row: VoteStateEvent) -> dict[str, Any]:
    """An event of the log."""
    return {
        "kind": "votes",
        "state": row.state,
        "reason": row.reason,
        "votes": row.votes,
        "at": _time(row.set_at),
        "by": row.set_by,
        "detail": row.detail,
        "check_version": row.check_version,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


def _report(number: int, rows: list[dict[str, Any]], state: str, as_format: Format) -> None:
    if not for_programs({"votes": number, "changes": rows}, as_format, rows):
        print_rows(rows, f"{number:,} votes {state}")
