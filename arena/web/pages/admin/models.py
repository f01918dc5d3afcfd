"""`/admin/models`: each model's state, endpoint and cost, and what an operator can set without a restart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, HTTPException
from fastapi.responses import HTMLResponse, Response

from arena.errors import ConfigError
from arena.rules.messages import Phrase, TranslatableError, gettext_noop
from arena.rules.model_states import STATE_NAMES, ModelAction
from arena.store.model_states import change, changes, note, private_variants
from arena.web.admin import Frame, Operator
from arena.web.admin.model_rows import model_rows, seconds_until

PATH = "/admin/models"
LONGEST = 1_000  # characters of a reason
ENTRIES = 50  # of the log on the page
DONE: Mapping[ModelAction, str] = {
    ModelAction.ENABLE: gettext_noop("{model} is drawn for battles again, on every server within two seconds."),
    ModelAction.PAUSE: gettext_noop("{model} is paused. Its running battles end normally."),
    ModelAction.RETIRE: gettext_noop("{model} is retired. Its votes and its place on the boards stay."),
    ModelAction.WEIGHT: gettext_noop("The weight of {model} has changed."),
    ModelAction.BOOST: gettext_noop("The boost of {model} has changed."),
    ModelAction.RELEASE: gettext_noop("{model} is released. Votes from now on count on the boards."),
}
NO_FILE = gettext_noop("This arena runs without a settings file. Start it with arena serve to add models.")
NO_REASON = gettext_noop("The reason is empty. Write why, for the log.")

Reason = Annotated[str, Form(max_length=LONGEST)]


def routes(frame: Frame) -> APIRouter:
    """The page, and its actions."""
    router = APIRouter()

    @router.get(PATH)
    def show(visit: Operator) -> HTMLResponse:
        with frame.database.read() as session:
            rows, log, private = (
                model_rows(session, frame),
                changes(session, limit=ENTRIES),
                private_variants(session),
            )
        values = {
            "rows": rows,
            "log": log,
            "private": private,
            "states": STATE_NAMES,
            "seconds_until": seconds_until,
        }
        return frame.page("admin_models.html", visit, **values, sampling=frame.settings.sampling)

    @router.post(f"{PATH}/reload")
    def reload(visit: Operator, reason: Reason = "") -> Response:
        with frame.action(visit, "model.reload", reason=reason) as session:
            _check_file(frame)
            note(session, "", ModelAction.RELOAD, reason=reason, by=visit.name)
        done = Phrase(
            "Every server reads its settings file again within two seconds. The log below shows refusals."
        )
        return frame.back(visit, PATH, done)

    @router.post(f"{PATH}/{{action}}")
    def act(
        visit: Operator,
        action: str,
        model: Annotated[str, Form(max_length=120)],
        reason: Reason = "",
        value: Annotated[str, Form(max_length=20)] = "",
    ) -> Response:
        wanted = next((known for known in DONE if known == action), None)
        if wanted is None or model not in {known.name for known in frame.battles.live_models.configured}:
            raise HTTPException(404)
        details: dict[str, object] = {}
        with frame.action(visit, f"model.{wanted}", model, reason=reason, details=details) as session:
            if not reason.strip():
                raise TranslatableError(NO_REASON)
            number = _number(value) if wanted in (ModelAction.WEIGHT, ModelAction.BOOST) else None
            details["value"] = number
            change(session, model, wanted, reason=reason.strip(), by=visit.name, value=number)
        return frame.back(visit, PATH, Phrase(DONE[wanted], model=model))

    return router


def _number(value: str) -> float | None:
    """The number of a form, None for an empty field. Raises `TranslatableError`."""
    try:
        return float(value) if value.strip() else None
    except ValueError:
        raise TranslatableError("{value} is no number. Write digits, with a point.", value=value) from None


def _check_file(frame: Frame) -> None:
    """Raises `TranslatableError` for a settings file that this server cannot use."""
    if frame.serving.read is None:
        raise TranslatableError(NO_FILE)
    try:
        frame.battles.live_models.replaced(frame.serving.read())
    except ConfigError as problem:
        raise TranslatableError(
            "The settings file cannot be used, and nothing has changed: {problem}", problem=problem
        ) from problem
