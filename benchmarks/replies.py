"""The words of a reply, or why they do not count. Truncation is not an answer and thinking is not one either."""

from __future__ import annotations

from benchmarks.task import Outcome, Reply, failed, unparsed

TRUNCATED = "truncated"
EMPTY = "empty"
REFUSED = "refused"


def words(reply: Reply | None, *, truncated: bool = False) -> str | Outcome:
    """The text of a chat completion after any thinking; an `Outcome` where there is none to read.

    `truncated` lets a text through that was cut off at its token limit: for base models, which never stop by
    themselves and whose answer is looked for at the beginning. A thought that was cut off is never read.
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
    """Cut off at its token limit."""
    return bool(reply["choices"][0].get("finish_reason") == "length")


def after_thinking(text: str) -> str | Outcome:
    """`text` less a leading `<think>…</think>`. Some servers drop the opening tag and keep the closing one."""
    shown = text.lstrip()
    if shown.startswith("<think>") or ("</think>" in shown and "<think>" not in shown):
        _, closed, text = shown.partition("</think>")
        if not closed:
            return unparsed(TRUNCATED, shown)
    return text if text.strip() else unparsed(EMPTY)


def chat(prompt: str, max_tokens: int, stop: tuple[str, ...] = (), temperature: float = 0.0) -> dict[str, object]:
    """A request of one user's turn."""
    body: dict[str, object] = {
        "messages": [{"role": "user", "content": prompt}],
        "max_tokens": max_tokens,
        "temperature": temperature,
    }
    return body | ({"stop": list(stop)} if stop else {})
