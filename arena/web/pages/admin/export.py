"""`/admin/export`: export the votes, and seal those that are not sealed yet, as `arena export` and `arena seal` do."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from arena.rules.messages import gettext_noop
from arena.store.operator_figures import figures
from arena.store.schema.battles import now
from arena.web.admin import Frame, Operator
from arena.web.admin.long_jobs import FILE, LongJobs
from arena.web.error_pages import missing

HERE = "/admin/export"
NO_FILE = gettext_noop("There is no export on this server. Start one first.")


def routes(frame: Frame) -> APIRouter:
    """The page, its two buttons, and the file."""
    router, pages = APIRouter(), Pages(frame, frame.long_jobs)
    router.add_api_route(HERE, pages.show)
    router.add_api_route(f"{HERE}/{FILE}", pages.download)
    router.add_api_route(f"{HERE}/begin", pages.export, methods=["POST"])
    router.add_api_route(f"{HERE}/seal", pages.seal, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame
    jobs: LongJobs

    def show(self, visit: Operator) -> HTMLResponse:
        with self.frame.database.read() as session:
            figured = figures(session, now())
        return self.frame.page("admin_export.html", visit, jobs=self.jobs, figures=figured, file=f"{HERE}/{FILE}")

    def export(self, visit: Operator) -> RedirectResponse:
        with self.frame.refusals(visit):
            self.jobs.begin_export(visit.actor)
        return self.frame.back(visit, HERE, gettext_noop("The export has begun."), kind="info")

    def seal(self, visit: Operator) -> RedirectResponse:
        with self.frame.refusals(visit):
            self.jobs.begin_seal(visit.actor)
        return self.frame.back(visit, HERE, gettext_noop("Sealing has begun."), kind="info")

    def download(self, visit: Operator) -> Response:
        job = self.jobs.last.get("export")
        if job is None or job.file is None or not job.file.exists():
            return missing(self.frame.templates, NO_FILE)
        with self.frame.action(visit, "export.download", details={"votes": job.number}):
            pass
        return FileResponse(job.file, filename=FILE, media_type="application/zip")
