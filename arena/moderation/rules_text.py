"""Rules as TOML, as they stand in arena.toml: read with its checks, and written."""

from __future__ import annotations

import json
import tomllib

from pydantic import Field, ValidationError, field_validator

from arena.config.endpoints import Strict
from arena.config.moderation import CategorySettings, ModerationSettings
from arena.moderation.text_checks import Kind, rules_of
from arena.rules.messages import TranslatableError
from arena.rules.text_checks import Rules

LONGEST = 20_000  # characters


class RulesRefused(TranslatableError):
    """The text is no set of rules."""


class RuleTables(Strict):
    """The tables of the rules."""

    prompt: dict[str, CategorySettings] = Field(default_factory=dict, max_length=500)
    completion: dict[str, CategorySettings] = Field(default_factory=dict, max_length=500)

    _short = field_validator("prompt", "completion", mode="before")(
        ModerationSettings.an_action_is_enough.__func__  # type: ignore[attr-defined]
    )


def read_rules(text: str) -> dict[Kind, Rules]:
    """The rules of a text. Raises `RulesRefused`."""
    try:
        tables = RuleTables(**tomllib.loads(text[: LONGEST + 1]))
    except tomllib.TOMLDecodeError as error:
        raise RulesRefused(
            "The rules are not valid TOML: {problem}. Correct the line.", problem=str(error)
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RulesRefused(
            "The rules have an error at {place}: {problem}. Correct it.", place=place, problem=first["msg"]
        ) from None
    if len(text) > LONGEST:
        raise RulesRefused("The rules have more than {most} characters. Shorten them.", most=LONGEST)
    return {"prompt": rules_of(tables.prompt), "completion": rules_of(tables.completion)}


def written(rules: dict[Kind, Rules]) -> str:
    """The rules as TOML."""
    lines = []
    for kind, of_kind in rules.items():
        lines.append(f"[{kind}]")
        for name, rule in of_kind.items():
            action = _quoted(rule.action.word)
            value = (
                action if rule.threshold is None else f"{{ action = {action}, threshold = {rule.threshold!r} }}"
            )
            lines.append(f"{_quoted(name)} = {value}")
        lines.append("")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
