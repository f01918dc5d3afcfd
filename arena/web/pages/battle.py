"""`/`: the battle page. Its parts are `gr.HTML` components; their content comes with the document, and the scripts of
`arena/web/static/battle/` talk to the battle API. Gradio runs no event for it.
"""

from __future__ import annotations

from functools import cache

import gradio as gr

PARTS = ("completions", "notice", "reveal", "votes", "composer")
ADOPT = "document.dispatchEvent(new CustomEvent('arena:part', {detail: element}))"


class Shell(gr.Blocks):  # type: ignore[misc]  # gradio has no types
    """A page without Gradio's queue: nothing comes to it, and it would look for events a thousand times a second."""

    def run_startup_events(self) -> None:
        """Start nothing."""


@cache
def build(title: str) -> gr.Blocks:
    """The Blocks of the page: an empty component for each part, which takes in the live part when it is there.

    They hold nothing of an application, and building them takes a tenth of a second, so that all applications share them.
    """
    with Shell(title=title, analytics_enabled=False) as blocks:
        for part in PARTS:
            gr.HTML(
                html_template=f'<div class="part" data-part="{part}"></div>',
                js_on_load=ADOPT,
                apply_default_css=False,
                elem_id=f"part-{part}",
            )
    return blocks
