"""The page `/explain/<battle>`: stored explanations, and a new one made while the page stays awake.

Plain HTML from FastAPI: a Gradio page has one address, and here each battle has its own.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.config import Settings
from arena.errors import ConfigError
from arena.explaining import explain
from arena.serving import model_clients
from arena.serving.local_weights import has_weights
from arena.store import Database
from arena.store.explanations import BattleTexts, StoredExplanation
from arena.store.shared_battles import may_read
from arena.web.explain_jobs import Busy, Explanations, Job
from arena.web.navigation import links
from arena.web.session import COOKIE, voter_of
from interp.blackbox.methods import BLACK_BOX
from interp.render.page import SPOKEN, fragment, style
from interp.whitebox.methods import HEAD_MEASURES, WHITE_BOX

LONGEST = 160  # characters of the prompt in the heading
SIDE_BY_SIDE = 2
UNREADABLE = "There is no such battle to read: its voter has not agreed, or it never was"


def routes(settings: Settings, database: Database, jobs: Explanations) -> APIRouter:
    """`/explain/<battle>`, with `show=1,2` for two stored explanations side by side."""
    router = APIRouter(prefix="/explain", include_in_schema=False)

    def battle_of(name: str, request: Request) -> BattleTexts:
        """By its public id, which stands beside every published vote: so only for those who may read its texts."""
        voter = voter_of(request.cookies.get(COOKIE))
        with database.read() as session:
            if not may_read(session, name, voter, judged=settings.web.show_judged):
                raise HTTPException(404, UNREADABLE)
        try:
            return explain.find_battle(database, name)
        except ConfigError as problem:
            raise HTTPException(404, str(problem)) from problem

    @router.get("/{name}", response_class=HTMLResponse)
    def show(name: str, request: Request, show: str = "") -> HTMLResponse:
        battle = battle_of(name, request)
        stored = explain.all_stored(database, battle)
        body = (
            _head(battle)
            + _job(battle, jobs.job(name))
            + _start(settings, battle, jobs)
            + _shown(stored, show, settings)
        )
        return HTMLResponse(_page(f"Why? Battle {battle.id}", body, settings))

    @router.post("/{name}")
    def start(
        name: str,
        request: Request,
        judge: Annotated[str, Form()],
        method: Annotated[str, Form()],
        about: Annotated[str, Form()] = explain.VERDICT,
        heads: Annotated[str, Form()] = HEAD_MEASURES[0],
    ) -> RedirectResponse:
        battle = battle_of(name, request)
        if not settings.web.explain:
            raise HTTPException(403, "explanations are made by the operator here: arena explain")
        if judge not in judges(settings) or method not in explain.method_names():
            raise HTTPException(422, f"judge {judge!r} with method {method!r} cannot be asked from this page")
        if about not in explain.ABOUT or heads not in HEAD_MEASURES:
            raise HTTPException(422, f"about {about!r}, heads {heads!r} cannot be asked from this page")
        try:
            jobs.begin(battle.public_id, judge, method, about, heads)
        except Busy as problem:
            raise HTTPException(409, str(problem)) from problem
        return RedirectResponse(f"/explain/{quote(name)}", 303)

    @router.post("/{name}/cancel")
    def cancel(name: str, request: Request) -> RedirectResponse:
        jobs.cancel(battle_of(name, request).public_id)
        return RedirectResponse(f"/explain/{quote(name)}", 303)

    @router.get("/{name}/state")
    def state(name: str, request: Request) -> dict[str, Any]:
        job = jobs.job(battle_of(name, request).public_id)
        return job.to_dict() if job else {"running": False}

    return router


def judges(settings: Settings) -> list[str]:
    """Models that a visitor may have explained: those with weights here, which cost the operator no money."""
    return [name for name, one in model_clients.configured(settings).items() if has_weights(one)]


def _(text: object) -> str:
    return html.escape(str(text))


def _page(title: str, body: str, settings: Settings) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<title>{_(title)} · {_(settings.web.title)}</title>"
        f'<link rel="icon" href="/reading/favicon.svg" type="image/svg+xml"><style>{style()}{STYLE}</style></head>'
        f'<body class="alone"><header>{links("")}</header>'
        f"<main>{body}</main><script>{SCRIPT}</script></body></html>"
    )


def _head(battle: BattleTexts) -> str:
    prompt = battle.pair.messages[-1]["content"]
    shown = prompt if len(prompt) <= LONGEST else prompt[:LONGEST] + "…"
    votes = ", ".join(f"{source}: {SPOKEN.get(winner, winner)}" for source, winner in battle.votes) or "none yet"
    return (
        f'<div class="explained"><h1>Why? Battle {battle.id}</h1><p><q>{_(shown)}</q></p><p class="soft">'
        f"A is {_(battle.pair.model_a)}, B is {_(battle.pair.model_b)}. Votes: {_(votes)}.</p></div>"
    )


def _job(battle: BattleTexts, job: Job | None) -> str:
    """The explanation under way, or how the last one failed."""
    if job is None or (not job.running and job.error is None):
        return ""
    if not job.running:
        return f'<div class="explained"><p class="failed" role="alert">{_(job.error)}</p></div>'
    share = f' value="{job.done}" max="{job.total}"' if job.total else ""
    return (
        f'<form class="explained card job" method="post" action="/explain/{quote(battle.public_id)}/cancel">'
        f'<p id="stage" aria-live="polite">{_(job.judge)}, {_(job.method)}: {_(job.stage)}</p>'
        f'<progress id="progress"{share} aria-label="progress"></progress> <button>Cancel</button></form>'
    )


def _start(settings: Settings, battle: BattleTexts, jobs: Explanations) -> str:
    """The form that begins another one."""
    able = judges(settings)
    if not settings.web.explain or not able:
        return (
            '<p class="explained soft">New explanations are made with '
            f"<code>arena explain {battle.id} --judge JUDGE</code>.</p>"
        )
    says = {name: one.says for name, one in BLACK_BOX.items()} | {
        name: one.says for name, one in WHITE_BOX.items()
    }
    options = "".join(f'<option value="{name}">{name}: {_(text)}</option>' for name, text in says.items())
    models = "".join(f"<option>{_(name)}</option>" for name in able)
    busy = " disabled" if jobs.running() else ""
    about = (
        ("verdict", "the judge's verdict"),
        ("a", f"answer A, by {battle.pair.model_a}"),
        ("b", f"answer B, by {battle.pair.model_b}"),
    )
    whats = "".join(f'<option value="{value}">{_(text)}</option>' for value, text in about)
    return (
        '<form class="explained start" method="post"><label>Explain <select name="about">'
        f"{whats}</select></label>"
        f'<label>with the weights of <select name="judge">{models}</select></label>'
        '<label>Heads <select name="heads"><option value="gradient">by gradient, quick</option>'
        '<option value="ablation">by ablation: exact, minutes</option></select></label>'
        f'<label>Method <select name="method">{options}</select></label>'
        f"<button{busy}>Explain</button></form>"
    )


def _shown(stored: Sequence[StoredExplanation], show: str, settings: Settings) -> str:
    """The explanations asked for, else the newest, with links to the others."""
    if not stored:
        cure = ": choose a method above and press Explain" if settings.web.explain and judges(settings) else ""
        return f'<p class="explained">No explanation of this battle has been made yet{cure}.</p>'
    wanted = [part.strip() for part in show.split(",")]
    chosen = [one for number in wanted for one in stored if str(one.id) == number][:SIDE_BY_SIDE] or [stored[0]]
    documents: list[Mapping[str, Any]] = [one.document for one in chosen]
    titles = dict.fromkeys(_title(one) for one in chosen)
    links = "".join(_link(one, chosen) for one in stored)
    return f'<ul class="explained stored">{links}</ul>{fragment(documents, "; ".join(titles), tag="h2")}'


def _title(one: StoredExplanation) -> str:
    answer = one.document.get("answer")
    return f"Answer {answer['side'].upper()} read by {one.judge}" if answer else f"Judged by {one.judge}"


def _link(one: StoredExplanation, chosen: Sequence[StoredExplanation]) -> str:
    here = any(one.id == other.id for other in chosen)
    made = f"{one.created_at:%Y-%m-%d %H:%M} UTC"
    beside = "" if here else f' · <a href="?show={chosen[0].id},{one.id}">beside it</a>'
    name = f"{_(_title(one))}, {_(one.method)}"
    shown = f'<strong aria-current="true">{name}</strong>' if here else f'<a href="?show={one.id}">{name}</a>'
    return f'<li>{shown} <span class="soft">{made}</span>{beside}</li>'


STYLE = """
body.alone { padding-top: 0; --quiet: #526077; --edge: #e2e8f0; --plain: #1e293b; }
header { border-bottom: 1px solid var(--edge); margin: 0 calc(-1 * clamp(.75rem, 3vw, 2.5rem)) 1rem; }
.pages { font: 16px/1.5 system-ui, sans-serif; display: flex; justify-content: flex-end; gap: .25rem; max-width: 1280px;
  margin: 0 auto; padding: .5rem 1rem; }
.pages a { padding: .35rem .6rem; border-radius: 6px; text-decoration: none; color: var(--quiet); }
.pages a:hover { color: var(--plain); }
a { color: #4f46e5; }
@media (prefers-color-scheme: dark) { a { color: #a5b4fc; }
  body.alone { --quiet: #a3b1c6; --edge: #334155; --plain: #f1f5f9; } }
@media (max-width: 480px) { .pages { gap: 0; padding: .4rem .5rem; }
  .pages a { padding-inline: .45rem; font-size: .95rem; } }
:focus-visible { outline: 2px solid #6366f1; outline-offset: 2px; border-radius: 2px; }
main { max-width: 1200px; margin: 0 auto; }
.start, .job { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: end; margin: 1rem 0; }
.start label { display: grid; font-size: .85rem; min-width: 0; }
.start :is(select, button), .job button { font: inherit; padding: .45rem .7rem; min-height: 44px; max-width: 100%;
  border-radius: 8px; border: 1px solid var(--line); background: var(--paper); color: var(--ink); }
.start button { background: #4f46e5; border-color: #4f46e5; color: #fff; font-weight: 600; }
.start button:disabled { opacity: .45; }
.job p { margin: 0; flex: 1 1 100%; } .job progress { flex: 1; min-width: 8rem; height: 1rem; align-self: center; }
@media (max-width: 640px) { .start label, .start select { width: 100%; } }
.failed { border: 1px solid var(--bad); color: var(--bad); border-radius: 8px; padding: .6rem .9rem; }
.stored { padding-left: 1.2rem; margin: .5rem 0 1rem; }
"""

# Asks once a second how far it is; when it has ended, the page is loaded again. Without script: reload by hand.
SCRIPT = """
const stage = document.getElementById('stage'), bar = document.getElementById('progress');
if (stage) setInterval(async () => {
  let job;
  try { job = await (await fetch(location.pathname + '/state')).json(); } catch { return; }
  if (!job.running) { location.replace(location.pathname); return; }
  const texts = job.total ? ` (${job.done} of ${job.total} texts)` : '';
  stage.textContent = `${job.judge}, ${job.method}: ${job.stage}${texts}, ${job.seconds} s`;
  if (job.total) { bar.max = job.total; bar.value = job.done; } else bar.removeAttribute('value');
}, 1000);
"""
