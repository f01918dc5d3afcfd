"""Prompt sets and their completions. Every function works in the session of its caller."""

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
    """A prompt of a file."""

    key: str
    messages: tuple[Message, ...]
    category: str = OVERALL
    checklist: tuple[str, ...] = ()
    reference: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def references(self) -> tuple[str, ...]:
        """The reference of each turn that has one; `reference` is all of them together."""
        return tuple(self.extra.get("references", ()))

    @property
    def turns(self) -> int:
        """The number of turns that the model completes: the consecutive user turns at the end."""
        number = 0
        for message in reversed(self.messages):
            if message["role"] != "user":
                break
            number += 1
        return number


@dataclass(frozen=True)
class StoredPrompt(NewPrompt):
    """A prompt of the store. `cluster` names what verdicts on it have in common, where it is not the text."""

    id: int = 0
    cluster: str = ""


@dataclass(frozen=True)
class StoredCompletion:
    id: int
    prompt: str  # its key
    model: str
    text: str
    earlier: tuple[str, ...]


@dataclass(frozen=True)
class PromptSetSummary:
    """A prompt set with its counts."""

    name: str
    source: str
    prompts: int
    categories: int
    completions: Mapping[str, int]  # by model


def add_prompt_set(session: Session, name: str, source: str, sha256: str, prompts: Sequence[NewPrompt]) -> int:
    """Add a prompt set and return its id. Raises `sqlalchemy.exc.IntegrityError` for a used name or a repeated key."""
    prompt_set = PromptSet(name=name, source=source, sha256=sha256)
    session.add(prompt_set)
    session.flush()
    session.add_all(
        Prompt(
            set_id=prompt_set.id or 0,
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
    return prompt_set.id or 0


def find_prompt_set(session: Session, name: str) -> PromptSet | None:
    return session.exec(select(PromptSet).where(PromptSet.name == name)).one_or_none()


def prompts_of(session: Session, name: str) -> list[StoredPrompt]:
    """The prompts of a set, in order. Raises `UnknownPromptSet`."""
    prompt_set = find_prompt_set(session, name)
    if prompt_set is None:
        names = ", ".join(session.exec(select(PromptSet.name).order_by(PromptSet.name)).all()) or "none"
        raise UnknownPromptSet(
            f"Prompt set {name!r} not found. Prompt sets: {names}. Run `arena prompts import FILE` to add one."
        )
    rows = session.exec(select(Prompt).where(Prompt.set_id == prompt_set.id).order_by(col(Prompt.number)))
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


def prompt_sets(session: Session) -> list[PromptSetSummary]:
    """Every set with its counts, by name."""
    summaries = []
    for prompt_set in session.exec(select(PromptSet).order_by(PromptSet.name)).all():
        of_set = Prompt.set_id == prompt_set.id
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
        summaries.append(
            PromptSetSummary(prompt_set.name, prompt_set.source, prompts, categories, dict(completions))
        )
    return summaries


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
    """Add a model's completion; False if there is one, which is not changed."""
    model_id = session.exec(select(Model.id).where(Model.name == model)).one_or_none()
    if model_id is None:
        register_models(session, [model])
        session.flush()
        model_id = session.exec(select(Model.id).where(Model.name == model)).one()
    existing = select(PromptCompletion.id).where(
        PromptCompletion.prompt_id == prompt_id, PromptCompletion.model_id == model_id
    )
    if session.exec(existing).one_or_none() is not None:
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
    """The completions of all or some models by (key of the prompt, model)."""
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
