"""`arena disputed --patterns`, `--classes` and `--concepts`: patterns over many battles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from arena.cli.options import Format, write_csv, write_json
from arena.cli.progress import stage_bar
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.store import Database, Session
    from arena.store.verdicts import StoredVote

PROMPT = 60  # characters of a prompt that names a group


def features(
    session: Session,
    votes: Iterable[StoredVote],
    model: str | None,
    category: str | None,
    judge: str | None,
    as_format: Format,
) -> None:
    """The weights of features of completions for judges and for people, a row a feature. Raises `ConfigError`."""
    from arena.explaining.disagreements import matching_votes, preferences
    from judges.errors import JudgesError
    from judges.patterns import preference_patterns

    try:
        patterns = preference_patterns(preferences(session, matching_votes(votes, model, category, judge)))
    except JudgesError as problem:
        raise ConfigError(f"--patterns: {problem}") from problem
    rows = [vars(pattern) for pattern in patterns]
    if as_format is not Format.TABLE:
        (write_json if as_format is Format.JSON else write_csv)(rows)
        return
    Console().print(_feature_table(rows))
    Console(stderr=True, highlight=False).print(
        "Weights in logits for each standard deviation of the feature; the over-weight is what judges add to people's "
        "weight on their own scale. * passes 5 % over the whole table."
    )


def _feature_table(rows: list[dict[str, Any]]) -> Table:
    table = Table(title="features that judges weigh more than people")
    for name in ("feature", "judges", "people", "over-weight", "95 % interval", ""):
        table.add_column(name, justify="left" if name == "feature" else "right")
    for row in rows:
        figures = [_signed(row[name]) for name in ("judges", "people", "over_weight")]
        between = "–" if row["lower"] is None else f"{row['lower']:+.2f} … {row['upper']:+.2f}"
        table.add_row(row["feature"], *figures, between, "*" if row["survives"] else "")
    return table


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{value:+.2f}"


def classes(
    database: Database, model: str | None, category: str | None, judge: str | None, as_format: Format
) -> None:
    """The classes of words that explanations of verdicts fall on, a row a class. Raises `ConfigError`."""
    from arena.store.explanations import explained_words
    from interp import BadOption, class_weights

    with database.read() as session:
        battles = explained_words(session, judge, model, category)
    try:
        rows = [vars(row) for row in class_weights([words for _, words in sorted(battles.items())])]
    except BadOption as problem:
        raise ConfigError(
            f"--classes: {problem} Only stored explanations count. Create one with: arena explain BATTLE --judge JUDGE"
        ) from problem
    if as_format is not Format.TABLE:
        (write_json if as_format is Format.JSON else write_csv)(rows)
        return
    table = Table(title=f"classes of words in the explanations of {len(battles)} battles")
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
    """Clusters of a judge's hidden states with the battles nearest to each. Raises `ConfigError`."""
    from arena.explaining.concepts import concept_report
    from arena.explaining.disagreements import matching_votes, merge_duplicates
    from arena.serving import model_clients
    from arena.store.verdicts import votes_on_record

    if judge is None:
        raise ConfigError(
            "--concepts: no judge is named. Name the judge whose hidden states to read: --judge NAME."
        )
    (chosen,) = model_clients.chosen(model_clients.configured(settings), [judge], "--judge")
    with database.read() as session:
        votes = [*matching_votes(merge_duplicates(session, votes_on_record(session)), model, category, None)]
    with stage_bar(Console(stderr=True, soft_wrap=True, highlight=False), "battles") as progress:
        report = concept_report(database, chosen, votes, limit, progress)
    if as_format is Format.JSON:
        write_json(report)
    elif as_format is Format.CSV:
        write_csv([_flat(number, group) for number, group in enumerate(report["concepts"]["groups"])])
    else:
        _print(report)


def _flat(number: int, group: dict[str, Any]) -> dict[str, Any]:
    nearest = "; ".join(str(item["battle"]) for item in group["nearest"])
    return {"group": number, "size": group["size"], "people_for_a": group["people_for_a"], "nearest": nearest}


def _print(report: dict[str, Any]) -> None:
    groups, probe = report["concepts"], report["probe"]
    table = Table(title=f"hidden states of {report['judge']} over {report['battles']} battles")
    for name in ("group", "battles", "people for A", "nearest battles"):
        table.add_column(name, justify="left" if name == "nearest battles" else "right", overflow="fold")
    for number, group in enumerate(groups["groups"]):
        nearest = "\n".join(
            f"{item['battle']}: {' '.join(item['prompt'].split())[:PROMPT]}" for item in group["nearest"]
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
        console.print("No probe: people decided too few battles over different prompts.")
        return
    accuracy = probe["probe"]
    console.print(
        f"people's choice from the states: {probe['verdict']} ({accuracy['value']:.0%} right on unseen prompts, "
        f"{accuracy['lower']:.0%} to {accuracy['upper']:.0%}; shuffled labels {probe['shuffled']:.0%}, "
        f"words and length {probe['baseline']['value']:.0%})"
    )
