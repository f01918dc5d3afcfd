"""The text of a reply without its thinking, or the outcome of a reply without text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchmarks.task import Outcome, Reply, failed, unparsed

TRUNCATED = "truncated"
EMPTY = "empty"
REFUSED = "refused"
TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "reflection", "seed:think")
CLOSINGS = {
    **{f"<{tag}>": f"</{tag}>" for tag in TAGS},
    "[think]": "[/THINK]",
    "◁think▷": "◁/think▷",
}
OPENING = re.compile("|".join(map(re.escape, CLOSINGS)), re.IGNORECASE)
ORPHANED = (
    "</think>",
    "</thinking>",
    "</seed:think>",
    "[/THINK]",
    "◁/think▷",
)  # their opening tag is in the prompt
HARMONY_END = re.compile(r"<\|(?:return|end|call|start)\|>")


def words(reply: Reply | None, *, truncated: bool = False) -> str | Outcome:
    """The text of a chat completion after any thinking; an `Outcome` if there is none.

    With `truncated` a text that reached its token limit is returned too: for base models, which do not stop by
    themselves and whose answer is at the beginning. Truncated thinking is never returned.
    """
    if reply is None:
        return failed()
    choice = reply["choices"][0]
    message = choice["message"]
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        return unparsed(REFUSED)
    text = content_text(message.get("content"))
    cut = choice.get("finish_reason") == "length"
    if cut and not truncated:
        return unparsed(TRUNCATED, text)
    return after_thinking(text)


def content_text(content: object) -> str:
    """The text of a message's content, which some servers send as a list of parts; parts with thinking are left out."""
    if isinstance(content, list):
        return "".join(
            str(part.get("text") or "")
            for part in content
            if isinstance(part, Mapping) and part.get("type", "text") in ("text", "output_text")
        )
    return str(content or "")


def is_truncated(reply: Reply) -> bool:
    """Whether the reply reached its token limit."""
    return bool(reply["choices"][0].get("finish_reason") == "length")


def after_thinking(text: str) -> str | Outcome:
    """`text` without its leading thinking, in any of the forms that models write.

    These are `<think>…</think>` and its relatives, whose opening tag some servers omit, `[THINK]…[/THINK]`, and the
    channels of gpt-oss (harmony) with or without their special tokens. Thinking that does not end is truncated.
    """
    shown = text.lstrip()
    if "<|channel|>" in shown:
        _, final, shown = shown.rpartition("<|channel|>final")
        text = HARMONY_END.split(shown.partition("<|message|>")[2], maxsplit=1)[0]
        if not final:
            return unparsed(TRUNCATED, shown)
    elif shown.startswith("analysis") and "assistantfinal" in shown:  # a server dropped the special tokens
        text = shown.rpartition("assistantfinal")[2]
    while opened := OPENING.match(text.lstrip()):
        closing = CLOSINGS[opened.group().lower()]
        parts = re.split(re.escape(closing), text, maxsplit=1, flags=re.IGNORECASE)
        if len(parts) == 1:
            return unparsed(TRUNCATED, shown)
        text = parts[1]
    for opening, closing in CLOSINGS.items():
        if closing in ORPHANED and closing in text and opening not in text.lower():
            text = text.partition(closing)[2]
    return text if any(map(_is_printed, text)) else unparsed(EMPTY)


def _is_printed(character: str) -> bool:
    """False for spaces and for format characters such as U+200B."""
    return character.isprintable() and not character.isspace()


def chat(prompt: str, max_tokens: int, stop: tuple[str, ...] = (), temperature: float = 0.0) -> dict[str, object]:
    """The body of a chat completion with one user message."""
    body: dict[str, object] = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    return body | ({"stop": list(stop)} if stop else {})
