"""The configuration of a judge run: the options of `arena judge`, or the same keys in a TOML or YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, Field, ValidationError, field_validator, model_validator

from arena.config import Strict
from arena.config.run_files import read_run_file
from arena.errors import ConfigError
from judges.completion_rate import THRESHOLD
from judges.orders import DOUBLE
from judges.repeats import MOST


def _renamed(name: str, old: str, **given: Any) -> Any:
    """A field whose key in run files of version 0.1 is `old`."""
    return Field(validation_alias=AliasChoices(name, old), **given)


class JudgeRunConfig(Strict):
    """One judge run. Without `models`, every model with completions for the prompts takes part."""

    mode: Literal["single", "baseline", "pairwise", "battles"]
    prompts: str = ""
    judge: str | None = None
    panel: tuple[str, ...] = ()
    quorum: int | None = Field(
        default=None, ge=1, description="judges of the panel that need a verdict; default: all"
    )
    combine: Literal["mean", "median", "majority"] = Field(
        default="mean", description="how the panel's verdicts are one"
    )
    models: tuple[str, ...] = ()
    baseline: str | None = None
    order: Literal["both", "balanced"] = "both"
    protocol: str | None = _renamed("protocol", "scheme", default=None)
    template: Path | None = None
    template_prompt: str | None = Field(default=None, description="the prompt of an MT-bench template file")
    rubric: Path | None = Field(default=None, description="file with criteria of one's own")
    criterion: str | None = Field(default=None, description="the criterion to judge by, in one sentence")
    samples: int = Field(
        default=1, ge=1, le=MOST, description="replies to each request, whose mean is the verdict"
    )
    battles: int | None = Field(
        default=None, ge=1, description="pairwise: N battles, where ratings are least certain"
    )
    unshared: Literal["send", "skip"] | None = Field(
        default=None,
        description="battles: those that their voters have not shared, for a judge on another machine",
    )
    limit: int | None = Field(default=None, ge=1, description="the first N prompts")
    double: float = Field(default=DOUBLE, ge=0, le=1, description="balanced: share shown in both orders")
    control_pairs: int = _renamed("control_pairs", "canaries", default=3, ge=0, description="of each kind")
    completion_rate: float = _renamed(
        "completion_rate",
        "coverage",
        default=THRESHOLD,
        ge=0,
        le=1,
        description="share of cases that need a verdict before any is published",
    )
    budget: float | None = Field(default=None, gt=0, description="USD")
    concurrency: int | None = Field(default=None, ge=1)
    thinking_budget: int = Field(default=0, ge=0, description="tokens for thinking, in addition to the reply")
    timeout: float | None = Field(default=None, gt=0, description="seconds for the whole run")
    call_timeout: float | None = Field(default=None, gt=0, description="seconds for each call")
    name: str | None = Field(default=None, max_length=100, description="name of the judge on the board")
    reply_cache: Path | None = _renamed("reply_cache", "journal", default=None)

    @field_validator("panel", "models", mode="before")
    @classmethod
    def names_may_be_one_text(cls, value: Any) -> Any:
        """A list of names, or a text with commas between them, as the options take it."""
        return (
            tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value
        )

    @model_validator(mode="after")
    def check_mode(self) -> JudgeRunConfig:
        if bool(self.judge) == bool(self.panel):
            raise ValueError("Use exactly one of --judge J and --panel J1,J2.")
        if (self.mode == "battles") == bool(self.prompts):
            raise ValueError("Use --prompts SET in every mode but battles.")
        if (self.mode == "baseline") != (self.baseline is not None):
            raise ValueError("Use --baseline MODEL in the mode baseline, and in no other.")
        if self.battles is not None and self.mode != "pairwise":
            raise ValueError("Use --battles in the mode pairwise only.")
        if self.unshared is not None and self.mode != "battles":
            raise ValueError("Use --unshared in the mode battles only.")
        if self.rubric is not None and (self.protocol, self.template) != (None, None):
            raise ValueError("A rubric has a prompt of its own. Remove --protocol and --template.")
        if self.rubric is not None and self.criterion is not None:
            raise ValueError("A rubric has criteria of its own. Add the sentence to its instructions.")
        if not self.panel and (self.quorum is not None or self.combine != "mean"):
            raise ValueError("--quorum and --combine are of a panel. Use --panel J1,J2.")
        if len(self.panel) == 1:
            raise ValueError("A panel needs at least two judges. Use --judge for one.")
        return self

    @property
    def judges(self) -> tuple[str, ...]:
        return (self.judge,) if self.judge else self.panel


def config_of(**given: object) -> JudgeRunConfig:
    """The judge run that options describe; None means not given. Raises `ConfigError`."""
    return _checked("arena judge", {name: value for name, value in given.items() if value is not None})


def read_config(path: Path, **given: object) -> JudgeRunConfig:
    """The judge run in a TOML or YAML file; options that are given replace its keys. Raises `ConfigError`."""
    options = {name: value for name, value in given.items() if value is not None}
    return _checked(str(path), {**read_run_file(path), **options})


def _checked(where: str, given: dict[str, object]) -> JudgeRunConfig:
    try:
        return JudgeRunConfig.model_validate(given)
    except ValidationError as error:
        raise ConfigError("\n".join(_message(where, dict(problem)) for problem in error.errors())) from error


def _message(where: str, problem: dict[str, object]) -> str:
    location = problem["loc"]
    key = ".".join(str(part) for part in location) if isinstance(location, tuple) else ""
    if problem["type"] == "extra_forbidden":
        return f"{where}: unknown key {key}. Use some of: {', '.join(JudgeRunConfig.model_fields)}."
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{where}: {key + ': ' if key else ''}{message}"
