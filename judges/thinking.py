"""Where the thinking of a reply ends, in the marks that models and servers write around it.

    <think>…</think> and its spellings         most open models; some servers drop the opening tag
    [THINK]…[/THINK]                           Mistral
    ◁think▷…◁/think▷                           Kimi
    <|channel|>analysis…<|channel|>final<|message|>…     harmony, of gpt-oss; "analysis…assistantfinal…" where a
                                               server has dropped the special tokens

Only a leading block is thinking: a later mark may be quoted from a completion, and the text before it still counts.
"""

from __future__ import annotations

import re

MARKS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
)
HARMONY = ("<|channel|>", "<|start|>")
FINAL = re.compile(r"<\|channel\|>final[^<]{0,40}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>")
STRIPPED = re.compile(r"analysis(?=[A-Z\"'])")  # harmony without its special tokens
STRIPPED_FINAL = "assistantfinal"
SPACE = re.compile(r"\s+")
CLOSING_ALONE = "</think>"  # whose opening tag some servers put into the prompt


def end_of_thinking(text: str) -> int | None:
    """The place in `text` after its leading thinking, 0 if there is none, None if the thinking has no end."""
    start = len(text) - len(text.lstrip())
    if text.startswith(HARMONY, start):
        final = list(FINAL.finditer(text))
        return final[-1].end() if final else None
    if STRIPPED.match(text, start):
        at = text.rfind(STRIPPED_FINAL)
        return None if at < 0 else at + len(STRIPPED_FINAL)
    return _end_of_marks(text, start)


def _end_of_marks(text: str, start: int) -> int | None:
    if CLOSING_ALONE in text and MARKS[0][0] not in text:
        return text.index(CLOSING_ALONE) + len(CLOSING_ALONE)
    end = 0
    while True:
        closing = next((closing for opening, closing in MARKS if text.startswith(opening, start)), None)
        if closing is None:
            return end
        at = text.find(closing, start)
        if at < 0:
            return None
        end = start = at + len(closing)
        if space := SPACE.match(text, end):
            start = space.end()
