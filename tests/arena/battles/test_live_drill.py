"""Two servers under load: models are paused, retired, weighted and added, and no battle breaks and no vote is lost."""

from __future__ import annotations

import signal

import httpx
import pytest

from reproduce.drills.live_models import STEADY, add_to_files, drill
from reproduce.drills.served import Served
from tests.support.arenas import without_tables
from tests.support.timing import until


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_models_change_under_load_and_nothing_breaks(kind, tmp_path, request, monkeypatch):
    monkeypatch.setattr(
        "reproduce.drills.live_models.LATE", 3.5
    )  # a loaded machine polls late; a change comes every 4 s
    url, servers = f"sqlite:///{tmp_path / 'arena.db'}", 1
    if kind == "postgresql":
        url, servers = request.getfixturevalue("postgres"), 2
        without_tables(url)
    result = drill(tmp_path, url, servers, seconds=10, voters=4)
    assert (result.broken, result.lost, result.late) == (0, 0, 0)
    assert result.acknowledged > 10
    assert result.of_changing > 0
    assert result.of_added > 0


@pytest.mark.slow
def test_a_hangup_reads_the_settings_file_again_and_a_bad_file_changes_nothing(tmp_path):
    arena = Served(tmp_path / "run", f"sqlite:///{tmp_path / 'arena.db'}", STEADY)
    arena.start()
    try:
        add_to_files([arena])
        arena.send(signal.SIGHUP)
        until(lambda: "settings file again: 4" in arena.log)
        file = arena.folder / "arena.toml"
        file.write_text(file.read_text() + "wieght = 1\n")
        arena.send(signal.SIGHUP)
        until(lambda: "unknown key" in arena.log)
        models = httpx.get(f"{arena.url}/api/v1/arena?models=1", trust_env=False, timeout=60).json()["models"]
        assert {model["model"] for model in models} == {"steady-0", "steady-1", "steady-2", "added"}
    finally:
        arena.kill()
