"""An explanation in the terminal: the words on colors, then the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from arena.cli.terminal import Console
from interp import Counterfactual, Explanation, Replacement, convergence
from interp.document import Answer, FaithfulnessReport, Word

STRONG = 0.6  # of the largest score: these words are bold
FAINT = 0.1  # of the largest score: words below it stay plain
COLOURS = {
    "a": (37, 99, 235),
    "b": (194, 65, 12),
    "n": (100, 116, 139),
}  # for A, for B, no sign; all carry white text
TOP = 8  # words listed below the text
SENTENCES = 4

Names = Mapping[str | None, str]


def print_explanation(document: Explanation, console: Console, *, show_map: bool = False) -> None:
    """Print the words, the sentences, the verdict or the answer, and the faithfulness.

    Omits the words of a verdict without a preference by content, unless `show_map`.
    """
    names: Names = {
        None: "Instructions to the judge",
        "prompt": "Prompt",
        "earlier": "Earlier in the conversation",
        **{segment: f"Answer {segment[-1].upper()}: {model}" for segment, model in document.models.items()},
    }
    console.rule(Text(f"battle {document.number} · {document.judge} · {document.method}"))
    if document.verdict is None or document.verdict.preferred or show_map:
        _print_scores(document, names, console)
    else:
        console.print("no map: there is no preference by content to explain; --map prints it", style="dim")
    for line in _lines(document, names):
        console.print(Text(line), soft_wrap=True)
    if document.faithfulness is not None:
        _print_faithfulness(document.faithfulness, console)
    for note in document.notes:
        console.print(f"note: {note}", style="yellow", markup=False)


def _print_scores(document: Explanation, names: Names, console: Console) -> None:
    """The words on colors, then the strongest words and sentences."""
    console.print(_words(document, names))
    console.print()
    for word in sorted(document.words, key=lambda word: -abs(word.score))[:TOP]:
        console.print(_row(word.score, word.text.strip(), names[word.segment]))
    console.print(Text("by sentence", "dim"))
    for sentence in sorted(document.sentences or (), key=lambda sentence: -abs(sentence.score))[:SENTENCES]:
        console.print(_row(sentence.score, sentence.text, names[sentence.segment]))
    console.print()


def _row(score: float, text: str, name: str) -> Text:
    return Text(f"{score:+8.3f}  {text}  ").append(name, "dim")


def _words(document: Explanation, names: Names) -> Text:
    segment = None
    line = Text()
    largest = max((abs(word.score) for word in document.words), default=0.0) or 1.0
    for word in document.words:
        if word.segment != segment:
            segment = word.segment
            line.append(f"\n\n{names[segment]}\n" if line else f"{names[segment]}\n", style="bold")
        line.append_text(_colored(word, largest, signed=document.parameters.get("signed") is not False))
    return line


def _print_faithfulness(report: FaithfulnessReport, console: Console) -> None:
    verdict = f"faithfulness: {report.verdict} (p = {report.p:.2g} against {report.maps or report.rankings} maps)"
    console.print(verdict, style="bold green" if report.beats_random else "bold red")
    measures = {
        "comprehensiveness": report.comprehensiveness,
        "sufficiency": report.sufficiency,
        "gap": report.gap,
    }
    figures = [
        f"{name} {measure.value:+.3f} (by chance {measure.random:+.3f})" for name, measure in measures.items()
    ]
    extras = {"infidelity": report.infidelity, "sensitivity": report.sensitivity}
    figures += [f"{name} {value:.3f}" for name, value in extras.items() if value is not None]
    console.print(", ".join(figures), style="dim", soft_wrap=True)


def _lines(document: Explanation, names: Names) -> Iterator[str]:
    if document.answer is not None:
        yield from _answer(document.answer)
    elif document.verdict is not None:
        yield from _verdict(document, names)
        yield from _flips(document)
        votes = ", ".join(f"{vote.source}: {vote.winner}" for vote in document.votes)
        yield f"votes: {votes or 'none'}"
    yield from convergence(document)


def _answer(answer: Answer) -> Iterator[str]:
    yield f"the prompt changes the log-probability of answer {answer.side.upper()} by {answer.gain:+.2f}"
    mean = sum(token.bits for token in answer.tokens) / max(1, len(answer.tokens))
    yield (
        f"entropy {mean:.2f} bits a token; {len(answer.samples)} further samples share {answer.consistency:.0%} of "
        f"their words; the entropy of their meanings is {answer.semantic_entropy:.2f} bits"
    )


def _verdict(document: Explanation, names: Names) -> Iterator[str]:
    verdict = document.verdict
    assert verdict is not None
    place = "first" if verdict.bias > 0 else "second"
    low, high = verdict.content_range
    wordings = (
        f" ({low:+.3f} to {high:+.3f} over {len(verdict.wordings) + 1} wordings)" if verdict.wordings else ""
    )
    preferred = names[verdict.preferred] if verdict.preferred else None
    result = f"by content the judge prefers {preferred}" if preferred else "no preference by content"
    yield f"content {verdict.content:+.3f}{wordings}: {result}"
    yield f"position bias {verdict.bias:+.3f}: the judge prefers the answer shown {place}" + (
        "; position decides" if abs(verdict.bias) > max(abs(low), abs(high)) else ""
    )
    if verdict.entropy is not None:
        yield f"entropy of the letter: {verdict.entropy[0]:.2f} and {verdict.entropy[1]:.2f} bits of 1"


def _flips(document: Explanation) -> Iterator[str]:
    deletion, replacement = document.counterfactual, document.replacement
    if deletion is not None and deletion.flipped:
        words = " ".join(document.words[unit].text.strip() for unit in deletion.removed)
        yield f"without {len(deletion.removed)} words the content is for the other answer{_letters(deletion)}: {words}"
    if replacement is not None and replacement.flipped:
        words = ", ".join(f"{old} -> {new}" for _, old, new in replacement.replaced)
        count = len(replacement.replaced)
        yield f"with {count} words replaced the content is for the other answer{_letters(replacement)}: {words}"
    if deletion is not None and deletion.singles is not None:
        yield f"{deletion.singles.flipped} of {deletion.singles.tested} deletions of a single word flip the content"


def _letters(flip: Counterfactual | Replacement) -> str:
    """In how many orders the letter that the judge writes changes."""
    if flip.orders is None:
        return ""
    return f" (the letter changes in {sum(order.letter_changes for order in flip.orders)} of 2 orders)"


def _colored(word: Word, largest: float, *, signed: bool) -> Text:
    share = abs(word.score) / largest
    if share < FAINT:
        return Text(word.text)
    side = "n" if not signed else "a" if word.score > 0 else "b"
    space = word.text[: len(word.text) - len(word.text.lstrip())]
    red, green, blue = (round(part * (0.35 + 0.65 * share)) for part in COLOURS[side])
    style = f"{'bold ' if share > STRONG else ''}white on rgb({red},{green},{blue})"
    return Text(space).append(word.text.lstrip(), style=style)
