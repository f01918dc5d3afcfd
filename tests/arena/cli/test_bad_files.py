"""Every command that reads a file of somebody else's, given a bad one: one clear error, exit code 2, no traceback."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import zipfile
from pathlib import Path

import pytest

from tests.arena.cli.test_exit_codes import KITCHEN, PROMPTS, SETTINGS, TASK
from tests.support.arenas import new_file
from tests.support.ballots import ballots
from tests.support.typed import Typed, typed

BATTLES = '{"model_a": "x", "model_b": "y", "winner": "model_a"}\n'
RUN = 'mode = "single"\nprompts = "set"\njudge = "dead"\n'
LISTED = {
    "alpaca_eval": {"instruction": "i", "output_1": "a", "output_2": "b", "preference": 1.0, "generator_1": "g"},
    "wildbench": {"session_id": "s", "model_test": "m", "score": 5, "parsed_result": {"score": "5"}},
    "mt_bench": {"question_id": 1, "model": "m", "judgment": "[[5]]", "score": 5, "turn": 1},
    "arena_hard": {"question_id": "1", "model": "m", "judge": "j", "games": [{"score": "A>B"}, {"score": "B>A"}]},
    "prd": {"answer1_id": "a", "answer2_id": "b", "score": 1},
}
RESULT = json.dumps({"custom_id": "k", "response": {"body": {"choices": [{"message": {"content": "x"}}]}}})
READERS = {  # command: its file and what stands in it
    ("rate", "b.csv"): "model_a,model_b,winner\nx,y,model_a\n",
    ("rate", "b.jsonl"): BATTLES,
    ("rate", "b.json"): "[]",
    ("rate", "b.parquet"): "PAR1",
    ("import", "i.csv"): "model_a,model_b,winner,timestamp\nx,y,model_a,5\n",
    ("import", "i.jsonl"): BATTLES.replace("}", ', "prompt": "Why?", "completion_a": "x", "completion_b": "x"}'),
    ("import", "i.json"): "[]",
    ("import", "i.parquet"): "PAR1",
    ("prompts", "import", "p.jsonl"): PROMPTS,
    ("prompts", "import", "p.json"): json.dumps([{"prompt": "Why?"}]),
    ("prompts", "import", "p.csv"): "id,prompt\n1,Why?\n",
    ("models", "--config", "c.toml"): SETTINGS,
    ("judge", "run", "r.toml"): RUN,
    ("judge", "single", "--prompts", "set", "--judge", "dead", "--dry-run", "--template", "t.md"): "{question}",
    ("judge", "single", "--prompts", "set", "--judge", "dead", "--dry-run", "--template", "t.jsonl"): "{}",
    ("answer", "--prompts", "set", "--models", "one", "--batch-in", "batch.jsonl"): RESULT,
    ("explain", "1", "--judge", "dead", "--template", "e.md"): "{question}",
    ("bench", "score", "kitchen.py", "k.jsonl"): '{"id": "kitchen:1", "completion": "B"}\n',
    ("bench", "score", "kitchen.py", "k.csv"): "id,completion\n1,B\n",
    ("audit", "one", "kitchen.py", "--corpus", "corpus.txt"): "some words",
    ("audit", "one", "kitchen.py", "--paraphrases", "para.jsonl"): '{"id": "1", "text": "x"}\n',
    **{
        ("judge", "score", name, f"{name}.jsonl"): json.dumps(row)
        for name, row in LISTED.items()
        if name not in ("alpaca_eval", "prd")
    },
    ("judge", "score", "alpaca_eval", "alpaca", "annotations.json"): json.dumps([LISTED["alpaca_eval"]]),
    ("judge", "score", "prd", "prd", "v.json"): json.dumps([LISTED["prd"]]),
}
EXPORTED = ("manifest.json", "models.jsonl", "seals.jsonl", "battles.jsonl", "boards.json")
DEEP = "[" * 200_000


WHOLE = {
    "empty": b"",
    "blank": b"\n \n",
    "NUL bytes": b"\0" * 64,
    "deep nesting": DEEP.encode(),
    "deep TOML": f"a = {DEEP}".encode(),
    "a list of numbers": b"[1, 2]",
    "null": b"null\n",
    "a string": b'"x"\n',
}
NUMBERS = {
    "Infinity": "Infinity",
    "NaN": "NaN",
    "1e999": "1e999",
    "-1e999": "-1e999",
    "a number of 400 digits": "9" * 400,
    "a number of 5,000 digits": "9" * 5_000,
    "a number beyond 64 bits": "9" * 20,
}
TEXTS = {
    "a NUL in the text": lambda text: text.replace("e", "e\0", 3).encode(),
    "an escaped NUL": lambda text: text.replace("x", "\\u0000").replace("Why", "\\u0000").encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "Latin-1": lambda text: (text + '"é"').encode("latin-1"),
    "a byte order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "two byte order marks": lambda text: b"\xef\xbb\xbf" * 2 + text.encode(),
    "a raw surrogate": lambda text: text.encode().replace(b"x", b"\xed\xa0\x80").replace(b"W", b"\xed\xa0\x80"),
    "an escaped surrogate": lambda text: text.replace('"x"', '"\\ud800"').replace("Why", "\\ud800").encode(),
    "deep nesting inside": lambda text: text.replace('"x"', DEEP).replace('"Why', DEEP + '"Why').encode(),
    "cut off": lambda text: text[: len(text) // 2].encode(),
}
NOT_FILES = ("a folder", "a FIFO", "a device", "a broken link")
KINDS = (*WHOLE, *NUMBERS, *TEXTS, *NOT_FILES)


def pairs(readers):
    """Each command with a third of the kinds, each kind with a third of the commands; with ARENA_TEST_EVERY_PAIR, all."""
    step = 1 if os.environ.get("ARENA_TEST_EVERY_PAIR") else 3
    return [
        pytest.param(reader, kind, id=f"{' '.join(reader) if isinstance(reader, tuple) else reader}: {kind}")
        for place, reader in enumerate(readers)
        for other, kind in enumerate(KINDS)
        if (place + other) % step == 0
    ]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """Settings, a database with votes and a prompt set, an export, and a valid file for each command."""
    place = tmp_path_factory.mktemp("bad")
    files = {"arena.toml": SETTINGS, "set.jsonl": PROMPTS, "kitchen.py": TASK, "kitchen.jsonl": KITCHEN}
    for name, text in files.items():
        (place / name).write_text(text)
    for folder in ("alpaca", "prd"):
        (place / folder).mkdir()
    (place / "alpaca" / "model_outputs.json").write_text(json.dumps([{"output": "b", "generator": "m"}]))
    database = new_file(place / "arena.db")
    ballots(database, day="2026-01-05", shared=True)
    database.close()
    with contextlib.chdir(place):
        for words in (("prompts", "import", "set.jsonl"), ("seal",), ("export", "--out", "export")):
            done = typed(*words)
            assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def arena(monkeypatch, capsys, workshop):
    """Runs a command; one that waits for a FIFO or works for ever fails after ten seconds."""
    run = Typed(monkeypatch, capsys)

    def late(*_):
        raise AssertionError("the command waits or works for ever")

    signal.signal(signal.SIGALRM, late)
    signal.alarm(10)
    yield lambda *words: run(*words, folder=workshop)
    signal.alarm(0)


def put(path: Path, kind: str, text: str) -> None:
    """Make the bad file at `path`."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    if kind in WHOLE:
        path.write_bytes(WHOLE[kind])
    elif kind in NUMBERS:
        path.write_bytes(with_number(text, NUMBERS[kind]))
    elif kind in TEXTS:
        path.write_bytes(TEXTS[kind](text))
    elif kind == "a folder":
        path.mkdir()
    elif kind == "a FIFO":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "a device" else "nowhere")


