"""Formats of prompt records in the public benchmarks, each read into a prompt.

alpaca_eval    JSON list of {instruction, dataset, [output, generator]}
wildbench      {session_id or id, conversation_input, checklist, primary_tag}
arena_hard     {uid, prompt, category} or {question_id, turns: [{content}]}
mt_bench       {question_id, turns: [text], category, [reference]}
openai_batch   {custom_id, body: {messages}}
llmuses        {question_id, text, category}, of LLMuses, evalscope and Vicuna-80
general_qa     {query, response, [system, history]}, of evalscope; the response is the reference
plain          {prompt or messages, [id, category, checklist, reference]}; CSV with the same columns
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from arena.config.given_files import UNWRITABLE, json_value
from arena.prompt_sets.records import BadPromptFile, Record
from arena.rules.votes import OVERALL
from arena.store.prompts import Message, NewPrompt

ROLES = ("system", "user", "assistant")
LONGEST_KEY, LONGEST_CATEGORY = 200, 60  # characters, of the columns of `prompt`


@dataclass(frozen=True)
class Format:
    """The fields that identify a format's records, alternatives separated by |, and the reader of a record."""

    keys: tuple[str, ...]
    read: Callable[[Record], NewPrompt]


class HasKeys(Protocol):
    """A format by the fields of its records, alternatives separated by |."""

    @property
    def keys(self) -> tuple[str, ...]: ...


def matching(formats: Mapping[str, HasKeys], record: Record) -> str | None:
    """The name of the first format whose fields the record has."""
    for name, candidate in formats.items():
        if all(any(key in record for key in keys.split("|")) for keys in candidate.keys):
            return name
    return None


@contextmanager
def naming(place: str, name: str, one: str) -> Iterator[None]:
    """A context in which a record that is not `one` of format `name` raises `BadPromptFile` naming `place`."""
    try:
        yield
    except KeyError as problem:
        raise BadPromptFile(
            f"{place}: no field {problem.args[0]!r}. {one.capitalize()}s of {name} need it."
        ) from problem
    except (IndexError, TypeError, AttributeError) as problem:
        raise BadPromptFile(
            f"{place}: not a {one} of {name} ({problem}). Correct it, or choose another --format."
        ) from problem
    except ValueError as problem:
        raise BadPromptFile(f"{place}: {problem}") from problem


def format_of(record: Record, where: str) -> str:
    """The name of the first format whose fields the record has. Raises `BadPromptFile`."""
    if (name := matching(FORMATS, record)) is not None:
        return name
    fields = ", ".join(record) or "no fields"
    raise BadPromptFile(
        f"{where}: no known format; the first record has {fields}. Name the field of the prompt, such as "
        f"--map prompt=FIELD, or use --format {'|'.join(FORMATS)}."
    )


def read_record(record: Record, name: str, place: str) -> NewPrompt:
    """The prompt of a record in the format `name`. Raises `BadPromptFile` naming `place`."""
    with naming(place, name, "record"):
        return checked_prompt(FORMATS[name].read(record))


def checked_prompt(prompt: NewPrompt) -> NewPrompt:
    """The prompt, if it has an id and every text of it fits in its column. Raises `ValueError`."""
    if not prompt.key:
        raise ValueError("the id is empty. Give each prompt its own id.")
    for what, text, longest in (("id", prompt.key, LONGEST_KEY), ("category", prompt.category, LONGEST_CATEGORY)):
        if len(text) > longest:
            raise ValueError(f"the {what} {text[:40]!r} has {len(text)} characters. Use up to {longest}.")
    for what in ("checklist", "extra"):
        writable(json.dumps(getattr(prompt, what), ensure_ascii=False), what)
    for what, text in (("id", prompt.key), ("category", prompt.category), ("reference", prompt.reference or "")):
        writable(text, what)
    return prompt


def writable(text: str, what: str) -> str:
    """The text, if every database can hold it. Raises `ValueError`."""
    if (bad := UNWRITABLE.search(text)) is not None:
        raise ValueError(f"{what} has {bad.group()!r}, which is not text. Remove it.")
    return text


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{what} is {str(value)[:40]!r}. Expected text.")
    return writable(value, what)


def texts(value: object, what: str) -> tuple[str, ...]:
    """The texts of a list; in CSV, of a JSON list or of lines."""
    if value is None:
        return ()
    if isinstance(value, str):
        value = json_value(value) if value.lstrip().startswith("[") else value.splitlines()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"{what} is {str(value)[:40]!r}. Expected a list of texts.")
    return tuple(value)


