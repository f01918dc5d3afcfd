"""Templates of judge prompts: built-in ones in `judges/prompts`, and published ones loaded unchanged.

A field is `{name}` or `{$name}`. All fields are filled in one pass, so that braces and fields in a completion stay
text. `{{` and `}}` are braces where the text is one of Python's `str.format`. A line of `=====` alone separates the
system message from the user's, and ChatML's marks separate messages (`judges.template_turns`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from judges.errors import BadTemplate
from judges.template_turns import has_escapes, turns_of

FIELD = re.compile(r"\{\$?([A-Za-z][A-Za-z_]*(?:_[12])?)\}")
TOKEN = re.compile(rf"\{{\{{|\}}\}}|{FIELD.pattern}")  # the same with doubled braces

# names of our fields in published templates
SYNONYMS = {
    "user_query": "question",
    "prompt": "question",
    "instruction": "question",
    "candidate_A": "answer_a",
    "candidate_B": "answer_b",
    "output_1": "answer_a",
    "output_2": "answer_b",
    "model_output": "answer",
    "completion": "answer",
    "ref_answer": "reference",
    # Arena-Hard
    "QUESTION": "question",
    "ANSWER_A": "answer_a",
    "ANSWER_B": "answer_b",
    # Prometheus: the library's names, and those of the model cards
    "response": "answer",
    "response_A": "answer_a",
    "response_B": "answer_b",
    "reference_answer": "reference",
    "rubric": "checklist",
    "orig_instruction": "question",
    "orig_response": "answer",
    "orig_response_A": "answer_a",
    "orig_response_B": "answer_b",
    "orig_reference_answer": "reference",
    "orig_criteria": "checklist",
    "score_rubric": "checklist",
}
# Arena-Hard v0.1 numbers the two assistants where others number turns
OF_PAIRS = {"answer_1": "answer_a", "answer_2": "answer_b"}
FIELDS = {
    "history", "question", "answer", "answer_a", "answer_b", "checklist", "reference",
    "question_1", "question_2", "answer_1", "answer_2", "answer_a_1", "answer_a_2", "answer_b_1", "answer_b_2",
    "ref_answer_1", "ref_answer_2",
}  # fmt: skip


@dataclass(frozen=True)
class FieldPlace:
    """A field, in our spelling, in a filled message: `messages[message]["content"][start:end]` is its value."""

    field: str
    message: int
    start: int
    end: int


@dataclass(frozen=True)
class Template:
    """The messages of a request, (role, text with fields). `escaped`: doubled braces stand for single ones."""

    turns: tuple[tuple[str, str], ...]
    escaped: bool = False

    @property
    def fields(self) -> frozenset[str]:
        """The names of all fields, in our spelling."""
        tokens = (match for _, text in self.turns for match in self._tokens.finditer(text))
        return frozenset(_name(match[1]) for match in tokens if match[1])

    @property
    def _tokens(self) -> re.Pattern[str]:
        return TOKEN if self.escaped else FIELD

    def messages(self, values: Mapping[str, str]) -> list[dict[str, str]]:
        """The request's messages with every field filled. Raises BadTemplate for a field without a value."""
        return self.filled(values)[0]

    def filled(self, values: Mapping[str, str]) -> tuple[list[dict[str, str]], list[FieldPlace]]:
        """The request's messages, and where each field stands in them. Raises BadTemplate for a field without a value."""
        messages: list[dict[str, str]] = []
        places: list[FieldPlace] = []
        for role, text in self.turns:
            content, fields = _filled(self._tokens, text, values)
            if content:
                places += [FieldPlace(name, len(messages), start, end) for name, start, end in fields]
                messages.append({"role": role, "content": content})
        return messages, places


@dataclass(frozen=True)
class ByItem:
    """The four texts of MT-bench: for one turn or several, with or without a reference."""

    single_turn: str
    single_turn_referenced: str
    several: str
    several_referenced: str

    def of(self, several: bool, referenced: bool) -> str:
        """The text for an item of several turns or one, with or without a reference."""
        if several:
            return self.several_referenced if referenced else self.several
        return self.single_turn_referenced if referenced else self.single_turn


