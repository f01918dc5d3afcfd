"""No dead styles: every class, id, attribute and token of the style sheets is used, and every used token is defined."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import arena.web
import interp

WEB, INTERP = Path(arena.web.__file__).parent, Path(interp.__file__).parent
STATIC = WEB / "static"
SHEETS = {path.name: re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL) for path in STATIC.glob("*.css")}
ELSEWHERE = {".gradio-container", "[src"}  # of Gradio, of Markdown


def _files(folder: Path, *endings: str) -> str:
    found = (path for path in folder.rglob("*") if path.suffix in endings and path.parent.name != "vendor")
    return "\n".join(path.read_text() for path in found)


USERS = _files(WEB, ".html", ".py", ".js") + _files(INTERP, ".py", ".html")
STYLES = "\n".join(SHEETS.values()) + _files(INTERP, ".css") + USERS


def _is_named(name: str) -> bool:
    in_script = re.sub(r"-(\w)", lambda match: match[1].upper(), name.removeprefix("data-"))
    return bool(re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])|dataset\.{in_script}\b", USERS))


@pytest.mark.parametrize("sheet", sorted(SHEETS))
def test_every_selector_names_something_that_a_page_has(sheet: str) -> None:
    selectors = "".join(re.findall(r"([^{};]*)\{", SHEETS[sheet]))
    names = set(re.findall(r"[.#\[](?=[A-Za-z_-])[\w-]+", selectors)) - ELSEWHERE
    assert [name for name in sorted(names) if not _is_named(name[1:])] == []


def test_every_token_is_used_and_defined() -> None:
    defined = set(re.findall(r"(--[\w-]+)\s*:", "".join(SHEETS.values())))
    used = set(re.findall(r"var\(\s*(--[\w-]+)", STYLES))
    assert sorted(defined - used) == []
    assert [name for name in sorted(used) if not re.search(rf"{name}\s*:", STYLES)] == []
