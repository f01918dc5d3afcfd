"""The battle page as a Gradio application, mounted at `/`."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from starlette.routing import Mount

from arena.battles.battles import Battles
from arena.config import Settings
from arena.web.battle_widgets import raw_html
from arena.web.event_bodies import EventBodies
from arena.web.navigation import links
from arena.web.open_streams import OpenStreams
from arena.web.pages import battle
from arena.web.queue_requests import QueueRequests
from arena.web.queue_sessions import QueueSessions

# Gradio keeps a copy of the page's settings for each session, about 130 KB; one that is dropped is made again.
PAGE_STATES = 500
# Gradio summarizes its last 10,000 events at the end of every so many: never.
SUMMARIZE_EVERY = 2**31
STATIC = Path(__file__).parent / "static"


def mount_battle_page(app: FastAPI, settings: Settings, battles: Battles) -> FastAPI:
    """Mount the page; returns Gradio's application, which receives each address that `app` does not serve."""
    streams = OpenStreams()
    pages = build_pages(settings, battles, streams)
    bodies = EventBodies(pages)
    _bound(pages)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)  # SSR is off below
        _mount(app, pages)
    mounted = next(
        route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, FastAPI)
    )
    mounted.add_middleware(
        QueueRequests,
        bodies=bodies,
        sessions=QueueSessions(pages, streams),
        per_address=settings.limits.open_events_per_address,
    )
    return mounted


def _bound(pages: gr.Blocks) -> None:
    """Set what `launch()` sets and mounting does not, and limit what Gradio keeps for sessions that anybody makes up."""
    pages.has_launched = True  # otherwise Gradio copies every file that an input names
    pages.state_session_capacity = PAGE_STATES


def _mount(app: FastAPI, pages: gr.Blocks) -> None:
    gr.mount_gradio_app(
        app,
        pages,
        path="/",
        theme=theme(),
        head=_head(),
        favicon_path=str(STATIC / "favicon.svg"),
        footer_links=[],
        allowed_paths=[],
        blocked_paths=[Path.cwd().anchor],  # no file at all is an input or output of the page
        show_error=False,  # the text of an error could identify the model
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
    )


def _head() -> str:
    """Style and script, unchanged: Gradio's `css` rewrites every selector and breaks `:is()`."""
    style, script = ((STATIC / name).read_text(encoding="utf-8") for name in ("arena.css", "arena.js"))
    return f"<style>{style}</style><script>{script}</script>"


def build_pages(settings: Settings, battles: Battles, streams: OpenStreams) -> gr.Blocks:
    """The battle page, with links to the other pages."""
    os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(SUMMARIZE_EVERY))
    with gr.Blocks(title=f"Battle · {settings.web.title}", analytics_enabled=False) as pages:
        raw_html(links("/"))
        battle.build(battles, streams)
    pages.queue(api_open=False, default_concurrency_limit=None)
    return pages


def theme() -> gr.themes.Base:
    """The theme, with system fonts: they need no network, and Gradio's bundled ones lack letters in bold."""
    default = gr.themes.Default(
        primary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )
    # the default greys and button have a contrast below 4.5 to 1
    return default.set(
        body_text_color_subdued="*neutral_500",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
    )
