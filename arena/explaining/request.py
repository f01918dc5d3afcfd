"""What to explain, checked before any work is done: the battle, the model, the method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from arena.config import AnyModel, Settings
from arena.engine import address
from arena.errors import ConfigError
from arena.explaining.judge_values import PROTOCOL
from arena.explaining.refusals import ExplanationRefused
from arena.rules.messages import Phrase
from arena.serving import local_weights, model_clients
from arena.serving.local_weights import can_load, has_weights
from arena.store import Database
from arena.store.explanations import BattleTexts, UnknownBattle, battle_texts
from interp import BLACK_BOX, HEAD_MEASURES, LAYOUT, WHITE_BOX
from judges.template import own

DEFAULT = "screen"
VERDICT = "verdict"
ABOUT = (VERDICT, "a", "b")  # the judge's verdict, or the answer of one side


@dataclass(frozen=True)
class ExplainConfig:
    """The options of `arena explain`, as a person gives them.

    `battle` is a number or a public id. `judge` may be None for an answer, which is then explained by the model that
    wrote it. `about` is one of `ABOUT`. `heads` is how head importance is measured: by "gradient", quickly, or by
    "ablation", exactly. `template` is the text of the judge's prompt, `budget` in USD.
    """

    battle: str
    judge: str | None = None
    methods: Sequence[str] = (DEFAULT,)
    about: str = VERDICT
    heads: str = HEAD_MEASURES[0]
    template: str | None = None
    budget: float | None = None
    recompute: bool = False


@dataclass(frozen=True)
class ExplanationRequest:
    """One explanation by one method: the verdict of a judge on a battle, or the answer of one side as a model would
    write it."""

    battle: BattleTexts
    judge: AnyModel
    method: str
    template: str | None = None
    budget: float | None = None
    about: str = VERDICT
    heads: str = HEAD_MEASURES[0]

    @property
    def config_hash(self) -> str:
        """Digest of everything that determines the explanation of this battle."""
        prompt = own(PROTOCOL) if self.template is None else self.template
        options = {"prompt": prompt, "method": self.method, "about": self.about, "heads": self.heads}
        return address(local_weights.identity(self.judge), {**options, "layout": LAYOUT})


def requests(database: Database, settings: Settings, config: ExplainConfig) -> list[ExplanationRequest]:
    """A request for each method. Raises `ConfigError` for anything that cannot be explained."""
    battle = find_battle(database, config.battle)
    if config.about not in ABOUT:
        raise ExplanationRefused(
            "{about} is not a side of the battle. Give a or b, the side whose answer to explain.",
            option="--answer",
            about=repr(config.about),
        )
    judge = _model(settings, battle, config.judge, config.about)
    for method in config.methods:
        _check_method(method, judge)
    return [
        ExplanationRequest(battle, judge, method, config.template, config.budget, config.about, config.heads)
        for method in config.methods
    ]


def method_names() -> list[str]:
    """The names of all methods, black-box methods first."""
    return [*BLACK_BOX, *WHITE_BOX]


def find_battle(database: Database, battle: str) -> BattleTexts:
    """The texts of a battle. Raises `ConfigError` if it does not exist, or while its models are secret."""
    with database.read() as session:
        try:
            return battle_texts(session, battle)
        except UnknownBattle as problem:
            raise ConfigError(str(problem)) from problem


def models_with_weights(settings: Settings) -> list[str]:
    """The names of the configured models whose weights are local."""
    return [name for name, model in model_clients.configured(settings).items() if has_weights(model)]


def offered_models(settings: Settings) -> list[str]:
    """The models that visitors may explain by; none where that is disabled, or the extra 'local' is not installed."""
    return models_with_weights(settings) if settings.web.explain and can_load() else []


def _check_method(method: str, judge: AnyModel) -> None:
    if method not in method_names():
        raise ExplanationRefused(
            "{method} is unknown. Use one of: {methods}.",
            option="--method",
            method=repr(method),
            methods=", ".join(method_names()),
        )
    if method in WHITE_BOX and not has_weights(judge):
        raise ExplanationRefused(
            "{method} needs the weights of {judge}, which is reached through {endpoint}. "
            "Use a method that needs no weights: {methods}.",
            option="--method",
            method=method,
            judge=judge.name,
            endpoint=repr(judge.endpoint),
            methods=", ".join(BLACK_BOX),
        )


def _model(settings: Settings, battle: BattleTexts, judge: str | None, about: str) -> AnyModel:
    """The model to explain: the judge, or for an answer the one that wrote it unless another is named."""
    models = model_clients.configured(settings)
    local = ", ".join(models_with_weights(settings)) or Phrase("none")
    if judge is None and about == VERDICT:
        raise ExplanationRefused(
            "no judge is named. Name a model; models with local weights: {models}.", option="--judge", models=local
        )
    author = battle.pair.model_a if about == "a" else battle.pair.model_b
    if judge is None and author not in models:
        raise ExplanationRefused(
            "{author}, which wrote answer {side}, is not in the settings. Name another model to read the answer; "
            "models with local weights: {models}.",
            option="--judge",
            author=author,
            side=about.upper(),
            models=local,
        )
    (model,) = model_clients.chosen(models, [judge or author], "--judge")
    if model.endpoint == "scripted":
        raise ExplanationRefused(
            "{model} is scripted, so it has neither weights nor log-probabilities. "
            "Name another model; models with local weights: {models}.",
            option="--judge",
            model=model.name,
            models=local,
        )
    if about != VERDICT and not has_weights(model):
        raise ExplanationRefused(
            "{model} is reached through {endpoint}, which gives no probability of a given text. "
            "Name a model with local weights as the judge: {models}.",
            option="--answer",
            model=model.name,
            endpoint=repr(model.endpoint),
            models=local,
        )
    return model
