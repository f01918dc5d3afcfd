"""The attributions of both orders of a battle, split into content and position bias.

    content c = (f(AB) - f(BA)) / 2        position bias b = (f(AB) + f(BA)) / 2

f(AB) is the target with completion a shown first, f(BA) with b shown first, each for whichever stands first. So
c > 0 speaks for completion a, b > 0 for the first place. Attributions part in the same way, word by word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from interp.attribution import Attribution
from interp.errors import BadOption, BadPrompt
from interp.masks import Floats
from interp.prompt import Unit


@dataclass(frozen=True)
class BothOrders:
    """`content` and `bias` are attributions over the words of the prompt with completion a first.

    Their values are c and b. A word's bias score is what it does for the first place, wherever it stands.
    """

    content: Attribution
    bias: Attribution
    ab: Attribution
    ba: Attribution

    @property
    def swap_consistent(self) -> bool:
        """Whether the same completion wins in both orders."""
        return self.ab.value * self.ba.value < 0


def both_orders(ab: Attribution, ba: Attribution) -> BothOrders:
    """Content and position bias of one method over the two orders, aligned on the words of each segment.

    Raises BadOption for different methods or targets, BadPrompt when a segment's words differ.
    """
    if (ab.method, ab.target) != (ba.method, ba.target):
        raise BadOption(
            f"{ab.method} of {ab.target} with {ba.method} of {ba.target}. Expected the same method and target."
        )
    first, second = ab.by_word(), ba.by_word()
    swapped_scores = second.scores[_places(first.units, second.units)]
    content, bias = (first.scores - swapped_scores) / 2, (first.scores + swapped_scores) / 2
    outside = ab.total() - float(first.scores.sum()), ba.total() - float(second.scores.sum())
    return BothOrders(
        content=_part(first, ba, content, "content", (outside[0] - outside[1]) / 2, (ab.value - ba.value) / 2),
        bias=_part(first, ba, bias, "bias", (outside[0] + outside[1]) / 2, (ab.value + ba.value) / 2),
        ab=ab,
        ba=ba,
    )


def _part(
    words: Attribution, ba: Attribution, scores: Floats, part: str, template: float, value: float
) -> Attribution:
    """One half. `template` in the parameters is what the words of no segment have."""
    deltas = None if words.delta is None or ba.delta is None else (words.delta + ba.delta) / 2
    return replace(
        words,
        scores=scores,
        parameters={**words.parameters, "part": part, "template": template},
        value=value,
        delta=deltas,
        notes=tuple(dict.fromkeys((*words.notes, *ba.notes))),
    )


def _places(here: Sequence[Unit], there: Sequence[Unit]) -> list[int]:
    """For each word of one order its index in the other: the same segment, the same place in it."""
    texts = {order: _by_segment(words) for order, words in (("ab", here), ("ba", there))}
    for name in dict.fromkeys([*texts["ab"], *texts["ba"]]):
        spelled = [
            [words[at].text for at in texts[key].get(name, [])] for key, words in (("ab", here), ("ba", there))
        ]
        if spelled[0] != spelled[1]:
            differ = next(
                (f"{x!r} and {y!r}" for x, y in zip(*spelled, strict=False) if x != y),
                f"{len(spelled[0])} and {len(spelled[1])} words",
            )
            raise BadPrompt(
                f"segment {name!r} differs between the orders ({differ}). Show the same texts, swapped."
            )
    taken = {name: iter(places) for name, places in texts["ba"].items()}
    return [next(taken[word.segment]) for word in here]


def _by_segment(words: Sequence[Unit]) -> dict[str | None, list[int]]:
    indices: dict[str | None, list[int]] = {}
    for at, word in enumerate(words):
        indices.setdefault(word.segment, []).append(at)
    return indices
