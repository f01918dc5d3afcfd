"""`arena import`: battles of other arenas, with their votes, voters, times and conversations."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import ratings
from arena.config.given_files import UNWRITABLE, json_value
from arena.exchange.battles_file import BadBattlesFile, Columns, read_battles_file
from arena.rules.categories import VERSION, categories
from arena.rules.votes import HUMAN, JUDGE, OVERALL
from arena.store import Database
from arena.store.imports import NewVote, add_votes
from arena.store.schema.battles import now

BATCH = 2_000  # votes in one transaction: others write in between
STYLE = tuple(f"{name}_{side}" for name in ratings.STYLE_FEATURES for side in "ab")
SIDES = ("left", "right")  # other names of the models
VOTERS = ("voter", "judge_hash", "judge", "worker")  # names of the voter in public files
SOURCES = (HUMAN, JUDGE)
YEAR_3000 = 32_503_680_000  # seconds; a larger time is in milliseconds


@dataclass(frozen=True)
class Imported:
    """The counts of an import. `there` are votes that an earlier import of the same rows added."""

    name: str
    votes: int
    there: int
    models: int


def import_battles(database: Database, path: Path, name: str | None = None) -> Imported:
    """Import the votes of a CSV, JSONL or Parquet file (see `read_battles_file`).

    Rows are identified by `name` (default: the name of the file) and their `question_id` or number, so that a second
    import adds nothing; rows of an Arena export by their battle. Raises `BadBattlesFile` that names the row, before
    anything is written.
    """
    columns = read_battles_file(path, SIDES)
    try:
        battles = ratings.read_battles(columns["model_a"], columns["model_b"], columns["winner"])
    except ratings.RatingsError as problem:
        raise BadBattlesFile(f"{path}: {type(problem).__name__}: {problem}") from problem
    for model in battles.models:
        if len(model) > 120 or not model.isprintable():
            raise BadBattlesFile(
                f"{path}: model name {model[:40]!r} is longer than 120 characters or not printable. Rename the model."
            )
    chosen = name or path.stem
    votes = list(_votes(path, columns, chosen))
    added = 0
    for start in range(0, len(votes), BATCH):
        with database.write() as session:
            added += add_votes(session, votes[start : start + BATCH])
    return Imported(chosen, added, len(votes) - added, len(battles.models))


def _votes(path: Path, columns: Columns, name: str) -> Iterator[NewVote]:
    names = [*columns]
    seen: Counter[tuple[str, str]] = Counter()
    ours = {"question_id", "vote", "leaf"} <= columns.keys()
    for number, values in enumerate(zip(*columns.values(), strict=True)):
        row = dict(zip(names, values, strict=True))
        try:
            source = _source(row)
            key = str(row["question_id"]) if ours else _key(name, row, number)
            seen[key, source] += 1
            if (again := seen[key, source]) > 1:
                key = _digest(key, str(again))
            yield _storable(_vote(row, key, source))
        except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as problem:
            raise BadBattlesFile(f"{path}: row {number}: {problem}") from problem


def _vote(row: Mapping[str, Any], key: str, source: str) -> NewVote:
    given = next((row[column] for column in VOTERS if row.get(column) not in (None, "")), "imported")
    talks = [_talk(row.get(f"conversation_{side}"), row.get(f"completion_{side}"), row) for side in "ab"]
    prompts, a, b = _turns(*talks)
    return NewVote(
        public_id=key,
        model_a=str(row["model_a"]),
        model_b=str(row["model_b"]),
        winner=str(row["winner"]),
        source=source,
        voter=source if source != HUMAN else str(given)[:64],
        created_at=_time(row),
        stopped_early=row.get("stopped_early") in (True, "True", "true"),
        leaked=row.get("leaked") in (True, "True", "true"),
        suggested=row.get("suggested") in (True, "True", "true"),
        pair_probability=float(row.get("pair_probability") or 1.0),
        category=str(row.get("category") or OVERALL) if isinstance(row.get("category"), str | None) else OVERALL,
        categories=_categories(row, prompts),
        classifier="imported" if row.get("categories") else VERSION,
        turns=tuple(zip(prompts, a, b, strict=True)),
        style=_style(row, a, b),
    )


def _storable(vote: NewVote) -> NewVote:
    """The vote. Raises ValueError for a text with a NUL character or half a surrogate pair, which no database holds."""
    texts = (vote.public_id, vote.source, vote.voter, vote.category, *vote.categories, *chain(*vote.turns))
    if bad := next((match for text in texts if (match := UNWRITABLE.search(text))), None):
        raise ValueError(f"a text has {bad.group()!r}, which is not text. Remove it.")
    return vote


def _source(row: Mapping[str, Any]) -> str:
    source = str(row.get("source") or HUMAN)
    if not source.startswith(SOURCES):
        raise ValueError(f"source {source!r} is unknown. Use human or judge:NAME.")
    return source


def _key(name: str, row: Mapping[str, Any], number: int) -> str:
    own = row.get("question_id", row.get("battle_id", row.get("id")))
    where = f"#{number}" if own in (None, "") else str(own)
    return _digest(name, where, str(row["model_a"]), str(row["model_b"]))


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]


def _time(row: Mapping[str, Any]) -> datetime:
    """The time of seconds or milliseconds since 1970, or ISO 8601 (default zone: UTC); now for a row without one."""
    given = row.get("timestamp") if row.get("timestamp") not in (None, "") else row.get("tstamp")
    if given is None or given == "":
        return now()
    if isinstance(given, datetime):
        return given.astimezone(UTC) if given.tzinfo else given.replace(tzinfo=UTC)
    try:
        return _moment(given)
    except (ValueError, OverflowError, OSError):
        raise ValueError(
            f"time {str(given)[:40]!r} is invalid. Use seconds since 1970, or ISO 8601 such as 2024-05-17T12:00:00Z."
        ) from None


def _moment(given: Any) -> datetime:
    try:
        seconds = float(given)
    except ValueError:
        moment = datetime.fromisoformat(str(given))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return datetime.fromtimestamp(seconds / 1000 if seconds > YEAR_3000 else seconds, UTC)


def _talk(conversation: object, completion: object, row: Mapping[str, Any]) -> list[dict[str, str]]:
    """The messages of one side; those of a completion begin with the prompt of the row."""
    if isinstance(conversation, str) and conversation.strip():
        conversation = json_value(conversation)
    if conversation:
        if not isinstance(conversation, Sequence):
            raise ValueError(
                f"conversation {str(conversation)[:40]!r} is invalid. Use a list of {{role, content}}."
            )
        return [{"role": str(message["role"]), "content": _plain(message["content"])} for message in conversation]
    if isinstance(completion, str) and isinstance(row.get("prompt"), str):
        return [{"role": "user", "content": str(row["prompt"])}, {"role": "assistant", "content": completion}]
    return []


def _plain(content: object) -> str:
    """The text of a content; newer files have contents in parts."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
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


def _categories(row: Mapping[str, Any], prompts: Sequence[str]) -> tuple[str, ...]:
    given = row.get("categories")
    if isinstance(given, str):
        given = json_value(given)
    if given:
        return tuple(str(category)[:60] for category in given)
    return categories(prompts) if prompts else ()


def _style(row: Mapping[str, Any], a: Sequence[str], b: Sequence[str]) -> dict[str, int]:
    """The style counts of the row, or those of its texts."""
    if all(row.get(name) not in (None, "") for name in STYLE):
        return {name: int(row[name]) for name in STYLE}
    if not any(a) or not any(b):
        return {}
    counts = ratings.style_counts(["\n\n".join(a), "\n\n".join(b)])
    return {
        f"{name}_{side}": int(counts[name][at]) for name in ratings.STYLE_FEATURES for at, side in enumerate("ab")
    }
