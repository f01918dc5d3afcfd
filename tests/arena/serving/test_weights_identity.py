"""The identity of weights is that of their content, however they are spelled."""

from __future__ import annotations

import pytest

from arena.config import LlamaCppSettings, OpenAISettings, TransformersSettings
from arena.serving.downloads import KNOWN
from arena.serving.local_weights import cores, identity


def gguf(path):
    return LlamaCppSettings(name="judge", endpoint="llama_cpp", path=path)


def test_a_relative_path_a_link_and_a_copy_are_the_same_weights(tmp_path, monkeypatch):
    file = tmp_path / "weights.gguf"
    file.write_bytes(b"GGUF" + bytes(range(256)) * 9_000)  # longer than what is sampled
    (tmp_path / "link.gguf").symlink_to(file)
    (tmp_path / "copy.gguf").write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)
    spellings = [gguf(name) for name in (file, "weights.gguf", "./weights.gguf", "link.gguf", "copy.gguf")]
    spellings.append(
        TransformersSettings(name="judge", endpoint="transformers", source="weights.gguf", dtype="auto")
    )
    assert all(identity(judge) == identity(spellings[0]) for judge in spellings)


@pytest.mark.parametrize("place", [0, 100, -1])
def test_other_weights_have_another_identity(tmp_path, place):
    content = bytearray(b"GGUF" + bytes(range(256)) * 9_000)
    (tmp_path / "weights.gguf").write_bytes(content)
    before = identity(gguf(tmp_path / "weights.gguf"))
    content[place] ^= 1
    (tmp_path / "weights.gguf").write_bytes(content)
    assert identity(gguf(tmp_path / "weights.gguf")) != before


def test_a_folder_is_its_files(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    one, other = (
        TransformersSettings(name="judge", endpoint="transformers", source=str(tmp_path / name))
        for name in ("first", "second")
    )
    assert identity(one) == identity(other)
    (tmp_path / "second" / "config.json").write_text("{}")
    assert identity(one) != identity(other)


def test_a_chat_template_is_part_of_the_identity_and_threads_are_not(tmp_path):
    (tmp_path / "weights.gguf").write_bytes(b"GGUF")
    judge = gguf(tmp_path / "weights.gguf")
    assert identity(judge.model_copy(update={"chat_template": "x"})) != identity(judge)
    assert identity(judge.model_copy(update={"threads": 2})) == identity(judge)


def test_weights_that_are_not_here_keep_the_names_that_they_have(tmp_path, monkeypatch):
    monkeypatch.setenv("ARENA_CACHE_DIR", str(tmp_path))
    known = next(iter(KNOWN))
    fetched = LlamaCppSettings(name="judge", endpoint="llama_cpp", weights=known)
    assert identity(fetched)["sha256"] == KNOWN[known].sha256
    api = OpenAISettings(name="judge", endpoint="openai", url="http://127.0.0.1:9/v1")
    assert identity(api)["url"].startswith("http://127.0.0.1:9")
    assert cores() >= 1
