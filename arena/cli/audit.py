"""`arena audit MODEL TASK`: signs that a task's test set was in a model's training data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, write_csv, write_json
from arena.errors import ConfigError


def audit(
    model: Annotated[str, typer.Argument(help="A model of the settings file.")],
    task: Annotated[str, typer.Argument(help="A task, as `arena bench list` names it, or mmlu:anatomy.")],
    shards: Annotated[int, typer.Option(help="Parts of the test set; more of them find more.")] = 10,
    permutations: Annotated[int, typer.Option(help="Other orders of each part.")] = 5,
    limit: Annotated[int | None, typer.Option(help="Only the first so many samples.")] = None,
    canary: Annotated[str | None, typer.Option(help="The canary string of the test set.")] = None,
    corpus: Annotated[list[Path] | None, typer.Option(help="Text files to look for the samples in.")] = None,
    order: Annotated[bool, typer.Option("--order/--no-order", help="Test the order of the samples.")] = True,
    min_k: Annotated[
        bool, typer.Option("--min-k", help="The likelihood of each sample's unlikeliest tokens.")
    ] = False,
    control: Annotated[
        Path | None, typer.Option(help="Paraphrases to compare it with: JSONL with `id` and `text`.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the permutations.")] = 0,
    data: Annotated[Path | None, typer.Option(help="The folder with the benchmarks' files.")] = None,
    reply_cache: Annotated[Path | None, typer.Option("--reply-cache", help="Where replies are kept.")] = None,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Ask whether a test set was in the training data: order of the samples, unlikely tokens, canary, corpus."""
    from arena.benchmarking import contamination
    from arena.benchmarking.selection import Options, choose, data_folder, named
    from arena.cli.options import overrides
    from arena.config import read_settings, reply_cache_path
    from arena.engine import ReplyCache
    from arena.serving import model_clients
    from benchmarks.data import DataSources
    from benchmarks.errors import BenchmarkError

    settings = read_settings(config, overrides(database_url=db))
    (asked,) = model_clients.chosen(model_clients.configured(settings), [model], "MODEL")
    (one,) = named([task])[:1]
    chosen = choose(one, DataSources(data_folder(data)), Options(shots=0))
    samples = list(chosen.samples)[:limit]  # the first ones, in the published order
    card: dict[str, Any] = {"model": model, "task": chosen.task.name, "samples": len(samples)}
    try:
        with ReplyCache(reply_cache_path(settings, reply_cache)) as kept, Console(stderr=True).status("asking"):
            if corpus:
                card["overlap"] = contamination.overlapping(chosen.task, samples, _texts(corpus))
            if canary is not None:
                card["canary"] = contamination.canary(asked, canary, kept)
            if order:
                plan = contamination.Audit(shards, permutations, seed, canary)
                card["order"] = contamination.exchanged(asked, chosen.task, samples, plan, kept)
            if min_k or control is not None:
                card["min_k"] = contamination.unlikely(asked, chosen.task, samples, _paraphrases(control), kept)
    except BenchmarkError as problem:
        raise ConfigError(str(problem)) from problem
    _show(card, as_format)


def _texts(files: list[Path]) -> Iterator[str]:
    """Each file as a text. Raises `ConfigError`."""
    for file in files:
        try:
            yield file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"--corpus {file}: cannot be read ({error}); give text files in UTF-8") from error


def _paraphrases(file: Path | None) -> dict[str, str]:
    """Texts by sample id. Raises `BadData`."""
    from benchmarks.data import check_columns, read_file
    from benchmarks.known_files import own

    if file is None:
        return {}
    rows = read_file(file)
    check_columns(rows, own(str(file), "id", "text"))
    return {str(row["id"]): str(row["text"]) for row in rows}


def _show(card: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(card)
        return
    if as_format is Format.CSV:
        parts = {part: found for part, found in card.items() if isinstance(found, dict)}
        write_csv([
            {"model": card["model"], "task": card["task"], "part": part, "name": name, "value": value}
            for part, found in parts.items()
            for name, value in found.items()
        ])  # fmt: skip
        return
    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{card['model']} on {card['task']}, {card['samples']:,} samples", markup=False)
    if found := card.get("order"):
        console.print(
            f"order: p = {found['p_value']:.3g}; the published order is {found['difference']:+.2f} nats a part "
            f"likelier than others (t = {found['statistic']:.2f}, {found['n']} parts)"
        )
    if found := card.get("min_k"):
        test = f"; p = {found['p_value']:.3g} against paraphrases" if "p_value" in found else ""
        console.print(f"Min-K %: the unlikeliest {found['share']:.0%} have {found['mean']:.2f} nats a token{test}")
    if found := card.get("canary"):
        told = {True: "known", False: "not known", None: "no answer"}[found["known"]]
        console.print(f"canary: {told}")
    if found := card.get("overlap"):
        console.print(
            f"overlap: {found['any']:.1%} of the samples share {found['words']} words in a row with the corpus, "
            f"{found['most']:.1%} most of theirs"
        )
