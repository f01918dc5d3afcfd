"""Segments stand where the template put them, even where the texts are also words of the template."""

from __future__ import annotations

from types import SimpleNamespace

import jinja2
import pytest

from arena.config import OpenAISettings
from arena.explaining.judge_values import orders
from arena.explaining.prompts import PART, chat_prompt, joined_prompt
from arena.explaining.refusals import ExplanationRefused
from judges import Pair

JUDGE = OpenAISettings(name="judge", endpoint="openai", url="http://127.0.0.1:9/v1")
CHAT = "{% for m in messages %}<|{{ m.role }}|>\n{{ m.content }}<|end|>\n{% endfor %}<|assistant|>\n"
TRIMMED = CHAT.replace("m.content", "m.content | trim")
SYSTEM_FIRST = (
    "{% set system = messages[0].content if messages[0].role == 'system' else '' %}[{{ system | trim }}"
    "{% for m in messages if m.role != 'system' %} {{ m.content | trim }}{% endfor %}]"
)


def lm_with(template):
    def apply_chat_template(messages, *, tokenize, add_generation_prompt):
        return jinja2.Template(template).render(messages=messages)

    return SimpleNamespace(
        name="tiny",
        tokenizer=SimpleNamespace(chat_template=template, apply_chat_template=apply_chat_template),
    )


def pair_of(prompt, a, b):
    return Pair("1", ({"role": "user", "content": prompt},), "x", a, "y", b)


def shown(prompt):
    """(segment, its text, the text before it) of a prompt."""
    return [(name, prompt.text[start:end], prompt.text[:start]) for name, start, end in prompt.segments]


@pytest.mark.parametrize("template", [CHAT, TRIMMED, SYSTEM_FIRST])
@pytest.mark.parametrize(
    ("a", "b"), [("A", "B"), ("B", "A"), ("Request:", "{answer_a}"), ("a ", "\n the letter alone")]
)
def test_a_completion_that_is_a_word_of_the_template_is_found_in_its_place(template, a, b):
    for number, order in enumerate(orders(JUDGE, pair_of("a", a, b), None)):
        prompt = chat_prompt(lm_with(template), order.messages, order.places)
        first, second = ("completion_a", a), ("completion_b", b)
        if number:
            first, second = second, first
        question, left, right = shown(prompt)
        assert question[:2] == ("prompt", "a")
        assert question[2].endswith("Request:\n")
        assert left[:2] == (first[0], first[1].strip())
        assert left[2].rstrip().endswith("Answer A:")
        assert right[:2] == (second[0], second[1].strip())
        assert right[2].rstrip().endswith("Answer B:")


def test_the_messages_of_an_api_are_joined_with_their_places():
    (order, _) = orders(JUDGE, pair_of("a", "A", "B"), None)
    prompt = joined_prompt(order.messages, order.places)
    assert prompt.text == PART.join(message["content"] for message in order.messages)
    assert [part[:2] for part in shown(prompt)] == [("prompt", "a"), ("completion_a", "A"), ("completion_b", "B")]
    assert shown(prompt)[1][2].endswith("Answer A:\n")


def test_a_field_that_stands_twice_is_content_twice():
    (order, _) = orders(JUDGE, pair_of("why?", "so", "no"), "{question} {answer_a} {answer_b} again: {question}")
    prompt = chat_prompt(lm_with(CHAT), order.messages, order.places)
    assert [part[:2] for part in shown(prompt)] == [
        ("prompt", "why?"), ("completion_a", "so"), ("completion_b", "no"), ("prompt", "why?"),
    ]  # fmt: skip


@pytest.mark.parametrize("change", ["upper", "replace('so', '')"])
def test_a_chat_template_that_changes_texts_is_refused(change):
    (order, _) = orders(JUDGE, pair_of("why?", "so", "no"), None)
    with pytest.raises(ExplanationRefused, match=r"tiny: its chat template changes the texts.*Set chat_template"):
        chat_prompt(lm_with(CHAT.replace("m.content", f"m.content | {change}")), order.messages, order.places)


def test_a_model_without_a_chat_template_is_refused():
    (order, _) = orders(JUDGE, pair_of("why?", "so", "no"), None)
    with pytest.raises(ExplanationRefused, match=r"tiny has no chat template\. Set chat_template"):
        chat_prompt(lm_with(None), order.messages, order.places)
