"""`arena db`: the database's layout, and the proof that pair counts follow from votes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from arena.cli.options import Config, DatabaseURL, opened, overrides

if TYPE_CHECKING:
    from arena.store import Database

app = typer.Typer(help="The database.", no_args_is_help=True)
console = Console(stderr=True)


@app.command()
def upgrade(config: Config = None, db: DatabaseURL = None) -> None:
    """Bring the database to the layout of this version."""
    from arena.config import read_settings
    from arena.store import Database

    database = Database(read_settings(config, overrides(database_url=db)).database_url)
    try:
        database.lock()
        with database.told():
            before = database.revision()
            database.upgrade()
            console.print(f"{database.shown}: {before or 'new'} → {database.revision()}", markup=False)
    finally:
        database.close()


@app.command("recount")
def recount_(
    config: Config = None,
    db: DatabaseURL = None,
    repair: Annotated[bool, typer.Option("--repair", help="Make the pair counts again from the votes.")] = False,
    classify: Annotated[
        bool, typer.Option("--classify", help="First sort every battle into categories by this version's rules.")
    ] = False,
) -> None:
    """Count every vote again and compare with the pair counts that the leaderboard uses."""
    from arena.store.votes import recount, rewrite_pair_counts, vote_count

    with opened(config, db) as (database, _):
        if classify:
            _classify(database)
        with database.read() as session:
            differences, votes = recount(session), vote_count(session)
        for difference in differences:
            console.print(
                f"{difference.key}: stored {difference.stored}, counted {difference.counted}", markup=False
            )
        if differences and repair:
            with database.write() as session:
                rewrite_pair_counts(session)
            console.print(f"repaired {len(differences)} pair counts")
        elif not differences:
            console.print(f"{votes:,} votes: every pair count agrees")
    if differences and not repair:
        console.print("type `arena db recount --repair` to make the pair counts again from the votes")
        raise typer.Exit(1)


def _classify(database: Database) -> None:
    """In many small transactions, so that a running arena goes on; the counts are made anew in the last one."""
    from arena.categories import VERSION
    from arena.store.traits import classify_again
    from arena.store.votes import rewrite_pair_counts

    after: int | None = 0
    with console.status("sorting battles into categories"):
        while after is not None:
            with database.write() as session:
                after = classify_again(session, after)
                if after is None:
                    rewrite_pair_counts(session)
    console.print(f"every battle is sorted by {VERSION}, and the pair counts are made anew")
