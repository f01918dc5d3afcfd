"""`arena audit MODEL TASK`: signs that a task's test set was in a model's training data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, overrides
from arena.cli.progress import progress_bar
from arena.cli.terminal import Console


def audit(
    model: Annotated[str, typer.Argument(help="A model of the settings file.")],
    task: Annotated[str, typer.Argument(help="A task, as `arena bench list` names it, or mmlu:anatomy.")],
    shards: Annotated[int, typer.Option(help="Parts of the test set; more parts give more power.")] = 10,
    permutations: Annotated[int, typer.Option(help="Other orders of each part.")] = 5,
    limit: Annotated[int | None, typer.Option(help="Only the first N samples.")] = None,
    canary: Annotated[str | None, typer.Option(help="The canary string of the test set.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option(help="Text files to search for the samples.")] = None,
    order: Annotated[bool, typer.Option("--order/--no-order", help="Test the order of the samples.")] = True,
    min_k: Annotated[
        bool, typer.Option("--min-k", help="Compute the likelihood of each sample's unlikeliest tokens.")
    ] = False,
    control: Annotated[
        Path | None, typer.Option(help="Paraphrases to compare with: JSONL with `id` and `text`.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the permutations.")] = 0,
    data: Annotated[
        Path | None, typer.Option(help="The folder with the benchmarks' files; default: ARENA_DATA_DIR.")
    ] = None,
    reply_cache: Annotated[
        Path | None, typer.Option("--reply-cache", help="File of saved replies; default: next to the database.")
    ] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Test whether a test set was in the training data: sample order, unlikely tokens, canary, corpus."""
    from arena.benchmarking import contamination
    from arena.benchmarking.selection import data_folder
    from arena.config import read_settings
    from benchmarks.data import DataSources

    settings = read_settings(config, overrides(database_url=db))
    audit_config = contamination.AuditConfig(
        model=model,
        task=task,
        order=order,
        shards=shards,
        permutations=permutations,
        seed=seed,
        min_k=min_k,
        control=control,
        canary=canary,
        corpus=corpus or (),
        limit=limit,
        data_sources=DataSources(data_folder(data)),
        reply_cache=reply_cache,
    )
    card = contamination.audit(settings, audit_config, progress_bar).to_dict()
    if not for_programs(card, as_format, _rows(card)):
        _print(card)


def _rows(card: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row per value, for CSV."""
    return [
        {"model": card["model"], "task": card["task"], "part": part, "name": name, "value": value}
        for part, values in card.items()
        if isinstance(values, dict)
        for name, value in values.items()
    ]


def _print(card: Mapping[str, Any]) -> None:
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{card['model']} on {card['task']}, {card['samples']:,} samples", markup=False)
    if order := card.get("order"):
        console.print(
            f"order: p = {order['p_value']:.3g}; the published order is {order['difference']:+.2f} nats per part "
            f"likelier than others (t = {order['statistic']:.2f}, {order['n']} parts)"
        )
    if min_k := card.get("min_k"):
        test = f"; p = {min_k['p_value']:.3g} against paraphrases" if "p_value" in min_k else ""
        console.print(
            f"Min-K %: the unlikeliest {min_k['share']:.0%} of tokens have {min_k['mean']:.2f} nats each{test}"
        )
    if canary := card.get("canary"):
        result = {True: "known", False: "not known", None: "no answer"}[canary["known"]]
        console.print(f"canary: {result}")
    if overlap := card.get("overlap"):
        console.print(
            f"overlap: {overlap['any']:.1%} of the samples share {overlap['words']} consecutive words with the "
            f"corpus, {overlap['most']:.1%} share most of theirs"
        )
