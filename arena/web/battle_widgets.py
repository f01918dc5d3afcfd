"""Widgets of the battle page and their layout."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arena.web.chat_markdown import DELIMITERS

VOTES = {  # winner -> button text, with its key
    "model_a": "← A is better",
    "tie": "↑ Tie",
    "both_bad": "↓ Both are bad",
    "model_b": "B is better →",
}
READINESS_EVERY = 2.0  # seconds between two checks while models are loading
NEW = "Two anonymous models will answer. Vote for the better one to see their names."
ASK = "Ask both models"


@dataclass(frozen=True)
class Widgets:
    """Everything on the page that handlers change."""

    chat_a: gr.Chatbot
    chat_b: gr.Chatbot
    notice: gr.Markdown
    share: gr.Checkbox
    votes: dict[str, gr.Button]
    prompt: gr.Textbox
    send: gr.Button
    regenerate: gr.Button
    new_battle: gr.Button
    battle_id: gr.Textbox  # in the page, so that a reload continues the battle
    readiness: gr.Timer

    def all(self) -> list[Any]:
        """Every widget, as outputs of the handlers."""
        fixed = (self.chat_a, self.chat_b, self.notice, self.share, self.prompt, self.send, self.regenerate)
        return [*fixed, self.new_battle, self.battle_id, self.readiness, *self.votes.values()]


def lay_out() -> Widgets:
    """The widgets, placed in the current Blocks."""
    raw_html('<h1 class="title">Which model answers better?</h1>')
    with gr.Row(elem_classes="sides", equal_height=True):
        chat_a, chat_b = _chat("A"), _chat("B")
    line = raw_html(notice(NEW, "plain"), elem_id="notice")
    share = gr.Checkbox(
        label="Share this battle with all readers",
        value=False,
        visible=False,
        container=False,
        elem_id="share",
    )
    with gr.Row(elem_id="votes", elem_classes="votes"):
        votes = {
            winner: gr.Button(text, interactive=False, elem_id=f"vote-{winner}", min_width=120)
            for winner, text in VOTES.items()
        }
    with gr.Row(elem_classes="ask"):
        prompt = gr.Textbox(
            placeholder=ASK, label="Your prompt", show_label=False, container=False,
            lines=1, max_lines=8, scale=8, elem_id="prompt",
        )  # fmt: skip
        send = gr.Button("Send", variant="primary", scale=1, min_width=90, interactive=False, elem_id="send")
    with gr.Row(elem_classes="more"):
        regenerate = gr.Button("Regenerate", size="sm", interactive=False, elem_id="regenerate", min_width=120)
        new_battle = gr.Button("New battle", size="sm", interactive=False, elem_id="new-battle", min_width=120)
    raw_html(
        '<p class="hint"><span class="keys">Vote with the keys <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd> '
        "<kbd>↓</kbd> or <kbd>A</kbd> <kbd>B</kbd> <kbd>T</kbd> <kbd>X</kbd>. </span>"
        "Prompts and votes are stored. Do not send private information.</p>"
    )
    return Widgets(
        chat_a, chat_b, line, share, votes, prompt, send, regenerate, new_battle,
        battle_id=gr.Textbox(visible="hidden", elem_id="battle-id", show_label=False),
        readiness=gr.Timer(READINESS_EVERY, active=False),
    )  # fmt: skip


def _chat(side: str) -> gr.Chatbot:
    return gr.Chatbot(
        label=f"Model {side}", elem_id=f"chat-{side.lower()}", elem_classes="chat", height=400, min_width=300,
        feedback_options=None, buttons=["copy"], layout="panel", sanitize_html=True, allow_tags=False,
        latex_delimiters=[{"left": left, "right": right, "display": left != "\\("} for left, right in DELIMITERS],
        placeholder=f"<span class='empty'>{side}</span>",
    )  # fmt: skip


def raw_html(text: str, **options: Any) -> gr.Markdown:
    """HTML of our own, in one block without an empty line. `gr.HTML` compiles its text as a template, which needs eval."""
    return gr.Markdown(text, sanitize_html=False, latex_delimiters=[], **options)


def notice(text: str, kind: str, battle: str | None = None) -> str:
    """The status line, which screen readers announce. `text` is plain.

    `battle` is the id that the browser remembers for this tab, "" for none; without it nothing changes.
    """
    remember = "" if battle is None else f' data-battle="{html.escape(battle)}"'
    return f'<div class="notice {kind}"{remember} role="status" aria-live="polite">{html.escape(text)}</div>'
