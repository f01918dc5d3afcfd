"""Samples that other harnesses log, each record read into one completion.

lm_eval      {doc_id, doc, arguments, resps}          lm-evaluation-harness: samples_TASK_TIME.jsonl
evalscope    {index, model, model_output, messages}   evalscope: predictions/MODEL/TASK_SUBSET.jsonl
every_eval_ever    {schema_version, sample_id, input, output or messages}    ID_samples.jsonl
inspect      one `EvalSample` of an inspect_ai log, by `arena.prompt_sets.inspect_log`

`arena export` writes the prompt of a sample as a record of the plain format: as `doc` of lm_eval, `metadata` of evalscope,
and JSON in the `metadata` of Every Eval Ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeGuard

from arena.config.given_files import json_value
from arena.prompt_sets.formats import LONGEST_CATEGORY, read_plain
from arena.prompt_sets.records import BadPromptFile, Record, file_text
from arena.store.prompts import NewPrompt

FILE = "_file"  # the field with the path of the record's file, which `completion_import` adds
TIME = r"\d{4}-\d\d-\d\dT[\d.+-]+"
SAMPLES = re.compile(rf"samples_(?P<task>.+)_(?P<time>{TIME})")
INSTANCES = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}_samples")
LOG = re.compile(rf"{TIME}_(?P<task>.+)_[0-9A-Za-z]+")

Parts = tuple[str | None, NewPrompt | None, Any]  # key, prompt, turns


class NoCompletion(Exception):
    """The sample has no text of the model: its call failed."""


def task_of(path: Path) -> str:
    """The task that a file of samples is named after, or the file's own name."""
    if INSTANCES.fullmatch(path.stem) and len(path.parents) > 2:
        return path.parents[2].name  # of data/TASK/DEVELOPER/MODEL/ID_samples.jsonl
    named = SAMPLES.fullmatch(path.stem) or LOG.fullmatch(path.stem)
    return named["task"] if named else path.stem


def model_of(path: Path) -> str | None:
    """The model of a file of lm_eval, from the results of the same time; None without them. Raises `BadPromptFile`."""
    named = SAMPLES.fullmatch(path.stem)
    results = path.with_name(f"results_{named['time']}.json") if named else None
    if results is None or not results.exists():
        return None
    try:
        name = json_value(file_text(results))["model_name"]
    except (json.JSONDecodeError, TypeError, KeyError) as problem:
        raise BadPromptFile(f"{results}: no model_name ({problem}). Add --model NAME.") from problem
    return str(name) or None


def read_lm_eval(record: Record) -> Parts:
    requests, replies = _requests(record["arguments"]), record["resps"]
    if any(len(request) > 1 and isinstance(request[1], str) for request in requests):
        raise ValueError("the record has log-probabilities, and no completion. Import a task that generates text.")
    if not any(replies):
        raise NoCompletion
    turns = [repeats[0] if isinstance(repeats, list) else repeats for repeats in replies]
    document = record["doc"]
    if not _is_plain(document):
        document = _foreign(record, str(record["doc_id"]), _context(requests[-1][0]), record.get("target"))
    prompt = read_plain(document)
    return prompt.key, prompt, turns


def read_evalscope(record: Record) -> Parts:
    output, conversation = record["model_output"], record["messages"]
    if not output or not output.get("choices"):
        raise NoCompletion
    text = text_of(output["choices"][0]["message"]["content"])
    document = record.get("metadata")
    if not _is_plain(document):
        users = [n for n, message in enumerate(conversation, 1) if message["role"] == "user"]
        before = [{"role": m["role"], "content": text_of(m["content"])} for m in conversation[: users[-1]]]
        document = _foreign(record, str(record["index"]), before, None)
    prompt = read_plain(document)
    return prompt.key, prompt, turns_of(prompt, conversation, text)


