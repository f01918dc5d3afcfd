"""Problems of the battle API: the codes that clients act on, their statuses, and when to repeat a request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from arena.battles.refusals import NOT_YOURS
from arena.moderation.visitor_checks import ChallengeRequired
from arena.rules.messages import gettext_noop
from arena.rules.refusals import Refusal

# The status of each code. 409: the state of the battle does not allow it; 422: the input; 428: a challenge comes first;
# 429 and 503: later.
STATUSES: Mapping[str, int] = {
    "no_session": 401,
    "origin": 403,
    "sign_in": 403,
    "not_found": 404,
    "wrong_status": 409,
    "still_running": 409,
    "not_begun": 409,
    "already_voted": 409,
    "too_late": 409,
    "interrupted": 409,
    "model_gone": 409,
    "too_many_turns": 409,
    "withheld": 409,
    "leaves_battles": 409,
    "media_type": 415,
    "bad_value": 422,
    "code_invalid": 422,
    "prompt_empty": 422,
    "prompt_too_long": 422,
    "prompt_rejected": 422,
    "image_rejected": 422,
    "conversation_too_long": 422,
    "challenge_required": 428,
    "challenge_failed": 428,
    "limit": 429,
    "budget": 429,
    "busy": 503,
    "restarting": 503,
    "too_few_models": 503,
    "not_saved": 503,
    "unreachable": 503,
}
RETRY_AFTER = 5  # seconds, where the time is not known

NOT_SAVED = gettext_noop(
    "The arena cannot save anything at the moment. "
    "Nothing is lost; try again in a few seconds. A repeated vote counts once."
)
NOT_AN_IMAGE = gettext_noop("The body is not an image. Send a PNG, JPEG, WebP or GIF file with its content type.")
NO_SUCH_IMAGE = gettext_noop("This image is not yours or is no longer kept. Attach it again.")
NOT_JSON = gettext_noop("The body is not application/json. Send JSON with this content type.")


class BattleProblem(Exception):
    """A request that is not served. `detail` is for the voter, `code` for the client."""

    def __init__(
        self, code: str, detail: str, retry_after: float | None = None, challenge: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.challenge = challenge
        self.code, self.detail = code, detail
        self.status = STATUSES[code]
        self.retry_after = RETRY_AFTER if retry_after is None and self.status in (429, 503) else retry_after

    @property
    def headers(self) -> dict[str, str]:
        """The headers that the status asks for."""
        headers = {"cache-control": "no-store"}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        if self.status == STATUSES["no_session"]:
            headers["www-authenticate"] = "Bearer"
        return headers


def problem_of(refusal: Refusal) -> BattleProblem:
    """The problem of a refused request. Whether a battle of another voter exists is not told."""
    if refusal.code == "not_found":
        return BattleProblem("not_found", NOT_YOURS)
    challenge = refusal.challenge if isinstance(refusal, ChallengeRequired) else None
    return BattleProblem(refusal.code, refusal.text, getattr(refusal, "seconds", None), challenge)
