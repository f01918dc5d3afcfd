"""`arena judge board`: boards of stored verdicts by criterion, category and subset."""

from __future__ import annotations

from typing import Annotated

import typer

from arena.cli.judge_options import names
from arena.cli.judge_report import board_table
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console


def board(
    judge: Annotated[
        str, typer.Argument(metavar="JUDGE", help="The judge, as `arena leaderboard` names its votes.")
    ],
    prompts: Annotated[str, typer.Option(help="Prompt set, as listed by `arena prompts list`.")],
    by: Annotated[str, typer.Option(help="Comma-separated groups: criterion, category, subset.")] = "criterion",
    baseline: Annotated[str | None, typer.Option(help="Model whose opponents get a win rate.")] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compute a judge's boards from its stored scores or verdicts, one for each group of results; make no calls."""
    from arena.judging.stored_boards import stored_board

    groups = names(by) or ()
    with opened(config, db) as (database, _), database.read() as session:
        rows = stored_board(session, judge, prompts, groups, baseline)
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv(rows)
    elif rows:
        Console().print(board_table(f"{judge} · {prompts}", rows, groups))
    else:
        Console(stderr=True, soft_wrap=True).print(
            "No group has verdicts on two prompts, which an interval needs.", style="yellow"
        )
