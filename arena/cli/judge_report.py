"""What a judge run tells: before it, what would be asked; after it, the board, the failures and the canaries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.options import Format, write_csv, write_json
from arena.cli.progress import print_failures

if TYPE_CHECKING:
    from arena.engine import RunResult
    from arena.judging.results import Found
    from arena.judging.run import Prepared


INTERVAL = "95 % interval"
SHOWN = (
    "rank", "model", "rating", "score", "win_rate", INTERVAL, "length_controlled_winrate", "judged",
    "n_wins", "n_draws", "n_total", "wins", "losses", "ties",
)  # fmt: skip
HEADINGS = {"length_controlled_winrate": "at equal length"}


def report(
    prepared: Prepared, found: Found, ran: RunResult[None], refused: str | None, new: int
) -> dict[str, Any]:
    from arena.judging import run
    from judges.completion_rate import completion_rate

    flips, both = found.flips()
    return {
        "mode": prepared.config.mode,
        "judge": prepared.source,
        "prompts": prepared.config.prompts,
        "models": run.rows(prepared, found),
        "win_rates": run.win_rates(prepared, found),
        "cases": found.cases,
        "judged": len(found.judged),
        "unread": dict(found.unread),
        "coverage": completion_rate(len(found.judged), found.cases),
        "published": refused is None,
        "why_not": refused,
        "new": new,
        "orders": {"asked_in_both": both, "flipped": flips, "flip_rate": flips / both if both else None},
        "canaries": [vars(one) for one in found.control_pair_report()],
        "requests": ran.tally.to_dict(),
        "examples": ran.tally.examples,
        "cost": ran.spent if any(one.price for one in prepared.asked.values()) else None,
    }


def tell_gaps(prepared: Prepared) -> None:
    from arena.judging.plan import missing

    if prepared.config.mode == "battles":
        return
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for model, count in missing(prepared.prompts, prepared.completions, prepared.models).items():
        console.print(
            f"{model} has no completion for {count:,} of {len(prepared.prompts):,} prompts", style="yellow"
        )


def show_forecast(expected: Any, prepared: Prepared, as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(vars(expected))
        return
    cost = "unknown: the judge has no price in the settings" if expected.cost is None else f"${expected.cost:.2f}"
    console = Console(highlight=False)
    console.print(f"{expected.cases:,} cases of {len(prepared.models)} models by {prepared.source}")
    console.print(f"{expected.requests:,} requests, {expected.in_journal:,} of them answered in the journal")
    console.print(
        f"at most {expected.prompt_tokens:,} prompt and {expected.completion_tokens:,} completion tokens"
    )
    console.print(f"at most {cost}" if expected.cost is not None else cost)
    if expected.example:
        console.rule("one request")
        console.print(expected.example, markup=False)


def show(report: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(report)
        return
    if as_format is Format.CSV:
        write_csv(report["models"])
    elif report["models"]:
        Console().print(_table(report))
    tell(report, Console(stderr=True, soft_wrap=True, highlight=False))


def tell(report: dict[str, Any], console: Console) -> None:
    from arena.engine import RESUME_HINT

    asked = report["requests"]
    console.print(
        f"{report['judged']:,} of {report['cases']:,} cases judged; {asked['calls']:,} calls made, "
        f"{asked['from_journal']:,} replies from the journal"
        + (f", ${report['cost']:.2f}" if report["cost"] is not None else "")
    )
    print_failures(asked["failed"], report["examples"], console)
    orders = report["orders"]
    if orders["asked_in_both"]:
        console.print(f"the order alone decided {orders['flipped']:,} of {orders['asked_in_both']:,} pairs")
    for control_pair in report["canaries"]:
        if control_pair["failed"] or control_pair["unread"]:
            console.print(
                f"canary {control_pair['kind']}: failed {control_pair['failed']} of {control_pair['judged']}, "
                f"{control_pair['unread']} without a readable verdict; do not trust this judge blindly",
                style="red",
            )
    if report["published"]:
        console.print(f"{report['new']:,} new verdicts of {report['judge']} are in the store", markup=False)
    else:
        console.print(f"not published: {report['why_not']}", style="bold red")
        console.print(RESUME_HINT)


def _table(report: dict[str, Any]) -> Table:
    """The columns that the mode's rows have; the limits of an interval share one."""
    table = Table(title=f"{report['mode']} · {report['judge']} · {report['prompts']}".rstrip(" ·"))
    names = [name for name in SHOWN if name == INTERVAL or name in report["models"][0]]
    for name in names:
        heading = HEADINGS.get(name, name.removeprefix("n_").replace("_", " "))
        table.add_column(heading, justify="left" if name == "model" else "right", overflow="fold")
    places = 0 if "rating" in names else 1
    for row in report["models"]:
        table.add_row(*(_cell(row, name, places) for name in names))
    return table


def _cell(row: Mapping[str, Any], name: str, places: int) -> Text:
    if name == INTERVAL:
        limits = row["lower"], row["upper"]
        return Text("–" if None in limits else " – ".join(f"{limit:.{places}f}" for limit in limits))
    value = row[name]
    if value is None:
        return Text("–")
    return Text(f"{value:.{places}f}" if isinstance(value, float) else str(value))
