"""A set of prompts with two models' completions and a judge over HTTP, for the pages about runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

SETTINGS = """
[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
read_timeout = 5
price = {{prompt = 1.0, completion = 2.0}}
"""
HOSTILE = (
    "<script>window.pwned = 1</script>",
    '<img src="x" onerror="window.pwned = 1">',
    "</script><script>window.pwned = 1</script>",
    "</pre></details></style></textarea><script>window.pwned = 1</script>",
    "```html\n</script><svg onload='window.pwned = 1'>\n```",
    "![x](http://127.0.0.1:9/x.png) [x](javascript:window.pwned=1)",
)


def a_set(
    arena: Callable[..., Any],
    folder: Path,
    url: str,
    texts: list[tuple[str, str]],
    prompts: list[str] | None = None,
) -> None:
    """A set of prompts with two models' completions, and a judge."""
    (folder / "arena.toml").write_text(SETTINGS.format(url=url))
    asked = prompts or [f"Question {number}?" for number in range(len(texts))]
    rows = [{"id": f"p{n}", "prompt": text, "category": f"kind {n % 2}"} for n, text in enumerate(asked)]
    (folder / "set.jsonl").write_text("\n".join(map(json.dumps, rows)))
    arena("prompts", "import", "set.jsonl")
    for side, model in enumerate(("alpha", "beta")):
        lines = ({"id": f"p{n}", "completion": both[side]} for n, both in enumerate(texts))
        (folder / "own.jsonl").write_text("\n".join(map(json.dumps, lines)))
        arena("completions", "import", "own.jsonl", "--prompts", "set", "--model", model)
