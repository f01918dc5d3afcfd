"""The text of a reply without its thinking, or the outcome of a reply without text."""

from __future__ import annotations

from benchmarks.task import Outcome, Reply, failed, unparsed

TRUNCATED = "truncated"
EMPTY = "empty"
REFUSED = "refused"


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
    text = str(message.get("content") or "")
    cut = choice.get("finish_reason") == "length"
    if cut and not truncated:
        return unparsed(TRUNCATED, text)
    return after_thinking(text)


def is_truncated(reply: Reply) -> bool:
    """Whether the reply reached its token limit."""
    return bool(reply["choices"][0].get("finish_reason") == "length")


def after_thinking(text: str) -> str | Outcome:
    """`text` without a leading `<think>…</think>`, whose opening tag some servers omit."""
    shown = text.lstrip()
    if shown.startswith("<think>") or ("</think>" in shown and "<think>" not in shown):
        _, closed, text = shown.partition("</think>")
        if not closed:
            return unparsed(TRUNCATED, shown)
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
