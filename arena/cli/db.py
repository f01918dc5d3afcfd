"""`arena db`: upgrades, checks and copies of the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened, overrides
from arena.cli.progress import stage_bar
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.store import Database
    from arena.store.votes import Difference

app = typer.Typer(help="Upgrade, check and copy the database.", no_args_is_help=True)
console = Console(stderr=True)


@app.command()
def upgrade(config: Config = None, db: DatabaseURL = None, as_format: AsFormat = Format.TABLE) -> None:
    """Upgrade the database to the schema of this version."""
    from arena.config import read_settings
    from arena.store import Database

    database = Database(read_settings(config, overrides(database_url=db)).database_url)
    try:
        database.lock()
        with database.errors_translated():
            before = database.revision()
            database.upgrade()
            result = {"database": database.shown, "from": before, "to": database.revision()}
    finally:
        database.close()
    if not for_programs(result, as_format):
        console.print(f"{result['database']}: {before or 'new'} → {result['to']}", markup=False)


@app.command("recount")
def recount_(
    config: Config = None,
    db: DatabaseURL = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Compute the pair counts again from the votes.")
    ] = False,
    classify: Annotated[
        bool, typer.Option("--classify", help="First classify every battle by the rules of this version.")
    ] = False,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Count every vote again and compare with the pair counts of the leaderboard."""
    from arena.store.models import model_ids
    from arena.store.packed_votes import packed_differences
    from arena.store.votes import recount, rewrite_pair_counts, vote_count

    with opened(config, db) as (database, _):
        if classify:
            _classify(database)
        with database.read() as session:
            differences, votes = recount(session), vote_count(session)
            packed = packed_differences(session)
            names = model_ids(session)
        if (differences or packed) and repair:
            with database.write() as session:
                rewrite_pair_counts(session)
    rows = [_differing(difference, names) for difference in differences]
    rows += [{"category": category, "source": source, "packed_votes": "differ"} for category, source in packed]
    if not for_programs({"votes": votes, "differences": rows, "repaired": repair and bool(rows)}, as_format, rows):
        _print_recount(votes, rows, repair)
    if rows and not repair:
        console.print("Run `arena db recount --repair` to compute the pair counts again from the votes.")
        raise typer.Exit(1)


def _differing(difference: Difference, names: Mapping[int, str]) -> dict[str, Any]:
    from arena.store.votes import COLUMNS

    a, b, category, source = difference.key
    row: dict[str, Any] = {"model_a": names[a], "model_b": names[b], "category": category, "source": source}
    for kind, counts in (("stored", difference.stored), ("counted", difference.counted)):
        row |= {f"{kind}_{column}": count for column, count in zip(COLUMNS.values(), counts, strict=True)}
    return row


def _print_recount(votes: int, rows: list[dict[str, Any]], repair: bool) -> None:
    for row in rows:
        console.print(", ".join(f"{name} {value}" for name, value in row.items()), markup=False)
    if rows and repair:
        console.print(f"repaired {len(rows)} pair counts")
    elif not rows:
        console.print(f"{votes:,} votes: every pair count agrees")


@app.command("copy")
def copy_(
    to: Annotated[str, typer.Argument(metavar="URL", help="Empty database, such as postgresql://user@host/name.")],
    config: Config = None,
    db: DatabaseURL = None,
    as_format: AsFormat = Format.TABLE,
) -> None:
    """Copy the database into an empty one, SQLite or PostgreSQL, in one transaction."""
    from arena.store import Database
    from arena.store.copy import copy_database

    with opened(config, db) as (source, _):
        target = Database(to)
        try:
            target.lock()
            target.make_ready()
            with stage_bar(console, "rows") as progress:
                rows = copy_database(source, target, progress)
        finally:
            target.close()
    total = sum(rows.values())
    result = {"from": source.shown, "to": target.shown, "rows": total, "tables": rows}
    if not for_programs(result, as_format, [{"table": name, "rows": number} for name, number in rows.items()]):
        console.print(f"{source.shown} → {target.shown}: {total:,} rows copied", markup=False)


def _classify(database: Database) -> None:
    """Classify in small transactions, so that a running arena goes on; the last one computes the counts."""
    from arena.rules.categories import VERSION
    from arena.store.battle_features import reclassify
    from arena.store.votes import rewrite_pair_counts

    after: int | None = 0
    with console.status("classifying battles"):
        while after is not None:
            with database.write() as session:
                after = reclassify(session, after)
                if after is None:
                    rewrite_pair_counts(session)
    console.print(f"every battle is classified by {VERSION}, and the pair counts are computed again")
