"""The tables `web`, `battles` and `ledger` of `arena.toml`, and the settings as a whole."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from arena.config.endpoints import AnyModel, ModelSettings, Strict

DEFAULT_DATABASE = "sqlite:///arena.db"
PREFIX = "ARENA_"  # of environment variables


class WebSettings(Strict):
    show_judged: bool = Field(default=True, description="readers may open battles over prompt sets")
    host: str = "127.0.0.1"
    port: int = Field(default=7860, ge=0, le=65535, description="0 takes a free one")
    title: str = "Arena"
    secure_cookies: bool = Field(default=False, description="set it when the page is served over https")
    explain: bool = Field(default=True, description="visitors may start explanations by models with weights here")


class BattleSettings(Strict):
    max_prompt_characters: int = Field(default=20_000, ge=1)
    max_turns: int = Field(default=10, ge=1)
    first_token_timeout: float = Field(default=60.0, gt=0, description="seconds")
    turn_timeout: float = Field(default=300.0, gt=0, description="seconds for both completions of a turn")
    abandon_after_hours: float = Field(default=24.0, gt=0, description="an open battle without a vote")
    running_at_once: int = Field(default=64, ge=1, description="turns the whole arena may have running at once")
    running_per_voter: int = Field(default=4, ge=1, description="turns one voter may have running at once")


class LedgerSettings(Strict):
    seal_every: float = Field(default=3600.0, ge=0, description="seconds between seals while serving; 0 is never")
    filter: str = Field(default="every-1", description="which votes count on sealed boards")


class Settings(BaseSettings):
    """All settings of the application."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True)

    database_url: str = DEFAULT_DATABASE
    web: WebSettings = WebSettings()
    battles: BattleSettings = BattleSettings()
    ledger: LedgerSettings = LedgerSettings()
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
