"""`arena voters`: anomalous voters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.leaderboards.anomalous_voters import VotersChecked

Level = Annotated[float, typer.Option(help="Largest probability of flagging an honest voter.")]
HUGE = 1e4  # e-values from here on are printed as powers of ten


def voters(
    level: Level = 0.05, as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None
) -> None:
    """Flag anomalous voters with a bounded false-positive rate."""
    from arena.leaderboards.anomalous_voters import check_stored_voters

    with opened(config, db) as (database, _), database.read() as session:
        checked = check_stored_voters(session, level)
    if as_format is Format.JSON:
        write_json(checked.to_dict())
    elif as_format is Format.CSV:
        write_csv(checked.rows())
    else:
        Console().print(_table(checked))


def _table(checked: VotersChecked) -> Table:
    rows = checked.rows()
    flagged = sum(row["flagged"] for row in rows)
    table = Table(title=f"{len(rows):,} voters, {flagged:,} flagged", caption=checked.guarantee)
    for column in ("voter", "votes", "e-value", "highest", "flagged", "looks like"):
        table.add_column(column, justify="right" if column in ("votes", "e-value", "highest") else "left")
    for row in rows:
        flag = f"after {row['flagged_after']} votes" if row["flagged"] else "–"
        likeliest = row["likeliest"] if row["flagged"] else ""
        values = (_shown(row["e_value"]), _shown(row["highest"]))
        table.add_row(Text(row["voter"]), f"{row['votes']:,}", *values, flag, Text(likeliest))
    return table


def _shown(value: float) -> str:
    return f"{value:.1e}" if value >= HUGE or 0 < value < 0.01 else f"{value:.2f}"