def read_every_eval_ever(record: Record) -> Parts:
    conversation = record.get("messages") or []
    texts = record["output"]["raw"] if record.get("output") else [
        message["content"] for message in conversation if message["role"] == "assistant"
    ]  # fmt: skip
    if not texts:
        raise NoCompletion
    document = _json((record.get("metadata") or {}).get("prompt"))
    if not _is_plain(document):
        given, reference = record["input"], record["input"]["reference"]
        key, category = record["sample_id"], _category(record["evaluation_name"])
        messages = [{"role": "user", "content": given["raw"]}]
        document = {"id": key, "messages": messages, "category": category, "reference": "\n\n".join(reference)}
    prompt = read_plain(document)
    return prompt.key, prompt, turns_of(prompt, conversation, texts[-1] if conversation else texts[0])


def read_inspect(record: Record) -> Parts:
    if not record["output"]:
        raise NoCompletion
    given = record["input"]
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else [
        {"role": message["role"], "content": text_of(message["content"])} for message in given
    ]  # fmt: skip
    target = record["target"]
    reference = target if isinstance(target, str) else "\n\n".join(target)
    known = {"id": record["sample_id"], "messages": messages}
    prompt = read_plain(
        {"category": _category(record["task"]), **record["metadata"], **known, "reference": reference}
    )
    return prompt.key, prompt, turns_of(prompt, record["messages"], text_of(record["output"]))


def turns_of(prompt: NewPrompt, conversation: Sequence[Mapping[str, Any]], last: str) -> list[str]:
    """The completions of each turn: the last one, and those before it from the conversation."""
    earlier = prompt.turns - 1
    if not earlier:
        return [last]
    written = [text_of(message["content"]) for message in conversation if message["role"] == "assistant"]
    return [*written[-1 - earlier : -1], last]


def text_of(content: Any) -> str:
    """The text of a message, which may come in parts; reasoning is left out. Raises `ValueError` for a picture."""
    if isinstance(content, str):
        return content
    parts = [part for part in content if part["type"] != "reasoning"]
    other = next((part["type"] for part in parts if part["type"] != "text"), None)
    if other is not None:
        raise ValueError(f"a message has a part of the type {other!r}. Only texts can be judged.")
    return "".join(part["text"] for part in parts)


def _is_plain(document: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(document, dict) and "id" in document and isinstance(document.get("messages"), list)


def _foreign(record: Record, number: str, messages: list[dict[str, str]], reference: Any) -> dict[str, Any]:
    """A sample as a record of the plain format; files of several tasks number their samples alike."""
    task = task_of(Path(record[FILE]))
    known = {"reference": reference} if isinstance(reference, str) else {}
    return {"id": f"{task}/{number}", "messages": messages, "category": _category(task), **known}


def _category(task: str) -> str:
    return task[:LONGEST_CATEGORY]


def _requests(given: Any) -> list[list[Any]]:
    """The arguments of each request: `{gen_args_0: {arg_0, arg_1}}`, or lists as before version 0.4.3."""
    if isinstance(given, dict):
        return [list(request.values()) for request in given.values()]
    return [list(request) for request in given]


def _context(given: Any) -> list[dict[str, str]]:
    """The messages of a request's context: a text, or the messages of a chat model as JSON, alone in a list or not."""
    text = given[0] if isinstance(given, list) and len(given) == 1 else given
    if not isinstance(text, str):
        raise ValueError(f"the context is {str(text)[:40]!r}. Expected text.")
    messages = _json(text) if text.startswith("[{") else None
    if isinstance(messages, list) and all(isinstance(each, dict) and "role" in each for each in messages):
        return [{"role": each["role"], "content": text_of(each["content"])} for each in messages]
    return [{"role": "user", "content": text}]


def _json(text: Any) -> Any:
    """The value of a text that is JSON; None for any other one, which is a text that begins like it."""
    try:
        return json_value(text) if isinstance(text, str) else None
    except json.JSONDecodeError:
        return None
