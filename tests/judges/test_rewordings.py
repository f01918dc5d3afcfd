"""Rewordings change the words around the fields, and no field."""

from __future__ import annotations

import pytest

from judges import Pair, PairwiseJudge
from judges.rewordings import rewordings
from judges.template import FIELD, own

PAIR = Pair("1", ({"role": "user", "content": "why?\n\n\nReally:"},), "x", "so:\n\n\nyes", "y", "no")


@pytest.mark.parametrize("text", [own("token"), "A:\n{answer_a}\n\nB:\n{answer_b}\n\n{question}"])
def test_rewordings_differ_and_show_the_same_texts(text):
    reworded = rewordings(text)
    assert len({*reworded.values(), text}) == len(reworded) + 1 == 6
    for template in reworded.values():
        assert sorted(FIELD.findall(template)) == sorted(FIELD.findall(text))
        shown = "\n".join(
            m["content"] for m in PairwiseJudge("j", "token", template).requests(PAIR)[0]["messages"]
        )
        for content in ("why?\n\n\nReally:", "so:\n\n\nyes", "no"):
            assert content in shown


def test_a_change_that_alters_nothing_is_left_out():
    assert set(rewordings("{question} {answer_a} {answer_b}")) == {"opening", "closing", "system"}


def test_the_fields_of_a_filled_template_are_where_it_says():
    judge = PairwiseJudge("j", "token")
    messages = judge.requests(PAIR)[0]["messages"]
    places = {place.field: place for place in judge.field_places(PAIR)}
    for field, text in (("question", "why?\n\n\nReally:"), ("answer_a", "so:\n\n\nyes"), ("answer_b", "no")):
        at = places[field]
        assert messages[at.message]["content"][at.start : at.end] == text
