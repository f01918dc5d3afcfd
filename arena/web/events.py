"""The events that a page can ask Gradio for. It looks them up by a number that whoever asks may choose."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import HTTPException, status


class Events(dict[int, Any]):
    """Events by number; one that is not there is the asker's mistake (404), not a fault of the arena (500)."""

    def __missing__(self, number: int) -> Any:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"the page has no event {number}; load it again")


def forgive_unknown(pages: gr.Blocks) -> None:
    """Call it once the pages are built: every visitor's session begins with a copy of their events."""
    pages.default_config.fns = Events(pages.default_config.fns)
