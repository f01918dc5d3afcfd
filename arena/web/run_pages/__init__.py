"""Runs as pages: one self-contained HTML file a run, and the pages of `arena view`. All texts are English."""

from arena.web.run_pages.document import RunDocument
from arena.web.run_pages.file import check_report_path, write_page, write_report

__all__ = ["RunDocument", "check_report_path", "write_page", "write_report"]
