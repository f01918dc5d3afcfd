"""`arena voters`: anomalous voters and coordinated accounts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.leaderboards.anomalous_voters import VotersChecked

Level = Annotated[float, typer.Option(help="Largest probability of flagging an honest voter.")]
Taste = Annotated[
    float,
    typer.Option(
        help="Standard deviation, in logits, up to which an honest voter's tastes may differ from the crowd's."
    ),
]
HUGE = 1e4  # e-values from here on are printed as powers of ten


def voters(
    level: Level = 0.05,
    taste: Taste = 1.0,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Flag anomalous voters, and groups of small accounts that favour one model in the same time.

    The level bounds false flags of voters whose tastes differ from the crowd's by up to --taste, who choose one side in
    up to 65 % of equal pairs, and who tie as often as they like short of always. It bounds nothing for voters who
    differ more. CSV has the voters only.
    """
    from arena.leaderboards.anomalous_voters import check_stored_voters

    with opened(config, db) as (database, _), database.read() as session:
        checked = check_stored_voters(session, level, taste)
    if as_format is Format.JSON:
        write_json(checked.to_dict())
    elif as_format is Format.CSV:
        write_csv(checked.rows())
    else:
        Console().print(_table(checked))
        Console().print(
            _groups(checked)
            if checked.groups.groups
            else f"No group of accounts of {checked.groups.tested:,} is flagged."
        )


def _table(checked: VotersChecked) -> Table:
    rows = checked.rows()
    flagged = sum(row["flagged"] for row in rows)
    table = Table(title=f"{len(rows):,} voters, {flagged:,} flagged", caption=checked.guarantee)
    for column in ("voter", "votes", "e-value", "highest", "flagged", "looks like"):
        whole = column == "voter"  # its name is typed into `arena votes quarantine --voter`
        numbers = column in ("votes", "e-value", "highest")
        table.add_column(column, justify="right" if numbers else "left", no_wrap=whole, overflow="fold")
    for row in rows:
        flag = f"after {row['flagged_after']} votes" if row["flagged"] else "–"
        likeliest = row["likeliest"] if row["flagged"] else ""
        values = (_shown(row["e_value"]), _shown(row["highest"]))
        table.add_row(Text(row["voter"]), f"{row['votes']:,}", *values, flag, Text(likeliest))
    return table


def _groups(checked: VotersChecked) -> Table:
    rows = checked.group_rows()
    what = "group" if len(rows) == 1 else "groups"
    table = Table(title=f"{len(rows):,} {what} of accounts flagged", caption=checked.group_guarantee)
    for column in ("favours", "from (UTC)", "hours", "accounts", "votes", "won", "expected", "p-value"):
        words = column in ("favours", "from (UTC)")
        table.add_column(column, justify="left" if words else "right", no_wrap=column == "from (UTC)")
    for row in rows:
        start, end = (datetime.fromisoformat(row[name]) for name in ("from", "until"))
        hours = f"{(end - start).total_seconds() / 3600:.0f}"
        counts = (f"{row[name]:,}" for name in ("accounts", "votes", "won"))
        figures = (f"{row['expected']:.1f}", f"{row['p_value']:.1e}")
        table.add_row(Text(row["model"]), f"{start:%Y-%m-%d %H:%M}", hours, *counts, *figures)
    return table


def _shown(value: float) -> str:
    return f"{value:.1e}" if value >= HUGE or 0 < value < 0.01 else f"{value:.2f}"
