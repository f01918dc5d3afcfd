"""`arena disputed --classes` and `--concepts`: patterns of what judges read, over many battles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.options import Format, write_csv, write_json
from arena.cli.progress import stage_bar
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.store import Database

PROMPT = 60  # characters of a prompt that names a group


def classes(
    database: Database, model: str | None, category: str | None, judge: str | None, as_format: Format
) -> None:
    """Which classes of words explanations of verdicts fall on, a row a class. Raises `ConfigError`."""
    from arena.store.explanations import explained_words
    from interp import BadOption, class_weights

    with database.read() as session:
        battles = explained_words(session, judge, model, category)
    try:
        rows = [vars(row) for row in class_weights([words for _, words in sorted(battles.items())])]
    except BadOption as problem:
        raise ConfigError(
            f"--classes: {problem}; stored explanations are counted: arena explain BATTLE --judge JUDGE makes one"
        ) from problem
    if as_format is not Format.TABLE:
        (write_json if as_format is Format.JSON else write_csv)(rows)
        return
    table = Table(title=f"where the explanations of {len(battles)} battles fall")
    for name in ("class of word", "of the words", "of the scores", "over-weight", "95 % interval"):
        table.add_column(name, justify="left" if name == "class of word" else "right")
    for row in rows:
        between = f"{row['lower']:.2f} … {row['upper']:.2f}"
        table.add_row(
            row["name"], f"{row['share']:.0%}", f"{row['weight']:.0%}", f"{row['over_weight']:.2f}", between
        )
    Console().print(table)


def concepts(
    database: Database,
    settings: Settings,
    model: str | None,
    category: str | None,
    judge: str | None,
    limit: int,
    as_format: Format,
) -> None:
    """Groups of a judge's inner states with the battles nearest to each. Raises `ConfigError`."""
    from arena.explaining.concepts import inner_patterns
    from arena.explaining.disagreements import joined, wanted
    from arena.serving import model_clients
    from arena.store.verdicts import votes_on_record

    if judge is None:
        raise ConfigError("--concepts: name the judge whose inner states are to be read: --judge NAME")
    (chosen,) = model_clients.chosen(model_clients.configured(settings), [judge], "--judge")
    with database.read() as session:
        votes = [*wanted(joined(session, votes_on_record(session)), model, category, None)]
    with stage_bar(Console(stderr=True, soft_wrap=True, highlight=False), "battles") as progress:
        found = inner_patterns(database, chosen, votes, limit, progress)
    if as_format is Format.JSON:
        write_json(found)
    elif as_format is Format.CSV:
        write_csv([_flat(number, group) for number, group in enumerate(found["concepts"]["groups"])])
    else:
        _print(found)


def _flat(number: int, group: dict[str, Any]) -> dict[str, Any]:
    nearest = "; ".join(str(one["battle"]) for one in group["nearest"])
    return {"group": number, "size": group["size"], "people_for_a": group["people_for_a"], "nearest": nearest}


def _print(found: dict[str, Any]) -> None:
    groups, probe = found["concepts"], found["probe"]
    table = Table(title=f"inner states of {found['judge']} over {found['battles']} battles")
    for name in ("group", "battles", "people for A", "nearest battles"):
        table.add_column(name, justify="left" if name == "nearest battles" else "right", overflow="fold")
    for number, group in enumerate(groups["groups"]):
        nearest = "\n".join(
            f"{one['battle']}: {' '.join(one['prompt'].split())[:PROMPT]}" for one in group["nearest"]
        )
        table.add_row(str(number), str(group["size"]), f"{group['people_for_a']:.0%}", Text(nearest))
    console = Console()
    console.print(table)
    best = max(groups["silhouette"].values())
    console.print(
        f"silhouette {best:.2f}; bootstrap agreement {groups['agreement']:.2f}: "
        + ("the groups would be found again" if groups["stable"] else "do not rely on these groups")
    )
    if probe is None:
        console.print("no probe: people decided too few battles over different prompts")
        return
    right = probe["probe"]
    console.print(
        f"people's choice from the states: {probe['verdict']} ({right['value']:.0%} right on unseen prompts, "
        f"{right['lower']:.0%} to {right['upper']:.0%}; shuffled labels {probe['shuffled']:.0%}, "
        f"words and length {probe['baseline']['value']:.0%})"
    )