@cache
def template(text: str, needs: tuple[str, ...], name: str = "template") -> Template:
    """The template of a text with at least one of the fields in each of `needs` ("answer_a|answer_a_2").

    Raises BadTemplate naming the unknown or missing field.
    """
    parsed = Template(turns_of(text, name), has_escapes(text))
    if renamed := _renamed(parsed.fields, pairs=any(need.startswith("answer_a") for need in needs)):
        turns = tuple((role, _with_names(parsed, words, renamed)) for role, words in parsed.turns)
        parsed = Template(turns, parsed.escaped)
    if unknown := sorted(parsed.fields - FIELDS):
        choices = ", ".join(sorted(FIELDS | set(SYNONYMS)))
        raise BadTemplate(f"{name}: unknown field {{{unknown[0]}}}. Use some of: {choices}.")
    for need in needs:
        if not parsed.fields & set(need.split("|")):
            raise BadTemplate(
                f"{name}: no field {{{need.split('|')[0]}}}. Add it, or the judge does not see this text."
            )
    return parsed


def _renamed(fields: frozenset[str], *, pairs: bool) -> dict[str, str]:
    """Our names of fields that Arena-Hard v0.1 has: assistants by number, and the question of the only turn."""
    renamed = {} if "question_2" in fields else {"question_1": "question"}
    if pairs and not any(name.startswith(("answer_a", "answer_b")) for name in fields):
        renamed |= OF_PAIRS
    return {name: to for name, to in renamed.items() if name in fields}


def _with_names(parsed: Template, text: str, renamed: Mapping[str, str]) -> str:
    """The text with fields renamed."""
    return parsed._tokens.sub(lambda token: f"{{{renamed[token[1]]}}}" if token[1] in renamed else token[0], text)


# MT-bench's names of its prompts, in the order of `ByItem`
MT_BENCH = {
    "pair": ("pair-v2", "pair-math-v1", "pair-v2-multi-turn", "pair-math-v1-multi-turn"),
    "single": ("single-v1", "single-math-v1", "single-v1-multi-turn", "single-math-v1-multi-turn"),
}


def mt_bench_templates(lines: Iterable[str], kind: str) -> ByItem:
    """The four texts of a `judge_prompts.jsonl` for "pair" or "single". Raises BadTemplate for a missing one."""
    prompts = _judge_prompts(lines)
    return ByItem(*(_prompt(prompts, name) for name in MT_BENCH[kind]))


def mt_bench_template(lines: Iterable[str], prompt: str) -> str:
    """The text of one prompt of a `judge_prompts.jsonl`. Raises BadTemplate if it is missing."""
    return _prompt(_judge_prompts(lines), prompt)


def _judge_prompts(lines: Iterable[str]) -> dict[str, str]:
    prompts = {}
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            prompts[row["name"]] = f"{row['system_prompt']}\n=====\n{row['prompt_template']}"
        except (ValueError, RecursionError, KeyError, TypeError) as problem:
            raise BadTemplate(
                f"line {number}: not a judge prompt. Expected JSON with name, system_prompt and prompt_template."
            ) from problem
    return prompts


def _prompt(prompts: Mapping[str, str], name: str) -> str:
    if name not in prompts:
        raise BadTemplate(f"no judge prompt is called {name!r}. Choose one of: {', '.join(prompts) or 'none'}.")
    return prompts[name]


@cache
def own(name: str) -> str:
    """The text of a built-in template."""
    return files("judges").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def _name(field: str) -> str:
    return SYNONYMS.get(field, field)


def _filled(
    tokens: re.Pattern[str], text: str, values: Mapping[str, str]
) -> tuple[str, list[tuple[str, int, int]]]:
    """The text with every field filled, and (field, start, end) of each; doubled braces among the tokens are single."""
    parts, places, position, length = list[str](), list[tuple[str, int, int]](), 0, 0
    for field in tokens.finditer(text):
        value = _value(field, values) if field[1] else field[0][0]
        start = length + field.start() - position
        parts += [text[position : field.start()], value]
        if field[1]:
            places.append((_name(field[1]), start, start + len(value)))
        position, length = field.end(), start + len(value)
    return "".join([*parts, text[position:]]), places


def _value(field: re.Match[str], values: Mapping[str, str]) -> str:
    name = _name(field[1])
    if name not in values:
        raise BadTemplate(f"The field {{{field[1]}}} has no value for this item. Use another template.")
    return values[name]
