"""The heat map: the whole prompt as the model read it, colored by word or by sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from interp.document import Explanation, Sentence, Word
from interp.texts import gettext as _
from interp.texts import gettext_noop
from interp.whitebox.methods import WHITE_BOX

STRONG = 0.5  # of the largest score: these words are underlined as well
FAINT = 0.02  # of the largest score: below it no colour can be seen
NAMES = {
    "prompt": gettext_noop("Prompt"),
    "earlier": gettext_noop("Earlier in the conversation"),
    "completion_a": gettext_noop("Answer A"),
    "completion_b": gettext_noop("Answer B"),
}

Span = tuple[int, int]  # indices of the first and the last word


@dataclass(frozen=True)
class Piece:
    """A word or a sentence with its score; `strength` is the share of the largest score of the color scale."""

    text: str
    score: float
    strength: float
    signed: bool = True

    @property
    def kind(self) -> str:
        """Its classes in the style sheet; empty where no colour can be seen."""
        if self.strength < FAINT:
            return ""
        side = "n" if not self.signed else "a" if self.score > 0 else "b"
        return side + (" strong" if self.strength >= STRONG else "")

    @property
    def word(self) -> str:
        """The text without the space before it."""
        return self.text.lstrip()

    @property
    def space(self) -> str:
        """The space before the text, which stays plain."""
        return self.text[: len(self.text) - len(self.word)]


@dataclass(frozen=True)
class Passage:
    """Pieces of one segment after each other, with the template before them."""

    template: str
    heading: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True)
class TextMap:
    """The passages of a prompt, and the template after the last."""

    passages: tuple[Passage, ...]
    ending: str


@dataclass(frozen=True)
class Scale:
    """The score of the deepest color, for words and for sentences. It is `shared` by the maps of several methods."""

    word: float
    sentence: float
    shared: bool = False


def scales(documents: Sequence[Explanation]) -> list[Scale]:
    """The color scale of each document: one for all whose scores are in logits, its own for any other."""
    own = [Scale(_largest(document.words), _largest(document.sentences or ())) for document in documents]
    together = [scale for scale, document in zip(own, documents, strict=True) if in_logits(document)]
    shared = Scale(
        max((scale.word for scale in together), default=0.0),
        max((scale.sentence for scale in together), default=0.0),
        shared=len(together) > 1,
    )
    return [shared if in_logits(document) else scale for scale, document in zip(own, documents, strict=True)]


def in_logits(document: Explanation) -> bool:
    """True if the scores are in units of the target, so that those of two methods can be compared."""
    return document.method not in WHITE_BOX or WHITE_BOX[document.method].scaled


def is_signed(document: Explanation) -> bool:
    """True if the scores name a side."""
    return document.parameters.get("signed") is not False


def maps(document: Explanation, scale: Scale) -> dict[str, TextMap]:
    """The map by word, and by sentence where the document has the words of each."""
    by_word = _map(document, [(word.score, (at, at)) for at, word in enumerate(document.words)], scale.word)
    spans = [(sentence.score, sentence.words) for sentence in document.sentences or ()]
    complete = [(score, span) for score, span in spans if span is not None]
    if not complete or len(complete) < len(spans):
        return {"word": by_word}
    return {"word": by_word, "sentence": _map(document, complete, scale.sentence)}


def heading(document: Explanation, segment: str | None) -> str:
    """The name of a segment, with the model that wrote it."""
    model = document.models.get(segment) if segment is not None else None
    return segment_name(segment) + (f": {model}" if model else "")


def segment_name(segment: str | None) -> str:
    """The name of a segment as it is shown."""
    return (
        _("Instructions to the judge") if segment is None else _(NAMES[segment]) if segment in NAMES else segment
    )


def pieces(parts: Sequence[tuple[str, float]], largest: float, *, signed: bool) -> list[Piece]:
    """(text, score) parts with their strength beside the largest score of the scale."""
    return [Piece(text, score, abs(score) / largest if largest else 0.0, signed) for text, score in parts]


def _largest(parts: Sequence[Word | Sentence]) -> float:
    return max((abs(part.score) for part in parts), default=0.0)


def _map(document: Explanation, parts: Sequence[tuple[float, Span]], largest: float) -> TextMap:
    words, between = document.words, document.between
    texts = [(_joined(document, *span), score) for score, span in parts]
    colored = pieces(texts, largest, signed=is_signed(document))
    passages = []
    for segment, run in groupby(zip(parts, colored, strict=True), key=lambda part: words[part[0][1][0]].segment):
        inside = list(run)
        first_word = inside[0][0][1][0]
        template = between[first_word] if between else ""
        passages.append(Passage(template, heading(document, segment), tuple(piece for _part, piece in inside)))
    return TextMap(tuple(passages), between[-1] if between else "")


def _joined(document: Explanation, first: int, last: int) -> str:
    """Words first to last, with the template between them."""
    words, between = document.words, document.between
    return "".join(
        (between[at] if between and at > first else "") + words[at].text for at in range(first, last + 1)
    )
