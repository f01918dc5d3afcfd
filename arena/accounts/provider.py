"""The provider of sign-in by OpenID Connect: its discovery document, its keys, and the exchange of a code.

Authlib writes the requests (RFC 6749, PKCE of RFC 7636) and joserfc, which Authlib brings, checks signatures. The ID token
alone says who signed in: nothing that a browser sends is believed.
Sources: OpenID Connect Core 1.0, section 3.1; Discovery 1.0, section 4; RFC 9207; RFC 9700.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from arena.accounts.id_token import Claims, TokenRefused, UnknownKey, verified
from arena.config import SignInSettings, api_key
from arena.errors import ConfigError
from arena.rules.messages import TranslatableError

log = logging.getLogger(__name__)

KEPT = 3600.0  # seconds that the discovery document and the keys are kept
FAILED = (
    5.0  # seconds in which a provider that failed is not asked again: visitors must not wait behind each other
)
KEYS_AGAIN = 10.0  # seconds between two requests for keys, whatever tokens name
LARGEST = 1_000_000  # bytes of a reply
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFailed(TranslatableError):
    """The provider cannot be reached, or does not answer as the standard says. The cause is in the log."""


class SignInRefused(TranslatableError):
    """Nobody was signed in. The text is for the voter; it repeats nothing that the request said."""


@dataclass(frozen=True)
class Exchange:
    """What a browser's sign-in began with; the reply must fit it."""

    redirect_uri: str
    nonce: str
    verifier: str


