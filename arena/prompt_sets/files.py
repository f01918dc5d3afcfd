"""Prompt files in the formats of the public benchmarks (`arena.prompt_sets.formats`), read into one shape.

A file is a JSON list, JSON lines, or CSV. The first record determines the format.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.prompt_sets.formats import FORMATS, format_of, read_record, texts, with_reference
from arena.prompt_sets.records import BadPromptFile, file_text, records
from arena.store.prompts import NewPrompt


@dataclass(frozen=True)
class PromptFile:
    """The prompts of a file, and in some formats one model's completions by the prompt's key."""

    format: str
    prompts: list[NewPrompt]
    completions: dict[tuple[str, str], str] = field(default_factory=dict)  # (key, model) to text


def read_prompt_file(path: Path, format: str | None = None) -> PromptFile:  # noqa: A002  (the option's name)
    """The prompts of a file, or of the `model_outputs.json` of a folder. Raises `BadPromptFile`."""
    if path.is_dir():
        path = path / "model_outputs.json"
    return read_prompts(file_text(path), str(path), format)


def read_prompts(text: str, where: str, format: str | None = None) -> PromptFile:  # noqa: A002
    """The prompts of a file's text. Raises `BadPromptFile` naming `where` and the line or entry."""
    placed = list(records(text, where))
    if not placed:
        raise BadPromptFile(f"{where}: the file is empty. Expected prompts, one per line.")
    name = format or format_of(placed[0][1], where)
    if name not in FORMATS:
        raise BadPromptFile(f"Format {name!r} is unknown. Use one of: {', '.join(FORMATS)}.")
    prompts: dict[str, NewPrompt] = {}
    completions: dict[tuple[str, str], str] = {}
    for place, record in placed:
        prompt = read_record(record, name, place)
        if prompt.key in prompts:
            raise BadPromptFile(f"{place}: {prompt.key!r} appears twice. Give each prompt its own id.")
        prompts[prompt.key] = prompt
        if isinstance(record.get("output"), str) and isinstance(record.get("generator"), str):
            completions[prompt.key, record["generator"]] = record["output"]
    return PromptFile(name, list(prompts.values()), completions)


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
