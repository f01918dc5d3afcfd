"""Completions of a file, added to the prompt set that they belong to or to a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.prompt_sets.completion_formats import NewCompletion
from arena.prompt_sets.prompt_sets import digest
from arena.prompt_sets.records import BadPromptFile
from arena.store import Session
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
class Added:
    """Completions added by model, those that were there, and the new set's prompts (0 if the set was there)."""

    by_model: dict[str, int]
    there: int
    new_prompts: int


def add_completions(session: Session, name: str, source: str, read: Sequence[NewCompletion]) -> Added:
    """Add completions to the prompt set `name`, which is made of their prompts if it is new.

    A set that is there keeps its prompts, and a completion that is there is not changed. Raises `BadPromptFile` naming
    the record.
    """
    new = find_prompt_set(session, name) is None
    if new:
        prompts = _own_prompts(read, name)
        add_prompt_set(session, name, source, digest(prompts), prompts)
    stored = prompts_of(session, name)
    added, there = _add(session, name, stored, read)
    return Added(added, there, len(stored) if new else 0)


def _own_prompts(read: Sequence[NewCompletion], name: str) -> list[NewPrompt]:
    """The prompts of the records, as a new set. Raises `BadPromptFile` for a record without one.

    Two models that completed one text under different ids, as other harnesses give them, completed one prompt, unless
    one of them has the text several times.
    """
    prompts: dict[str, NewPrompt] = {}
    makers: dict[str, list[str | None]] = {}  # the models whose records made the prompts of a text
    times = Counter((each.model, _text(each.prompt)) for each in read if each.prompt is not None)
    for completion in read:
        if completion.prompt is None:
            raise BadPromptFile(
                f"{completion.place}: the record has no prompt, and there is no prompt set {name!r}. Run "
                "`arena prompts import FILE` with the questions, then add --prompts SET here."
            )
        text, known = _text(completion.prompt), prompts.get(completion.prompt.key)
        made_by = makers.setdefault(text, [])
        if known is not None and known.messages == completion.prompt.messages:
            continue
        if len(made_by) == 1 and made_by[0] != completion.model and times[completion.model, text] == 1:
            continue  # another model's prompt, under the id of another harness
        if known is not None:
            raise BadPromptFile(
                f"{completion.place}: the id {known.key!r} has another prompt in an earlier record. Give each prompt "
                "its own id."
            )
        prompts[completion.prompt.key] = completion.prompt
        made_by.append(completion.model)
    return list(prompts.values())


def _add(
    session: Session, name: str, prompts: Sequence[StoredPrompt], read: Iterable[NewCompletion]
) -> tuple[dict[str, int], int]:
    """Add the completions: how many by model, and how many were there."""
    places = Places(name, prompts)
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


class Places:
    """The prompts of a set by key and by text."""

    def __init__(self, name: str, prompts: Sequence[StoredPrompt]) -> None:
        self.name = name
        self.by_key = {prompt.key: prompt for prompt in prompts}
        self.by_text: dict[str, list[StoredPrompt]] = {}
        for prompt in prompts:
            self.by_text.setdefault(_text(prompt), []).append(prompt)

    def of(self, completion: NewCompletion) -> StoredPrompt:
        """The prompt that was completed. Raises `BadPromptFile`, also for another number of turns."""
        prompt = self.find(completion.place, completion.key, completion.prompt)
        if len(completion.turns) != prompt.turns:
            raise BadPromptFile(
                f"{completion.place}: {len(completion.turns)} turns of the model, and the prompt {prompt.key!r} has "
                f"{prompt.turns}. Import the prompts that were completed."
            )
        return prompt

    def find(self, place: str, key: str | None, given: NewPrompt | None) -> StoredPrompt:
        """The prompt of a record, by its id or else by its text, which also counts where the id has another one.

        Raises `BadPromptFile` if the set lacks it, or has other text under its id.
        """
        prompt = self._find(place, key, given)
        if given is not None and not _same(given, prompt):
            raise BadPromptFile(
                f"{place}: the prompt {prompt.key!r} of the set {self.name!r} has another text. Choose "
                "the set that was completed with --prompts."
            )
        return prompt

    def _find(self, place: str, key: str | None, given: NewPrompt | None) -> StoredPrompt:
        same = self.by_text.get(_text(given), []) if given is not None else []
        if key is not None and key in self.by_key:
            stored = self.by_key[key]
            # another harness may number the same prompts in another way
            return same[0] if len(same) == 1 and given is not None and not _same(given, stored) else stored
        if given is not None:
            if len(same) == 1:
                return same[0]
            if given.key in self.by_key:
                return self.by_key[given.key]
        what = key or (given.messages[-1]["content"] if given else "")
        raise BadPromptFile(
            f"{place}: no prompt {what[:60]!r} in the set {self.name!r}. Choose the set that was completed "
            "with --prompts, or a new name to import the file's own prompts."
        )


def _text(prompt: NewPrompt) -> str:
    return "\n".join(f"{message['role']}: {message['content'].strip()}" for message in prompt.messages)


def _same(given: NewPrompt, stored: NewPrompt) -> bool:
    """Whether a record's last message is one of the stored turns: some formats keep the first turn, or the last."""
    stored_turns = {message["content"].strip() for message in stored.messages if message["role"] == "user"}
    return given.messages[-1]["content"].strip() in stored_turns
