"""Completions and prompts as the page shows them: Markdown, but no HTML and no pictures from elsewhere."""

from __future__ import annotations

import re

CODE = re.compile(r"(```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]+`)", re.DOTALL)


def as_markdown(text: str) -> str:
    """`text` with its HTML shown instead of obeyed, and pictures turned into links.

    The voter sees what the model wrote. The chat widget sanitises too; this is the first of two fences.

    >>> as_markdown("<b>hi</b> `a<b`")
    '&lt;b>hi&lt;/b> `a<b`'
    """
    parts = CODE.split(text)
    return "".join(part if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(text: str) -> str:
    return text.replace("<", "&lt;").replace("![", "\\![")
