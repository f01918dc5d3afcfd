"""Hooks of mkdocs: each page is also published as its Markdown source, which llms.txt links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

INCLUDED = re.compile(r'^--8<-- "(.+)"$', re.MULTILINE)


def on_post_build(config: Any) -> None:
    source, site = Path(config["docs_dir"]), Path(config["site_dir"])
    for page in source.rglob("*.md"):
        copy = site / page.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = INCLUDED.sub(lambda line: _read(source.parent / line[1]), _read(page))
        copy.write_text(text, encoding="utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")
