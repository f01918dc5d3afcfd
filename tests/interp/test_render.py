"""Pictures say what the numbers say, in words as well as in colour, and let no text out of its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from interp.attribution import Attribution
from interp.blackbox.methods import BLACK_BOX, black_box_method, words_of
from interp.blackbox.swapped_orders import SwappedOrders, matching_units
from interp.document import Explanation
from interp.errors import BadOption
from interp.evaluation.faithfulness import faithfulness
from interp.prompt import Prompt
from interp.render.graphs import MOST, flow_svg, heads_svg, pruned
from interp.render.page import fragment, page
from interp.whitebox.flow_graph import FlowGraph
from interp.whitebox.methods import WHITE_BOX
from tests.support.untranslated import english

PROMPT = Prompt.of(
    (None, "Judge.\n"), ("prompt", "Which one? "), ("completion_a", "It is <b>this</b>. Sure!"),
    (None, "\nor\n"), ("completion_b", "That & more."),
)  # fmt: skip
WEIGHTS = np.linspace(-1, 2, len(PROMPT.words))
VOID = ("meta", "rect", "line", "polyline", "circle", "br", "input")


class Balance(HTMLParser):
    """Fails on a tag that is closed out of turn."""

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag


def balanced(text):
    parser = Balance()
    parser.feed(text)
    assert parser.open == []
    return text


def linear(masks):
    return masks @ WEIGHTS


def attribution():
    return Attribution("occlusion", {}, PROMPT, PROMPT.words, WEIGHTS, "logit(A) - logit(B)", 1.0)


def measured():
    return Explanation.from_attribution(attribution(), faithfulness(linear, WEIGHTS)).to_dict()


def shown_as_html(*documents):
    return fragment([Explanation.from_dict(document) for document in documents])


def full():
    message = measured()
    message |= {
        "judge": "tiny <judge>",
        "models": {"completion_a": "x", "completion_b": "y"},
        "verdict": {"content": -0.07, "bias": 3.04, "orders": [2.97, 3.11], "consistent": False},
        "votes": [{"source": "human", "winner": "model_b"}],
        "counterfactual": {"removed": [1, 2], "before": 0.5, "after": -0.1, "flipped": True, "calls": 4},
        "sentences": [{"segment": "prompt", "text": "Which one?", "score": 0.4, "words": [0, 1]}],
        "heads": [[0.1, -0.2], [0.0, 0.05]],
        "flow": {"nodes": ["Which one?", "the verdict"], "edges": [[0, 0, 1, 0.4], [1, 1, 1, 0.2]]},
        "notes": ["a note"],
    }
    return message


def test_an_attribution_from_a_notebook_becomes_a_page_of_its_own():
    shown = balanced(page([Explanation.from_dict(measured())]))
    assert shown.startswith("<!doctype html>")
    assert "beats random" in shown
    assert "<script" not in shown
    assert not re.search(r"""(?:src|href)=["']?http""", shown)


def test_every_part_is_there_and_texts_are_escaped():
    shown = balanced(shown_as_html(full(), full()))
    assert "&lt;b&gt;this&lt;/b&gt;." in shown
    assert "<b>this" not in shown
    assert "tiny &lt;judge&gt;" in shown
    assert "Position decides the verdict: it is +3.04 logits for the first place" in shown
    assert 'aria-label="Position bias +3.04, first place"' in shown
    assert "Without these words (2)" in shown
    assert shown.count('<section class="card">') == 2
    assert shown.count("<svg") == 4  # curves of either method, heads and flow of the first
    assert "a note" in shown


def test_colour_is_never_alone():
    shown = shown_as_html(full())
    strong = re.findall(r'class="w (a|b) strong" style="--s:1\.00" title="([+-][\d.]+)">', shown)
    assert ("a", "+2.000") in strong
    assert all((side == "a") == score.startswith("+") for side, score in strong)
    assert "the strongest words" in shown


