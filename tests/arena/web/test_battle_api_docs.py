"""`docs/battle-api.md`: its client runs as it stands there, and its table of problems is that of the code."""

from __future__ import annotations

import ast
import re
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path

import pytest

from arena.web.v1.battle_problems import STATUSES
from arena.web.v1.routes import router

DOCS = Path(__file__).parents[3] / "docs" / "battle-api.md"
TEXT = DOCS.read_text(encoding="utf-8")
MODELS = "".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.0\nreplies = ["A {name.split("-")[0]} tree."]\n'
    for name in ("quick-one", "slow-two")
)


def client() -> str:
    return re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)[1]


@pytest.mark.slow
@pytest.mark.service
def test_the_client_of_the_docs_votes(arena, tmp_path):
    url = arena(MODELS).url
    file = tmp_path / "battle_client.py"
    file.write_text(client(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(file), url, "Name a tree."],
        capture_output=True, text=True, timeout=60, env={"NO_PROXY": "*"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("--- a\n")
    assert "tree." in done.stdout
    assert re.search(r"\{'a': '(quick-one|slow-two)', 'b': '(quick-one|slow-two)'\}", done.stdout)
    with closing(sqlite3.connect(tmp_path / "arena.db")) as connection:
        assert connection.execute("select winner from vote").fetchall() == [("tie",)]


def test_the_client_has_at_most_fifty_lines():
    assert len(client().strip().splitlines()) <= 50
    ast.parse(client())


def test_the_table_of_problems_is_that_of_the_code():
    codes = defaultdict(set)
    for code, status in STATUSES.items():
        codes[status].add(code)
    rows = dict(re.findall(r"^\| ([45]\d{2}) \| (.+) \|$", TEXT, re.MULTILINE))
    assert {int(status): set(re.findall(r"`(\w+)`", words)) for status, words in rows.items()} == codes


def test_every_request_is_in_the_docs():
    from fastapi.openapi.utils import get_openapi

    paths = get_openapi(title="", version="", routes=router.routes)["paths"]
    for path, methods in paths.items():
        if path.startswith("/api/v1/battles/{battle}"):
            rest = path.removeprefix("/api/v1/battles/{battle}")
            for method in methods:
                listed = f"`{method.upper()} …{rest}`", f"`{method.upper()} /api/v1/battles/ID{rest}`"
                assert any(form in TEXT for form in listed), (method, path)
