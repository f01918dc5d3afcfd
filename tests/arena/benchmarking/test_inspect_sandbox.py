"""inspect's sandbox in bubblewrap: what its programs may read, write and reach."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import socket
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs the extra 'inspect'"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="needs bubblewrap"),
]


@pytest.fixture
async def sandbox():
    from arena.benchmarking.inspect_sandbox import BubblewrapSandbox

    await BubblewrapSandbox.task_init("task", None)
    made = await BubblewrapSandbox.sample_init("task", None, {})
    folder = Path(made["default"].folder.name)
    yield made["default"]
    await BubblewrapSandbox.sample_cleanup("task", None, made, False)
    assert not await asyncio.to_thread(folder.exists)


async def test_files_come_and_go_as_texts_and_bytes(sandbox):
    await sandbox.write_file("notes/it's a.txt", "é\n")
    await sandbox.write_file("data", b"\x00\xff")
    assert (await sandbox.read_file("notes/it's a.txt"), await sandbox.read_file("data", text=False)) == (
        "é\n",
        b"\x00\xff",
    )
    done = await sandbox.exec(["sh", "-c", 'cat; pwd; echo "$X"'], input="in\n", cwd="notes", env={"X": "1"})
    assert (done.success, done.stdout) == (True, "in\n/work/notes\n1\n")
    assert (await sandbox.exec(["python3", "-c", "print(6 * 7)"])).stdout == "42\n"
    assert (await sandbox.exec(["sh", "-c", "exit 3"])).returncode == 3


async def test_missing_files_folders_and_users_are_the_errors_that_inspect_expects(sandbox):
    await sandbox.exec(["mkdir", "folder"])
    with pytest.raises(FileNotFoundError):
        await sandbox.read_file("missing")
    for action in (sandbox.read_file("folder"), sandbox.write_file("folder", "x")):
        with pytest.raises(IsADirectoryError):
            await action
    with pytest.raises(PermissionError):
        await sandbox.write_file("/usr/x", "x")
    with pytest.raises(PermissionError, match="root"):
        await sandbox.exec(["true"], user="root")
    with pytest.raises(TimeoutError):
        await sandbox.exec(["sleep", "60"], timeout=1)


async def test_no_file_of_the_machine_is_seen_or_reached_by_a_link(sandbox, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("mine")
    assert not (await sandbox.exec(["cat", str(secret)])).success
    assert not (await sandbox.exec(["sh", "-c", "echo x > /usr/bin/mine"])).success
    await sandbox.exec(["ln", "-s", str(secret), "link"])
    with pytest.raises(FileNotFoundError):
        await sandbox.read_file("link")
    with pytest.raises(PermissionError):
        await sandbox.write_file("link", "theirs")
    assert secret.read_text() == "mine"


async def test_neither_the_network_nor_the_environment_nor_processes_are_reached(sandbox, monkeypatch):
    monkeypatch.setenv("ARENA_SECRET", "key")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        program = f"import socket; socket.create_connection(('127.0.0.1', {port}), 2)"
        assert not (await sandbox.exec(["python3", "-c", program])).success
    assert "key" not in (await sandbox.exec(["env"])).stdout
    assert not (await sandbox.exec(["kill", "-0", str(os.getpid())])).success