def test_what_was_not_measured_is_said_to_be_so():
    message = {"method": "x", "words": [{"segment": None, "text": "a", "score": 0.0}]}
    shown = balanced(shown_as_html(message))
    assert "Faithfulness was not measured" in shown


def test_the_text_on_the_page_is_the_text_that_was_read():
    shown = shown_as_html(measured())
    texts = re.findall(r'<p class="text" dir="auto">(.*?)</p>', shown, re.S)
    import html as escaping

    plain = [escaping.unescape(re.sub(r"<[^>]+>", "", text)) for text in texts]
    assert plain == ["Which one? ", "It is <b>this</b>. Sure!", "That & more."]


def test_heads_and_flow_are_drawn_with_their_numbers():
    assert "layer 0, head 1: -0.2000" in balanced(heads_svg([[0.1, -0.2]]))
    drawn = balanced(flow_svg(FlowGraph(("<a>", "b"), ((0, 0, 1, 0.5),))))
    assert "&lt;a&gt; to b: 0.500" in drawn
    many = [[level, n, n, 1 / (n + 1)] for level in range(3) for n in range(100)]
    kept = pruned(many)
    assert len(kept) == MOST
    assert {edge[0] for edge in kept} == {0, 1, 2}


@pytest.mark.parametrize("name", BLACK_BOX)
def test_every_method_finds_a_linear_judge(name):
    words = words_of(PROMPT)
    chosen = black_box_method(name)
    found = chosen.scores(linear, words)
    if name == "sentences":
        sums = [sum(found.scores[list(one)]) for one in words.sentences]
        assert sums == pytest.approx([WEIGHTS[list(one)].sum() for one in words.sentences])
    else:
        assert found.scores == pytest.approx(WEIGHTS, abs=1e-2)
    calls = chosen.calls(words)
    assert calls is None or calls > 0  # of a method that samples until it is precise, it is not known


def test_methods_with_and_without_weights_have_different_names_and_unknown_ones_are_listed():
    assert not set(BLACK_BOX) & set(WHITE_BOX)
    with pytest.raises(BadOption, match=r"'magic'\. Expected one of: screen, occlusion"):
        black_box_method("magic")
    with pytest.raises(BadOption, match="no words"):
        words_of(Prompt.of((None, "only a template")))


def swapped_prompt():
    return Prompt.of(
        ("prompt", "Which one? "), ("completion_b", "That & more."), ("completion_a", "It is <b>this</b>. Sure!")
    )


def test_content_and_bias_of_two_orders_are_taken_apart_word_by_word():
    there = swapped_prompt()
    places = matching_units(PROMPT.words, there.words)
    assert [there.words[place].text.strip() for place in places] == [word.text.strip() for word in PROMPT.words]
    taste, bias = WEIGHTS, 1.7
    moved = np.empty_like(taste)
    moved[places] = -taste

    exchange = SwappedOrders(lambda masks: masks @ taste + bias, lambda masks: masks @ moved + bias, places)
    some = np.random.default_rng(0).random((5, len(taste))) < 0.5
    assert exchange.content(some) == pytest.approx(some @ taste)
    assert exchange.bias(some) == pytest.approx(np.full(5, bias))


def test_orders_that_show_different_texts_are_refused():
    other = Prompt.of(
        ("prompt", "Which one? "), ("completion_b", "That or more."), ("completion_a", "It is <b>this</b>. Sure!")
    )
    with pytest.raises(BadOption, match="differs from the other order"):
        matching_units(PROMPT.words, other.words)
    with pytest.raises(BadOption, match=r"in the other\. Expected the same"):
        matching_units(PROMPT.words[:3], swapped_prompt().words)


def test_the_whole_prompt_is_shown_by_word_and_by_sentence_template_included():
    message = full() | {"between": ["Judge.\n", *[""] * (len(PROMPT.words) - 1), " End"]}
    message["sentences"][0] |= {"words": [0, 1]}
    shown = balanced(shown_as_html(message))
    assert shown.count('<p class="text template" dir="auto">Judge.</p>') == 2  # in either map
    assert 'for="per-sentence-0">by sentence</label>' in shown


