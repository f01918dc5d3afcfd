"""Places for the names of marks in a scatter plot: next to their marks, where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FONT = 11  # pixels
LETTER, LINE = 6.2, 13.0  # pixels of a letter of that size, about, and of a line
GAP = 3.0  # pixels between a mark and its name


@dataclass(frozen=True)
class Mark:
    """A mark with its centre in pixels from the top left corner, and its name."""

    x: float
    y: float
    radius: float
    text: str


@dataclass(frozen=True)
class Label:
    """A name and Plotly's `textposition` of it."""

    text: str
    position: str


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )

    def is_inside(self, width: float, height: float) -> bool:
        return self.left >= 0 and self.top >= -LINE and self.right <= width and self.bottom <= height + LINE


def box_of(mark: Mark, position: str) -> Box:
    """The rectangle of a mark's name at a position of Plotly: "middle right", "top center", …"""
    across, reach = LETTER * len(mark.text), mark.radius + GAP
    row, column = position.split()
    left = {"right": mark.x + reach, "left": mark.x - reach - across, "center": mark.x - across / 2}[column]
    top = {"middle": mark.y - LINE / 2, "top": mark.y - reach - LINE, "bottom": mark.y + reach}[row]
    return Box(left, top, left + across, top + LINE)


POSITIONS = (
    "middle right", "middle left", "top center", "bottom center", "top right", "bottom right", "top left",
    "bottom left",
)  # fmt: skip


def placed(marks: Sequence[Mark], order: Sequence[int], width: float, height: float) -> list[Label | None]:
    """A label for each mark, in the given order of importance; None where every position covers something.

    No label covers another one or a mark, and none leaves the area of `width` and `height`.
    """
    discs = [Box(m.x - m.radius, m.y - m.radius, m.x + m.radius, m.y + m.radius) for m in marks]
    taken: list[Box] = []
    labels: list[Label | None] = [None] * len(marks)
    for number in order:
        obstacles = [*discs[:number], *discs[number + 1 :], *taken]
        for position in POSITIONS:
            box = box_of(marks[number], position)
            if box.is_inside(width, height) and not any(box.overlaps(other) for other in obstacles):
                labels[number] = Label(marks[number].text, position)
                taken.append(box)
                break
    return labels
