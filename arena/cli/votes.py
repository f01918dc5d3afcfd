"""`arena votes`: votes that do not count. Those of judges and imports are set aside, single ones are held."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import vote_states
from arena.cli.operator_options import Act, operator_command, printable
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.tables import print_rows
from arena.errors import ConfigError
from arena.rules.roles import Actor

if TYPE_CHECKING:
    from arena.store import Database, Session
    from arena.store.schema.set_aside import SetAside
    from arena.store.set_aside import Selection, VotesOfSource

app = typer.Typer(
    no_args_is_help=True,
    help="List and choose the votes that count on no board: of judges and imports, of voters, or single ones.",
)
Judge = Annotated[str | None, typer.Option(metavar="NAME", help="Judge whose votes to choose.")]
Import = Annotated[
    str | None, typer.Option("--import", metavar="NAME", help="Name of the imports whose votes to choose.")
]
Reason = Annotated[str, typer.Option("--reason", "--why", help="Reason, which is published with the boards.")]


app.command("list")(vote_states.list_)
app.command("quarantine")(vote_states.quarantine)
app.command("release")(vote_states.release)


@app.command("set-aside")
@operator_command
def set_aside_(act: Act, reason: Reason, judge: Judge = None, import_: Import = None) -> None:
    """Let the votes of a judge or an import no longer count. They stay sealed and exported, and can be taken back.

    A judge's later votes do not count either. For votes of single people, use `arena votes quarantine`.
    """
    from arena.store.set_aside import set_aside

    chosen = _selection(judge, import_)
    change = partial(set_aside, chosen=chosen, reason=printable("--reason", reason), by=(who := act.person))
    with opened(act.config, act.db) as (database, _):
        with_entry = _with_entry(change, who, "vote.set_aside", chosen, reason)
        rows = _changed(database, chosen, None if act.dry_run else with_entry, taking_back=False)
    _report(chosen, rows, f"{'would be' if act.dry_run else 'are'} set aside", act.as_format)


@app.command("take-back")
@operator_command
def take_back_(act: Act, reason: Reason, judge: Judge = None, import_: Import = None) -> None:
    """Let votes that are set aside count again."""
    from arena.store.set_aside import take_back

    chosen = _selection(judge, import_)
    change = partial(take_back, chosen=chosen, reason=printable("--reason", reason), by=(who := act.person))
    with opened(act.config, act.db) as (database, _):
        with_entry = _with_entry(change, who, "vote.take_back", chosen, reason)
        rows = _changed(database, chosen, None if act.dry_run else with_entry, taking_back=True)
    _report(chosen, rows, f"{'would count' if act.dry_run else 'count'} again", act.as_format)


@app.command("log")
def log_(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """Print what was set aside and taken back, held and released, when, by whom and why.

    CSV has one row for each entry, with `kind` "votes" for votes that were held or released.
    """
    from arena.store.held_votes import changes
    from arena.store.set_aside import log

    with opened(config, db) as (database, _), database.read() as session:
        rows = [_logged(row) for row in log(session)]
        events = [vote_states.logged(row) for row in changes(session)]
    if not for_programs({"log": rows, "states": events}, as_format, [*rows, *events]):
        print_rows(rows, f"{len(rows):,} entries")
        if events:
            print_rows(events, f"{len(events):,} changes of states")


def _selection(judge: str | None, import_: str | None) -> Selection:
    """The votes that the options choose. Raises `ConfigError`."""
    from arena.rules.set_aside import IMPORT, JUDGE_KIND
    from arena.rules.votes import JUDGE
    from arena.store.set_aside import Selection

    if (judge is None) == (import_ is None):
        raise ConfigError("Give one of --judge NAME and --import NAME. `arena votes list` shows the names.")
    if judge is not None:
        return Selection(JUDGE_KIND, JUDGE + judge.removeprefix(JUDGE))
    return Selection(IMPORT, str(import_))


def _changed(
    database: Database, chosen: Selection, change: Callable[[Session], int] | None, *, taking_back: bool
) -> list[dict[str, Any]]:
    """The votes that change, by source and category, with the boards; without `change` they stay as they are."""
    from arena.store.set_aside import affected

    with database.read() as session:
        rows = [_affected(row, taking_back) for row in affected(session, chosen, taking_back=taking_back)]
    if change is not None:
        with database.write() as session:
            change(session)
    return rows


def _with_entry(
    change: Callable[[Session], int], who: str, action: str, chosen: Selection, reason: str
) -> Callable[[Session], int]:
    """The change with its entry in the audit trail, in the same transaction."""
    from arena.accounts.audit import record

    def both(session: Session) -> int:
        votes = change(session)
        target, details = f"{chosen.kind} {chosen.name}", {"votes": votes}
        record(session, Actor.terminal(who), action, target, reason=reason.strip(), details=details)
        return votes

    return both


def _affected(row: VotesOfSource, taking_back: bool) -> dict[str, Any]:
    from arena.rules.votes import JUDGE

    after = row.counted + (row.changed if taking_back else -row.changed)
    boards = [row.source, *(["judges"] if row.source.startswith(JUDGE) else []), "both", "all"]
    counts = {"votes": row.changed, "counted_before": row.counted, "counted_after": after}
    return {"category": row.category, "source": row.source, **counts, "boards": ", ".join(boards)}


def _logged(row: SetAside) -> dict[str, Any]:
    back = row.taken_back_at
    return {
        "kind": row.kind,
        "name": row.name,
        "votes": row.votes,
        "set_aside_at": row.set_at.isoformat(timespec="seconds"),
        "set_aside_by": row.set_by,
        "reason": row.reason,
        "taken_back_at": back.isoformat(timespec="seconds") if back else None,
        "taken_back_by": row.taken_back_by,
        "taken_back_reason": row.taken_back_reason,
    }


def _report(chosen: Selection, rows: list[dict[str, Any]], state: str, as_format: Format) -> None:
    from arena.rules.votes import OVERALL

    votes = sum(row["votes"] for row in rows if row["category"] == OVERALL)
    result = {"kind": chosen.kind, "name": chosen.name, "votes": votes, "changes": rows}
    if not for_programs(result, as_format, rows):
        print_rows(rows, f"{votes:,} votes of {chosen.name} {state}")
