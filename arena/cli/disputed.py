"""`arena disputed`: battles ranked by disagreement."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.explaining.disagreements import Disagreement


SHOWN = 20
READ = 200  # battles for concepts


class Kind(StrEnum):
    people = "people"
    against = "against"
    judges = "judges"
    swapped = "swapped"


def disputed(
    model: Annotated[str | None, typer.Option(help="Only battles of this model.")] = None,
    category: Annotated[str | None, typer.Option(help="Only battles of this category.")] = None,
    judge: Annotated[str | None, typer.Option(help="Count only this judge; people are always counted.")] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="Rank by one kind: people (among themselves), against (judges against people), judges (among "
            "themselves), swapped (a judge against itself with sides swapped). Default: the largest of them."
        ),
    ] = None,
    patterns: Annotated[
        bool,
        typer.Option(
            "--patterns", help="Show instead the features that judges weigh more than people, over all votes."
        ),
    ] = False,
    classes: Annotated[
        bool,
        typer.Option("--classes", help="Show instead the classes of words that stored explanations fall on."),
    ] = False,
    concepts: Annotated[
        bool,
        typer.Option(
            "--concepts",
            help="Show instead clusters of the judge's hidden states, and whether they predict people's choice.",
        ),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(help="Show up to N battles (20); with --concepts, read up to N battles (200).", min=1),
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Rank battles by disagreement of people and judges. Explain one with `arena explain`."""
    from arena.cli import disagreement_patterns
    from arena.explaining.disagreements import disagreements, merge_duplicates
    from arena.store.verdicts import votes_on_record

    if classes or concepts:
        with opened(config, db) as (database, settings):
            if classes:
                disagreement_patterns.classes(database, model, category, judge, as_format)
            else:
                disagreement_patterns.concepts(
                    database, settings, model, category, judge, limit or READ, as_format
                )
        return
    with opened(config, db) as (database, _), database.read() as session:
        votes = merge_duplicates(session, votes_on_record(session))
        _check(votes, model, category, judge)
        if patterns:
            disagreement_patterns.features(session, votes, model, category, judge, as_format)
            return
        battles = disagreements(
            votes, model=model, category=category, judge=judge, kind=kind.value if kind else None
        )
    _print(battles, len({vote.battle for vote in votes}), limit or SHOWN, as_format)


def _print(battles: list[Disagreement], voted: int, limit: int, as_format: Format) -> None:
    """Print up to `limit` of the disputed battles, of those `voted` on."""
    shown = battles[:limit]
    if as_format is Format.JSON:
        write_json([battle.to_dict() for battle in shown])
    elif as_format is Format.CSV:
        write_csv([_flat(battle) for battle in shown])
    elif shown:
        Console().print(_table(shown))
        Console(stderr=True, highlight=False).print(
            f"{len(shown)} of {len(battles)} disputed battles. Explain one: "
            f"arena explain {shown[0].battle} --judge JUDGE"
        )
    else:
        Console(stderr=True).print(
            f"None of {voted:,} battles is disputed. "
            "A disputed battle needs two votes on one battle, or a judge with verdicts in both orders."
        )


def _check(votes: Any, model: str | None, category: str | None, judge: str | None) -> None:
    """Raise `ConfigError` for a name that no vote has."""
    from arena.errors import ConfigError
    from arena.rules.votes import JUDGE

    names_by_option = {
        "--model": (model, {name for vote in votes for name in (vote.model_a, vote.model_b)}),
        "--category": (category, {vote.category for vote in votes}),
        "--judge": (judge, {v.source.removeprefix(JUDGE) for v in votes if v.source.startswith(JUDGE)}),
    }
    for option, (given, names) in names_by_option.items():
        if given is not None and given not in names:
            raise ConfigError(
                f"{option}: no vote has {given!r}. Use one of: {', '.join(sorted(names)) or 'none'}."
            )


def _flat(battle: Disagreement) -> dict[str, Any]:
    return {
        "battle": battle.battle,
        "prompt": battle.prompt,
        "category": battle.category,
        "model_a": battle.model_a,
        "model_b": battle.model_b,
        **{f"people_{winner}": count for winner, count in battle.people.items()},
        "judges": "; ".join(f"{name} {preference:.3f}" for name, preference in battle.judges.items()),
        "flipped": "; ".join(battle.flipped),
        **{f"disagreement_{name}": value for name, value in battle.kinds.items()},
        "disagreement": battle.disagreement,
    }


def _table(shown: list[Disagreement]) -> Table:
    table = Table(title="disputed battles · disagreement from 0 to 1")
    for name in ("battle", "models", "people", "judges"):
        table.add_column(name, justify="right" if name == "battle" else "left", overflow="fold")
    for name in ("people split", "judges against", "judges split", "swapped"):
        table.add_column(name, justify="right")
    for battle in shown:
        kinds = [Text("–" if value is None else f"{value:.2f}") for value in battle.kinds.values()]
        table.add_row(
            str(battle.battle),
            Text(f"A {battle.model_a}\nB {battle.model_b}"),
            _people(battle),
            _judges(battle),
            *kinds,
        )
    return table


def _people(battle: Disagreement) -> Text:
    names = {"model_a": "A", "model_b": "B", "tie": "tie", "both_bad": "both bad"}
    return Text("\n".join(f"{count} × {names[winner]}" for winner, count in battle.people.items() if count) or "–")


def _judges(battle: Disagreement) -> Text:
    lines = [
        f"{name}: {'A' if p > 0.5 else 'B' if p < 0.5 else 'tie'} {max(p, 1 - p):.0%}"
        + (" (order decides)" if name in battle.flipped else "")
        for name, p in battle.judges.items()
    ]
    return Text("\n".join(lines) or "–")
