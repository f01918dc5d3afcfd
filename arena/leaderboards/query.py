"""The query of a leaderboard: source of the votes, category, method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time

import ratings
from arena.config import Settings
from arena.errors import ConfigError
from arena.rules.messages import TranslatableError
from arena.rules.votes import HUMAN, JUDGE, JUDGES, OVERALL

BOTH = "both"
SOURCES = (HUMAN, JUDGES, BOTH, "all")
METHODS = ("bt", "davidson", "davidson-strength", "ability", "fresh", "elo")


@dataclass(frozen=True)
class ChosenModel:
    """A model that was the best of `variants` tested here before it was `listed`."""

    variants: int
    listed: datetime


@dataclass(frozen=True)
class BoardRules:
    """What the settings say about all boards.

    A model has a rank with `minimum_votes` of `minimum_voters`: voters of people's votes, prompts of a judge's. `families`
    has the organisation of models, and of judges as `judge:NAME`: what a judge says about its own family against others
    is not believed. `chosen` has the models that were chosen among variants, for the method `fresh`. `pool_judges` counts
    every name of a judge where judges are added up.
    """

    minimum_votes: int = ratings.MINIMUM_BATTLES
    minimum_voters: int = ratings.MINIMUM_CLUSTERS
    families: Mapping[str, str] = field(default_factory=dict)
    chosen: Mapping[str, ChosenModel] = field(default_factory=dict)
    pool_judges: bool = False


DEFAULT_RULES = BoardRules()


def rules_of(settings: Settings) -> BoardRules:
    """The rules of the settings. The judge `judge:NAME` is of the organisation of the model NAME."""
    made_by = {model.name: model.facts.organisation for model in settings.models if model.facts.organisation}
    judges = {JUDGE + name: organisation for name, organisation in made_by.items()}
    limits = settings.leaderboard
    chosen = {
        model.name: ChosenModel(model.facts.variants_tested + 1, datetime.combine(model.facts.listed, time(), UTC))
        for model in settings.models
        if model.facts.variants_tested and model.facts.listed
    }
    return BoardRules(limits.minimum_votes, limits.minimum_voters, made_by | judges, chosen, limits.pool_judges)


class NoSuchBoard(TranslatableError, ConfigError):
    """The requested leaderboard does not exist; the text lists the available ones."""


@dataclass(frozen=True)
class BoardChoice:
    """`source` is human, judges, judge:NAME, both (people and judges, anchored on people) or all (added up).

    Raises `NoSuchBoard` for an unknown source or method, and for a combination that has no leaderboard.
    """

    source: str = HUMAN
    category: str = OVERALL
    method: str = "bt"
    style: bool = False

    def __post_init__(self) -> None:
        if self.source not in SOURCES and (not self.source.startswith(JUDGE) or self.source == JUDGE):
            raise NoSuchBoard(
                "Source {source!r} is unknown. Use human, judges, judge:NAME, both or all.", source=self.source
            )
        if self.method not in METHODS:
            raise NoSuchBoard(
                "Method {method!r} is unknown. Use one of: {methods}.",
                method=self.method,
                methods=", ".join(METHODS),
            )
        if self.style and self.method != "bt":
            raise NoSuchBoard(
                "Style control needs method bt, not {method}. Remove one of the two.", method=self.method
            )
        if self.source == BOTH and (self.method != "bt" or self.style):
            raise NoSuchBoard("Source both has its own method (human-anchored). Leave out --method and --style.")

    @property
    def voters(self) -> str | None:
        """The source in the terms of the store; None for all votes."""
        return None if self.source in ("all", BOTH) else self.source
