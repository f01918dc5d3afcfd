"""The tables `sign_in` and `reviews` of `arena.toml`: sign-in by OpenID Connect, and the review queue."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from arena.config.endpoints import Strict

LOCAL = ("http://127.0.0.1", "http://localhost", "http://[::1]")
VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$"


class SignInSettings(Strict):
    """Sign-in by OpenID Connect; off without an issuer. Needs the extra `sign-in`."""

    issuer: str | None = Field(
        default=None, description="address of the provider, as its discovery document has it"
    )
    name: str = Field(default="", max_length=60, description="what the button calls the provider; else its host")
    client_id: str = Field(default="", max_length=200)
    secret_env: str | None = Field(
        default=None,
        pattern=VARIABLE,
        description="environment variable with the client secret; none for a public client",
    )
    scopes: tuple[str, ...] = Field(
        default=("openid",), description="what the provider is asked for, openid included"
    )
    required: Literal["no", "vote"] = Field(
        default="no", description="vote: only signed-in voters can vote; no: anonymous votes count, too"
    )
    role_claim: str = Field(
        default="groups", description="claim of the ID token that gives roles, such as groups, roles or email"
    )
    reviewers: tuple[str, ...] = Field(default=(), description="values of the claim that make a reviewer")
    operators: tuple[str, ...] = Field(default=(), description="values of the claim that make an operator")
    clock_skew: float = Field(default=60.0, ge=0, le=600, description="seconds that the clocks may differ")
    timeout: float = Field(default=10.0, gt=0, le=60, description="seconds to wait for the provider")

    @property
    def shown_name(self) -> str:
        """What pages call the provider."""
        return self.name or urlsplit(self.issuer or "").hostname or ""

    @field_validator("issuer")
    @classmethod
    def the_issuer_is_https(cls, issuer: str | None) -> str | None:
        if issuer is None:
            return None
        local = any(issuer == host or issuer.startswith((f"{host}:", f"{host}/")) for host in LOCAL)
        if not issuer.startswith("https://") and not local:
            raise ValueError("must be an https:// address; http:// is for a provider on this machine only")
        return issuer

    @field_validator("scopes")
    @classmethod
    def openid_is_a_scope(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError('must contain "openid"')
        return scopes

    @model_validator(mode="after")
    def a_provider_is_whole(self) -> SignInSettings:
        if self.issuer and not self.client_id:
            raise ValueError("issuer needs client_id, which the provider gives to this arena")
        if self.required == "vote" and not self.issuer:
            raise ValueError('required = "vote" needs an issuer to sign in at')
        return self


class ReviewSettings(Strict):
    """The review queue at `/review`."""

    reviewers: int = Field(default=3, ge=1, le=25, description="reviewers of each battle")
    hours: float = Field(
        default=24.0,
        gt=0,
        allow_inf_nan=False,
        description="hours after which an undecided battle goes to another reviewer",
    )
    unshared: bool = Field(default=False, description="reviewers may read battles that their voters did not share")
