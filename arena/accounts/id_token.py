"""ID tokens: whose signature and which claims are accepted (OpenID Connect Core 1.0, section 3.1.3.7)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from arena.config import SignInSettings

if TYPE_CHECKING:
    from joserfc.jwk import Key

# Signatures with the provider's public keys. Neither `none` nor HS256, whose key is a password that could be guessed.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
LONGEST_TOKEN = 100_000  # characters
LONGEST_SUBJECT = 255  # characters, as the standard says


class TokenRefused(Exception):
    """The token is not accepted; the text is for the log."""


class UnknownKey(TokenRefused):
    """The token names a key that the provider did not publish."""


@dataclass(frozen=True)
class Claims:
    """What the provider says about who signed in."""

    issuer: str
    subject: str
    values: Mapping[str, Any]


def verified(token: str, keys: Mapping[str, Any], settings: SignInSettings, nonce: str) -> Claims:
    """The claims of a token that this provider signed for this arena and this sign-in. Raises `TokenRefused`."""
    from joserfc.errors import JoseError
    from joserfc.jwt import JWTClaimsRegistry

    rules = JWTClaimsRegistry(
        leeway=int(settings.clock_skew),
        iss={"essential": True, "value": settings.issuer or ""},
        aud={"essential": True, "value": settings.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True},
    )
    values = _decoded(token, keys)
    try:
        rules.validate(values)
    except JoseError as error:
        raise TokenRefused(str(error)) from error
    _check_parties(values, settings.client_id)
    if not isinstance(values["nonce"], str) or not hmac.compare_digest(values["nonce"].encode(), nonce.encode()):
        raise TokenRefused("the nonce is that of another sign-in")
    subject = values["sub"]
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise TokenRefused("the subject is empty or too long")
    return Claims(values["iss"], subject, values)


def _check_parties(values: Mapping[str, Any], client_id: str) -> None:
    """A token for several audiences must have been issued to this one."""
    audience, party = values["aud"], values.get("azp")
    if party != client_id and (party is not None or (isinstance(audience, list) and len(audience) > 1)):
        raise TokenRefused("the token was issued to another client")


def _decoded(token: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a token with a valid signature."""
    from joserfc import jwt
    from joserfc.errors import BadSignatureError, JoseError

    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("the token is too long")
    for key in _candidates(token, keys):
        try:
            return dict(jwt.decode(token, key, list(ALGORITHMS)).claims)
        except BadSignatureError:
            continue
        except (JoseError, ValueError) as error:
            raise TokenRefused(str(error)) from error
    raise TokenRefused("no key of the provider has made the signature")


def _candidates(token: str, keys: Mapping[str, Any]) -> Iterator[Key]:
    """The published keys that the token may be signed with: the one that it names, else all of its type."""
    from joserfc import jwk, jws
    from joserfc.errors import JoseError

    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise TokenRefused(f"the token cannot be read: {error}") from error
    algorithm, name = header.get("alg"), header.get("kid")
    if algorithm not in ALGORITHMS:
        raise TokenRefused(f"the algorithm {algorithm!r} is not accepted")
    kind = {"R": "RSA", "P": "RSA", "E": "EC"}["E" if algorithm.startswith("ES") else algorithm[0]]
    kind = "OKP" if algorithm.startswith("Ed") else kind
    published = [key for key in keys.get("keys") or () if isinstance(key, dict) and key.get("kty") == kind]
    chosen = [
        key for key in published if key.get("use", "sig") == "sig" and (name is None or key.get("kid") == name)
    ]
    if not chosen:
        raise UnknownKey(f"the provider has no key {name!r} of the type {kind}")
    for key in chosen:
        try:
            yield jwk.import_key(key)
        except (JoseError, ValueError) as error:
            raise TokenRefused(f"a key of the provider cannot be read: {error}") from error
