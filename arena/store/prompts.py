"""Prompt sets in the store and the completions written for them. Every function works in the caller's session."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, func, select

from arena.rules.votes import OVERALL
from arena.store.models import register_models
from arena.store.schema.battles import Model
from arena.store.schema.judging import Prompt, PromptCompletion, PromptSet

Message = Mapping[str, str]


class UnknownPromptSet(Exception):
    """No prompt set has this name."""


@dataclass(frozen=True)
class NewPrompt:
    """A prompt as a file brings it."""

    key: str
    messages: tuple[Message, ...]
    category: str = OVERALL
    checklist: tuple[str, ...] = ()
    reference: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """One for each of the turns that have their own; `reference` is all of them together."""
        return tuple(self.extra.get("references", ()))

    @property
    def turns(self) -> int:
        """How many turns the model answers itself: the user turns at the end that follow one another."""
        number = 0
        for message in reversed(self.messages):
            if message["role"] != "user":
                break
            number += 1
        return number


@dataclass(frozen=True)
class StoredPrompt(NewPrompt):
    id: int = 0


@dataclass(frozen=True)
class StoredCompletion:
    id: int
    prompt: str  # its key
    model: str
    text: str
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class Listed:
    """One prompt set in a list."""

    name: str
    source: str
    prompts: int
    categories: int
    completions: Mapping[str, int]  # by model


def add_prompt_set(session: Session, name: str, source: str, sha256: str, prompts: Sequence[NewPrompt]) -> int:
    """Raises `sqlalchemy.exc.IntegrityError` when the name is taken or a key is there twice."""
    made = PromptSet(name=name, source=source, sha256=sha256)
    session.add(made)
    session.flush()
    session.add_all(
        Prompt(
            set_id=made.id or 0,
            key=prompt.key,
            number=number,
            messages=_json(prompt.messages),
            category=prompt.category,
            checklist=_json(prompt.checklist),
            reference=prompt.reference,
            extra=_json(prompt.extra),
        )
        for number, prompt in enumerate(prompts)
    )
    session.flush()
    return made.id or 0


def find_prompt_set(session: Session, name: str) -> PromptSet | None:
    return session.exec(select(PromptSet).where(PromptSet.name == name)).one_or_none()


def prompts_of(session: Session, name: str) -> list[StoredPrompt]:
    """The prompts of a set, in order. Raises `UnknownPromptSet`."""
    found = find_prompt_set(session, name)
    if found is None:
        known = session.exec(select(PromptSet.name).order_by(PromptSet.name)).all()
        there = f"there are: {', '.join(known)}" if known else "there is none yet"
        raise UnknownPromptSet(f"no prompt set is called {name!r}; {there}. Type: arena prompts import FILE")
    rows = session.exec(select(Prompt).where(Prompt.set_id == found.id).order_by(col(Prompt.number)))
    return [
        StoredPrompt(
            key=row.key,
            messages=tuple(json.loads(row.messages)),
            category=row.category,
            checklist=tuple(json.loads(row.checklist)),
            reference=row.reference,
            extra=json.loads(row.extra),
            id=row.id or 0,
        )
        for row in rows
    ]


def prompt_sets(session: Session) -> list[Listed]:
    """Every set with its counts, by name."""
    listed = []
    for one in session.exec(select(PromptSet).order_by(PromptSet.name)).all():
        of_set = Prompt.set_id == one.id
        prompts = session.exec(select(func.count()).select_from(Prompt).where(of_set)).one()
        categories = session.exec(select(func.count(func.distinct(Prompt.category))).where(of_set)).one()
        completions = session.exec(
            select(Model.name, func.count())
            .select_from(PromptCompletion)
            .join(Prompt, col(Prompt.id) == col(PromptCompletion.prompt_id))
            .join(Model, col(Model.id) == col(PromptCompletion.model_id))
            .where(of_set)
            .group_by(Model.name)
            .order_by(Model.name)
        ).all()
        listed.append(Listed(one.name, one.source, prompts, categories, dict(completions)))
    return listed


def add_completion(
    session: Session,
    prompt_id: int,
    model: str,
    text: str,
    *,
    earlier: Sequence[str] = (),
    finish_reason: str | None = None,
    prompt_tokens: int | None = None,
    completion_tokens: int | None = None,
) -> bool:
    """Keep a model's completion; False when there is one already, which stays as it is."""
    model_id = session.exec(select(Model.id).where(Model.name == model)).one_or_none()
    if model_id is None:
        register_models(session, [model])
        session.flush()
        model_id = session.exec(select(Model.id).where(Model.name == model)).one()
    there = select(PromptCompletion.id).where(
        PromptCompletion.prompt_id == prompt_id, PromptCompletion.model_id == model_id
    )
    if session.exec(there).one_or_none() is not None:
        return False
    session.add(
        PromptCompletion(
            prompt_id=prompt_id,
            model_id=model_id or 0,
            text=text,
            earlier=_json(earlier),
            finish_reason=finish_reason,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )
    )
    session.flush()
    return True


def completions_of(
    session: Session, name: str, models: Iterable[str] | None = None
) -> dict[tuple[str, str], StoredCompletion]:
    """By (prompt's key, model); of all models, or of those named."""
    query = (
        select(PromptCompletion, Prompt.key, Model.name)
        .join(Prompt, col(Prompt.id) == col(PromptCompletion.prompt_id))
        .join(PromptSet, col(PromptSet.id) == col(Prompt.set_id))
        .join(Model, col(Model.id) == col(PromptCompletion.model_id))
        .where(PromptSet.name == name)
    )
    if models is not None:
        query = query.where(col(Model.name).in_(list(models)))
    return {
        (key, model): StoredCompletion(row.id or 0, key, model, row.text, tuple(json.loads(row.earlier)))
        for row, key, model in session.exec(query)
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
