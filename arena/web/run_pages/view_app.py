"""The application of `arena view`: pages for one person, which this machine alone can open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment
from starlette.middleware.trustedhost import TrustedHostMiddleware

from arena.benchmarking.stored_runs import all_runs
from arena.errors import ConfigError
from arena.judging.run_log import judge_runs
from arena.store.prompts import prompt_sets
from arena.web.rendering import score
from arena.web.run_pages.file import environment, html, policy
from arena.web.run_pages.view import Documents, NoSuchPage

OWN = "connect-src 'self'; form-action 'self'; frame-ancestors 'none'"  # what the policy of a file does not have
HOSTS = ["localhost", "127.0.0.1"]  # no other name may lead here: a page elsewhere could read it


def view_app(documents: Documents) -> FastAPI:
    """The application."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    templates = environment()
    templates.filters["score"] = score
    pages = Pages(documents, templates)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=HOSTS)
    app.middleware("http")(_protected)
    app.add_api_route("/", pages.index)
    app.add_api_route("/compare", pages.compare)
    app.add_api_route("/{kind}/{name:path}/samples/{number:int}", pages.sample)
    app.add_api_route("/{kind}/{name:path}/report.html", pages.file)
    app.add_api_route("/{kind}/{name:path}", pages.run)  # a prompt set of the hub has a slash in its name
    app.add_exception_handler(NoSuchPage, pages.absent)
    app.add_exception_handler(ConfigError, pages.unusable)
    return app


async def _protected(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Nothing is loaded from elsewhere, and no script runs but that of the page."""
    response = await call_next(request)
    response.headers["content-security-policy"] = f"{policy()}; {OWN}"
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "no-referrer"
    response.headers["cache-control"] = "no-store"
    return response


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    documents: Documents
    templates: Environment

    def index(self) -> HTMLResponse:
        """All runs and prompt sets."""
        with self.documents.database.read() as session:
            bench, sets = all_runs(session), prompt_sets(session)
        judged = [
            (record, datetime.fromtimestamp(record.at, UTC)) for record in judge_runs(self.documents.reply_cache)
        ]
        return self._page("view_index.html", judged=judged[::-1], bench=bench[::-1], sets=sets)

    def compare(self, request: Request) -> Response:
        """The comparison of the runs that were ticked."""
        ticked = list(dict.fromkeys(request.query_params.getlist("run")))
        kinds = {one.partition("/")[0] for one in ticked}
        if len(ticked) < 2 or len(kinds) != 1 or (kinds == {"judge"} and len(ticked) != 2):
            raise NoSuchPage("Choose two judge runs, or two or more benchmark runs.")
        names = ",".join(one.partition("/")[2] for one in ticked)
        return RedirectResponse(f"/{'compare' if kinds == {'judge'} else 'bench'}/{quote(names, safe=',')}", 303)

    def run(self, kind: str, name: str) -> HTMLResponse:
        document = self.documents.document(kind, name, fresh=True)
        address = f"/{kind}/{quote(name, safe=',/')}"
        prompts = dict(document.settings).get("prompts") if kind == "judge" else None
        return self._page("view_run.html", document=document, address=address, prompts=prompts)

    def file(self, kind: str, name: str) -> Response:
        """The self-contained file of a run, as a download."""
        headers = {"content-disposition": f'attachment; filename="{kind}-report.html"'}
        return HTMLResponse(html(self.documents.document(kind, name, fresh=True)), headers=headers)

    def sample(self, kind: str, name: str, number: int, part: int = 0) -> HTMLResponse:
        """One sample: as a page, or as the part of a page."""
        document = self.documents.document(kind, name)
        if not 1 <= number <= len(document.samples):
            raise NoSuchPage(f"There is no sample {number}. There are {len(document.samples):,}.")
        values: dict[str, Any] = {
            "document": document, "sample": document.samples[number - 1], "number": number,
            "address": f"/{kind}/{quote(name, safe=',/')}",
        }  # fmt: skip
        return self._page("view_part.html" if part else "view_sample.html", **values)

    def absent(self, _request: Request, problem: Exception) -> Response:
        return self._page("view_problem.html", 404, problem=str(problem))

    def unusable(self, _request: Request, problem: Exception) -> Response:
        return self._page("view_problem.html", 409, problem=str(problem))

    def _page(self, template: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(template).render(**values), status)
