"""Checks of texts: what a checker says of a prompt or completions, and what follows by the rules in force.

A check never raises: what could not be checked is a result with a `failure`, and no text passes for want of an answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from arena.config.moderation import CategorySettings, ModerationSettings
from arena.endpoints.endpoint import EndpointError
from arena.moderation.text_checker import TextChecker
from arena.rules.text_checks import (
    MOST_PIECES,
    PIECE,
    Action,
    Finding,
    MissingCategories,
    Rule,
    Rules,
    Scores,
    finding,
    highest,
    pieces_of,
)

log = logging.getLogger(__name__)

AT_ONCE = 10  # texts of a trial in one call
TOO_LONG = "too long to be checked"

Kind = Literal["prompt", "completion"]


@dataclass(frozen=True)
class Checked:
    """The result for one text. Without a `finding` it could not be checked, for the reason in `failure`."""

    finding: Finding | None
    scores: Scores = field(default_factory=lambda: Scores({}))
    failure: str | None = None
    backend: str = ""
    version: str = ""

    @property
    def blocked(self) -> bool:
        return self.finding is not None and self.finding.action is Action.BLOCK


@dataclass
class TextChecks:
    """Checks texts by rules that the operator can replace while the arena runs."""

    checker: TextChecker
    settings: ModerationSettings
    rules: dict[Kind, Rules] = field(init=False)
    version: str = field(init=False)

    def __post_init__(self) -> None:
        self.use(self.of_settings())

    def of_settings(self) -> dict[Kind, Rules]:
        """The rules of arena.toml."""
        return {"prompt": rules_of(self.settings.prompt), "completion": rules_of(self.settings.completion)}

    def use(self, rules: dict[Kind, Rules]) -> None:
        """Apply other rules from now on."""
        self.rules, self.version = rules, version_of(self.checker.name, rules)

    def checks(self, kind: Kind) -> bool:
        """Whether texts of this kind are checked at all."""
        return any(rule.action for rule in self.rules[kind].values())

    async def check(self, texts: Sequence[tuple[Kind, str]]) -> list[Checked]:
        """The result for each text."""
        scored = await self.score([text for _, text in texts])
        return [self.result(scores, self.rules[kind]) for (kind, _), scores in zip(texts, scored, strict=True)]

    async def check_prompt(self, prompt: str, before: Sequence[str]) -> Checked:
        """The result for the next prompt of a conversation, alone and after those `before`: parts may hide a whole."""
        texts = [prompt, "\n".join([*before, prompt])[-PIECE:]] if before else [prompt]
        scored = await self.score(texts)
        failure = next((scores for scores in scored if isinstance(scores, str)), None)
        scores = failure or highest([scores for scores in scored if isinstance(scores, Scores)])
        return self.result(scores, self.rules["prompt"])

    def result(self, scores: Scores | str, rules: Rules) -> Checked:
        """What follows from the scores of a text, or the failure that took their place."""
        by = (self.checker.name, self.version)
        if isinstance(scores, str):
            return Checked(None, Scores({}), scores, *by)
        try:
            return Checked(finding(scores, rules), scores, None, *by)
        except MissingCategories as error:
            return Checked(None, scores, str(error), *by)

    async def score_each(self, texts: Sequence[str]) -> list[Scores | str]:
        """The scores of many texts, a few at a time, so that a failure is that of a few."""
        scored: list[Scores | str] = []
        for start in range(0, len(texts), AT_ONCE):
            scored += await self.score(texts[start : start + AT_ONCE])
        return scored

    async def score(self, texts: Sequence[str]) -> list[Scores | str]:
        """The scores of each text, in pieces and in its plain form, or why there are none."""
        pieces = [pieces_of(text) for text in texts]
        short = [part for part in pieces if len(part) <= MOST_PIECES]
        try:
            scores = iter(await self.checker.score([piece for part in short for piece in part]) if short else [])
        except EndpointError as error:
            log.warning("%s could not check %d texts: %s", self.checker.name, len(texts), error)
            return [f"{error.failure}: {error.detail}"[:500]] * len(texts)
        return [highest([next(scores) for _ in part]) if len(part) <= MOST_PIECES else TOO_LONG for part in pieces]


def rules_of(categories: dict[str, CategorySettings]) -> Rules:
    """The rules of a table of the settings."""
    return {
        name: Rule(Action[category.action.upper()], category.threshold) for name, category in categories.items()
    }


def version_of(backend: str, rules: dict[Kind, Rules]) -> str:
    """A short hash of the backend and the rules, which is stored with each result."""
    content = {
        kind: {name: [rule.action, rule.threshold] for name, rule in sorted(by_category.items())}
        for kind, by_category in sorted(rules.items())
    }
    return hashlib.sha256(json.dumps([backend, content]).encode()).hexdigest()[:12]
