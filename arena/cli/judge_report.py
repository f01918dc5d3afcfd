"""What a judge run prints: a forecast before it; its board, failures and control pairs after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from arena.cli.options import Format, write_csv, write_json
from arena.cli.progress import print_adapted, print_failures
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.judging.calls import Forecast
    from arena.judging.preparation import PreparedRun


INTERVAL = "95 % interval"
JUDGE = "by "  # before the name of a judge of a panel, in its column
SHOWN = (
    "rank", "model", "rating", "score", "win_rate", INTERVAL, "length_controlled_winrate", "mean_place", "judged",
    "n_wins", "n_draws", "n_total", "wins", "losses", "ties",
)  # fmt: skip
PLACES = {"mean_place": 2}  # decimal places of a column, where they are not those of the board
HEADINGS = {"length_controlled_winrate": "at equal length"}


def print_missing(missing: Mapping[str, int], prompts: int) -> None:
    """Print which models lack completions."""
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for model, count in missing.items():
        console.print(f"{model} has no completion for {count:,} of {prompts:,} prompts", style="yellow")


def print_forecast(expected: Forecast, prepared: PreparedRun, as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(vars(expected))
        return
    cost = "unknown: the judge has no price in the settings" if expected.cost is None else f"${expected.cost:.2f}"
    console = Console(highlight=False)
    console.print(f"{expected.cases:,} cases of {len(prepared.models)} models by {prepared.source}")
    console.print(f"{expected.requests:,} requests, {expected.in_journal:,} of them in the reply cache")
    console.print(
        f"about {expected.prompt_tokens:,} prompt and at most {expected.completion_tokens:,} completion tokens"
    )
    console.print(f"about {cost}" if expected.cost is not None else cost)
    if expected.example:
        console.rule("one request")
        console.print(expected.example, markup=False)


def print_result(report: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(report)
        return
    if as_format is Format.CSV:
        write_csv(_csv_rows(report))
    elif report["models"]:
        Console().print(_table(report))
        if report["criteria"]:
            Console().print(board_table("by criterion", report["criteria"], ("criterion",)))
    print_summary(report, Console(stderr=True, soft_wrap=True, highlight=False))


def print_summary(report: dict[str, Any], console: Console) -> None:
    from arena.engine import what_next

    requests = report["requests"]
    console.print(
        f"{report['judged']:,} of {report['cases']:,} cases judged; {requests['calls']:,} calls made, "
        f"{requests['from_journal']:,} replies from the reply cache"
        + (f", ${report['cost']:.2f}" if report["cost"] is not None else "")
    )
    print_adapted(requests["adapted"], console)
    print_failures(requests["failed"], report["examples"], console)
    if report["by_letter"]:
        console.print(
            f"{report['by_letter']:,} of {report['judged']:,} verdicts were read by the judge's letter, because its replies "
            "have no log-probabilities. Their preferences are 0 or 1.",
            style="yellow",
        )
    orders = report["orders"]
    if orders["asked_in_both"]:
        console.print(
            f"{orders['flipped']:,} of {orders['asked_in_both']:,} pairs were decided by the order alone"
        )
    if repeats := report["repeats"]:
        console.print(
            f"{repeats['draws']} replies to each request: standard deviation {repeats['variance'] ** 0.5:.3f} of one reply, "
            f"{repeats['variance_of_mean'] ** 0.5:.3f} of their mean"
        )
    for control_pair in report["canaries"]:
        if control_pair["failed"] or control_pair["unread"]:
            console.print(
                f"control pairs ({control_pair['kind']}): failed {control_pair['failed']} of {control_pair['judged']}, "
                f"{control_pair['unread']} without a readable verdict. Do not rely on this judge alone.",
                style="red",
            )
    if report["published"]:
        console.print(f"{report['new']:,} new verdicts of {report['judge']} saved", markup=False)
    else:
        console.print(f"not published: {report['why_not']}", style="bold red")
        for hint in what_next(requests["failed"], requests["unusable"]):
            console.print(hint)


def _table(report: dict[str, Any]) -> Table:
    """The columns that the mode's rows have; the limits of an interval share one."""
    title = f"{report['mode']} · {report['judge']} · {report['prompts']}".rstrip(" ·")
    return board_table(title, [_flat(row) for row in report["models"]], ())


def board_table(title: str, rows: Sequence[Mapping[str, Any]], groups: Sequence[str]) -> Table:
    """The rows of one or several boards; `groups` are the columns that say of which."""
    table = Table(title=title)
    judges = [name for name in rows[0] if name.startswith(JUDGE)]
    names = [*groups, *(name for name in SHOWN if name == INTERVAL or name in rows[0]), *judges]
    for name in names:
        heading = HEADINGS.get(name, name.removeprefix("n_").replace("_", " "))
        table.add_column(heading, justify="left" if name in ("model", *groups) else "right", overflow="fold")
    places = 0 if "rating" in names else 1
    for before, row in zip((None, *rows), rows, strict=False):
        if before is not None and [before[name] for name in groups] != [row[name] for name in groups]:
            table.add_section()
        table.add_row(*(_cell(row, name, PLACES.get(name, places)) for name in names))
    return table


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with a column for each judge of a panel."""
    judges = {f"{JUDGE}{name}": value for name, value in row.get("judges", {}).items()}
    return {name: value for name, value in row.items() if name != "judges"} | judges


def _csv_rows(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows of the board; with a rubric those of each criterion too, and its name in the first column."""
    models = [_flat(row) for row in report["models"]]
    if not report["criteria"]:
        return models
    rows = [*report["criteria"], *({"criterion": "total", **row} for row in models)]
    names = dict.fromkeys(name for row in rows for name in row)
    return [{name: row.get(name) for name in names} for row in rows]


def _cell(row: Mapping[str, Any], name: str, places: int) -> Text:
    if name == INTERVAL:
        limits = row["lower"], row["upper"]
        return Text("–" if None in limits else " – ".join(f"{limit:.{places}f}" for limit in limits))
    value = row[name]
    if value is None:
        return Text("–")
    return Text(f"{value:.{places}f}" if isinstance(value, float) else str(value))