def _messages(value: object) -> tuple[dict[str, str], ...]:
    """The validated messages, of which the last is the user's."""
    value = json_value(value) if isinstance(value, str) else value
    if not isinstance(value, Sequence) or not value:
        raise ValueError("messages is not a list. Expected a list of {role, content}.")
    messages = []
    for message in value:
        if message["role"] not in ROLES:
            raise ValueError(f"role {message['role']!r} is unknown. Expected one of: {', '.join(ROLES)}.")
        messages.append({"role": message["role"], "content": _text(message["content"], "content")})
    if messages[-1]["role"] != "user":
        raise ValueError(f"the last message is the {messages[-1]['role']}'s. A prompt ends with the user's.")
    return tuple(messages)


def _user(*prompts: object) -> tuple[dict[str, str], ...]:
    return tuple({"role": "user", "content": _text(prompt, "prompt")} for prompt in prompts)


def _rest(record: Record, *excluded: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in excluded}


def _digest(text: str) -> str:
    """The key of a prompt without one."""
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
        texts(record.get("checklist"), "checklist"),
        extra=extra,
    )


def _arena_hard(record: Record) -> NewPrompt:
    prompt = record["prompt"] if "prompt" in record else record["turns"][0]["content"]
    key = str(record["uid"] if "uid" in record else record["question_id"])
    extra = _rest(record, "uid", "question_id", "prompt", "turns", "category", "checklist")
    checklist = texts(record.get("checklist"), "checklist")
    return NewPrompt(key, _user(prompt), str(record.get("category") or OVERALL), checklist, extra=extra)


def _mt_bench(record: Record) -> NewPrompt:
    checklist = texts(record.get("checklist"), "checklist")
    category = str(record.get("category") or OVERALL)
    prompt = NewPrompt(str(record["question_id"]), _user(*record["turns"]), category, checklist)
    return with_reference(prompt, texts(record.get("reference"), "reference"))


def with_reference(prompt: NewPrompt, references: tuple[str, ...]) -> NewPrompt:
    """The prompt with a reference for each turn."""
    if not references:
        return prompt
    extra = {**prompt.extra, "references": list(references)} if len(references) > 1 else prompt.extra
    return replace(prompt, reference="\n\n".join(references), extra=extra)


def _llmuses(record: Record) -> NewPrompt:
    category = str(record.get("category") or OVERALL)
    extra = _rest(record, "question_id", "text", "category", "reference")
    prompt = NewPrompt(str(record["question_id"]), _user(record["text"]), category, extra=extra)
    return with_reference(prompt, texts(record.get("reference"), "reference"))


def _general_qa(record: Record) -> NewPrompt:
    system = [{"role": "system", "content": record["system"]}] if record.get("system") else []
    earlier = [
        {"role": role, "content": text}
        for pair in record.get("history") or ()
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
    messages = _messages([*system, *earlier, {"role": "user", "content": record["query"]}])
    extra = _rest(record, "id", "query", "response", "system", "history", "category")
    return NewPrompt(
        str(record["id"]) if "id" in record else digest_of(messages),
        messages,
        str(record.get("category") or OVERALL),
        reference=_text(record["response"], "response") if record.get("response") else None,
        extra=extra,
    )


def digest_of(messages: Sequence[Message]) -> str:
    """The key of a conversation without one."""
    return _digest(json.dumps(messages, ensure_ascii=False))


def _openai_batch(record: Record) -> NewPrompt:
    return NewPrompt(str(record["custom_id"]), _messages(record["body"]["messages"]))


def read_plain(record: Record) -> NewPrompt:
    """The prompt of a record of the plain format. Raises `KeyError`, `TypeError` and `ValueError` for another."""
    messages = _messages(record["messages"]) if "messages" in record else _user(record["prompt"])
    key = record.get("id", record.get("key"))
    return NewPrompt(
        str(key) if key is not None else digest_of(messages),
        messages,
        str(record.get("category") or OVERALL),
        texts(record.get("checklist"), "checklist"),
        _text(record["reference"], "reference") if record.get("reference") else None,
        _rest(record, "id", "key", "prompt", "messages", "category", "checklist", "reference"),
    )


# in the order in which a record is matched; the last is the most general
FORMATS = {
    "wildbench": Format(("conversation_input", "session_id|id"), _wildbench),
    "mt_bench": Format(("question_id", "turns", "category|reference"), _mt_bench),
    "arena_hard": Format(("uid|question_id", "prompt|turns"), _arena_hard),
    "alpaca_eval": Format(("instruction",), _alpaca_eval),
    "openai_batch": Format(("custom_id", "body"), _openai_batch),
    "llmuses": Format(("question_id", "text"), _llmuses),
    "general_qa": Format(("query", "response"), _general_qa),
    "plain": Format(("prompt|messages",), read_plain),
}
