"""A model that cannot be used ends its run at the first request: one load, one reason, exit code 1."""

import json

import pytest

from tests.support.typed import Typed

pytestmark = pytest.mark.slow  # torch alone takes seconds to import
checkpoint = pytest.importorskip(
    "arena.endpoints.checkpoint", reason="needs the extra 'local'", exc_type=ImportError
)

SETTINGS = """
[[models]]
name = "damaged"
endpoint = "transformers"
source = "model"
concurrency = 8
"""


@pytest.fixture
def loads(monkeypatch):
    """The sources that were loaded, one entry for each load."""
    sources, load = [], checkpoint.load

    def counted(source, *options):
        sources.append(source)
        return load(source, *options)

    monkeypatch.setattr(checkpoint, "load", counted)
    return sources


def test_a_damaged_model_is_loaded_once_in_a_run_and_the_run_says_why(tmp_path, monkeypatch, capsys, loads):
    (tmp_path / "arena.toml").write_text(SETTINGS)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "llama"}')
    prompts = [json.dumps({"id": f"p{number}", "prompt": f"Name river {number}."}) for number in range(40)]
    (tmp_path / "set.jsonl").write_text("\n".join(prompts))
    arena = Typed(monkeypatch, capsys)
    assert arena("prompts", "import", "set.jsonl", folder=tmp_path).returncode == 0
    done = arena("answer", "--prompts", "set", "--models", "damaged", folder=tmp_path)
    assert done.returncode == 1, done.stderr
    assert loads == ["model"]
    assert (done.stdout + done.stderr).count("cannot load 'model'") == 1
    assert "Traceback" not in done.stderr
