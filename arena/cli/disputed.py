"""`arena disputed`: battles ranked by disagreement."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json

if TYPE_CHECKING:
    from arena.explaining.disagreements import Disagreement
    from arena.store import Session


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
    judge: Annotated[str | None, typer.Option(help="Of the judges, only this one.")] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(
            help="Rank by one kind: people (they split), against (judges against people), judges (among "
            "themselves), swapped (a judge against itself with sides swapped). The largest of them if left out."
        ),
    ] = None,
    patterns: Annotated[
        bool,
        typer.Option("--patterns", help="Instead: what judges give more weight than people do, over all votes."),
    ] = False,
    classes: Annotated[
        bool,
        typer.Option("--classes", help="Instead: which classes of words the stored explanations fall on."),
    ] = False,
    concepts: Annotated[
        bool,
        typer.Option(
            "--concepts",
            help="Instead: groups of the judge's inner states, and whether they tell people's choice.",
        ),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(help="Show so many (20); with --concepts read so many battles (200).", min=1)
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Rank battles by disagreement: there `arena explain` has something to say."""
    from arena.cli import disagreement_patterns
    from arena.explaining.disagreements import disputes, joined
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
        votes = joined(session, votes_on_record(session))
        _check(votes, model, category, judge)
        if patterns:
            _print_patterns(session, votes, model, category, judge, as_format)
            return
        found = disputes(votes, model=model, category=category, judge=judge, kind=kind.value if kind else None)
    shown = found[: limit or SHOWN]
    if as_format is Format.JSON:
        write_json([one.to_dict() for one in shown])
    elif as_format is Format.CSV:
        write_csv([_flat(one) for one in shown])
    elif shown:
        Console().print(_table(shown))
        Console(stderr=True, highlight=False).print(
            f"{len(shown)} of {len(found)} disputed battles; type: arena explain {shown[0].battle} --judge JUDGE"
        )
    else:
        Console(stderr=True).print(
            f"none of {len({vote.battle for vote in votes}):,} battles is disputed: "
            "that takes two votes on one battle, or a judge that was asked in both orders"
        )


def _print_patterns(
    session: Session, votes: Any, model: str | None, category: str | None, judge: str | None, as_format: Format
) -> None:
    from arena.errors import ConfigError
    from arena.explaining.disagreements import ratings_of, wanted
    from interp import BadOption, preference_patterns

    try:
        rows = [
            vars(row) for row in preference_patterns(ratings_of(session, wanted(votes, model, category, judge)))
        ]
    except BadOption as problem:
        raise ConfigError(f"--patterns: {problem}") from problem
    if as_format is Format.JSON:
        write_json(rows)
    elif as_format is Format.CSV:
        write_csv(rows)
    else:
        Console().print(_pattern_table(rows))
        Console(stderr=True, highlight=False).print(
            "logits a standard deviation more of the feature; * passes 5 % over the whole table"
        )


def _pattern_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="what judges give more weight than people")
    for name in ("feature", "judges", "people", "over-weight", "95 % interval", ""):
        table.add_column(name, justify="left" if name == "feature" else "right")
    for row in rows:
        figures = [f"{row[name]:+.2f}" for name in ("judges", "people", "over_weight")]
        between = f"{row['lower']:+.2f} … {row['upper']:+.2f}"
        table.add_row(row["feature"], *figures, between, "*" if row["survives"] else "")
    return table


def _check(votes: Any, model: str | None, category: str | None, judge: str | None) -> None:
    """A name that nobody has is a typing error, not an empty answer."""
    from arena.errors import ConfigError

    known = {
        "--model": (model, {name for vote in votes for name in (vote.model_a, vote.model_b)}),
        "--category": (category, {vote.category for vote in votes}),
        "--judge": (judge, {v.source.removeprefix("judge:") for v in votes if v.source.startswith("judge:")}),
    }
    for option, (given, names) in known.items():
        if given is not None and given not in names:
            raise ConfigError(f"{option}: no vote has {given!r}; there are: {', '.join(sorted(names)) or 'none'}")


def _flat(one: Disagreement) -> dict[str, Any]:
    return {
        "battle": one.battle,
        "prompt": one.prompt,
        "category": one.category,
        "model_a": one.model_a,
        "model_b": one.model_b,
        **{f"people_{winner}": count for winner, count in one.people.items()},
        "judges": "; ".join(f"{name} {preference:.3f}" for name, preference in one.judges.items()),
        "flipped": "; ".join(one.flipped),
        **{f"disagreement_{name}": value for name, value in one.kinds.items()},
        "disagreement": one.disagreement,
    }


def _table(shown: list[Disagreement]) -> Table:
    table = Table(title="disputed battles · disagreement from 0 to 1")
    for name in ("battle", "models", "people", "judges"):
        table.add_column(name, justify="right" if name == "battle" else "left", overflow="fold")
    for name in ("people split", "judges against", "judges split", "swapped"):
        table.add_column(name, justify="right")
    for one in shown:
        kinds = [Text("–" if value is None else f"{value:.2f}") for value in one.kinds.values()]
        table.add_row(
            str(one.battle), Text(f"A {one.model_a}\nB {one.model_b}"), _people(one), _judges(one), *kinds
        )
    return table


def _people(one: Disagreement) -> Text:
    names = {"model_a": "A", "model_b": "B", "tie": "tie", "both_bad": "both bad"}
    return Text("\n".join(f"{count} × {names[winner]}" for winner, count in one.people.items() if count) or "–")


def _judges(one: Disagreement) -> Text:
    lines = [
        f"{name}: {'A' if p > 0.5 else 'B' if p < 0.5 else 'tie'} {max(p, 1 - p):.0%}"
        + (" (order decides)" if name in one.flipped else "")
        for name, p in one.judges.items()
    ]
    return Text("\n".join(lines) or "–")
