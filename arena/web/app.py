"""The web application: the battle page by Gradio, pages to read and JSON by FastAPI, one process."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from arena import __version__
from arena.battles.battles import Battles
from arena.config import LedgerSettings, Settings
from arena.exchange.sealing import seal
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.vote_filters import find_filter
from arena.serving.models import Serving
from arena.store import Database, DatabaseError
from arena.web.api import routes
from arena.web.board_view import Boards
from arena.web.error_pages import tell_people
from arena.web.events import forgive_unknown
from arena.web.explain_jobs import ExplainJobs
from arena.web.navigation import links
from arena.web.pages import battle, benchmarks, explain, leaderboard, model, rating_change
from arena.web.pages import battles as reading_battles
from arena.web.rendering import templates
from arena.web.session import Sessions

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
TIDY_EVERY = 600.0  # seconds between two looks for battles that were left open


def create_app(settings: Settings, database: Database, serving: Serving) -> FastAPI:
    """The application, ready for an ASGI server. `database` is migrated and locked already."""
    battles = Battles(database, serving, settings.battles)
    explanations = ExplainJobs(settings)
    cache = ResultCache(database)
    find_filter(settings.ledger.filter)  # a wrong name is told at the start, not an hour later

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        closed = await battles.open()
        if closed:
            log.warning("%d battles were being written when the arena last stopped: closed as abandoned", closed)
        serving.start()
        tasks = [asyncio.create_task(_tidy(battles))]
        if settings.ledger.seal_every:
            tasks.append(asyncio.create_task(_seal(database, settings.ledger)))
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        explanations.close()
        await battles.close()
        await serving.close()

    app = FastAPI(title=settings.web.title, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.add_middleware(Sessions, secure=settings.web.secure_cookies)
    app.include_router(routes(cache, serving, settings))
    app.include_router(explain.routes(settings, database, explanations))
    boards, environment = Boards(cache, settings), templates(settings.web.title)
    for pages in (leaderboard, rating_change, model, reading_battles, benchmarks):
        app.include_router(pages.routes(boards, environment))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)  # nor is it asked for
        _mount(app, build_pages(settings, battles))
    for one in (app, _gradio(app)):
        tell_people(one, environment)
    return app


def _mount(app: FastAPI, pages: gr.Blocks) -> None:
    gr.mount_gradio_app(
        app,
        pages,
        path="/",
        theme=theme(),
        head=_head(),
        favicon_path=str(STATIC / "favicon.svg"),
        footer_links=[],
        show_error=False,  # an error's text could tell which model failed
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
    )


def _gradio(app: FastAPI) -> FastAPI:
    """The application that was mounted at `/`: it is asked for every address that nobody else knows."""
    return next(route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, FastAPI))


def _head() -> str:
    """Style and script as they are: Gradio's own way would rewrite every selector, and break `:is()`."""
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("arena.css", "arena.js"))
    return f"<style>{style}</style><script>{script}</script>"


def build_pages(settings: Settings, battles: Battles) -> gr.Blocks:
    """The battle page, with the way to the pages for readers."""
    with gr.Blocks(title=f"Battle · {settings.web.title}", analytics_enabled=False) as pages:
        gr.HTML(links("/"), padding=False)
        battle.build(battles)
    pages.queue(api_open=False, default_concurrency_limit=None)
    forgive_unknown(pages)
    return pages


def theme() -> gr.themes.Base:
    """System fonts: they are there, need no network, and the bundled ones lack letters in bold."""
    default = gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # its greys and its button are too pale to be read by everybody: contrast below 4.5 to 1
    return default.set(
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )


async def _seal(database: Database, ledger: LedgerSettings) -> None:
    """Seal by schedule. A seal that fails is told and tried again: votes must not wait for it."""
    while True:
        await asyncio.sleep(ledger.seal_every)
        try:
            with database.errors_translated():
                done = await asyncio.to_thread(seal, database, ledger.filter)
        except DatabaseError:
            log.exception("the votes could not be sealed; the next try is in %g s", ledger.seal_every)
            continue
        for one in done.new:
            log.info("seal %d: %d votes, %s", one.number, one.votes, one.sha256)


async def _tidy(battles: Battles) -> None:
    while True:
        await asyncio.sleep(TIDY_EVERY)
        await battles.close_stale()
