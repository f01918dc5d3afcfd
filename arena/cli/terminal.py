"""The console of every command: whatever text it prints, no part of it is an instruction to the terminal.

Completions, prompts, names and reasons come from servers and files. Their escape sequences could move the cursor, set
the title of the window or hide a line; the styles of the commands themselves stay.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console as AnyConsole
from rich.console import ConsoleOptions, RenderableType
from rich.segment import Segment


class Console(AnyConsole):
    """A console that leaves out each character of a text that does not print."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of a renderable. Those of the console itself, such as the movements of a progress bar, stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else _shown(text), style, control)


def _shown(text: str) -> str:
    """The text as wide as before: characters that do not print have no width, except for spaces of other kinds."""
    if text.isprintable():
        return text
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else " " * letter.isspace() for letter in text
    )
