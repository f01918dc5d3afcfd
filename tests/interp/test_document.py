"""The document of an explanation: JSON in, the same JSON out, and clear errors for what cannot be read."""

from __future__ import annotations

import json

import pytest

from interp.document import LAYOUT, Explanation
from interp.errors import BadDocument

MEASURE = {"value": 0.5, "random": 0.1, "spread": 0.2, "z": None}
CURVE = {"fractions": [0.5], "deletion": [0.1], "reverse": [0.2], "insertion": [0.3]}
STORED = {
    "layout": LAYOUT,
    "battle": "b1",
    "number": 1,
    "judge": "tiny",
    "method": "integrated_gradients",
    "about": "verdict",
    "models": {"completion_a": "x", "completion_b": "y"},
    "votes": [{"source": "human", "winner": "model_b"}],
    "target": "logit(A) - logit(B)",
    "parameters": {"orders": [{"errors": [[8, 0.5]], "change": 0.1, "baseline": "' the'", "notes": []}]},
    "verdict": {
        "orders": [1.0, 0.5], "content": 0.25, "bias": 0.75, "consistent": False, "winner": "model_a",
        "entropy": [0.8, 0.9],
    },
    "words": [{"segment": "prompt", "text": "why?", "score": 0.5}, {"segment": None, "text": " so", "score": 0.0}],
    "between": ["Judge: ", "", "."],
    "sentences": [{"segment": "prompt", "text": "why?", "score": 0.5, "words": [0, 0]}],
    "faithfulness": {
        "verdict": "beats random", "beats_random": True, "comprehensiveness": MEASURE, "sufficiency": MEASURE,
        "gap": MEASURE, "curve": CURVE, "rankings": 10, "p": 0.01, "calls": 166, "infidelity": None,
        "sensitivity": 0.3,
    },
    "counterfactual": {"removed": [0], "before": 0.5, "after": -0.1, "flipped": True, "calls": 3},
    "replacement": {"replaced": [[0, "why?", "not"]], "before": 0.5, "after": 0.1, "flipped": False, "calls": 4},
    "heads": [[0.1, -0.2]],
    "heads_by": "gradient",
    "flow": {"nodes": ["why?", "the verdict"], "edges": [[0, 0, 1, 0.4]], "layers": 2, "levels": 1},
    "notes": ["a note"],
    "seconds": 1.5,
    "made_at": "2026-01-01T00:00:00+00:00",
}  # fmt: skip
ANSWER = {
    "side": "b", "text": "yes", "gain": 2.5, "tokens": [{"text": "yes", "bits": 2.0, "surprise": 1.0}],
    "samples": ["yes", "no"], "consistency": 0.0, "semantic_entropy": 1.0,
}  # fmt: skip


def test_a_stored_document_is_written_as_it_was_read():
    text = json.dumps(STORED)
    assert json.dumps(Explanation.from_dict(json.loads(text)).to_dict()) == text


def test_the_document_of_an_answer_has_no_verdict():
    document = {
        key: value for key, value in STORED.items() if key not in ("verdict", "counterfactual", "replacement")
    }
    explanation = Explanation.from_dict({**document, "answer": ANSWER})
    assert explanation.answer.tokens[0].bits == 2.0
    assert explanation.to_dict()["answer"] == ANSWER
    assert "verdict" not in explanation.to_dict()


def test_parts_that_an_older_layout_does_not_have_are_none():
    explanation = Explanation.from_dict({"layout": 1, "method": "x", "words": STORED["words"]})
    assert (explanation.between, explanation.sentences, explanation.faithfulness) == (None, None, None)
    assert explanation.words[0].text == "why?"


def test_a_newer_layout_is_refused():
    with pytest.raises(BadDocument, match=rf"has layout {LAYOUT + 1}; this version of arena reads layouts up to"):
        Explanation.from_dict({**STORED, "layout": LAYOUT + 1})


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"method": "x"}, "words: Field required"),
        ({**STORED, "words": [{"segment": None, "text": "a", "score": "high"}]}, r"words\.0\.score"),
    ],
)
def test_a_missing_part_is_named(document, message):
    with pytest.raises(BadDocument, match=message):
        Explanation.from_dict(document)
