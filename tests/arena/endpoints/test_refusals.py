"""Which refusals are about the prompt, and which setting cures the others."""

from __future__ import annotations

import pytest

from arena.endpoints.refusals import CHECK, cure, is_of_prompt, without_identifiers

PLACE = "http://127.0.0.1:8000/v1 answered 400: "


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (
            "Could not finish the message because max_tokens or model output limit was reached.",
            "--thinking-budget",
        ),
        ("Unsupported value: 'stop' is not supported", "{stop = false}"),
        ("top_logprobs must be an integer", "{top_logprobs = false}"),
        ("Invalid value for 'temperature'", "{temperature = false}"),
        ("The model `gpt-9` does not exist", "`model`"),
        ("You have no credit left", "account"),
        ("System role not supported", "`system_prompt`"),
        ("This model does not support image input", "`images = false`"),
        ("Bad request", CHECK),
    ],
)
def test_a_refusal_names_the_setting_that_cures_it(words, named):
    assert named in cure(PLACE + words)


@pytest.mark.parametrize(
    "words",
    [
        "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
        "Input data may contain inappropriate content.",
        "This model's maximum context length is 4096 tokens.",
        "the prompt is too long",
        "系统检测到输入或生成内容可能包含不安全或敏感内容",
    ],
)
def test_a_refusal_of_a_prompt_has_no_cure(words):
    assert is_of_prompt(PLACE + words)
    assert cure(PLACE + words) == ""


def test_identifiers_of_a_call_make_no_other_refusal():
    first, second = "no (request id: req_011CSHoEeqs5C35K)", "no (request id: req_9f3a77b01cc2aa40)"
    assert without_identifiers(first) == without_identifiers(second)
    assert without_identifiers("no such field: seed") != without_identifiers("no such field: stop")
