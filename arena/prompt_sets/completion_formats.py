"""Formats of completions that other tools write, each record read into one completion.

fastchat      {question_id, model_id, choices: [{turns}]}            FastChat, Arena-Hard 0.1: model_answer/*.jsonl
arena_hard    {uid, model, messages: […, the model's]}               Arena-Hard 2
wildbench     {session_id, chat_history, output: [text], generator}  WildBench: result files
alpaca_eval   {instruction, output, generator}
llmuses       {question_id, text, answer, model_id}                  LLMuses, evalscope: answer_*.jsonl
vicuna        {question_id, answer_id, text, model_id}               FastChat of 2023: the text is the model's
general_qa    {query, response, [system, history]}                   evalscope
lm_eval, evalscope, every_eval_ever, inspect    logged samples: `arena.prompt_sets.run_formats`
plain         {completion, prompt or messages or id, [model]}; CSV with the same columns
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from arena.prompt_sets import formats
from arena.prompt_sets.categories import CategoryMapping
from arena.prompt_sets.formats import checked_prompt, matching, naming, writable
from arena.prompt_sets.records import BadPromptFile, Record
from arena.prompt_sets.run_formats import read_evalscope, read_every_eval_ever, read_inspect, read_lm_eval
from arena.store.prompts import NewPrompt

LONGEST_NAME = 120  # characters of a model's name, of its column


@dataclass(frozen=True)
class NewCompletion:
    """One model's completion in a file: `key` or `prompt`, or both, identify what it completes."""

    place: str
    key: str | None
    prompt: NewPrompt | None
    model: str | None
    turns: tuple[str, ...]  # the last one is the completion

    def with_category(self, categories: CategoryMapping) -> NewCompletion:
        """The completion with the prompt's category as the mapping names it."""
        return replace(self, prompt=categories.prompt(self.prompt)) if self.prompt else self


@dataclass(frozen=True)
class CompletionFormat:
    """The fields that identify a format's records, alternatives separated by |, and the parts of a record."""

    keys: tuple[str, ...]
    read: Callable[[Record], tuple[str | None, NewPrompt | None, Any]]  # key, prompt, turns
    model: tuple[str, ...] = ("model_id", "model", "generator")


def completion_format_of(record: Record, where: str) -> str:
    """The name of the first format whose fields the record has. Raises `BadPromptFile`."""
    if (name := matching(COMPLETION_FORMATS, record)) is not None:
        return name
    fields = ", ".join(record) or "no fields"
    raise BadPromptFile(
        f"{where}: no known format of completions; the first record has {fields}. Name the fields, such as "
        f"--map prompt=FIELD --map completion=FIELD --map model=FIELD."
    )


def read_completion(record: Record, name: str, place: str) -> NewCompletion:
    """The completion of a record in the format `name`. Raises `BadPromptFile` naming `place`, and `NoCompletion`."""
    known = COMPLETION_FORMATS[name]
    with naming(place, name, "completion"):
        key, prompt, given = known.read(record)
        prompt = checked_prompt(prompt) if prompt else None
        turns = tuple(map(_turn, given if isinstance(given, list) else [given]))
        if not turns:
            raise ValueError("the record has no completion. Remove it.")
        model = next((str(record[field]) for field in known.model if record.get(field)), None)
        return NewCompletion(place, key, prompt, checked_name(model) if model else None, turns)


def checked_name(model: str) -> str:
    """The model's name, if its column holds it. Raises `ValueError`."""
    if len(model) > LONGEST_NAME:
        raise ValueError(f"the model {model[:40]!r} has {len(model)} characters. Use up to {LONGEST_NAME}.")
    return writable(model, "model")


def _turn(value: Any) -> str:
    """The text of a turn, which Arena-Hard keeps in an object. It may be empty, as some models write nothing."""
    if isinstance(value, dict):
        value = value["content"] if "content" in value else value["answer"]
    if not isinstance(value, str):
        raise ValueError(f"the completion is {str(value)[:40]!r}. Expected text.")
    return writable(value, "the completion")


def _fastchat(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    turns = record["choices"][0]["turns"]
    return str(record["question_id"]), None, turns


def _arena_hard(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    key = str(record["uid"] if "uid" in record else record["question_id"])
    *before, last = record["messages"]
    if last["role"] != "assistant":
        raise ValueError(f"the last message is the {last['role']}'s. Expected the model's.")
    prompt = formats.read_plain({"id": key, "messages": before, "category": record.get("category")})
    return key, prompt, last["content"]


def _wildbench(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    key, history = str(record["session_id"]), record.get("chat_history")
    output = record["output"]
    if isinstance(output, list) and len(output) != 1:
        raise ValueError(f"output has {len(output)} texts. Expected one.")
    if not history:
        return key, None, output
    roles = ("user", "assistant")
    given = [turn if isinstance(turn, dict) else {"role": roles[number % 2], "content": turn}
             for number, turn in enumerate(history)]  # fmt: skip
    fields = {name: record[name] for name in ("checklist", "primary_tag", "secondary_tags") if name in record}
    prompt = formats.FORMATS["wildbench"].read({"session_id": key, "conversation_input": given, **fields})
    return key, prompt, output


def _alpaca_eval(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    prompt = formats.FORMATS["alpaca_eval"].read(record)
    return prompt.key, prompt, record["output"]


def _llmuses(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    fields = {name: record[name] for name in ("question_id", "text", "category") if name in record}
    prompt = formats.FORMATS["llmuses"].read(fields)
    return prompt.key, prompt, record["answer"]


def _vicuna(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    return str(record["question_id"]), None, record["text"]


def _general_qa(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    prompt = replace(formats.FORMATS["general_qa"].read(record), reference=None, extra={})
    return str(record["id"]) if "id" in record else None, prompt, record["response"]


def _plain(record: Record) -> tuple[str | None, NewPrompt | None, Any]:
    key = record.get("id", record.get("key"))
    fields = ("id", "key", "prompt", "messages", "category", "checklist", "reference")
    given = {name: record[name] for name in fields if record.get(name) is not None}
    prompt = formats.read_plain(given) if "prompt" in given or "messages" in given else None
    if key is None and prompt is None:
        raise ValueError("the record has no prompt, messages or id. Name the field, such as --map prompt=FIELD.")
    return None if key is None else str(key), prompt, record["completion"]


# in the order in which a record is matched; the last is the most general
COMPLETION_FORMATS = {
    "wildbench": CompletionFormat(("session_id", "output", "chat_history|generator"), _wildbench, ("generator",)),
    "fastchat": CompletionFormat(("question_id", "choices"), _fastchat),
    "arena_hard": CompletionFormat(("uid|question_id", "messages", "model|model_id"), _arena_hard),
    "alpaca_eval": CompletionFormat(("instruction", "output"), _alpaca_eval, ("generator", "model")),
    "llmuses": CompletionFormat(("question_id", "text", "answer"), _llmuses),
    "vicuna": CompletionFormat(("question_id", "text", "answer_id"), _vicuna),
    "general_qa": CompletionFormat(("query", "response"), _general_qa),
    "lm_eval": CompletionFormat(("doc_id", "arguments", "resps"), read_lm_eval, ()),
    "evalscope": CompletionFormat(("index", "model_output", "messages"), read_evalscope, ("model",)),
    "every_eval_ever": CompletionFormat(
        ("evaluation_id", "sample_id", "input"), read_every_eval_ever, ("model_id",)
    ),
    "inspect": CompletionFormat(("sample_id", "input", "output", "task"), read_inspect, ("model",)),
    "plain": CompletionFormat(("completion", "prompt|messages|id|key"), _plain),
}
