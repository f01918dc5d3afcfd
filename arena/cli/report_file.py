"""The option `--report` of commands that make a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.web.run_pages import RunDocument


def check_report(report: Path | None) -> None:
    """Nothing if a report can be written there. Raises `ConfigError`."""
    if report is not None:
        from arena.web.run_pages import check_report_path

        check_report_path(report)


def write_run_report(report: Path, document: RunDocument) -> None:
    """Write the report of a run, and print where it is."""
    from arena.web.run_pages import write_report

    write_report(report, document)
    print_report_path(report)


def print_report_path(report: Path) -> None:
    """Print where the report is."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"Report written to {report}", markup=False)
