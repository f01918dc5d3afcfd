"""`arena judge rank`: several completions ranked at once, and their Plackett–Luce board."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from arena.cli.judge_options import names, takes
from arena.cli.judge_report import board_table
from arena.cli.options import for_programs, opened
from arena.cli.progress import print_adapted, print_failures, progress_bar
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.judging.ranking import RankingRun

GROUP, ROTATIONS = 4, 2


@takes(
    "prompts", "judge", "models", "group", "rotations", "limit", "budget", "concurrency", "timeout", "call_timeout",
    "completion_rate", "thinking_budget", "reply_cache", "as_format", "config", "db",
)  # fmt: skip
def rank(**given: Any) -> None:
    """Rank several completions in one request, in several orders; print Plackett–Luce ratings."""
    from arena.judging.config import config_of
    from arena.judging.ranking import run_ranking

    settings_file, db, as_format = (given.pop(name) for name in ("config", "db", "as_format"))
    group, rotations = given.pop("group"), given.pop("rotations")
    given["models"] = names(given["models"])
    config = config_of(mode="pairwise", name=f"{given['judge']}#rank", **given)
    with opened(settings_file, db) as (database, settings):
        result = run_ranking(
            database,
            settings,
            config,
            group=GROUP if group is None else group,
            rotations=ROTATIONS if rotations is None else rotations,
            progress=progress_bar,
        )
    if not for_programs(result.to_dict(), as_format, result.models) and result.models:
        Console().print(board_table(f"ranked · {result.judge} · {result.prompts}", result.models, ()))
    _print_summary(result)
    if result.why_not is not None:
        raise typer.Exit(1)


def _print_summary(result: RankingRun) -> None:
    from arena.engine import what_next

    console, requests, order = Console(stderr=True, soft_wrap=True, highlight=False), result.requests, result.order
    console.print(
        f"{result.judged:,} of {result.cases:,} groups ranked; {requests['calls']:,} calls made, "
        f"{requests['from_journal']:,} replies from the reply cache"
        + (f", ${result.cost:.2f}" if result.cost is not None else "")
    )
    print_adapted(requests["adapted"], console)
    print_failures(requests["failed"], result.examples, console)
    if order.pairs:
        console.print(f"{order.alike:,} of {order.pairs:,} pairs of models are ranked alike in two orders")
    if order.requests:
        console.print(
            f"the completion shown first was ranked best in {order.first:.1f} of {order.requests:,} rankings, "
            f"by chance {order.chance:.1f}"
        )
    if result.why_not is not None:
        console.print(f"no board: {result.why_not}", style="bold red")
        for hint in what_next(requests["failed"], requests["unusable"]):
            console.print(hint)
