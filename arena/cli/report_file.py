"""The option `--report` of commands that make a run."""

from __future__ import annotations

from pathlib import Path

from arena.cli.terminal import Console


def check_report(report: Path | None) -> None:
    """Nothing if a report can be written there. Raises `ConfigError`."""
    if report is not None:
        from arena.web.run_pages import check_report_path

        check_report_path(report)


def print_report_path(report: Path) -> None:
    """Print where the report is."""
    Console(stderr=True, soft_wrap=True, highlight=False).print(f"Report written to {report}", markup=False)