class Provider:
    """The provider of the settings. One event loop. Raises `ConfigError` without its secret or the extra."""

    def __init__(self, settings: SignInSettings, clock: Callable[[], float] = time.monotonic) -> None:
        if importlib.util.find_spec("authlib") is None or importlib.util.find_spec("joserfc") is None:
            raise ConfigError("sign_in.issuer needs the extra `sign-in`. Run: pip install 'arena[sign-in]'")
        self.settings = settings
        self._clock = clock
        self._secret = api_key(settings.secret_env)
        self._lock = asyncio.Lock()
        self._metadata: tuple[float, Mapping[str, Any]] | None = None
        self._keys: tuple[float, Mapping[str, Any]] | None = None
        self._failed_at: float | None = None

    @property
    def issuer(self) -> str:
        return self.settings.issuer or ""

    @property
    def name(self) -> str:
        """What pages call it."""
        return self.settings.shown_name

    async def address(self, exchange: Exchange, state: str) -> str:
        """The address at the provider where the voter signs in. Raises `ProviderFailed`."""
        from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = await self.metadata()
        return str(
            prepare_grant_uri(
                metadata["authorization_endpoint"],
                self.settings.client_id,
                "code",
                redirect_uri=exchange.redirect_uri,
                scope=" ".join(self.settings.scopes),
                state=state,
                nonce=exchange.nonce,
                code_challenge=create_s256_code_challenge(exchange.verifier),
                code_challenge_method="S256",
            )
        )

    async def claims(self, code: str, exchange: Exchange, issuer: str | None) -> Claims:
        """The claims of who signed in, for the code that the provider gave to the browser.

        `issuer` is what the reply says of itself (RFC 9207). Raises `ProviderFailed`, `SignInRefused`.
        """
        metadata = await self.metadata()
        self._check_issuer(metadata, issuer)
        token = (await self._tokens(metadata, code, exchange)).get("id_token")
        if not isinstance(token, str):
            raise self._failed("its reply has no ID token")
        try:
            return await self._verified(metadata, token, exchange.nonce)
        except TokenRefused as refused:
            log.warning("An ID token of %s was refused: %s", self.issuer, refused)
            raise SignInRefused(
                "The reply of the sign-in provider could not be verified, so nobody was signed in. Begin again."
            ) from refused

    async def metadata(self) -> Mapping[str, Any]:
        """The discovery document. Raises `ProviderFailed`."""
        async with self._lock:
            if self._metadata is None or self._clock() - self._metadata[0] >= KEPT:
                if self._failed_at is not None and self._clock() - self._failed_at < FAILED:
                    raise self._unreachable()
                url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
                self._metadata = self._clock(), self._checked(await self._json("GET", url))
            return self._metadata[1]

    async def _verified(self, metadata: Mapping[str, Any], token: str, nonce: str) -> Claims:
        """The claims, with keys that are read again if the token names one that is not known: providers rotate them."""
        settings = self.settings
        try:
            return verified(token, await self._key_set(metadata), settings, nonce)
        except UnknownKey:
            return verified(token, await self._key_set(metadata, KEYS_AGAIN), settings, nonce)

    async def _key_set(self, metadata: Mapping[str, Any], oldest: float = KEPT) -> Mapping[str, Any]:
        async with self._lock:
            if self._keys is None or self._clock() - self._keys[0] >= oldest:
                self._keys = self._clock(), await self._json("GET", metadata["jwks_uri"])
            return self._keys[1]

    async def _tokens(self, metadata: Mapping[str, Any], code: str, exchange: Exchange) -> Mapping[str, Any]:
        from authlib.oauth2.auth import ClientAuth

        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": exchange.redirect_uri,
            "code_verifier": exchange.verifier,
        }
        auth = ClientAuth(self.settings.client_id, self._secret, _auth_method(metadata, self._secret))
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        url, headers, body = auth.prepare("POST", metadata["token_endpoint"], headers, urlencode(fields))
        return await self._json("POST", url, headers=headers, content=body, refusable=True)

    async def _json(self, method: str, url: str, *, refusable: bool = False, **request: Any) -> Mapping[str, Any]:
        """The JSON object of a reply. A 400 or 401 to a `refusable` request refuses the sign-in."""
        try:
            async with (
                asyncio.timeout(self.settings.timeout),
                httpx.AsyncClient(timeout=self.settings.timeout) as client,
                client.stream(method, url, **request) as reply,
            ):
                body = await _body(reply)
            if refusable and reply.status_code in (400, 401):
                raise _refused_code(reply, body)
            reply.raise_for_status()
            document = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, RecursionError) as error:
            raise self._failed(f"{url}: {error or type(error).__name__}") from error
        if not isinstance(document, dict):
            raise self._failed(f"{url}: the reply is not a JSON object")
        return document

    def _checked(self, metadata: Mapping[str, Any]) -> Mapping[str, Any]:
        """The discovery document, if it is that of this issuer and has safe addresses."""
        if metadata.get("issuer") != self.issuer:
            raise self._failed(f"the discovery document names the issuer {metadata.get('issuer')!r}")
        scheme = urlsplit(self.issuer).scheme
        for name in ENDPOINTS:
            if urlsplit(str(metadata.get(name))).scheme not in ("https", scheme):
                raise self._failed(f"the discovery document has {name} = {metadata.get(name)!r}")
        return metadata

    def _check_issuer(self, metadata: Mapping[str, Any], issuer: str | None) -> None:
        """Raises `SignInRefused` for the reply of another provider (mix-up)."""
        is_required = metadata.get("authorization_response_iss_parameter_supported") is True
        if issuer is None and not is_required:
            return
        if issuer != self.issuer:
            log.warning("A reply of the issuer %r was refused.", issuer)
            raise SignInRefused(
                "The reply comes from another sign-in provider, so nobody was signed in. Begin again."
            )

    def _failed(self, cause: str) -> ProviderFailed:
        log.warning("Sign-in at %s failed: %s", self.issuer, cause)
        self._failed_at = self._clock()
        return self._unreachable()

    def _unreachable(self) -> ProviderFailed:
        return ProviderFailed(
            "The sign-in provider {name} cannot be reached at the moment. Try again in a few minutes.",
            name=self.name,
        )


def _auth_method(metadata: Mapping[str, Any], secret: str | None) -> str:
    """How the arena proves to the provider who it is."""
    if secret is None:
        return "none"
    known = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return "client_secret_basic" if "client_secret_basic" in known else "client_secret_post"


def _refused_code(reply: httpx.Response, body: bytes) -> SignInRefused:
    log.warning("The token endpoint answered %d: %.300r", reply.status_code, body)
    return SignInRefused("The sign-in provider did not accept this sign-in. Begin again.")


async def _body(reply: httpx.Response) -> bytes:
    body = b""
    async for part in reply.aiter_bytes():
        body += part
        if len(body) > LARGEST:
            raise ValueError(f"the reply has more than {LARGEST} bytes")
    return body
