"""The board of a file's columns by each method of `arena rate`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from arena.config.given_files import json_value
from arena.exchange.formats.battle_columns import BadBattlesFile, Columns

if TYPE_CHECKING:
    import ratings


class Method(StrEnum):
    """How ratings are computed."""

    bt = "bt"
    davidson = "davidson"
    davidson_strength = "davidson-strength"
    rao_kupper = "rao_kupper"
    ability = "ability"
    fresh = "fresh"
    elo = "elo"


class Cluster(StrEnum):
    """The unit of independence: votes of one voter, or on one prompt."""

    voter = "voter"
    prompt = "prompt"


@dataclass(frozen=True)
class Chosen:
    """A model that was the best of `variants`, itself included, before votes from `listed` on."""

    variants: int
    listed: datetime


@dataclass(frozen=True)
class RateOptions:
    """What `arena rate` was asked for; `chosen` is for the method `fresh`, by model."""

    method: Method
    style: bool
    cluster: Cluster | None
    anchor: tuple[str, float] | None
    prior: float
    category: str | None
    chosen: Mapping[str, Chosen] = field(default_factory=dict)


COLUMNS = {Cluster.voter: "voter", Cluster.prompt: "prompt_id"}
ELO_ROUNDS = 100
MOST_WEIGHT = 1e15  # together: beyond, adding one vote to the sum no longer changes it
ELO_BATTLES = 200_000  # a hundred rounds over more battles than these take over two seconds


def board_of(columns: Columns, options: RateOptions) -> ratings.Leaderboard:
    """The board of battles as columns. Raises BadBattlesFile and RatingsError for what they cannot give."""
    import ratings

    columns = _of_category(columns, options.category)
    battles = (columns["model_a"], columns["model_b"], columns["winner"])
    weight = _weights(columns)
    counts = ratings.count_pairs(*battles, weight=weight)
    _check_names(counts.models)
    if options.method is Method.fresh:
        counts, fit = _fresh(columns, counts, weight, options)
    else:
        fit = _fit(columns, counts, weight, options)
    if options.anchor is not None:
        fit = fit.anchored(*options.anchor)
    return ratings.leaderboard(counts, fit=fit)


def _fit(
    columns: Columns, counts: ratings.PairCounts, weight: list[float] | None, options: RateOptions
) -> ratings.Fit:
    import ratings

    method, prior = options.method, options.prior
    battles = (columns["model_a"], columns["model_b"], columns["winner"])
    if weight is not None and method in (Method.elo, Method.ability):
        raise BadBattlesFile(
            f"--method {method} does not support weights. Drop the column weight, or use --method bt."
        )
    if method is Method.elo:
        return ratings.elo(*battles, rounds=ELO_ROUNDS if len(battles[0]) <= ELO_BATTLES else 0)
    if method is Method.ability:
        voters = _column(columns, "voter", "--method ability")
        return ratings.annotator_ability(*battles, voters, prior=prior).fit
    if method in (Method.davidson, Method.davidson_strength):
        return ratings.davidson(counts, prior=prior, by_strength=method is Method.davidson_strength)
    if method is Method.rao_kupper:
        return ratings.rao_kupper(counts, prior=prior)
    groups = _groups(columns, options.cluster)
    if options.style:
        sides = [ratings.style_counts(_completions(columns, side)) for side in ("a", "b")]
        differences = ratings.style_differences(*sides)
        return ratings.contextual(*battles, differences, prior=prior, weight=weight, cluster=groups)
    return ratings.bradley_terry(*battles, prior=prior, weight=weight, cluster=groups)


def _fresh(
    columns: Columns, every: ratings.PairCounts, weight: list[float] | None, options: RateOptions
) -> tuple[ratings.PairCounts, ratings.Fit]:
    """The fresh votes, which are those not cast on a chosen model before it was listed, and their fit."""
    import ratings
    from arena.exchange.row_times import TIMES, time_of

    if missing := [model for model in options.chosen if model not in every.models]:
        raise BadBattlesFile(f"no battle has --chosen {missing[0]!r}. Name one of: {', '.join(every.models)}")
    sides = columns["model_a"], columns["model_b"]
    kept = []
    for row, models in enumerate(zip(*sides, strict=True)):
        until = [options.chosen[str(model)].listed for model in models if str(model) in options.chosen]
        if until:
            try:
                moment = time_of({name: columns[name][row] for name in TIMES if name in columns})
            except ValueError as problem:
                raise BadBattlesFile(f"row {row}: {problem}") from problem
            if moment is None:
                raise BadBattlesFile(
                    f"row {row}: --method fresh needs the time of votes on {' and '.join(map(str, models))}. Add a column "
                    f"timestamp."
                )
            if moment < max(until):
                continue
        kept.append(row)
    of_kept = [[column[row] for row in kept] for column in (*sides, columns["winner"])]
    weights = None if weight is None else [weight[row] for row in kept]
    fresh = ratings.count_pairs(*of_kept, weight=weights, models=every.models)
    variants = {model: chosen.variants for model, chosen in options.chosen.items()}
    return fresh, ratings.fresh_votes(every, fresh, variants, prior=options.prior).fit


def _of_category(columns: Columns, category: str | None) -> Columns:
    if category is None:
        return columns
    given = _column(columns, "category", "--category")
    kept = [row for row, value in enumerate(given) if value == category]
    if not kept:
        present = ", ".join(sorted({str(value) for value in given}))
        raise BadBattlesFile(f"no battle has category {category!r}. Choose one of: {present}")
    return {name: [column[row] for row in kept] for name, column in columns.items()}


def _weights(columns: Columns) -> list[float] | None:
    if "weight" not in columns:
        return None
    weights = []
    for row, value in enumerate(columns["weight"]):
        try:
            weights.append(float(value))  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError) as problem:
            raise BadBattlesFile(f"row {row}: weight {value!r} is not a number. Give zero or more.") from problem
    if sum(weight for weight in weights if math.isfinite(weight)) > MOST_WEIGHT:
        raise BadBattlesFile("the weights are too large to be added up. Divide them by the largest.")
    return weights


def _check_names(models: Sequence[object]) -> None:
    """Raise BadBattlesFile for a name that cannot be printed in terminals and tables."""
    for name in map(str, models):
        if not name.isprintable():
            raise BadBattlesFile(f"model name {name!r} has characters that cannot be printed. Rename the model.")


def _groups(columns: Columns, cluster: Cluster | None) -> list[object] | None:
    return None if cluster is None else _column(columns, COLUMNS[cluster], f"--cluster {cluster}")


def _completions(columns: Columns, side: str) -> list[Any]:
    """The completions of a side, or else the assistant's turns of its conversation."""
    if f"completion_{side}" in columns:
        return columns[f"completion_{side}"]
    talks = _column(columns, f"conversation_{side}", "--style")
    return [_assistant_text(talk, row) for row, talk in enumerate(talks)]


def _assistant_text(conversation: object, row: int) -> object:
    try:
        turns = json_value(conversation) if isinstance(conversation, str) else conversation
        if not isinstance(turns, list):
            return None
        return "\n".join(turn["content"] for turn in turns if turn["role"] == "assistant")
    except (json.JSONDecodeError, RecursionError, KeyError, TypeError) as problem:
        raise BadBattlesFile(
            f"row {row}: not a conversation: {str(conversation)[:60]!r}. Give a list of {{role, content}}."
        ) from problem


def _column(columns: Columns, name: str, option: str) -> list[object]:
    if name not in columns:
        raise BadBattlesFile(
            f"{option} needs a column {name}. Add it to the file; its columns are: {', '.join(columns)}"
        )
    return columns[name]
