"""`GET /api/v1/arena`: what a front end needs to know before a battle."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from arena.battles.image_checks import most_images
from arena.config import SignInSettings
from arena.rules.messages import gettext_noop
from arena.rules.vote_reasons import BAD, BETTER
from arena.store.account_voters import is_signed_in
from arena.web.locales import current_language, gettext, languages
from arena.web.session import COOKIE, voter_of
from arena.web.v1 import battle_examples as examples
from arena.web.v1.battle_context import Api, BattleContext
from arena.web.v1.problems import ProblemRoute

CONSENT = gettext_noop(
    "Your prompts go to the operators of the models. A battle is published only if you agree to share it; your vote "
    "always counts without your name. Do not enter personal data."
)
router = APIRouter(route_class=ProblemRoute, tags=["battles"])


@router.get("/arena", responses=examples.ARENA_RESPONSES)
async def arena(
    request: Request,
    api: Api,
    models: Annotated[bool, Query(description="1: with the names of the models, for chosen ones")] = False,
) -> Response:
    """Title, limits, languages, suggested prompts, reasons for votes, and whether a battle can begin.

    Names of models only on request: a page that shows a blind battle receives none.
    """
    document = arena_document(api) | ({"models": _models(api)} if models else {})
    if document["sign_in"] is not None:
        document["sign_in"]["signed_in"] = await run_in_threadpool(_is_signed_in, request)
    return JSONResponse(document, headers={"cache-control": "no-store"})


def arena_document(api: BattleContext) -> dict[str, Any]:
    """The reply without names of models."""
    settings = api.settings
    language, obstacle = current_language(), api.battles.why_no_battle()
    return {
        "title": settings.web.title,
        "language": language.code,
        "languages": [{"code": known.code, "name": known.name} for known in languages().values()],
        "can_begin": obstacle is None and not api.battles.closing,
        "why_not": gettext(obstacle) if obstacle else None,
        "undo_seconds": settings.battles.undo_seconds,
        "limits": {
            "prompt_characters": settings.battles.max_prompt_characters,
            "turns": settings.battles.max_turns,
            **_image_limits(api),
        },
        "reasons": {"better": _labelled(BETTER), "both_bad": _labelled(BAD)},
        "prompts": {
            category: list(prompts)
            for category, prompts in api.site_texts.prompts(language.code).items()
            if prompts
        },
        "consent": gettext(CONSENT),
        "models_available": len(api.battles.serving.available_weights()),
        "sign_in": _sign_in(settings.sign_in),
        "models": None,
    }


def _sign_in(settings: SignInSettings) -> dict[str, Any] | None:
    """Whether votes need a sign-in; None where nobody can sign in. Whether this voter is signed in is not known yet."""
    if settings.issuer is None:
        return None
    return {"required": settings.required == "vote", "signed_in": None, "provider": settings.shown_name}


def _is_signed_in(request: Request) -> bool:
    voter = voter_of(request.cookies.get(COOKIE))
    if voter is None:
        return False
    with request.app.state.v1.database.read() as session:
        return is_signed_in(session, voter)


def _labelled(reasons: Any) -> list[dict[str, str]]:
    return [{"reason": reason, "label": gettext(label)} for reason, label in reasons.items()]


def _image_limits(api: BattleContext) -> dict[str, int]:
    """The most images of a prompt, with chosen models and with drawn ones, and the most bytes of each."""
    serving, most = api.battles.serving, most_images(api.battles.serving, api.settings.battles)
    return {
        "images": most,
        "blind_images": most if serving.image_readers() >= 2 else 0,
        "image_bytes": api.settings.web.max_image_bytes if most else 0,
    }


def _models(api: BattleContext) -> list[dict[str, Any]]:
    """The models that can be chosen now."""
    return [
        {"model": model.name, "images": model.settings.images}
        for model in sorted(api.battles.serving.choosable(), key=lambda model: model.name)
    ]
