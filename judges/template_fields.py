"""Values of a template's fields: conversation, completions, checklist and reference as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judges.judge import Message, Pair, Single
from judges.protocols.wildbench import EMPTY, TRUNCATED
from judges.template import Template

WORDS = 1000  # per text shown to WildBench's judge
NONE = "(none given)"


def pair_values(pair: Pair) -> dict[str, str]:
    """The value of each field defined by the pair."""
    values = _shared(pair)
    values |= {
        "answer_a": _whole(pair.completion_a, pair.earlier_a),
        "answer_b": _whole(pair.completion_b, pair.earlier_b),
    }
    if len(pair.earlier_a) == len(pair.earlier_b) == 1:
        values |= {
            "answer_a_1": pair.earlier_a[0], "answer_a_2": pair.completion_a,
            "answer_b_1": pair.earlier_b[0], "answer_b_2": pair.completion_b,
        }  # fmt: skip
    return values


def single_values(single: Single) -> dict[str, str]:
    """The value of each field defined by the completion."""
    values = _shared(single)
    values["answer"] = _whole(single.completion, single.earlier)
    if len(single.earlier) == 1:
        values |= {"answer_1": single.earlier[0], "answer_2": single.completion}
    return values


def cut(text: str, words: int = WORDS) -> str:
    """The first `words` words, with a mark where the rest was removed."""
    parts = text.split(" ")
    return text if len(parts) <= words else " ".join(parts[:words]) + TRUNCATED


def visible(completion: str) -> str:
    """The completion as the judge sees it: a notice in place of an empty one."""
    return completion if completion.strip() else EMPTY


def conversation_values(
    messages: Sequence[Message], checklist: Sequence[str], reference: str | None
) -> dict[str, str]:
    """The values of the fields history, question, checklist and reference."""
    return {
        "history": _history(messages[:-1]),
        "question": [message["content"] for message in messages if message["role"] == "user"][-1],
        "checklist": "".join(f"- {point}\n" for point in checklist) or NONE + "\n",
        "reference": reference or NONE,
    }


def _shared(item: Pair | Single) -> dict[str, str]:
    prompts = [message["content"] for message in item.messages if message["role"] == "user"]
    values = conversation_values(item.messages, item.checklist, item.reference)
    reference = values["reference"]
    first, last = (item.references[0], item.references[-1]) if item.references else (reference, reference)
    values["ref_answer_1"] = first
    if len(prompts) == 2:
        values |= {"question_1": prompts[0], "question_2": prompts[1], "ref_answer_2": last}
    return values


def _history(messages: Sequence[Message]) -> str:
    return "".join(f"{message['role'].upper()}: {message['content']}\n\n" for message in messages)


def _whole(completion: str, earlier: Sequence[str]) -> str:
    """One completion, or all turns of a conversation completed by the model."""
    if not earlier:
        return visible(completion)
    turns = [*earlier, completion]
    return "\n\n".join(f"(turn {number})\n{visible(text)}" for number, text in enumerate(turns, 1))


def body(
    model: str, template: Template, values: Mapping[str, str], words: int | None, sampling: Mapping[str, Any]
) -> dict[str, Any]:
    """The request body: every text cut to `words`, and the `thinking_budget` of `sampling` added to its token limit."""
    if words is not None:
        values = {name: cut(value, words) for name, value in values.items()}
    options = dict(sampling)
    options["max_tokens"] = options["max_tokens"] + options.pop("thinking_budget", 0)
    return {"model": model, "messages": template.messages(values), **options}
