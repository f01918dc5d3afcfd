"""Completions and prompts for the chat widget: Markdown without HTML and without remote images."""

from __future__ import annotations

import re

CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)


def as_markdown(text: str) -> str:
    """`text` with its HTML shown as text, and images turned into links.

    The chat widget sanitises too; this is the first of two barriers.

    >>> as_markdown("<b>hi</b> `a<b`")
    '&lt;b>hi&lt;/b> `a<b`'
    """
    parts = CODE.split(text)
    return "".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("![", "\\![")
