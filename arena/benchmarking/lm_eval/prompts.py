"""The texts that a row becomes: its question, answer and choices, and the prompt with solved examples before it."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from arena.benchmarking.lm_eval.task_file import Format, TaskFile
from arena.benchmarking.lm_eval.templates import Doc, field, literal
from benchmarks.errors import BadData


def text_of(form: Format, doc: Doc) -> str | int:
    """The question; an index where the choices are questions themselves."""
    if isinstance(form.text, int):
        return form.text
    value = field(str(form.text), doc)
    return int(value) if _is_index(form, value) else value if isinstance(value, int) else str(value)


def target_of(form: Format, doc: Doc) -> Any:
    """The answer: a text, the index of a choice, or a list of either where several are right."""
    if not isinstance(form.target, str):
        return form.target
    if form.target in doc:
        return doc[form.target]
    value = field(form.target, doc)
    if _is_index(form, value):
        return int(value)
    if len(value) >= 2 and value[0] == "[" and value[-1] == "]":
        try:
            return ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return value
    return value


def _is_index(form: Format, value: Any) -> bool:
    return isinstance(value, str) and value.isdigit() and form.choice is not None


def choices_of(form: Format, doc: Doc) -> list[str]:
    """The choices; none for a task without. Raises `BadData`."""
    given = form.choice
    if given is None:
        return []
    if isinstance(given, str):
        given = doc[given] if given in doc else literal(str(field(given, doc)))
    made = list(given.values()) if isinstance(given, dict) else given
    if not isinstance(made, list | tuple) or not all(isinstance(choice, str) for choice in made):
        raise BadData(f"doc_to_choice is {made!r}. Let it be a list of texts.")
    return list(made)


def golds_of(form: Format, doc: Doc) -> list[int]:
    """The indices of the right choices. Raises `BadData` for a target that is no choice."""
    choices = choices_of(form, doc)
    text = text_of(form, doc)
    target = text if isinstance(text, int) else target_of(form, doc)
    golds = [
        choices.index(gold) if isinstance(gold, str) and gold in choices else gold
        for gold in (target if isinstance(target, list | tuple) else [target])
    ]
    if not golds or not all(isinstance(gold, int) and 0 <= gold < len(choices) for gold in golds):
        raise BadData(f"The target {target!r} is none of the {len(choices)} choices. Give a choice or its index.")
    return [int(gold) for gold in golds]


def question(form: Format, doc: Doc) -> str:
    """The question as text: of several inputs the right one."""
    text = text_of(form, doc)
    return choices_of(form, doc)[text] if isinstance(text, int) else text


def answer(form: Format, doc: Doc) -> str:
    """The answer that a solved example shows: of several right ones the first."""
    target, choices = target_of(form, doc), choices_of(form, doc)
    if isinstance(target, int) and choices and not isinstance(text_of(form, doc), int):
        return choices[target]
    first = target[0] if isinstance(target, list | tuple) else target
    return choices[first] if isinstance(first, int) and choices else str(first)


def context(file: TaskFile, doc: Doc, examples: Sequence[Doc], text: str) -> str:
    """The description, the solved examples, and the question `text` up to where its answer goes."""
    described = str(field(file.description, doc)) if file.description else ""
    solved = "".join(_solved(file.examples.format, example) for example in examples)
    return described + solved + opened(file.format, doc, text)


def opened(form: Format, doc: Doc, text: str) -> str:
    """The question, and the words that begin its answer if there are any."""
    prefix = str(field(form.prefix, doc)) if form.prefix else ""
    return f"{text}{form.target_delimiter}{prefix}" if _apart(text, prefix) else text + prefix


def _solved(form: Format, doc: Doc) -> str:
    text, shown = question(form, doc), answer(form, doc)
    prefix = str(field(form.prefix, doc)) if form.prefix else ""
    if not prefix:
        between = form.target_delimiter if shown else ""
        return f"{text}{between}{shown}{form.example_delimiter if shown else ''}"
    between = form.target_delimiter if _apart(text, prefix) else ""
    joined = f"{prefix} {shown}" if _apart(prefix, shown) else prefix + shown
    return f"{text}{between}{joined}{form.example_delimiter}"


def _apart(before: str, after: str) -> bool:
    """Whether two texts need something between them: neither is empty or has a space at the seam."""
    return bool(before and after) and not (before[-1].isspace() or after[0].isspace())
