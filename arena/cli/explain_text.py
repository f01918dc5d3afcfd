"""An explanation in the terminal: the words on colours, then what the figures say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

SHADES = 0.6  # of the colour behind a word whose score is the largest
COLOURS = {True: (37, 99, 235), False: (194, 65, 12)}  # for A, for B; both carry white text
TOP = 8  # words listed below the text
SENTENCES = 4

Document = Mapping[str, Any]


def printed(document: Document, console: Console) -> None:
    """Print it."""
    names = {
        "prompt": "Prompt",
        "earlier": "Earlier in the conversation",
        **{key: f"Answer {key[-1].upper()}: {who}" for key, who in document["models"].items()},
    }
    console.rule(Text(f"battle {document['number']} · {document['judge']} · {document['method']}"))
    console.print(_words(document, names))
    console.print()
    for place in sorted(document["words"], key=lambda word: -abs(word["score"]))[:TOP]:
        console.print(
            Text(f"{place['score']:+8.3f}  {place['text'].strip()}  ").append(names[place["segment"]], "dim")
        )
    strongest = sorted(document["sentences"], key=lambda one: -abs(one["score"]))[:SENTENCES]
    console.print(Text("by sentence", "dim"))
    for one in strongest:
        console.print(Text(f"{one['score']:+8.3f}  {one['text']}  ").append(names[one["segment"]], "dim"))
    console.print()
    for line in [*(_answer(document) if "answer" in document else _verdict(document, names)), *_sums(document)]:
        console.print(Text(line), soft_wrap=True)
    _faithfulness(document["faithfulness"], console)
    for note in document["notes"]:
        console.print(f"note: {note}", style="yellow", markup=False)


def _words(document: Document, names: Mapping[str, str]) -> Text:
    segment = None
    line = Text()
    reach = max((abs(word["score"]) for word in document["words"]), default=0.0) or 1.0
    for word in document["words"]:
        if word["segment"] != segment:
            segment = word["segment"]
            line.append(f"\n\n{names[segment]}\n" if line else f"{names[segment]}\n", style="bold")
        line.append_text(_coloured(word, reach))
    return line


def _faithfulness(measured: Mapping[str, Any], console: Console) -> None:
    good = measured["beats_random"]
    told = f"faithfulness: {measured['verdict']} (p = {measured['p']:.3f} against {measured['rankings']} rankings)"
    console.print(told, style="bold green" if good else "bold red")
    figures = ", ".join(
        f"{name} {measured[name]['value']:+.3f} (by chance {measured[name]['random']:+.3f})"
        for name in ("comprehensiveness", "sufficiency", "gap")
    )
    more = "".join(
        f", {name} {measured[name]:.3f}"
        for name in ("infidelity", "sensitivity")
        if measured.get(name) is not None
    )
    console.print(figures + more, style="dim", soft_wrap=True)


def _answer(document: Document) -> Iterator[str]:
    told = document["answer"]
    yield f"the prompt changes the log-probability of answer {told['side'].upper()} by {told['gain']:+.2f}"
    mean = sum(one["bits"] for one in told["tokens"]) / max(1, len(told["tokens"]))
    yield (
        f"entropy {mean:.2f} bits a token; {len(told['samples'])} answers drawn again share "
        f"{told['consistency']:.0%} of their words, {told['semantic_entropy']:.2f} bits of meanings"
    )


def _verdict(document: Document, names: Mapping[str, str]) -> Iterator[str]:
    verdict, flip, other = document["verdict"], document["counterfactual"], document["replacement"]
    prefers = names["completion_a" if verdict["winner"] == "model_a" else "completion_b"]
    place = "first" if verdict["bias"] > 0 else "second"
    yield f"content {verdict['content']:+.3f}: by content the judge prefers {prefers}"
    yield f"position bias {verdict['bias']:+.3f}: it leans to the answer shown {place}" + (
        "" if verdict["consistent"] else "; the order decides this battle"
    )
    yield f"entropy of the letter: {verdict['entropy'][0]:.2f} and {verdict['entropy'][1]:.2f} bits of 1"
    if flip["flipped"]:
        words = " ".join(document["words"][unit]["text"].strip() for unit in flip["removed"])
        yield f"without {len(flip['removed'])} words it prefers the other answer: {words}"
    if other["flipped"]:
        words = ", ".join(f"{old} -> {new}" for _, old, new in other["replaced"])
        yield f"with {len(other['replaced'])} words replaced it prefers the other answer: {words}"
    votes = ", ".join(f"{vote['source']}: {vote['winner']}" for vote in document["votes"])
    yield f"votes: {votes or 'none'}"


def _sums(document: Document) -> Iterator[str]:
    """Convergence of a method that is refined step by step."""
    for one in document["parameters"].get("orders") or []:
        if one.get("errors"):
            rounds = ", ".join(f"{steps} gradients: {error:.1%}" for steps, error in one["errors"])
            yield f"estimated error of the scores: {rounds}; they sum to {one['change']:+.3f}"


def _coloured(word: Mapping[str, Any], reach: float) -> Text:
    share = abs(word["score"]) / reach
    if share < 0.1:
        return Text(word["text"])
    text = word["text"]
    space = text[: len(text) - len(text.lstrip())]
    red, green, blue = (round(part * (0.35 + 0.65 * share)) for part in COLOURS[word["score"] > 0])
    style = f"{'bold ' if share > SHADES else ''}white on rgb({red},{green},{blue})"
    return Text(space).append(text.lstrip(), style=style)
