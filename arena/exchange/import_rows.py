"""A row of a battles file as the vote that it becomes: its texts, time, categories and style counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ratings
from arena.config.given_files import UNWRITABLE, json_value
from arena.exchange.formats.battle_columns import given, is_true
from arena.exchange.row_times import time_of
from arena.rules.categories import VERSION, categories
from arena.rules.languages import named_language
from arena.rules.votes import OVERALL
from arena.store.imports import NewVote
from arena.store.schema.battles import now

STYLE = tuple(f"{name}_{side}" for name in ratings.STYLE_FEATURES for side in "ab")
LONGEST_CATEGORY = 60
MOST = (1 << 31) - 1  # of a count: an INTEGER of PostgreSQL
LANGUAGES = ("language", "languages", "lang")


def vote_of_row(row: Mapping[str, Any], source: str, voter: str, shared: bool) -> NewVote:
    """The vote of a row, its battle not yet known. Raises ValueError, TypeError or LookupError for a wrong field."""
    talks = [_talk(row.get(f"conversation_{side}"), row.get(f"completion_{side}"), row) for side in "ab"]
    prompts, a, b = _turns(*talks)
    own, spoken = _own_categories(row), _language(row)
    category = given(row.get("category"))
    vote = NewVote(
        public_id="",
        model_a=str(row["model_a"]),
        model_b=str(row["model_b"]),
        winner=str(row["winner"]),
        source=source,
        voter=voter,
        created_at=time_of(row) or now(),
        stopped_early=is_true(row.get("stopped_early")),
        leaked=is_true(row.get("leaked")),
        suggested=is_true(row.get("suggested")),
        pair_probability=_probability(row),
        category=category[:LONGEST_CATEGORY] if isinstance(category, str) and category.isprintable() else OVERALL,
        categories=own or (categories(prompts, spoken=spoken) if prompts else (spoken,) if spoken else ()),
        classifier="imported" if own else VERSION,
        spoken=None if own else spoken,
        turns=tuple(zip(prompts, a, b, strict=True)),
        style=_style(row, a, b),
        shared=shared,
    )
    _check_storable(vote)
    return vote


def _check_storable(vote: NewVote) -> None:
    """Raise ValueError for a name with a NUL character or half a surrogate pair, which no database holds."""
    texts = (vote.source, vote.voter, vote.category, *vote.categories)
    if bad := next((match for text in texts if (match := UNWRITABLE.search(text))), None):
        raise ValueError(f"a text has {bad.group()!r}, which is not text. Remove it.")


def _probability(row: Mapping[str, Any]) -> float:
    value = given(row.get("pair_probability"))
    probability = 1.0 if value is None else float(value)
    if not 0 < probability <= 1:
        raise ValueError(f"pair_probability {value!r} is out of range. Give a number above 0, up to 1.")
    return probability


def _talk(conversation: object, completion: object, row: Mapping[str, Any]) -> list[dict[str, str]]:
    """The messages of one side; those of a completion begin with the prompt of the row."""
    if isinstance(conversation, str) and conversation.strip():
        conversation = json_value(conversation)
    if given(conversation) is not None and conversation not in ("", []):
        if not isinstance(conversation, Sequence) or isinstance(conversation, str):
            raise ValueError(
                f"conversation {str(conversation)[:40]!r} is invalid. Use a list of {{role, content}}."
            )
        return [_message(message) for message in conversation]
    if isinstance(completion, str) and isinstance(row.get("prompt"), str):
        return [_message({"role": "user", "content": row["prompt"]}),
                _message({"role": "assistant", "content": completion})]  # fmt: skip
    return []


def _message(message: object) -> dict[str, str]:
    if not isinstance(message, Mapping) or "role" not in message or "content" not in message:
        raise ValueError(f"message {str(message)[:40]!r} is invalid. Use {{role, content}}.")
    return {"role": str(message["role"]), "content": UNWRITABLE.sub("\ufffd", _plain(message["content"]))}


def _plain(content: object) -> str:
    """The text of a content; newer files have contents in parts. One without text, such as of a broken reply, is empty."""
    if content is None or isinstance(content, str):
        return content or ""
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) for part in content):
        return "\n".join(str(part["text"]) for part in content if part.get("text"))
    raise ValueError(f"content {str(content)[:40]!r} is invalid. Use text.")


def _turns(left: list[dict[str, str]], right: list[dict[str, str]]) -> tuple[list[str], list[str], list[str]]:
    """Prompts and both sides' completions, turn by turn; a turn without a completion has an empty one."""
    prompts, a = _prompts_and_completions(left)
    _, b = _prompts_and_completions(right)
    short = len(prompts) - len(b)
    return prompts, a, (b + [""] * short)[: len(prompts)]


def _prompts_and_completions(talk: list[dict[str, str]]) -> tuple[list[str], list[str]]:
    prompts: list[str] = []
    completions: list[str] = []
    for message in talk:
        if message["role"] == "user":
            prompts.append(message["content"])
            completions.append("")
        elif message["role"] == "assistant" and completions:
            completions[-1] = message["content"]
    return prompts, completions


def _own_categories(row: Mapping[str, Any]) -> tuple[str, ...]:
    value = row.get("categories")
    if isinstance(value, str) and value:
        value = json_value(value)
    if given(value) is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ValueError(f"categories {str(value)[:40]!r} are invalid. Use a list of names.")
    names = tuple(str(category)[:LONGEST_CATEGORY] for category in value if given(category) is not None)
    if wrong := [name for name in names if not name.isprintable()]:
        raise ValueError(f"category {wrong[0]!r} is not printable. Rename it.")
    return names


def _count(name: str, value: Any) -> int:
    """A style count. Raises ValueError for what no text has."""
    number = int(value)
    if not 0 <= number <= MOST or (isinstance(value, float) and number != value):
        raise ValueError(f"{name} {str(value)[:40]} is no count. Give a whole number from 0.")
    return number


def _language(row: Mapping[str, Any]) -> str | None:
    """The language that a row names, as a name or a code; None where it names none that is known."""
    for column in LANGUAGES:
        value = row.get(column)
        if isinstance(value, str) and value.startswith("["):
            value = json_value(value)
        named = value[0] if isinstance(value, list | tuple) and value else value
        if isinstance(named, str) and (found := named_language(named)):
            return found
    return None


def _style(row: Mapping[str, Any], a: Sequence[str], b: Sequence[str]) -> dict[str, int]:
    """The style counts of the row, or those of its texts."""
    if all(given(row.get(name)) is not None for name in STYLE):
        return {name: _count(name, row[name]) for name in STYLE}
    if not any(a) or not any(b):
        return {}
    counts = ratings.style_counts(["\n\n".join(a), "\n\n".join(b)])
    return {
        f"{name}_{side}": int(counts[name][at]) for name in ratings.STYLE_FEATURES for at, side in enumerate("ab")
    }
