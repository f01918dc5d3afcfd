"""Refusals of what visitors request: a text for people, and a code for programs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from arena.rules.messages import TranslatableError

Code = Literal[
    "already_voted",
    "bad_value",  # a choice that does not exist, such as an unknown winner, side or model
    "budget",
    "busy",
    "challenge_failed",
    "challenge_required",  # of the visitor, before a battle
    "conversation_too_long",
    "image_rejected",
    "interrupted",
    "limit",
    "model_gone",
    "no_session",  # neither a cookie nor a token
    "not_begun",
    "not_found",
    "not_saved",
    "origin",  # the request comes from another site
    "prompt_empty",
    "prompt_rejected",
    "prompt_too_long",
    "restarting",
    "sign_in",  # this arena takes votes of people who are signed in
    "still_running",
    "too_few_models",
    "too_late",
    "too_many_turns",
    "unreachable",  # the database
    "withheld",  # its texts do not follow the rules of the arena
    "wrong_status",
]


class Refusal(TranslatableError):
    """A request that is not fulfilled; nothing changed. The text is for the visitor, `code` for programs.

    `template` is the English text with {named} `values`, `str()` the filled text.
    """

    def __init__(self, text: str, /, code: Code, **values: object) -> None:
        super().__init__(text, **values)
        self.code: Code = code

    @property
    def template(self) -> str:
        return self.text.template

    @property
    def values(self) -> Mapping[str, object]:
        return self.text.values
