"""The table `challenge` of `arena.toml`: how visitors show that they are persons before a battle."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from arena.config.endpoints import Strict

ADDRESS = r"^https?://[A-Za-z0-9.:\[\]-]+(/[^\s;,'\"]*)?$"


class ChallengeSettings(Strict):
    """Off by default: nothing is asked, computed or stored."""

    kind: Literal["off", "proof_of_work", "turnstile", "hcaptcha", "recaptcha", "recaptcha_v3"] = "off"
    battles: int = Field(default=20, ge=1, description="that a visitor may begin after one challenge")
    hours: float = Field(default=24.0, gt=0, allow_inf_nan=False, description="after which it is asked again")
    work: int = Field(
        default=200_000, ge=1, le=100_000_000, description="hashes at most, on average half (proof_of_work)"
    )
    hardest: int = Field(default=16, ge=1, le=1000, description="times the usual work")
    free_per_address: int = Field(
        default=20, ge=0, description="challenges of an address in an hour before its work rises; 0: it never does"
    )
    seconds: int = Field(default=600, ge=30, le=86_400, description="until a challenge expires (proof_of_work)")
    site_key: str | None = Field(default=None, max_length=200, description="public key of the third party")
    secret_env: str | None = Field(
        default=None,
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        description="environment variable with the secret of the third party",
    )
    verify_url: str | None = Field(default=None, pattern=ADDRESS, description="in place of the third party's own")
    script_url: str | None = Field(default=None, pattern=ADDRESS, description="in place of the third party's own")
    hosts: tuple[str, ...] = Field(
        default=(), description="origins that the battle page may load in place of the third party's own"
    )
    least_score: float = Field(default=0.5, ge=0, le=1, description="of a visitor (recaptcha_v3)")
    timeout: float = Field(default=5.0, gt=0, le=60, description="seconds for the third party's answer")
    when_down: Literal["go_on", "refuse"] = Field(
        default="go_on", description="go_on: battles begin without the third party, and their votes wait"
    )

    @property
    def on(self) -> bool:
        return self.kind != "off"

    @property
    def third_party(self) -> bool:
        return self.kind not in ("off", "proof_of_work")

    @field_validator("hosts")
    @classmethod
    def hosts_are_origins(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host.startswith(("https://", "http://")) or set(host) & set("; ,'\""):
                raise ValueError(f"{host!r} is not an origin, such as https://challenges.example.org")
        return hosts

    @model_validator(mode="after")
    def third_party_has_keys(self) -> ChallengeSettings:
        if self.third_party and not (self.site_key and self.secret_env):
            raise ValueError(f'kind = "{self.kind}" needs site_key and secret_env')
        return self
