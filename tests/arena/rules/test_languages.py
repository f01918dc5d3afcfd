"""The language of short prompts, of which 300 of our own are labelled."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from arena.rules.categories import categories
from arena.rules.languages import LANGUAGES, SCRIPTS, SHARED_SCRIPTS, WORDS, language, model, named_language

LABELLED = Path(__file__).parent / "language_prompts.jsonl"
PROMPTS = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]
needs_model = pytest.mark.skipif(model() is None, reason="no py3langid")


def test_the_prompts_are_fifteen_in_each_of_twenty_languages():
    assert set(Counter(row["language"] for row in PROMPTS).values()) == {15}
    assert len({row["prompt"] for row in PROMPTS}) == 300


@needs_model
def test_short_prompts_are_in_their_language():
    """51 % by lists of words."""
    right = Counter(row["language"] for row in PROMPTS if language(row["prompt"]) == row["language"])
    assert right.total() >= 290
    assert min(right[name] for name in ("english", "dutch", "polish", "turkish", "ukrainian", "russian")) >= 14


@needs_model
def test_no_other_language_becomes_english():
    found = [row["language"] for row in PROMPTS if language(row["prompt"]) == "english"]
    assert set(found) == {"english"}


def test_scripts_of_one_language_need_no_model(monkeypatch):
    monkeypatch.setattr("arena.rules.languages.model", lambda: None)
    alone = {"chinese", "japanese", "korean"}
    assert all(language(row["prompt"]) == row["language"] for row in PROMPTS if row["language"] in alone)
    texts = {
        "Εξήγησε τη βαρύτητα": "greek",
        "สวัสดี": "thai",
        "שלום": "hebrew",
        "வணக்கம்": "tamil",
        "გამარჯობა": "georgian",
    }
    assert [language(text) for text in texts] == list(texts.values())


def test_a_text_in_no_known_language_is_not_english(monkeypatch):
    for found in (model, lambda: None):
        monkeypatch.setattr("arena.rules.languages.model", found)
        assert [language(text) for text in ("xqzt brrk vlop", "GPT-4?", "2 + 2", "…", "")] == [None] * 5


@pytest.mark.parametrize(
    "text",
    [
        "Was macht das und warum ist es so?\n```python\nfor word in the_list: print(word)\n```",
        "Was macht das und warum ist es so? `if it is in the list`",
        "Was steht auf https://example.com/what-is-this-for-you und warum ist das so?",
    ],
)
def test_code_and_addresses_do_not_count(text):
    assert language(text) == "german"


def test_code_alone_is_read_as_it_is():
    assert language("```\n# what is the sum of this list\nsum(x)\n```") == "english"


@pytest.mark.parametrize(
    ("name", "meant"),
    [("Spanish", "spanish"), ("es", "spanish"), ("pt-BR", "portuguese"), ("pt_BR", "portuguese"), ("FR", "french"),
     ("zh-Hans", "chinese"), ("Simplified Chinese", "chinese"), ("fil", "filipino"), ("nb", "norwegian"),
     ("unknown", None), ("Unknown", None), ("undetermined", None), ("und", None), ("", None), ("xx", None)],
)  # fmt: skip
def test_names_and_codes_of_data_sets(name, meant):
    assert named_language(name) == meant


def test_the_tables_agree():
    for groups in SHARED_SCRIPTS.values():
        shared = " ".join(groups).split()
        assert len(shared) == len(set(shared))
        assert all(named_language(code) for code in shared)
    assert {name for name in SCRIPTS.values() if name not in SHARED_SCRIPTS} | WORDS.keys() <= LANGUAGES.keys()


def test_a_named_language_is_not_guessed_again():
    assert categories(["Hola, what is this?"], spoken="spanish") == ("spanish",)
