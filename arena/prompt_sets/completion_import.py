"""Import of completions that other tools wrote, into a prompt set that is there or into a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.errors import ConfigError
from arena.prompt_sets.added_completions import add_completions
from arena.prompt_sets.categories import read_categories
from arena.prompt_sets.completion_formats import (
    COMPLETION_FORMATS,
    NewCompletion,
    checked_name,
    completion_format_of,
    read_completion,
)
from arena.prompt_sets.inspect_log import INSPECT, inspect_records
from arena.prompt_sets.mapping import mapped
from arena.prompt_sets.prompt_sets import name_of
from arena.prompt_sets.records import BadPromptFile
from arena.prompt_sets.run_formats import FILE, NoCompletion, model_of
from arena.prompt_sets.tables import placed_records
from arena.store import Database

ONE_A_METRIC = ("lm_eval", "every_eval_ever")  # with a record for each filter or metric of one completion


@dataclass(frozen=True)
class CompletionFiles:
    """Files of completions and how to read them. Without `format`, the first record of each file determines it."""

    paths: Sequence[Path]
    format: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None  # the model's name, in place of the records'
    split: str | None = None
    categories: Path | None = None  # a mapping of categories, for the file's own prompts


@dataclass(frozen=True)
class ImportedCompletions:
    """The result of an import: completions added by model, those that were there, and the new set's prompts."""

    prompts: str  # the set's name
    formats: tuple[str, ...]
    models: tuple[str, ...]
    added: Mapping[str, int]
    there: int
    empty: int
    new_prompts: int  # 0 if the set was there
    without: int  # samples that have no completion

    @property
    def total(self) -> int:
        return sum(self.added.values())


def import_completions(database: Database, given: CompletionFiles, name: str | None = None) -> ImportedCompletions:
    """Import the completions of all files, or of none. `name` is the prompt set, by default that of a single file.

    A set that is there keeps its prompts, and a completion that is there is not changed. Raises `BadPromptFile`,
    `ConfigError`.
    """
    if name is None and len({name_of(path) for path in given.paths}) > 1:
        raise ConfigError("Several files need the prompt set that they belong to. Add --prompts SET.")
    files = [_read(path, given) for path in given.paths]
    mapping = read_categories(given.categories)
    read = [completion.with_category(mapping) for file in files for completion in file.completions]
    if not read:
        raise BadPromptFile(
            f"{given.paths[0]}: no sample has a completion. Import a run that was not interrupted."
        )
    chosen = name or name_of(given.paths[0])
    with database.write() as session:
        added = add_completions(session, chosen, str(given.paths[0]), read)
    empty = sum(not completion.turns[-1].strip() for completion in read)
    models = tuple(dict.fromkeys(completion.model or "" for completion in read))
    return ImportedCompletions(
        chosen,
        tuple(dict.fromkeys(file.format for file in files)),
        models,
        added.by_model,
        added.there,
        empty,
        added.new_prompts,
        sum(file.without for file in files),
    )


@dataclass(frozen=True)
class _File:
    """The format of a file, its completions, and the number of its samples that have none."""

    format: str
    completions: Sequence[NewCompletion]
    without: int


def _read(path: Path, given: CompletionFiles) -> _File:
    """The completions of a file. Raises `BadPromptFile`."""
    # a log of inspect_ai may be JSON, too, which only its reader knows
    placed = list(inspect_records(path)) if given.format == INSPECT else placed_records(path, given.split)
    name = "plain" if given.mapping else given.format or completion_format_of(placed[0][1], str(path))
    if name not in COMPLETION_FORMATS:
        raise BadPromptFile(f"Format {name!r} is unknown. Use one of: {', '.join(COMPLETION_FORMATS)}.")
    model = _model(given.model) if given.model is not None else model_of(path)
    completions, without = [], 0
    for place, record in placed:
        fields = mapped(record, given.mapping, place) if given.mapping else {**record, FILE: str(path)}
        try:
            read = read_completion(fields, name, place)
        except NoCompletion:
            without += 1
            continue
        if model is not None:
            read = replace(read, model=model)
        if read.model is None:
            raise BadPromptFile(f"{place}: the record names no model. Add --model NAME, or --map model=FIELD.")
        completions.append(read)
    if name in ONE_A_METRIC:
        completions = list({(each.key, each.model, each.turns): each for each in completions}.values())
    return _File("mapped" if given.mapping else name, completions, without)


def _model(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as problem:
        raise ConfigError(f"--model: {problem}") from problem