def with_number(text: str, number: str) -> bytes:
    """The file with this number for each of its own, and more where a row takes one."""
    swapped = re.sub(r"(?<=[:,= \[])-?\d+(\.\d+)?(?=[,}\]\n ])", number, text)
    return swapped.replace("{", f'{{"timestamp": {number}, "weight": {number}, ').encode()


def judged(done, *, may_pass: bool = True) -> None:
    """An error of one or a few lines, or a result."""
    told = done.stderr + done.stdout
    assert "Traceback" not in told
    assert done.returncode in ((0, 1, 2) if may_pass else (2,)), told[-500:]
    if done.returncode == 2:
        assert 20 < len(done.stderr) < 4_500, done.stderr[:2_000]


@pytest.mark.parametrize(("words", "kind"), pairs(READERS))
def test_a_bad_file_is_one_clear_error(arena, workshop, words, kind):
    path = workshop / words[-1]
    if len(words) == 5 and words[:2] == ("judge", "score"):
        words, path = words[:-1], workshop / words[-2] / words[-1]
    put(path, kind, READERS.get(words) or READERS[(*words, path.name)])
    judged(arena(*words), may_pass=kind not in NOT_FILES)


@pytest.mark.parametrize(("name", "kind"), pairs(EXPORTED))
def test_verify_says_what_is_wrong_with_an_export(arena, workshop, name, kind):
    folder = workshop / "broken"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(workshop / "export", folder)
    text = (folder / name).read_text()
    put(folder / name, kind, text)
    if kind not in NOT_FILES:
        forge(folder, name)
    done = arena("verify", "broken")
    judged(done)
    assert done.returncode != 0 or (folder / name).read_bytes().removeprefix(b"\xef\xbb\xbf") == text.encode()


def forge(folder: Path, name: str) -> None:
    """Make the manifest's sum right, as a forger does, so that the content is read."""
    if name == "manifest.json":
        return
    manifest = json.loads((folder / "manifest.json").read_text())
    if name in manifest["files"]:
        manifest["files"][name]["sha256"] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize("kind", ["empty", "NUL bytes", "deep nesting", "a FIFO", "a device", "bomb", "outside"])
def test_verify_says_what_is_wrong_with_an_archive(arena, workshop, kind):
    path = workshop / "e.zip"
    if kind in ("bomb", "outside"):
        path.unlink(missing_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json" if kind == "bomb" else "../manifest.json", "[" + " " * (64 << 20))
    else:
        put(path, kind, "")
    judged(arena("verify", "e.zip"), may_pass=False)
