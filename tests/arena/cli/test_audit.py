"""`arena audit`: the canary and the corpus through the command, the order of samples through the engine."""

import json

import pytest

from arena.benchmarking.contamination import AuditConfig, audit, corpus_overlap, sample_text
from arena.config import read_settings
from benchmarks.task import Sample
from benchmarks.tasks import shipped
from tests.support.published import published
from tests.support.typed import Typed

CANARY = "BENCHMARK 26b5c67b-86a4-4f00-b111-0123456789ab"
SETTINGS = f"""
[[models]]
name = "knows"
endpoint = "scripted"
delay = 0
replies = ["{CANARY}"]

[[models]]
name = "fake"
endpoint = "scripted"
delay = 0
"""


@pytest.fixture
def typed(monkeypatch, capsys):
    monkeypatch.setenv("ARENA_DATA_DIR", str(published()))
    return Typed(monkeypatch, capsys)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "arena.toml").write_text(SETTINGS)
    return tmp_path


@pytest.mark.slow
def test_a_canary_and_a_copy_are_found(typed, folder):
    (folder / "crawl.txt").write_text("The technician told the customer that he could pay with cash.")
    for model, known in (("knows", True), ("fake", False)):
        done = typed(
            "audit", model, "winogender", "--no-order", "--canary", CANARY, "--corpus", "crawl.txt",
            "--format", "json", folder=folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        card = json.loads(done.stdout)
        assert card["canary"]["known"] is known
        assert card["samples"] == 120


@pytest.mark.slow
def test_an_audit_can_be_run_from_python(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ARENA_DATA_DIR", str(published()))
    settings = read_settings(folder / "arena.toml")
    card = audit(settings, AuditConfig("knows", "winogender", order=False, canary=CANARY))
    assert card.canary["known"]
    assert list(card.to_dict()) == ["model", "task", "samples", "canary"]


@pytest.mark.slow
def test_a_model_without_log_probabilities_cannot_be_asked_for_the_order(typed, folder):
    done = typed("audit", "fake", "winogender", folder=folder)
    assert done.returncode == 2
    assert "returns text only" in done.stderr


@pytest.mark.slow
def test_a_corpus_that_cannot_be_read_is_named(typed, folder):
    (folder / "b.txt").write_bytes(b"\xff")
    done = typed("audit", "fake", "winogender", "--no-order", "--corpus", "b.txt", folder=folder)
    assert done.returncode == 2
    assert "--corpus b.txt: The file cannot be read" in done.stderr


def test_paraphrases_need_their_columns_and_their_samples(typed, folder):
    (folder / "other.jsonl").write_text('{"id": "1"}')
    done = typed("audit", "fake", "winogender", "--no-order", "--control", "other.jsonl", folder=folder)
    assert (done.returncode, "has no column 'text'" in done.stderr) == (2, True)
    (folder / "other.jsonl").write_text('{"id": "nobody", "text": "x"}')
    done = typed("audit", "fake", "winogender", "--no-order", "--control", "other.jsonl", folder=folder)
    assert (done.returncode, "The file has paraphrases of 0 of the samples" in done.stderr) == (2, True)


def test_overlap_names_the_worst_samples():
    task = shipped()["lambada"]
    samples = [
        Sample(id=name, fields={"context": text}, target="x") for name, text in (("a", "one two"), ("b", "no"))
    ]
    shares = corpus_overlap(task, samples, ["One, two three"], 2)
    assert (shares["any"], shares["worst"]) == (0.5, {"a": 1.0})
    assert sample_text(task, samples[0]) == "one two"
    assert sample_text(shipped()["advbench"], Sample("1", {"prompt": "p", "harmful": True})) == "p"
