"""The table `moderation` of `arena.toml`: which texts are checked by what, and what follows."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from arena.config.endpoints import OpenAISettings, Strict

EVERY_OTHER = "*"  # the name of all categories that are not named


class CategorySettings(Strict):
    """What follows when a text reaches the threshold of a category. In TOML also just the action: `violence = "warn"`."""

    action: Literal["off", "log", "warn", "block"]
    threshold: float | None = Field(
        default=None, ge=0, le=1, description="of the score; without one, the backend decides"
    )


class ModerationSettings(Strict):
    """Off by default: nothing is sent, computed or stored."""

    backend: Literal["off", "openai", "transformers"] = "off"
    url: str = Field(
        default="https://api.openai.com/v1", description="base URL of an OpenAI-compatible server (openai)"
    )
    model: str = Field(
        default="omni-moderation-latest", max_length=120, description="its name at the server (openai)"
    )
    api_key_env: str | None = Field(default=None, description="environment variable that holds the key (openai)")
    source: str | None = Field(default=None, description="folder of a text classifier (transformers)")
    device: str | None = Field(default=None, description="of the classifier; by default a GPU if there is one")
    threads: int = Field(default=1, ge=1, description="of the classifier on a CPU")
    max_batch: int = Field(default=16, ge=1, le=1024, description="texts at once in the classifier")
    timeout: float = Field(
        default=5.0, gt=0, le=120, description="seconds for the check of a text, retries included"
    )
    retries: int = Field(default=1, ge=0, le=5, description="of calls that are refused before any answer (openai)")
    when_down: Literal["go_on", "refuse"] = Field(
        default="go_on", description="go_on: votes wait for the check; refuse: prompts are refused while it fails"
    )
    vote_wait: float = Field(
        default=3.0, ge=0, le=60, description="seconds that a vote waits for the check of its completions"
    )
    retry_seconds: float = Field(default=60.0, gt=0, description="between two attempts at texts not checked yet")
    prompt: dict[str, CategorySettings] = Field(default_factory=dict, description="what prompts are checked for")
    completion: dict[str, CategorySettings] = Field(
        default_factory=dict, description="what completions are checked for"
    )

    @property
    def on(self) -> bool:
        return self.backend != "off"

    @field_validator("prompt", "completion", mode="before")
    @classmethod
    def an_action_is_enough(cls, categories: Any) -> Any:
        if not isinstance(categories, dict):
            return categories
        return {name: {"action": given} if isinstance(given, str) else given for name, given in categories.items()}

    _url = field_validator("url")(OpenAISettings.url_is_http.__func__)  # type: ignore[attr-defined]
    _key = field_validator("api_key_env")(OpenAISettings.key_is_a_variable.__func__)  # type: ignore[attr-defined]

    @model_validator(mode="after")
    def backend_has_what_it_needs(self) -> ModerationSettings:
        if self.backend == "transformers" and not self.source:
            raise ValueError('backend = "transformers" needs source, the folder of a text classifier')
        checks = [*self.prompt.values(), *self.completion.values()]
        if self.on and all(check.action == "off" for check in checks):
            raise ValueError('a backend needs a check, such as prompt = { "*" = "block" }')
        return self
