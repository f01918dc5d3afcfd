"""The shipped prompts, and how they are recognised."""

from __future__ import annotations

import re

import pytest

from arena.rules.suggested_prompts import is_suggested, suggested_prompts


@pytest.mark.parametrize("language", ["en", "zh_Hans", "zh-Hans"])
def test_each_language_has_the_same_categories_with_four_prompts_each(language):
    prompts = suggested_prompts(language)
    assert prompts.keys() == suggested_prompts().keys()
    assert {len(of_category) for of_category in prompts.values()} == {4}
    assert all(is_suggested(prompt) for of_category in prompts.values() for prompt in of_category)
    assert all(10 < len(prompt) < 200 for of_category in prompts.values() for prompt in of_category)


def test_another_language_gets_the_english_prompts():
    assert suggested_prompts("xx") == suggested_prompts("en") != suggested_prompts("zh_Hans")


def test_spaces_and_letter_case_do_not_hide_a_suggested_prompt():
    prompt = suggested_prompts()["maths"][1]
    assert is_suggested(f"  {prompt.upper()}\n")
    assert is_suggested(prompt.replace(" ", "\n  "))
    assert not is_suggested(f"{prompt} Be brief.")
    assert not is_suggested("")


def test_full_and_half_width_punctuation_are_the_same_prompt():
    prompt = suggested_prompts("zh_Hans")["writing"][0]
    assert is_suggested(prompt.replace("，", ","))


def test_chinese_prompts_have_chinese_punctuation():
    prompts = [prompt for of_category in suggested_prompts("zh_Hans").values() for prompt in of_category]
    assert [
        prompt for prompt in prompts if re.search("[\u4e00-\u9fff”][,:;?!]|[,:;?!][\u4e00-\u9fff“]", prompt)
    ] == []
