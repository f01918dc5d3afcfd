"""What a page about a run shows, whatever made the run: tables, settings, requests and samples, all as texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

LONGEST = 20_000  # characters of one text that a page shows: longer ones are loops of a model


@dataclass(frozen=True)
class Cell:
    """A cell of a table. `tag` names the samples that its number counts, or is empty."""

    text: str
    tag: str = ""


@dataclass(frozen=True)
class Row:
    """A row about `name`: its number with its interval for the picture, and the cells of the table."""

    name: Cell
    cells: Sequence[Cell]
    value: float | None = None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class Board:
    """A table, with a picture of the intervals where its rows have them."""

    title: str
    columns: Sequence[str]  # of the name and the cells
    rows: Sequence[Row]
    unit: str = ""
    note: str = ""

    @property
    def drawn(self) -> list[Row]:
        """The rows of the picture; none where there is nothing to compare."""
        return [
            row for row in self.rows if row.value is not None and row.lower is not None and row.upper is not None
        ]

    @property
    def ends(self) -> tuple[float, float]:
        """The least and the greatest number of the picture."""
        numbers = [
            number for row in self.drawn for number in (row.value, row.lower, row.upper) if number is not None
        ]
        return min(numbers), max(numbers)

    def place(self, number: float) -> float:
        """Where a number stands in the picture, in percent of its width."""
        low, high = self.ends
        return 50.0 if high == low else round(100 * (number - low) / (high - low), 2)


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: str
    text: str


@dataclass(frozen=True)
class Mark:
    """A word about a sample or a completion. `level` is success, warning, danger or empty."""

    text: str
    level: str = ""


@dataclass(frozen=True)
class Completion:
    """What one model wrote: `earlier` turns and the last one. A `plain` text is no Markdown."""

    model: str
    text: str
    earlier: Sequence[str] = ()
    marks: Sequence[Mark] = ()
    facts: Sequence[tuple[str, str]] = ()
    plain: bool = False


@dataclass(frozen=True)
class RawCall:
    """One request to a judge: what came back, and what it took."""

    judge: str
    facts: str  # status, tries, seconds and cost
    reply: str  # the judge's text
    detail: str = ""  # why there is no reply that can be read
    values: Sequence[tuple[str, str]] = ()  # what the reply says by each criterion of a rubric, and its reason


@dataclass(frozen=True)
class Order:
    """The verdict of one order."""

    title: str
    result: Mark
    calls: Sequence[RawCall]


@dataclass(frozen=True)
class ShownVerdict:
    """A judge's verdict on one or two completions of a sample."""

    title: str
    result: Mark
    orders: Sequence[Order]
    reason: str = ""  # where no raw reply has it
    values: Board | None = None  # by criterion and by judge, where there are several


@dataclass(frozen=True)
class ShownSample:
    """A prompt with every model's completion and the verdicts on them. `tags` are what filters find it by."""

    name: str
    category: str
    messages: Sequence[Message]
    completions: Sequence[Completion]
    verdicts: Sequence[ShownVerdict] = ()
    target: str = ""
    marks: Sequence[Mark] = ()
    tags: frozenset[str] = frozenset()
    target_label: str = "Target"
    values: Sequence[float | None] = ()  # what the orders of the document sort by

    @property
    def length(self) -> int:
        """Characters of all completions."""
        return sum(len(completion.text) for completion in self.completions)

    @property
    def opening(self) -> str:
        """The beginning of the last message, on one line."""
        text = " ".join(self.messages[-1].text[:400].split()) if self.messages else ""
        return text if len(text) <= 140 else f"{text[:140].rstrip()}…"


@dataclass(frozen=True)
class Filter:
    """Samples that have a tag."""

    tag: str
    label: str


@dataclass(frozen=True)
class RunDocument:
    """A run to read."""

    kind: str
    title: str
    made_at: datetime
    facts: Sequence[tuple[str, Cell, str]]  # label, number, a word more
    boards: Sequence[Board]
    settings: Sequence[tuple[str, str]]
    requests: Sequence[tuple[str, Sequence[Message]]]  # a title and the messages as they were sent
    samples: Sequence[ShownSample]
    notices: Sequence[Mark] = ()
    filters: Sequence[Filter] = field(default=())
    orders: Sequence[str] = ()  # names of the samples' values

    @property
    def offered(self) -> list[tuple[Filter, int]]:
        """The filters that some sample matches, with the number of these."""
        counted = [(one, sum(one.tag in sample.tags for sample in self.samples)) for one in self.filters]
        return [(one, number) for one, number in counted if number]


def shortened(text: str) -> str:
    """The text; a very long one without its middle."""
    left_out = len(text) - LONGEST
    if left_out <= 0:
        return text
    return f"{text[: LONGEST // 2]}\n\n[… {left_out:,} characters are not shown …]\n\n{text[-LONGEST // 2 :]}"
