"""`arena judge calibrate`: a judge calibrated on people's verdicts, with its held-out gain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from arena.cli.agreement import Against, Prompts, Reference
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from judges.calibration import CalibrationGain


def calibrate(
    judge: Annotated[
        str, typer.Argument(metavar="JUDGE", help="The judge, as `arena leaderboard` names its votes.")
    ],
    against: Against = Reference.human,
    prompts: Prompts = None,
    without_ties: Annotated[bool, typer.Option("--without-ties", help="Exclude ties of people.")] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Fit a judge's preferences to people's verdicts; print agreement and loss before and after, held out."""
    from arena.judging.calibration import calibrate, calibration_report

    with opened(config, db) as (database, _), database.read() as session:
        found = calibrate(session, judge, prompts=prompts, against=against.value, without_ties=without_ties)
    report = calibration_report(judge, against.value, found)
    if not for_programs(report, as_format, [_row(report)]):
        _print(judge, found)


def _row(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with one value a column."""
    tables = {name: report[name] for name in ("calibration", "before", "after")}
    nested = {f"{name}_{key}": value for name, table in tables.items() for key, value in table.items()}
    return {name: value for name, value in report.items() if name not in tables} | nested


def _print(judge: str, found: CalibrationGain) -> None:
    table = Table(title=f"calibration of {judge}", caption=f"held out, {found.folds} folds of whole prompts")
    for column in ("", "log loss", "agreement"):
        table.add_column(column, justify="right" if column else "left")
    for name, figures in (("before", found.before), ("after", found.after)):
        agreed = "–" if figures.agreement is None else f"{figures.agreement:.1%}"
        table.add_row(name, f"{figures.loss:.4f}", agreed)
    Console().print(table)
    fitted = found.calibration
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"logit P(A) = {fitted.offset:+.3f} {fitted.scale:+.3f} × logit of the judge's preference for A")
    console.print(
        f"gain of the log loss {found.gain:+.4f} ± {found.standard_error:.4f}, one-sided p = {found.p_value:.3g}, "
        f"{found.battles:,} battles over {found.prompts:,} prompts"
    )
