"""An explanation in the terminal: the words on colors, then the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from rich.text import Text

from arena.cli.terminal import Console
from interp import Explanation, convergence_rounds, orders_of
from interp.document import Answer, FaithfulnessReport, Word

STRONG = 0.6  # of the largest score: these words are bold
FAINT = 0.1  # of the largest score: words below it stay plain
COLOURS = {True: (37, 99, 235), False: (194, 65, 12)}  # for A, for B; both carry white text
TOP = 8  # words listed below the text
SENTENCES = 4

Names = Mapping[str | None, str]


def print_explanation(document: Explanation, console: Console) -> None:
    """Print the words, the sentences, the verdict or the answer, and the faithfulness."""
    names: Names = {
        None: "Instructions to the judge",
        "prompt": "Prompt",
        "earlier": "Earlier in the conversation",
        **{segment: f"Answer {segment[-1].upper()}: {model}" for segment, model in document.models.items()},
    }
    console.rule(Text(f"battle {document.number} · {document.judge} · {document.method}"))
    console.print(_words(document, names))
    console.print()
    for word in sorted(document.words, key=lambda word: -abs(word.score))[:TOP]:
        console.print(_row(word.score, word.text.strip(), names[word.segment]))
    console.print(Text("by sentence", "dim"))
    for sentence in sorted(document.sentences or (), key=lambda sentence: -abs(sentence.score))[:SENTENCES]:
        console.print(_row(sentence.score, sentence.text, names[sentence.segment]))
    console.print()
    for line in _lines(document, names):
        console.print(Text(line), soft_wrap=True)
    if document.faithfulness is not None:
        _print_faithfulness(document.faithfulness, console)
    for note in document.notes:
        console.print(f"note: {note}", style="yellow", markup=False)


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
        line.append_text(_colored(word, largest))
    return line


def _print_faithfulness(report: FaithfulnessReport, console: Console) -> None:
    verdict = f"faithfulness: {report.verdict} (p = {report.p:.3f} against {report.rankings} rankings)"
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
    for order in orders_of(document):
        if rounds := convergence_rounds(order):
            yield f"estimated error of the scores: {rounds}; they sum to {order['change']:+.3f}"


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
    preferred = names["completion_a" if verdict.content > 0 else "completion_b"]
    place = "first" if verdict.bias > 0 else "second"
    yield f"content {verdict.content:+.3f}: by content the judge prefers {preferred}"
    yield f"position bias {verdict.bias:+.3f}: the judge prefers the answer shown {place}" + (
        "" if verdict.consistent else "; the order decides this battle"
    )
    if verdict.entropy is not None:
        yield f"entropy of the letter: {verdict.entropy[0]:.2f} and {verdict.entropy[1]:.2f} bits of 1"


def _flips(document: Explanation) -> Iterator[str]:
    deletion, replacement = document.counterfactual, document.replacement
    if deletion is not None and deletion.flipped:
        words = " ".join(document.words[unit].text.strip() for unit in deletion.removed)
        yield f"without {len(deletion.removed)} words the judge prefers the other answer: {words}"
    if replacement is not None and replacement.flipped:
        words = ", ".join(f"{old} -> {new}" for _, old, new in replacement.replaced)
        yield f"with {len(replacement.replaced)} words replaced the judge prefers the other answer: {words}"


def _colored(word: Word, largest: float) -> Text:
    share = abs(word.score) / largest
    if share < FAINT:
        return Text(word.text)
    space = word.text[: len(word.text) - len(word.text.lstrip())]
    red, green, blue = (round(part * (0.35 + 0.65 * share)) for part in COLOURS[word.score > 0])
    style = f"{'bold ' if share > STRONG else ''}white on rgb({red},{green},{blue})"
    return Text(space).append(word.text.lstrip(), style=style)
