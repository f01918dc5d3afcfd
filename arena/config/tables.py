"""The tables `database`, `web`, `battles`, `limits`, `admin` and `ledger` of `arena.toml`, and the settings as a whole."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Literal

from pydantic import DirectoryPath, Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from arena.config.challenge import ChallengeSettings
from arena.config.endpoints import AnyModel, ModelSettings, Strict
from arena.config.moderation import ModerationSettings
from arena.config.sign_in import ReviewSettings, SignInSettings

DEFAULT_DATABASE = "sqlite:///arena.db"
PREFIX = "ARENA_"  # of environment variables


class DatabaseSettings(Strict):
    """How long `arena serve` waits for its database. Other commands wait longer, and never end a statement."""

    busy_timeout: float = Field(
        default=5.0, gt=0, description="seconds a write waits for another program (SQLite)"
    )
    connect_timeout: float = Field(default=3.0, ge=2, description="seconds (PostgreSQL)")
    statement_timeout: float = Field(default=5.0, gt=0, description="seconds for one statement (PostgreSQL)")
    pool_size: int = Field(default=10, ge=1, description="connections that stay open")
    pool_overflow: int = Field(default=20, ge=0, description="further connections under load")
    pool_timeout: float = Field(default=3.0, gt=0, description="seconds a request waits for a free connection")


class WebSettings(Strict):
    show_judged: bool = Field(default=True, description="readers may open battles over prompt sets")
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535, description="0 takes a free one")
    title: str = "Arena"
    secure_cookies: bool = Field(default=False, description="also without https; with https they always are")
    cookie_key_env: str | None = Field(
        default=None,
        pattern="^[A-Za-z_][A-Za-z0-9_]*$",
        description="environment variable with the key that signs voters' cookies; else a random key in the database",
    )
    trusted_proxies: tuple[str, ...] = Field(
        default=(), description="addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed"
    )
    allowed_hosts: tuple[str, ...] = Field(
        default=(), description="names of this arena in addresses; by default local names and IP addresses"
    )
    public_url: str | None = Field(
        default=None,
        pattern="^https?://[^/]+$",
        description="such as https://arena.example.org, for embedded links",
    )
    pages_dir: DirectoryPath | None = Field(
        default=None,
        description="folder with how-it-works.md, privacy.md or terms.md in place of the shipped pages",
    )
    drain_seconds: float = Field(
        default=30.0,
        ge=0,
        allow_inf_nan=False,
        description="seconds that a stopping server waits for running turns",
    )
    explain: bool = Field(default=True, description="visitors may start explanations by models with weights here")
    max_body_bytes: int = Field(default=1_000_000, ge=10_000, description="of a request; larger ones are refused")
    max_image_bytes: int = Field(
        default=5_000_000, ge=10_000, le=50_000_000, description="of an uploaded image; larger ones are refused"
    )

    @field_validator("trusted_proxies")
    @classmethod
    def proxies_are_networks(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is not an address or a network, such as 10.0.0.0/8") from None
        return proxies

    @field_validator("allowed_hosts")
    @classmethod
    def hosts_are_names(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            if not host or set(host) & set("/:@ ") or "*" in host.removeprefix("*."):
                raise ValueError(
                    f"{host!r} is not a name without port, such as arena.example.org or *.example.org"
                )
        return hosts


class NameAliasSettings(Strict):
    """Further names of a family of models, or a new family; `arena/rules/name_aliases.toml` has the shipped ones."""

    family: str = Field(min_length=1, max_length=120)
    names: tuple[str, ...] = Field(default=(), description="masked everywhere while the family is served")
    words: tuple[str, ...] = Field(default=(), description="ordinary words; masked where a model speaks of itself")
    organisations: tuple[str, ...] = Field(default=(), description="masked where a model speaks of itself")
    counted: bool = Field(default=False, description="a number after the word does not make it a name: Falcon 9")


class BattleSettings(Strict):
    max_prompt_characters: int = Field(default=20_000, ge=1)
    max_turns: int = Field(default=10, ge=1)
    max_images: int = Field(default=4, ge=0, le=16, description="of a prompt; 0: none can be attached")
    first_token_timeout: float = Field(default=60.0, gt=0, description="seconds")
    turn_timeout: float = Field(default=300.0, gt=0, description="seconds for both completions of a turn")
    pacing: Literal["equal", "off"] = Field(
        default="equal", description="equal: both completions are shown at one pace, so that speed tells nothing"
    )
    abandon_after_hours: float = Field(default=24.0, gt=0, description="an open battle without a vote")
    undo_seconds: float = Field(
        default=5.0,
        ge=0,
        le=60,
        allow_inf_nan=False,
        description="seconds in which a vote can be undone before it counts; 0 counts it at once",
    )
    running_at_once: int = Field(default=64, ge=1, description="turns the whole arena may have running at once")
    running_per_voter: int = Field(default=4, ge=1, description="turns one voter may have running at once")
    unread_seconds: float = Field(
        default=30.0,
        ge=0,
        allow_inf_nan=False,
        description="seconds without a reader after which a turn is stopped; 0 is never",
    )
    control_share: float = Field(
        default=0.02,
        ge=0,
        le=0.5,
        description="of blind battles that measure voters: one model twice, or an earlier battle with exchanged sides",
    )
    control_after_votes: int = Field(default=500, ge=0, description="votes before the first control battle")
    name_aliases: tuple[NameAliasSettings, ...] = Field(
        default=(), description="further names of families of models, which are masked until the vote"
    )


class SamplingSettings(Strict):
    """Which pairs are drawn for battles. Every battle has the probability of its pair in the store."""

    rule: Literal["active", "weighted"] = Field(
        default="active",
        description="active: rather pairs whose votes narrow the intervals of the ratings; weighted: by weight alone",
    )
    floor: float = Field(
        default=0.3, gt=0, le=1, description="share of draws by weight alone under the active rule, for every pair"
    )
    newcomer_votes: int = Field(
        default=100, ge=0, description="votes until which a model is drawn more often; 0 never"
    )
    newcomer_boost: float = Field(
        default=2.0, ge=1, le=100, description="by which its weight is multiplied until then"
    )
    refresh_seconds: float = Field(
        default=60.0, gt=0, allow_inf_nan=False, description="between two looks at the votes"
    )


class LimitSettings(Strict):
    """Limits on what visitors do and cost; 0 is no limit."""

    battles_per_voter: int = Field(default=60, ge=0, description="in an hour")
    turns_per_voter: int = Field(default=180, ge=0, description="in an hour, regenerations included")
    votes_per_voter: int = Field(default=180, ge=0, description="in an hour")
    votes_per_voter_day: int = Field(default=200, ge=0, description="on a day (UTC)")
    votes_per_address_day: int = Field(default=4000, ge=0, description="on a day (UTC)")
    reading_speed: int = Field(
        default=600, ge=0, description="letters a second; a vote that comes sooner is quarantined"
    )
    same_prompt_votes: int = Field(
        default=10, ge=0, description="of one voter on one prompt that count within a day"
    )
    suggested_prompt_votes: int = Field(
        default=40, ge=0, description="of one voter on suggested prompts that count within a day"
    )
    battles_per_address: int = Field(default=1200, ge=0, description="in an hour")  # 40 people, 30 battles each
    turns_per_address: int = Field(default=3600, ge=0, description="in an hour, regenerations included")
    votes_per_address: int = Field(default=3600, ge=0, description="in an hour")
    reports_per_voter: int = Field(default=20, ge=0, description="in an hour")
    reports_per_address: int = Field(default=200, ge=0, description="in an hour")
    appeals_per_voter: int = Field(default=20, ge=0, description="of votes that do not count, in an hour")
    appeals_per_address: int = Field(default=200, ge=0, description="of votes that do not count, in an hour")
    images_per_voter: int = Field(default=60, ge=0, description="uploaded in an hour")
    images_per_address: int = Field(default=600, ge=0, description="uploaded in an hour")
    codes_per_address: int = Field(default=20, ge=0, description="recovery codes entered in an hour")
    calls_per_minute: int = Field(default=1200, ge=0, description="to all models; a turn has two")
    tokens_per_day: int = Field(default=50_000_000, ge=0, description="prompts and completions of all models")
    usd_per_day: float = Field(default=20.0, ge=0, allow_inf_nan=False, description="of all models with a price")
    requests_per_minute: int = Field(default=6000, ge=0, description="HTTP requests of one address")
    connections_per_address: int = Field(default=400, ge=0, description="connections of one address at once")
    open_requests_per_address: int = Field(
        default=300, ge=0, description="HTTP requests at once, streams included"
    )
    open_events_per_address: int = Field(
        default=200, ge=0, description="streams of battles of one address at once"
    )
    open_requests: int = Field(default=900, ge=0, description="HTTP requests of all visitors at once")
    lag_seconds: float = Field(
        default=1.0, ge=0, allow_inf_nan=False, description="of the event loop; above it no battle begins"
    )

    @field_validator("calls_per_minute")
    @classmethod
    def a_turn_is_possible(cls, calls: int) -> int:
        if calls == 1:
            raise ValueError("must be 0 or at least 2, because a turn has two calls")
        return calls


class AdminSettings(Strict):
    """The pages below `/admin`, which exist once there is an account, and the sessions of accounts."""

    enabled: bool = Field(default=True, description="serve /admin once `arena accounts add` has made an account")
    idle_minutes: float = Field(
        default=60.0, gt=0, allow_inf_nan=False, description="without a request until a session ends"
    )
    session_hours: float = Field(
        default=12.0, gt=0, allow_inf_nan=False, description="from the sign-in until a session ends"
    )
    logins_per_account: int = Field(default=10, ge=1, description="attempts to sign in, in an hour")
    logins_per_address: int = Field(default=30, ge=1, description="attempts to sign in, in an hour")


class TrustSettings(Strict):
    check_every: float = Field(
        default=300.0, ge=0, allow_inf_nan=False, description="seconds between checks of voters; 0 is never"
    )


class LedgerSettings(Strict):
    seal_every: float = Field(default=3600.0, ge=0, description="seconds between seals while serving; 0 is never")
    filter: str = Field(default="every-1", description="which votes count on sealed boards")
    key: Path | None = Field(default=None, description="file with the private key that signs heads and exports")
    timestamps: Path | None = Field(default=None, description="folder of OpenTimestamps proofs for the seals")
    calendars: tuple[str, ...] = Field(
        default=(
            "https://a.pool.opentimestamps.org",
            "https://b.pool.opentimestamps.org",
            "https://a.pool.eternitywall.com",
        ),
        min_length=1,
        description="OpenTimestamps servers that date seals",
    )


class LeaderboardSettings(Strict):
    minimum_votes: int = Field(default=30, ge=0, description="votes on a model below which it has no rank")
    minimum_voters: int = Field(
        default=10, ge=0, description="voters, or prompts of a judge, below which a model has no rank"
    )
    pool_judges: bool = Field(
        default=False,
        description="count trial runs and templates (judge#name) and panels (a+b) of judges that count already",
    )


class Settings(BaseSettings):
    """All settings of the application."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    database_url: str = DEFAULT_DATABASE
    database: DatabaseSettings = DatabaseSettings()
    web: WebSettings = WebSettings()
    battles: BattleSettings = BattleSettings()
    sampling: SamplingSettings = SamplingSettings()
    limits: LimitSettings = LimitSettings()
    admin: AdminSettings = AdminSettings()
    trust: TrustSettings = TrustSettings()
    ledger: LedgerSettings = LedgerSettings()
    leaderboard: LeaderboardSettings = LeaderboardSettings()
    challenge: ChallengeSettings = ChallengeSettings()
    moderation: ModerationSettings = ModerationSettings()
    sign_in: SignInSettings = SignInSettings()
    reviews: ReviewSettings = ReviewSettings()
    models: tuple[AnyModel, ...] = ()

    @field_validator("models")
    @classmethod
    def names_differ(cls, models: tuple[ModelSettings, ...]) -> tuple[ModelSettings, ...]:
        seen: set[str] = set()
        for model in models:
            if model.name.casefold() in seen:
                raise ValueError(f"two models are called {model.name!r}. Give each its own name")
            seen.add(model.name.casefold())
        return models

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The sources by priority: the environment overrides the file, which `read_settings` passes."""
        return (env_settings, init_settings)
