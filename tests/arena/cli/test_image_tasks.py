"""A task about images as it is typed: the model receives them, and one that reads none is skipped."""

from __future__ import annotations

import json

import pytest

from tests.support.image_files import png
from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.typed import Typed

pytestmark = pytest.mark.service
TASK = """
from benchmarks.choice import lettered
from benchmarks.image_choice import ImageChoice, own_image_choice
from benchmarks.known_files import own

TASKS = (
    ImageChoice(
        name="cards", dimension="knowledge", licence="mine", read=own_image_choice, prompt=lettered,
        sources={"test": [own("cards.jsonl", "question", "choices", "answer")]},
    ),
)
"""
ROWS = [
    {
        "id": "red",
        "question": "Which colour is <image 1>?",
        "choices": ["red", "blue"],
        "answer": "A",
        "images": ["red.png"],
    },
    {"id": "blue", "question": "Which colour?", "choices": ["red", "blue"], "answer": "B", "images": ["blue.png"]},
]
SETTINGS = """
database_url = "sqlite:///cards.db"
[[models]]
name = "sees"
endpoint = "openai"
url = "{url}"
images = true
[[models]]
name = "blind"
endpoint = "openai"
url = "{url}"
"""


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def test_a_model_that_reads_images_receives_them_and_another_is_left_out(typed, tmp_path):
    (tmp_path / "cards.py").write_text(TASK)
    (tmp_path / "cards.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    for colour in ("red", "blue"):
        (tmp_path / f"{colour}.png").write_bytes(png(colour=colour))
    words = ("bench", "run", "cards.py", "--request-type", "generate", "--format", "json")
    with refusing_server(reply=plain_reply) as server:
        (tmp_path / "arena.toml").write_text(SETTINGS.format(url=server.url))
        done = typed(*words, "--models", "sees", "--report", "out.html", folder=tmp_path)
        left_out = typed(*words, "--models", "blind", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    [row] = json.loads(done.stdout)
    assert (row["value"], row["scored"]) == (0.5, 2)
    sent = [part["type"] for body in server.answered for part in body["messages"][0]["content"]]
    assert sorted(sent) == ["image_url"] * 2 + ["text"] * 4
    shown = json.loads(typed("bench", "show", str(row["run"]), "--format", "json", folder=tmp_path).stdout)[
        "samples"
    ]
    assert [sample["prompt"].count("base64") for sample in shown] == [0, 0]
    assert "Which colour?" in shown[1]["prompt"]
    assert "base64," not in (tmp_path / "out.html").read_text()
    assert (left_out.returncode, left_out.stdout) == (2, "")
    assert "blind reads no images. Set images = true" in " ".join(left_out.stderr.split())
