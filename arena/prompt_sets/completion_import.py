"""Import of completions that other tools wrote, into a prompt set that is there or into a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.errors import ConfigError
from arena.prompt_sets.completion_formats import (
    COMPLETION_FORMATS,
    NewCompletion,
    checked_name,
    completion_format_of,
    read_completion,
)
from arena.prompt_sets.mapping import mapped
from arena.prompt_sets.prompt_sets import digest, name_of
from arena.prompt_sets.records import BadPromptFile
from arena.prompt_sets.tables import placed_records
from arena.store import Database, Session
from arena.store.prompts import (
    NewPrompt,
    StoredPrompt,
    add_completion,
    add_prompt_set,
    completions_of,
    find_prompt_set,
    prompts_of,
)


@dataclass(frozen=True)
class CompletionFiles:
    """Files of completions and how to read them. Without `format`, the first record of each file determines it."""

    paths: Sequence[Path]
    format: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None  # the model's name, in place of the records'
    split: str | None = None


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

    @property
    def total(self) -> int:
        return sum(self.added.values())


def import_completions(database: Database, given: CompletionFiles, name: str | None = None) -> ImportedCompletions:
    """Import the completions of all files, or of none. `name` is the prompt set, by default that of a single file.

    A set that is there keeps its prompts, and a completion that is there is not changed. Raises `BadPromptFile`,
    `ConfigError`.
    """
    if name is None and len(given.paths) > 1:
        raise ConfigError("Several files need the prompt set that they belong to. Add --prompts SET.")
    read: list[NewCompletion] = []
    formats: dict[str, None] = {}
    for path in given.paths:
        found, completions = _read(path, given)
        formats[found] = None
        read += completions
    chosen = name or name_of(given.paths[0])
    with database.write() as session:
        new = find_prompt_set(session, chosen) is None
        if new:
            prompts = _own_prompts(read, chosen)
            add_prompt_set(session, chosen, str(given.paths[0]), digest(prompts), prompts)
        stored = prompts_of(session, chosen)
        added, there = _add(session, chosen, stored, read)
    empty = sum(not completion.turns[-1].strip() for completion in read)
    models = tuple(dict.fromkeys(completion.model or "" for completion in read))
    return ImportedCompletions(chosen, tuple(formats), models, added, there, empty, len(stored) if new else 0)


def _read(path: Path, given: CompletionFiles) -> tuple[str, list[NewCompletion]]:
    """The format of a file and its completions. Raises `BadPromptFile`."""
    placed = placed_records(path, given.split)
    name = "plain" if given.mapping else given.format or completion_format_of(placed[0][1], str(path))
    if name not in COMPLETION_FORMATS:
        raise BadPromptFile(f"Format {name!r} is unknown. Use one of: {', '.join(COMPLETION_FORMATS)}.")
    completions = []
    for place, record in placed:
        read = read_completion(mapped(record, given.mapping, place) if given.mapping else record, name, place)
        if given.model is not None:
            read = replace(read, model=_model(given.model))
        if read.model is None:
            raise BadPromptFile(f"{place}: the record names no model. Add --model NAME, or --map model=FIELD.")
        completions.append(read)
    return "mapped" if given.mapping else name, completions


def _model(name: str) -> str:
    try:
        return checked_name(name)
    except ValueError as problem:
        raise ConfigError(f"--model: {problem}") from problem


def _own_prompts(read: Iterable[NewCompletion], name: str) -> list[NewPrompt]:
    """The prompts of the records, as a new set. Raises `BadPromptFile` for a record without one."""
    prompts: dict[str, NewPrompt] = {}
    for completion in read:
        if completion.prompt is None:
            raise BadPromptFile(
                f"{completion.place}: the record has no prompt, and there is no prompt set {name!r}. Run "
                "`arena prompts import FILE` with the questions, then add --prompts SET here."
            )
        prompt = prompts.setdefault(completion.prompt.key, completion.prompt)
        if prompt.messages != completion.prompt.messages:
            raise BadPromptFile(
                f"{completion.place}: the id {prompt.key!r} has another prompt in an earlier record. Give each prompt "
                "its own id."
            )
    return list(prompts.values())


def _add(
    session: Session, name: str, prompts: Sequence[StoredPrompt], read: Iterable[NewCompletion]
) -> tuple[dict[str, int], int]:
    """Add the completions: how many by model, and how many were there."""
    places = _Places(name, prompts)
    known = {place: (*stored.earlier, stored.text) for place, stored in completions_of(session, name).items()}
    added: Counter[str] = Counter()
    there = 0
    for completion in read:
        prompt, model = places.of(completion), completion.model or ""
        before = known.setdefault((prompt.key, model), completion.turns)
        if before != completion.turns:
            raise BadPromptFile(
                f"{completion.place}: {model} has another completion of {prompt.key!r}. A completion is never changed: "
                "import it under another name with --model, or into another set with --prompts."
            )
        *earlier, text = completion.turns
        if add_completion(session, prompt.id, model, text, earlier=earlier, finish_reason="imported"):
            added[model] += 1
        else:
            there += 1
    return dict(added), there


class _Places:
    """The prompts of a set by key and by text."""

    def __init__(self, name: str, prompts: Sequence[StoredPrompt]) -> None:
        self.name = name
        self.by_key = {prompt.key: prompt for prompt in prompts}
        self.by_text: dict[str, list[StoredPrompt]] = {}
        for prompt in prompts:
            self.by_text.setdefault(_text(prompt), []).append(prompt)

    def of(self, completion: NewCompletion) -> StoredPrompt:
        """The prompt that was completed. Raises `BadPromptFile` if the set lacks it, or has other text under its id."""
        prompt = self._of(completion)
        if completion.prompt is not None and not _same(completion.prompt, prompt):
            raise BadPromptFile(
                f"{completion.place}: the prompt {prompt.key!r} of the set {self.name!r} has another text. Choose "
                "the set that was completed with --prompts."
            )
        if len(completion.turns) != prompt.turns:
            raise BadPromptFile(
                f"{completion.place}: {len(completion.turns)} turns of the model, and the prompt {prompt.key!r} has "
                f"{prompt.turns}. Import the prompts that were completed."
            )
        return prompt

    def _of(self, completion: NewCompletion) -> StoredPrompt:
        if completion.key is not None and completion.key in self.by_key:
            return self.by_key[completion.key]
        if completion.prompt is not None:
            same = self.by_text.get(_text(completion.prompt), [])
            if len(same) == 1:
                return same[0]
            if completion.prompt.key in self.by_key:
                return self.by_key[completion.prompt.key]
        what = completion.key or (completion.prompt.messages[-1]["content"] if completion.prompt else "")
        raise BadPromptFile(
            f"{completion.place}: no prompt {what[:60]!r} in the set {self.name!r}. Choose the set that was completed "
            "with --prompts, or a new name to import the file's own prompts."
        )


def _text(prompt: NewPrompt) -> str:
    return "\n".join(f"{message['role']}: {message['content'].strip()}" for message in prompt.messages)


def _same(given: NewPrompt, stored: NewPrompt) -> bool:
    """Whether a record's last message is one of the stored turns: some formats keep the first turn, or the last."""
    stored_turns = {message["content"].strip() for message in stored.messages if message["role"] == "user"}
    return given.messages[-1]["content"].strip() in stored_turns
