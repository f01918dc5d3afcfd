"""Prompt files in the formats of the public benchmarks (`arena.prompt_sets.formats`), read into one shape.

A file is a JSON list, JSON lines, or CSV. The first record determines the format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType

from arena.prompt_sets.completion_formats import read_completion
from arena.prompt_sets.formats import FORMATS, format_of, read_record, texts, with_reference
from arena.prompt_sets.mapping import mapped
from arena.prompt_sets.records import BadPromptFile, Record, file_text, records
from arena.prompt_sets.tables import placed_records
from arena.store.prompts import NewPrompt


@dataclass(frozen=True)
class PromptFile:
    """The prompts of a file, and in some formats one model's completions by the prompt's key."""

    format: str
    prompts: list[NewPrompt]
    completions: dict[tuple[str, str], str] = field(default_factory=dict)  # (key, model) to text


def read_prompt_file(
    path: Path,
    format: str | None = None,  # noqa: A002  (the option's name)
    mapping: Mapping[str, str] = MappingProxyType({}),
    split: str | None = None,
) -> PromptFile:
    """The prompts of a file, or of a folder (`placed_records`). Raises `BadPromptFile`.

    `mapping` names the field of the file for those of the plain format.
    """
    return _prompt_file(placed_records(path, split), str(path), format, mapping)


def read_prompts(
    text: str,
    where: str,
    format: str | None = None,  # noqa: A002
    mapping: Mapping[str, str] = MappingProxyType({}),
) -> PromptFile:
    """The prompts of a file's text. Raises `BadPromptFile` naming `where` and the line or entry."""
    placed = list(records(text, where))
    if not placed:
        raise BadPromptFile(f"{where}: the file is empty. Expected prompts, one per line.")
    return _prompt_file(placed, where, format, mapping)


def _prompt_file(
    placed: Sequence[tuple[str, Record]],
    where: str,
    format: str | None,  # noqa: A002
    mapping: Mapping[str, str],
) -> PromptFile:
    name = "plain" if mapping else format or format_of(placed[0][1], where)
    if name not in FORMATS:
        raise BadPromptFile(f"Format {name!r} is unknown. Use one of: {', '.join(FORMATS)}.")
    prompts: dict[str, NewPrompt] = {}
    completions: dict[tuple[str, str], str] = {}
    for place, given in placed:
        record = mapped(given, mapping, place) if mapping else given
        prompt = read_record(record, name, place)
        if prompt.key in prompts:
            raise BadPromptFile(f"{place}: {prompt.key!r} appears twice. Give each prompt its own id.")
        prompts[prompt.key] = prompt
        if name == "alpaca_eval" and "output" in record and "generator" in record:
            read = read_completion(record, name, place)
            completions[prompt.key, read.model or ""] = read.turns[-1]
    return PromptFile("mapped" if mapping else name, list(prompts.values()), completions)


def with_references(read: PromptFile, path: Path) -> PromptFile:
    """The prompts with the answers of an MT-bench answer file (`reference_answer/gpt-4.jsonl`) as references.

    Raises `BadPromptFile` for another kind of file, or one without an answer to any of the prompts.
    """
    given: dict[str, tuple[str, ...]] = {}
    for place, record in records(file_text(path), str(path)):
        try:
            turns = record["choices"][0]["turns"]
            given[str(record["question_id"])] = texts(turns, "turns")
        except (KeyError, IndexError, TypeError, ValueError) as problem:
            raise BadPromptFile(
                f"{place}: not an MT-bench answer. Expected question_id and choices with turns."
            ) from problem
    if not any(prompt.key in given for prompt in read.prompts):
        raise BadPromptFile(
            f"{path}: answers none of these prompts. Give the answers to the questions of this set."
        )
    return replace(read, prompts=[with_reference(prompt, given.get(prompt.key, ())) for prompt in read.prompts])
