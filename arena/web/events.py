"""Gradio's events. It looks them up by a number that the client sends."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi import HTTPException, status


class Events(dict[int, Any]):
    """Events by number. An unknown number is an error of the client (404), not of the arena (500)."""

    def __missing__(self, number: int) -> Any:
        raise HTTPException(status.HTTP_404_NOT_FOUND, f"The page has no event {number}. Reload the page.")


def reject_unknown_events(pages: gr.Blocks) -> None:
    """Call after the pages are built: each session starts with a copy of their events."""
    pages.default_config.fns = Events(pages.default_config.fns)