def test_convergence_infidelity_sensitivity_and_replacements_are_reported():
    message = full()
    message["faithfulness"] |= {"infidelity": 0.25, "sensitivity": 1.5}
    message["parameters"] = {
        "orders": [{"errors": [[8, 0.9], [17, 0.03]], "change": 0.7, "baseline": "'\\n'", "delta": 0.03}]
    }
    message["replacement"] = {
        "replaced": [[1, "one", "not"]],
        "before": 0.5,
        "after": -0.1,
        "flipped": True,
        "calls": 4,
    }
    shown = balanced(shown_as_html(message))
    assert "8 gradients: 90.0%, 17 gradients: 3.0%" in shown
    assert "<td>0.250</td>" in shown
    assert "<td>1.500</td>" in shown
    assert '<del dir="auto">one</del> <ins dir="auto">not</ins>' in shown


def test_a_models_own_answer_is_shaded_by_its_entropy_and_has_no_bars():
    message = {key: value for key, value in full().items() if key not in ("verdict", "counterfactual")}
    message["answer"] = {
        "side": "b", "text": "yes <no>", "gain": 2.5, "samples": ["yes", "no"], "consistency": 0.0,
        "semantic_entropy": 1.0, "tokens": [{"text": "<no>", "bits": 2.0, "surprise": 1.0}],
    }  # fmt: skip
    shown = balanced(shown_as_html(message))
    assert "&lt;no&gt;" in shown
    assert "+2.50" in shown
    assert "Position bias" not in shown


def chinese(text: str) -> str:
    """A translation that has the same {named} values and no other English word than a name."""
    return re.sub(r"\{[^}]*\}|[A-Za-z]+", lambda match: match[0] if match[0][0] == "{" else "字", text)


def test_every_text_of_an_explanation_is_translated_and_no_data_is():
    plain = full() | {
        "replacement": {"replaced": [[1, "one", "not"]], "before": 0.5, "after": -0.1, "flipped": True, "calls": 4}
    }
    plain["faithfulness"] |= {"infidelity": 0.25, "sensitivity": 1.5}
    plain["parameters"] = {"orders": [{"delta": 0.03}, {"delta": 0.02}]}
    answer = {key: value for key, value in full().items() if key not in ("verdict", "counterfactual")}
    answer["answer"] = {
        "side": "b", "text": "yes", "gain": 2.5, "samples": ["yes"], "consistency": 0.0, "semantic_entropy": 1.0,
        "tokens": [{"text": "yes", "bits": 2.0, "surprise": 1.0}],
    }  # fmt: skip
    for document in (plain, answer, measured() | {"faithfulness": None}):
        shown = fragment([Explanation.from_dict(document)], "字", translate=chinese)
        drawn = re.sub(
            r"<text transform.*?</text>", "", re.sub(r"<title>Which one\?", "<title>", shown)
        )  # what was read
        assert list(english(shown, {"tiny", "judge", "human", "occlusion"})) == []
        assert re.findall(r">[^<]*[A-Za-z]{3,}[^<]*</(?:text|title)>", drawn) == []
        assert '<ins dir="auto">not</ins>' in shown or document is not plain
    assert "Answer B" in fragment([Explanation.from_dict(plain)])  # the next page is in English again


def test_sampled_scores_are_shown_with_their_standard_error():
    result = black_box_method("shapley").scores(linear, words_of(PROMPT))
    shown = balanced(shown_as_html(full() | {"method": "shapley", "parameters": dict(result.parameters)}))
    assert "the standard error of the scores is 0% of their size after 4 rounds (target 30%)" in shown


LOOKED = {"method": "rollout", "parameters": {"signed": False, "orders": []}, "notes": ["another note"]}


def test_each_of_two_explanations_has_its_own_notes_and_legend():
    shown = balanced(shown_as_html(full(), full() | LOOKED))
    first, second = shown.split('<section class="card">')[1:]
    assert "a note" in first
    assert "another note" not in first
    assert "another note" in second
    assert "for A</span>" in first
    assert "where the model looked, for either side" in second
    assert "for A</span>" not in second


