"""CAPTCHAs of third parties: the page loads their script, and their server says whether the answer is a person's.

Turnstile, hCaptcha and reCAPTCHA have one protocol: a form with `secret` and `response`, and JSON with `success`. The
visitor's address is not sent. A reply that says nothing about the visitor (an outage, a wrong secret) refuses nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena.config.challenge import ChallengeSettings
from arena.endpoints.endpoint import EndpointError
from arena.endpoints.event_stream import whole_text
from arena.endpoints.failures import typed_failures
from arena.endpoints.poster import HttpClient, check_encoding
from arena.endpoints.redaction import Redactor, printable
from arena.moderation.visitor_checks import CheckUnavailable, Spend
from arena.rules.proof_of_work import WrongAnswer
from arena.serving.availability import Visitor

MOST_BYTES = 1 << 16  # of a reply
LONGEST_ANSWER = 8_000  # characters; hCaptcha's have about 3,000
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "identity"}
# About the answer; every other code is about us or about them.
OF_ANSWER = {
    "missing-input-response", "invalid-input-response", "timeout-or-duplicate", "invalid-or-already-seen-response",
    "already-seen-response", "expired-input-response", "browser-error",
}  # fmt: skip


@dataclass(frozen=True)
class ThirdParty:
    """The addresses of a provider, and the origins that its widget loads."""

    verify: str
    script: str
    hosts: tuple[str, ...]


PROVIDERS = {
    "turnstile": ThirdParty(
        "https://challenges.cloudflare.com/turnstile/v0/siteverify",
        "https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit",
        ("https://challenges.cloudflare.com",),
    ),
    "hcaptcha": ThirdParty(
        "https://api.hcaptcha.com/siteverify",
        "https://js.hcaptcha.com/1/api.js?render=explicit",
        ("https://hcaptcha.com", "https://*.hcaptcha.com"),
    ),
    "recaptcha": ThirdParty(
        "https://www.google.com/recaptcha/api/siteverify",
        "https://www.google.com/recaptcha/api.js?render=explicit",
        ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    ),
    "recaptcha_v3": ThirdParty(
        "https://www.google.com/recaptcha/api/siteverify",
        "https://www.google.com/recaptcha/api.js?render={site_key}",
        ("https://www.google.com/recaptcha/", "https://www.gstatic.com/recaptcha/"),
    ),
}


def provider_of(settings: ChallengeSettings) -> ThirdParty | None:
    """The third party of the settings with the addresses that they replace; None for none."""
    if not settings.third_party:
        return None
    known = PROVIDERS[settings.kind]
    script = (settings.script_url or known.script).replace("{site_key}", settings.site_key or "")
    return ThirdParty(settings.verify_url or known.verify, script, settings.hosts or known.hosts)


class Verified(BaseModel):
    """The reply of a `siteverify` endpoint."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")

    success: bool
    score: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    error_codes: tuple[str, ...] | None = Field(default=None, alias="error-codes")


@dataclass
class ThirdPartyChallenges:
    """Challenges of a third party, whose `secret` stays on this server."""

    settings: ChallengeSettings
    secret: str = field(repr=False)
    _client: HttpClient | None = None

    @property
    def _provider(self) -> ThirdParty:
        provider = provider_of(self.settings)
        assert provider is not None
        return provider

    async def new(self, visitor: Visitor) -> Mapping[str, Any]:
        return {
            "kind": self.settings.kind,
            "site_key": self.settings.site_key,
            "script": self._provider.script,
        }

    async def check(self, visitor: Visitor, answer: str) -> Spend:
        if len(answer) > LONGEST_ANSWER:
            raise WrongAnswer("too long")
        reply = await self._verified(answer)
        if not reply.success:
            codes = printable(", ".join(reply.error_codes or ()))[:200]
            if set(reply.error_codes or ()) - OF_ANSWER:
                raise CheckUnavailable(f"{self.settings.kind} answers {codes}")
            raise WrongAnswer(codes or "no reason")
        if self.settings.kind == "recaptcha_v3" and (reply.score or 0.0) < self.settings.least_score:
            raise WrongAnswer(f"score {reply.score}")
        return lambda _session: True  # the third party takes each answer once

    async def close(self) -> None:
        if self._client:
            await self._client.close()
            self._client = None

    async def _verified(self, answer: str) -> Verified:
        """The third party's reply. Raises `CheckUnavailable`."""
        redactor = Redactor([self.secret])
        place = self._provider.verify
        try:
            with typed_failures(place, redactor.masked):
                status, text = await self._posted(answer)
        except EndpointError as error:
            raise CheckUnavailable(redactor.line(error.detail)) from None
        if status != HTTPStatus.OK:
            raise CheckUnavailable(f"{place} answers with status {status}")
        try:
            return Verified.model_validate_json(text)
        except ValidationError:
            raise CheckUnavailable(f"{place} does not answer as a siteverify endpoint") from None

    async def _posted(self, answer: str) -> tuple[int, str]:
        data = urlencode({"secret": self.secret, "response": answer}).encode()
        if self._client is None:
            timeout = self.settings.timeout
            self._client = HttpClient(self._provider.verify, FORM, timeout, timeout, use_proxy=True)
        async with self._client.stream("POST", "", data) as reply:
            check_encoding(reply.headers)
            return reply.status, await whole_text(reply.chunks, MOST_BYTES)
