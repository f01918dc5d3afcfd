"""The battle page as a Gradio application, mounted at `/`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import gradio as gr
from fastapi import FastAPI
from jinja2 import Environment
from markupsafe import Markup
from starlette.requests import Request
from starlette.routing import Mount

from arena.config import Settings
from arena.moderation.third_parties import provider_of
from arena.web.battle_document import BattleDocument, Parts
from arena.web.locales import current_language, gettext
from arena.web.pages import battle
from arena.web.v1.arena_routes import CONSENT, arena_document

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("text.js", *sorted(path.name for path in (STATIC / "battle").glob("*.js")))


def mount_battle_page(app: FastAPI, settings: Settings, environment: Environment) -> FastAPI:
    """Mount the page; returns Gradio's application, which receives each address that `app` does not serve."""
    pages = battle.build(settings.web.title)
    pages.has_launched = (
        True  # set by `launch()`, not by mounting; otherwise Gradio copies files that a request names
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "SSR mode is not supported", UserWarning)  # SSR is off below
        _mount(app, pages)
    mounted = next(
        route.app for route in app.routes if isinstance(route, Mount) and isinstance(route.app, FastAPI)
    )

    def parts(_request: Request) -> Parts:
        language = current_language()
        names = {"here": "/", "battle_scripts": SCRIPTS, "consent": gettext(CONSENT), "facts": _facts(app)}
        head, body = (environment.get_template(name) for name in ("battle_page_head.html", "battle_page.html"))
        return Parts(head.render(names), body.render(names), language.code, language.direction)

    provider = provider_of(settings.challenge)
    mounted.add_middleware(BattleDocument, parts=parts, hosts=provider.hosts if provider else ())
    return mounted


def _facts(app: FastAPI) -> Markup:
    """What `GET /api/v1/arena` replies, for a script element: no text in it ends the element."""
    return Markup(json.dumps(arena_document(app.state.battle_api), ensure_ascii=False).replace("<", "\\u003c"))  # noqa: S704


def _mount(app: FastAPI, pages: gr.Blocks) -> None:
    gr.mount_gradio_app(
        app,
        pages,
        path="/",
        theme=gr.themes.Default(font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]),
        favicon_path=str(STATIC / "favicon.svg"),
        footer_links=[],
        allowed_paths=[],
        blocked_paths=[Path.cwd().anchor],  # no file at all is an input or output of the page
        show_error=False,  # the text of an error could identify the model
        ssr_mode=False,
        run_history=False,
        enable_monitoring=False,
    )
