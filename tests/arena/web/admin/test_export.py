"""Exports and seals from the page: one at a time, with their entries in the audit trail."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from arena.config import Settings
from arena.exchange.verify import verify
from arena.rules.roles import Actor, Role
from arena.store import Database
from arena.store.audit import AuditFilter, entries
from arena.web.admin.long_jobs import JobRefused, LongJob, LongJobs
from arena.web.app import create_app
from tests.support.accounts import AdminBrowser, with_account
from tests.support.arenas import ready
from tests.support.populated import populated_file

ROOT = Actor("root", Role.OPERATOR)


@pytest.fixture
def database(tmp_path) -> Iterator[Database]:
    found, _ = populated_file(tmp_path / "arena.db", 6, 60)
    yield found
    found.close()


def ended(jobs: LongJobs, kind: str) -> LongJob:
    end = time.monotonic() + 60
    while jobs.running and time.monotonic() < end:
        time.sleep(0.02)
    return jobs.last[kind]


def actions(database: Database) -> list[str]:
    with database.read() as session:
        return [entry.action for entry in reversed(entries(session, AuditFilter(actor="root"), 100))]


def test_an_export_is_begun_downloaded_and_verified(database, tmp_path):
    for name, role in (("root", Role.OPERATOR), ("rita", Role.REVIEWER)):
        with_account(database, name, role)
    app = create_app(Settings(), database, ready())
    with AdminBrowser(app) as root:
        rita = AdminBrowser(app)
        root.sign_in("root")
        rita.sign_in("rita")
        jobs = app.state.admin.long_jobs
        assert root.get("/admin/export/arena-export.zip").status_code == 404
        assert root.submit("/admin/export/seal").headers["location"] == "/admin/export"
        assert ended(jobs, "seal").number == 1
        root.submit("/admin/export/begin")
        assert ended(jobs, "export").number == 120
        page = root.get("/admin/export").text
        assert "120 votes exported." in page
        assert "1 new seal." in page
        assert rita.get("/admin/export/arena-export.zip").status_code == 403
        reply = root.get("/admin/export/arena-export.zip")
        assert reply.headers["cache-control"] == "no-store"
        (tmp_path / "got.zip").write_bytes(reply.content)
        kept = jobs.last["export"].file
    assert not kept.exists(), "the file is gone when the server stops"
    assert verify(tmp_path / "got.zip").problems == []
    assert actions(database) == [
        "session.begin", "seal.begin", "seal.end", "export.begin", "export.end", "export.download",
    ]  # fmt: skip


def test_a_second_job_is_refused_while_one_runs(database, tmp_path):
    jobs = LongJobs(database, Settings())
    gate = threading.Event()
    jobs._begin("export", ROOT, lambda _: gate.wait(30) and None)
    for begin in (jobs.begin_export, jobs.begin_seal):
        with pytest.raises(JobRefused, match="started by root"):
            begin(ROOT)
    gate.set()
    assert ended(jobs, "export").problem == ""
    assert actions(database) == ["export.begin", "export.end"]


def test_a_job_that_fails_is_told_and_the_next_can_begin(database):
    jobs = LongJobs(database, Settings())

    def fails(job: LongJob) -> None:
        raise OSError("no space left")

    jobs._begin("export", ROOT, fails)
    job = ended(jobs, "export")
    assert "failed" in job.problem
    assert job.file is None
    assert actions(database) == ["export.begin"]
    jobs.begin_seal(ROOT)
    assert ended(jobs, "seal").number == 1