def test_a_map_without_a_sign_has_a_colour_of_its_own():
    shown = shown_as_html(full() | LOOKED)
    assert re.findall(r'class="w (\w) ?', shown).count("n") > 1
    assert not re.findall(r'class="w [ab]', shown)


def test_two_judges_have_a_verdict_each():
    other = full() | {"judge": "large", "verdict": full()["verdict"] | {"content": 0.4}}
    first, second = balanced(shown_as_html(full(), other)).split('<section class="card">')[1:]
    assert "tiny &lt;judge&gt;" in first
    assert "large" in second
    assert "Answer A: x" in second


def wordings(*contents):
    return full() | {"verdict": full()["verdict"] | {"wordings": [[3 + c, 3 - c] for c in contents]}}


def test_a_content_of_either_sign_is_no_preference_and_its_map_is_folded():
    shown = balanced(shown_as_html(wordings(-0.1, 0.098)))
    assert "No preference by content." in shown
    assert "Under 3 wordings of its prompt" in shown
    assert "between -0.100 and +0.098" in shown
    assert "Position decides the verdict" in shown
    assert '<details class="folded"><summary>Show the map of a preference that is not there' in shown
    assert "prefers <strong>" not in shown


def test_a_content_of_one_sign_is_shown_with_its_range():
    shown = balanced(shown_as_html(wordings(-0.1, -0.02)))
    assert "prefers <strong>Answer B: y</strong>" in shown
    assert "under all 3 wordings of its prompt: the content is -0.100 to -0.020. Position decides" in shown
    assert 'class="folded"' not in shown
    assert '<span class="range"' in shown


def test_a_content_of_exactly_zero_prefers_neither_answer():
    shown = balanced(shown_as_html(full() | {"verdict": full()["verdict"] | {"content": 0.0, "bias": 0.0}}))
    assert "No preference by content." in shown
    assert "prefers <strong>" not in shown
    assert 'aria-label="Content +0.00, for neither"' in shown


def test_a_flip_says_whether_the_letter_changes_and_how_often_any_word_would_flip():
    orders = [{"before": 2.9, "after": 2.8}, {"before": 3.1, "after": 2.9}]
    flip = full()["counterfactual"] | {"orders": orders, "singles": {"tested": 27, "flipped": 7}}
    shown = balanced(shown_as_html(full() | {"counterfactual": flip}))
    assert "The letter that the judge writes stays in both orders" in shown
    assert "of 27 deletions of a single word, 7 flip the content (26%)" in shown
    orders[0] |= {"after": -0.1}
    assert "changes in one of the two orders" in shown_as_html(full() | {"counterfactual": flip})


def test_the_part_of_the_baseline_is_shown_with_the_sum():
    parameters = {"orders": [{"delta": None}, {"delta": None}], "sum": -0.118, "rest": 0.034}
    shown = shown_as_html(full() | {"method": "integrated_gradients", "parameters": parameters})
    assert "the scores sum to -0.118, the baseline has +0.034: together -0.084" in shown


def test_two_maps_are_compared_with_chance_on_one_scale():
    halved = [word | {"score": word["score"] / 2} for word in full()["words"]]
    shown = balanced(shown_as_html(full(), full() | {"method": "owen", "words": halved}))
    assert "The two maps: rank correlation 1.00 (chance" in shown
    assert "Of the 5 strongest words they share 5 (chance" in shown
    assert shown.count("one scale for both maps: the deepest color is 2.000") == 2
    assert 'style="--s:0.50" title="+1.000"' in shown.split('<section class="card">')[2]


def test_maps_of_other_words_are_not_compared():
    assert "The two maps" not in shown_as_html(full(), full() | {"words": full()["words"][:3]})


def test_a_document_without_a_number_or_a_title_is_escaped_and_complete():
    shown = balanced(page([Explanation.from_dict(full())], "<title>"))
    assert "<title>&lt;title&gt;</title>" in shown
