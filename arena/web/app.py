"""The web application: the battle page by Gradio, the other pages and JSON by FastAPI, in one process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from jinja2 import Environment

from arena import __version__
from arena.battles.battles import Battles
from arena.battles.liveness import CHECK_EVERY
from arena.battles.loop_lag import PROBE_EVERY, LoopLag
from arena.battles.visitor_limits import VisitorLimits
from arena.config import LedgerSettings, Settings, TrustSettings
from arena.exchange.dated_seals import date_seals
from arena.exchange.ledger_keys import read_key
from arena.exchange.receipts import Receipts
from arena.exchange.sealing import SealingResult, seal
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.vote_filters import find_filter
from arena.moderation.checks import checks_of
from arena.rules.languages import model as language_model
from arena.rules.messages import gettext_noop
from arena.serving.models import Serving
from arena.store import Database
from arena.trust.periodic import TrustChecks
from arena.voters.export import Downloads
from arena.web import healthz
from arena.web.addresses import Addresses
from arena.web.admin import Frame, include_admin
from arena.web.attack_meter import LOOK_EVERY, DailyAttackCost
from arena.web.background import Periodic, closing, running
from arena.web.board_view import CachedBoards
from arena.web.body_limit import BodyLimit, HeaderLimit
from arena.web.client_address import TrustedProxies
from arena.web.error_pages import add_error_pages
from arena.web.explain_jobs import ExplainJobs
from arena.web.flood_limits import FloodLimits
from arena.web.gradio_app import mount_battle_page
from arena.web.hosts import KnownHosts
from arena.web.locales import Languages
from arena.web.pages import (
    api,
    benchmarks,
    comparison,
    diagram,
    explain,
    information,
    leaderboard,
    me,
    models,
    plots,
    rank_robustness,
    rating_change,
    reading,
    sign_in,
    trust,
)
from arena.web.pages import battles as battles_page
from arena.web.pages.admin import ADMIN_PAGES, login
from arena.web.rendering import templates
from arena.web.security_headers import SecurityHeaders
from arena.web.served_routes import ServedRoutes
from arena.web.session import CookieSigner, Sessions
from arena.web.site_texts import SiteTexts
from arena.web.v1 import ledger_routes
from arena.web.v1.battle_context import BattleContext
from arena.web.v1.context import Context
from arena.web.v1.image_routes import IMAGES
from arena.web.v1.routes import router as api_router
from arena.web.v1.stream_places import StreamPlaces
from arena.web.voters import SessionVoters, cookie_signer, voter_lookup

log = logging.getLogger(__name__)

COUNT_EVERY = 0.5  # second: how much later than its time a vote counts
SAVE_EVERY = 1.0  # second: what a killed server loses of a turn, for one small transaction
UNREAD_EVERY = 1.0  # second
MODELS_EVERY = 1.0  # second: how much later than on the page of models a change is in force on every server
RULES_EVERY = 2.0  # seconds until rules and texts that were saved on one server apply on the others
TIDY_EVERY = 600.0  # seconds between two checks for battles that were left open


def create_app(settings: Settings, database: Database, serving: Serving) -> FastAPI:
    """The application, ready for an ASGI server. `database` is migrated and locked already."""
    lag = LoopLag()
    signer = cookie_signer(settings.web, database)
    limits = VisitorLimits(serving, settings.limits, lag, votes_need_sign_in=settings.sign_in.required == "vote")
    checks = checks_of(settings, database, signer.derived(b"arena challenges"), limits.is_loaded)
    serving.take_configured(settings.models)
    battles = Battles(
        database, serving, settings.battles, visitor_limits=limits, checks=checks, sampling=settings.sampling
    )
    explanations, cache, site_texts = ExplainJobs(settings), ResultCache(database), SiteTexts(database)
    attack_costs = DailyAttackCost(database, serving, settings)
    jobs = [
        *_background_tasks(battles, database, settings.ledger),
        *_watches(battles, lag),
        Periodic(gettext_noop("forget expired checks of visitors"), TIDY_EVERY, checks.forget),
        *_vote_checks(database, settings.trust),
        Periodic(gettext_noop("apply saved rules for texts"), RULES_EVERY, battles.use_saved_rules),
        Periodic(gettext_noop("read saved prompts and pages"), RULES_EVERY, site_texts.refresh),
        Periodic(gettext_noop("check texts again"), settings.moderation.retry_seconds, battles.check_texts_again),
        Periodic(gettext_noop("measure what an attack costs"), LOOK_EVERY, attack_costs.measure),
    ]
    find_filter(settings.ledger.filter)  # a wrong name is an error at the start, not an hour later

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await checks.open()
        closed = await battles.open()
        await site_texts.refresh()
        if closed:
            log.warning("%d turns were running when the arena last stopped. Their texts are kept.", closed)
        serving.start()
        languages = asyncio.create_task(asyncio.to_thread(language_model))  # a second that no vote should wait for
        async with (
            closing(
                ("the explanations", lambda: asyncio.to_thread(explanations.close)),
                ("the running battles", battles.close),
                ("the models", serving.close),
                ("the checks", checks.close),
                ("the exported file", lambda: asyncio.to_thread(frame.long_jobs.close)),
            ),
            running(jobs),
        ):
            yield
        await languages

    app = FastAPI(title=settings.web.title, version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None)
    environment = templates(settings.web.title)
    app.state.voters = SessionVoters(database)
    _add_middleware(app, settings, database, environment, signer)
    app.include_router(healthz.routes(database, battles))
    app.state.battles = battles
    key = read_key(settings.ledger.key)
    app.state.v1 = Context(cache, settings, key, Receipts(database, key), battles.live_models)
    places = StreamPlaces(settings.limits.open_events_per_address)
    boards = CachedBoards(cache, settings, battles.live_models)
    downloads = Downloads(database, battles.masked)
    app.state.battle_api = BattleContext(battles, settings, boards, signer, places, downloads, site_texts)
    app.include_router(api.routes(environment))
    app.include_router(api_router)
    app.include_router(ledger_routes.well_known)
    app.include_router(information.routes(environment, settings.web.pages_dir, site_texts))
    app.include_router(explain.routes(settings, database, explanations))
    _include_pages(app, boards, environment)
    app.include_router(trust.routes(app.state.v1, environment))
    app.include_router(me.routes(boards, battles, downloads, environment))
    frame = Frame(environment, database, settings, serving, battles, boards, site_texts, ADMIN_PAGES, jobs)
    include_admin(app, frame)
    app.include_router(login.routes(frame, signer.derived(b"arena known browsers")))
    app.include_router(sign_in.routes(settings, database, signer, environment))
    for part in (app, mount_battle_page(app, settings, environment)):
        add_error_pages(part, environment)
    return app


def _add_middleware(
    app: FastAPI, settings: Settings, database: Database, environment: Environment, signer: CookieSigner
) -> None:
    """The innermost comes first."""
    app.add_middleware(
        BodyLimit,
        environment=environment,
        max_body=settings.web.max_body_bytes,
        larger={IMAGES: settings.web.max_image_bytes},
    )
    app.add_middleware(ServedRoutes, own=app.routes, environment=environment)
    app.add_middleware(
        Sessions,
        signer=signer,
        is_voter=voter_lookup(database),
        secure=settings.web.secure_cookies,
        voter_by_hash=app.state.voters,
    )
    app.add_middleware(Addresses, environment=environment)
    app.add_middleware(HeaderLimit, environment=environment)
    app.add_middleware(FloodLimits, environment=environment, limits=settings.limits)
    app.add_middleware(KnownHosts, environment=environment, names=settings.web.allowed_hosts)
    app.add_middleware(Languages)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(TrustedProxies, proxies=settings.web.trusted_proxies)


def _include_pages(app: FastAPI, boards: CachedBoards, environment: Environment) -> None:
    """The pages that read the boards."""
    for page in (leaderboard, comparison, rank_robustness, rating_change, models, battles_page, benchmarks):
        app.include_router(page.routes(boards, environment))
    app.include_router(plots.routes(boards))
    app.include_router(reading.routes())
    app.include_router(diagram.routes(environment))


def _watches(battles: Battles, lag: LoopLag) -> list[Periodic]:
    """Measure the event loop, and keep nothing that no visitor needs."""
    return [
        Periodic(gettext_noop("measure the lag of the event loop"), PROBE_EVERY, lag.probe),
        Periodic(gettext_noop("stop turns that nobody reads"), UNREAD_EVERY, battles.stop_unread),
        Periodic(gettext_noop("forget visitors after a day"), TIDY_EVERY, battles.forget_visitors),
        Periodic(gettext_noop("delete images that no prompt uses"), TIDY_EVERY, battles.delete_unused_images),
    ]


def _vote_checks(database: Database, trust: TrustSettings) -> list[Periodic]:
    """Quarantine the votes of those who are no honest voters."""
    if not trust.check_every:
        return []
    return [Periodic(gettext_noop("check voters"), trust.check_every, TrustChecks(database).run)]


def _background_tasks(battles: Battles, database: Database, ledger: LedgerSettings) -> list[Periodic]:
    """Keep running turns safe, close what was left, and seal votes."""

    def sealed() -> SealingResult:
        with database.patient() as patient:  # a large arena takes longer to seal than readers wait
            return seal(patient, ledger.filter)

    async def seal_votes() -> None:
        done = await asyncio.to_thread(sealed)
        for new in done.new:
            log.info("seal %d: %d votes, %s", new.number, new.votes, new.sha256)
        if ledger.timestamps is not None:
            dated = await asyncio.to_thread(date_seals, ledger.timestamps, done.last, ledger.calendars)
            for problem in dated.problems:
                log.warning("The timestamp of a seal is not complete: %s", problem)

    tasks = [
        Periodic(gettext_noop("save the texts of running turns"), SAVE_EVERY, battles.save_texts),
        Periodic(gettext_noop("count votes that can no longer be undone"), COUNT_EVERY, battles.count_due_votes),
        Periodic(gettext_noop("follow changes of models"), MODELS_EVERY, battles.follow_models),
        Periodic(
            gettext_noop("weigh pairs by the votes"),
            battles.sampling.settings.refresh_seconds,
            battles.sampling.refresh,
        ),
        Periodic(gettext_noop("check the servers of running turns"), CHECK_EVERY, battles.check_servers),
        Periodic(gettext_noop("close stale battles"), TIDY_EVERY, battles.close_stale),
    ]
    return (
        [*tasks, Periodic(gettext_noop("seal votes"), ledger.seal_every, seal_votes)]
        if ledger.seal_every
        else tasks
    )
