"""Votes that are sealed and published and count on no board: held ones, and those of judges and imports set aside."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from arena.rules.model_states import is_private
from arena.rules.seals import SealedVote

JUDGE_KIND, IMPORT = "judge", "import"

Spans = tuple[tuple[int, int], ...]


def sentence(reason: str) -> str:
    """A reason with a full stop.

    >>> sentence("too lenient"), sentence("Bought votes.")
    ('too lenient.', 'Bought votes.')
    """
    return reason if reason.endswith((".", "!", "?", "。")) else f"{reason}."


def spans_of(numbers: Iterable[int]) -> Spans:
    """Numbers in order as spans from first to last.

    >>> spans_of([3, 4, 5, 9])
    ((3, 5), (9, 9))
    """
    return joined((number, number) for number in numbers)


def joined(spans: Iterable[tuple[int, int]]) -> Spans:
    """The same numbers in spans that neither overlap nor touch.

    >>> joined([(7, 9), (1, 3), (2, 5), (6, 6)])
    ((1, 9),)
    """
    made: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if made and first <= made[-1][1] + 1:
            made[-1] = made[-1][0], max(made[-1][1], last)
        elif first <= last:
            made.append((first, last))
    return tuple(made)


def on_private_model(vote: SealedVote) -> bool:
    """Whether a model of a vote has a code in place of a name: such votes are sealed, and count on no board."""
    return is_private(vote.model_a) or is_private(vote.model_b)


@dataclass(frozen=True)
class Aside:
    """A judge, an import or a state of votes, with the numbers of its votes from first to last, and why.

    `kind` is `judge`, `import`, `pending` or `quarantined`; `name` is that of the judge or the import, or the word for
    the reason.
    """

    kind: str
    name: str
    reason: str
    since: str
    spans: Spans = ()

    def to_dict(self) -> dict[str, Any]:
        """As it is sealed and published."""
        return {**asdict(self), "spans": [list(span) for span in self.spans]}


class AsideVotes:
    """Whether a vote counts on no board."""

    def __init__(self, asides: Iterable[Aside | Mapping[str, Any]]) -> None:
        rows = [row.to_dict() if isinstance(row, Aside) else row for row in asides]
        self.judges = {str(row["name"]) for row in rows if row["kind"] == JUDGE_KIND}
        self.spans = joined((int(first), int(last)) for row in rows for first, last in row["spans"])
        self._starts = [first for first, _ in self.spans]

    def __contains__(self, vote: SealedVote) -> bool:
        """Whether a vote is set aside, or is on a private model."""
        if vote.source in self.judges or on_private_model(vote):
            return True
        place = bisect_right(self._starts, vote.vote) - 1
        return place >= 0 and vote.vote <= self.spans[place][1]
