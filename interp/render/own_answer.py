"""What is told of a model's own answer: the answer with the entropy of its tokens, and answers drawn again."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


def answer(document: Document) -> str:
    """The text, shaded where the model was unsure, and whether it would say the same again."""
    told = document["answer"]
    side, reach = told["side"].upper(), max((one["bits"] for one in told["tokens"]), default=0.0) or 1.0
    who = document.get("models", {}).get(f"completion_{told['side']}", "the model")
    tokens = "".join(
        f'<span class="unsure" style="--s:{one["bits"] / reach:.2f}" title="entropy {one["bits"]:.1f} bits, '
        f'surprise {one["surprise"]:.1f} bits">{_(one["text"])}</span>'
        for one in told["tokens"]
    )
    mean = sum(one["bits"] for one in told["tokens"]) / max(1, len(told["tokens"]))
    samples = "".join(f"<li>{_(one)}</li>" for one in told["samples"])
    return (
        f"<p>Answer {side} by <strong>{_(who)}</strong>, read by <strong>{_(document.get('judge', ''))}</strong>: "
        f"the prompt changes its log-probability by <strong>{told['gain']:+.2f}</strong> against a prompt that says "
        "nothing. The words below explain that change.</p>"
        f"<h2>The answer, shaded where the next token was open</h2><p class='text'>{tokens}</p>"
        f"<p class='soft'>Entropy {mean:.2f} bits a token. {len(told['samples'])} answers drawn again share "
        f"{told['consistency']:.0%} of their words, {told['semantic_entropy']:.2f} bits of meanings.</p>"
        f"<details><summary>answers drawn again</summary><ul class='notes'>{samples}</ul></details>"
    )


def _(text: object) -> str:
    return html.escape(str(text))
