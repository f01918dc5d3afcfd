"""Files of prompts, in the formats of the public benchmarks, read into one shape.

    alpaca_eval    JSON list of {instruction, dataset, [output, generator]}
    wildbench      {session_id or id, conversation_input, checklist, primary_tag}
    arena_hard     {uid, prompt, category} or {question_id, turns: [{content}]}
    mt_bench       {question_id, turns: [text], category, [reference]}
    openai_batch   {custom_id, body: {messages}}
    plain          {prompt or messages, [id, category, checklist, reference]}; CSV with the same columns

A file is one JSON list, JSON lines, or CSV. The first record tells the format.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.errors import InputError
from arena.rules.votes import OVERALL
from arena.store.prompts import NewPrompt

Record = Mapping[str, Any]
ROLES = ("system", "user", "assistant")
UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")  # which UTF-8 or PostgreSQL cannot hold


class BadPromptFile(InputError):
    """A file that no prompts can be read from; the text names line and cure."""


@dataclass(frozen=True)
class PromptFile:
    """What a file brings: prompts, and with some formats one model's completions by the prompt's key."""

    format: str
    prompts: list[NewPrompt]
    completions: dict[tuple[str, str], str] = field(default_factory=dict)  # (key, model) to text


@dataclass(frozen=True)
class Format:
    """How one format is known and read. `keys` are the ones that its records have."""

    keys: tuple[str, ...]
    read: Callable[[Record], NewPrompt]


def read_prompt_file(path: Path, format: str | None = None) -> PromptFile:  # noqa: A002  (the option's name)
    """Raises `BadPromptFile`."""
    if path.is_dir():
        path = path / "model_outputs.json"
    return read_prompts(_text_of(path), str(path), format)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadPromptFile(f"{path}: no such file; `arena prompts list` shows what comes along") from None
    except OSError as error:
        raise BadPromptFile(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise BadPromptFile(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error


def read_prompts(text: str, where: str, format: str | None = None) -> PromptFile:  # noqa: A002
    """Raises `BadPromptFile` naming `where` and the line or entry."""
    records = list(_records(text, where))
    if not records:
        raise BadPromptFile(f"{where}: is empty; expected prompts, one a line")
    name = format or _format_of(records[0][1], where)
    if name not in FORMATS:
        raise BadPromptFile(f"format {name!r} is unknown; use one of: {', '.join(FORMATS)}")
    prompts: dict[str, NewPrompt] = {}
    completions: dict[tuple[str, str], str] = {}
    for place, record in records:
        try:
            prompt = FORMATS[name].read(record)
        except (KeyError, IndexError, TypeError, ValueError) as problem:
            raise BadPromptFile(f"{place}: {_told(problem, name)}") from problem
        if prompt.key in prompts:
            raise BadPromptFile(f"{place}: {prompt.key!r} is there twice; give each prompt its own id")
        prompts[prompt.key] = prompt
        if isinstance(record.get("output"), str) and isinstance(record.get("generator"), str):
            completions[prompt.key, record["generator"]] = record["output"]
    return PromptFile(name, list(prompts.values()), completions)


def _records(text: str, where: str) -> Iterator[tuple[str, Record]]:
    """Each record with its place in the file."""
    start = text.lstrip()[:1]
    if start == "[":
        yield from _entries(text, where)
    elif start == "{":
        yield from _lines(text, where)
    else:
        rows = csv.DictReader(io.StringIO(text))
        for number, row in enumerate(rows, 2):
            yield f"{where}:{number}", {name: value for name, value in row.items() if name and value}


def _entries(text: str, where: str) -> Iterator[tuple[str, Record]]:
    try:
        entries = json.loads(text)
    except json.JSONDecodeError as problem:
        raise BadPromptFile(f"{where}:{problem.lineno}: not valid JSON ({problem.msg})") from problem
    for number, entry in enumerate(entries, 1):
        yield f"{where}: entry {number}", _object(entry, f"{where}: entry {number}")


def _lines(text: str, where: str) -> Iterator[tuple[str, Record]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except json.JSONDecodeError as problem:
            raise BadPromptFile(f"{where}:{number}: not valid JSON ({problem.msg})") from problem
        yield f"{where}:{number}", _object(entry, f"{where}:{number}")


def _object(entry: object, place: str) -> Record:
    if not isinstance(entry, dict):
        raise BadPromptFile(f"{place}: {str(entry)[:40]!r} is not an object; expected one with a prompt")
    return entry


def _format_of(record: Record, where: str) -> str:
    for name, known in FORMATS.items():
        if all(any(key in record for key in keys.split("|")) for keys in known.keys):
            return name
    has = ", ".join(record) or "nothing"
    raise BadPromptFile(
        f"{where}: no known format; the first record has {has}. Give it a `prompt` or `messages`, "
        f"or say --format {'|'.join(FORMATS)}"
    )


def _told(problem: Exception, name: str) -> str:
    if isinstance(problem, KeyError):
        return f"has no {problem.args[0]!r}, which {name} prompts have"
    return str(problem) or f"not a {name} prompt"


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is {str(value)[:40]!r}; expected text")
    if (bad := UNWRITABLE.search(value)) is not None:
        raise ValueError(f"{what} has {bad.group()!r}, which is no text; take it out")
    return value


def _texts(value: object, what: str) -> tuple[str, ...]:
    """A list of texts; CSV brings it as one JSON list or as lines."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = json.loads(value) if value.lstrip().startswith("[") else value.splitlines()
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError(f"{what} is {str(value)[:40]!r}; expected a list of texts")
    return tuple(value)


def _messages(value: object) -> tuple[dict[str, str], ...]:
    """Checked messages that end with the user's turn."""
    value = json.loads(value) if isinstance(value, str) else value
    if not isinstance(value, Sequence) or not value:
        raise ValueError("messages are not a list of {role, content}")
    read = []
    for message in value:
        if message["role"] not in ROLES:
            raise ValueError(f"role {message['role']!r}; expected one of: {', '.join(ROLES)}")
        read.append({"role": message["role"], "content": _text(message["content"], "content")})
    if read[-1]["role"] != "user":
        raise ValueError(f"the last message is the {read[-1]['role']}'s; a prompt ends with the user's")
    return tuple(read)


def _user(*texts: object) -> tuple[dict[str, str], ...]:
    return tuple({"role": "user", "content": _text(text, "prompt")} for text in texts)


def _rest(record: Record, *known: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in known}


def _digest(text: str) -> str:
    """A key for prompts that bring none."""
    import hashlib

    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _alpaca_eval(record: Record) -> NewPrompt:
    instruction = _text(record["instruction"], "instruction")
    category = str(record.get("dataset") or OVERALL)
    return NewPrompt(_digest(instruction), _user(instruction), category, extra={"instruction": instruction})


def _wildbench(record: Record) -> NewPrompt:
    messages = _messages([{k: m[k] for k in ("role", "content")} for m in record["conversation_input"]])
    extra = {name: record[name] for name in ("primary_tag", "secondary_tags") if name in record}
    return NewPrompt(
        str(record.get("session_id") or record["id"]),
        messages,
        str(record.get("primary_tag") or OVERALL),
        _texts(record.get("checklist"), "checklist"),
        extra=extra,
    )


def _arena_hard(record: Record) -> NewPrompt:
    prompt = record["prompt"] if "prompt" in record else record["turns"][0]["content"]
    key = str(record["uid"] if "uid" in record else record["question_id"])
    extra = _rest(record, "uid", "question_id", "prompt", "turns", "category")
    return NewPrompt(key, _user(prompt), str(record.get("category") or OVERALL), extra=extra)


def _mt_bench(record: Record) -> NewPrompt:
    prompt = NewPrompt(str(record["question_id"]), _user(*record["turns"]), str(record.get("category") or OVERALL))
    return _referenced(prompt, _texts(record.get("reference"), "reference"))


def _referenced(prompt: NewPrompt, references: tuple[str, ...]) -> NewPrompt:
    """The prompt with a reference for each turn."""
    if not references:
        return prompt
    extra = {**prompt.extra, "references": list(references)} if len(references) > 1 else prompt.extra
    return replace(prompt, reference="\n\n".join(references), extra=extra)


def with_references(read: PromptFile, path: Path) -> PromptFile:
    """The prompts with the answers of an MT-bench answer file (`reference_answer/gpt-4.jsonl`) as references.

    Raises `BadPromptFile` for a file that is none, or that answers none of the prompts.
    """
    given: dict[str, tuple[str, ...]] = {}
    for place, record in _records(_text_of(path), str(path)):
        try:
            turns = record["choices"][0]["turns"]
            given[str(record["question_id"])] = _texts(turns, "turns")
        except (KeyError, IndexError, TypeError, ValueError) as problem:
            raise BadPromptFile(f"{place}: not an MT-bench answer with question_id and choices") from problem
    if not any(prompt.key in given for prompt in read.prompts):
        raise BadPromptFile(f"{path}: answers none of these prompts; their ids are of another set")
    return replace(read, prompts=[_referenced(prompt, given.get(prompt.key, ())) for prompt in read.prompts])


def _openai_batch(record: Record) -> NewPrompt:
    return NewPrompt(str(record["custom_id"]), _messages(record["body"]["messages"]))


def _plain(record: Record) -> NewPrompt:
    messages = _messages(record["messages"]) if "messages" in record else _user(record["prompt"])
    key = record.get("id", record.get("key"))
    return NewPrompt(
        str(key) if key is not None else _digest(json.dumps(messages, ensure_ascii=False)),
        messages,
        str(record.get("category") or OVERALL),
        _texts(record.get("checklist"), "checklist"),
        _text(record["reference"], "reference") if record.get("reference") else None,
        _rest(record, "id", "key", "prompt", "messages", "category", "checklist", "reference"),
    )


# the order in which a record is tried; the last is the most general
FORMATS = {
    "wildbench": Format(("conversation_input", "session_id|id"), _wildbench),
    "mt_bench": Format(("question_id", "turns", "category|reference"), _mt_bench),
    "arena_hard": Format(("uid|question_id", "prompt|turns"), _arena_hard),
    "alpaca_eval": Format(("instruction",), _alpaca_eval),
    "openai_batch": Format(("custom_id", "body"), _openai_batch),
    "plain": Format(("prompt|messages",), _plain),
}
