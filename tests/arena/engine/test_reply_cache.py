"""The reply cache: what was written is found again, whatever happened to the process that wrote it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from arena.engine import Entry, ReplyCache, ReplyCacheError, Status

REPLY = {"choices": [{"message": {"content": "größer ≥ 😀"}}]}


def key(number: int) -> str:
    return f"{number:064x}"


def test_replies_are_found_and_failures_are_not(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with ReplyCache(path) as reply_cache:
        reply_cache.append(Entry(key(1), Status.OK, "judge", REPLY, cost=0.5))
        reply_cache.append(Entry(key(2), Status.TIMEOUT, "judge", detail="too late"))
        assert reply_cache.reply(key(1)) == REPLY
    with ReplyCache(path) as again:
        assert again.reply(key(1)) == REPLY
        assert again.reply(key(2)) is None
        assert key(2) not in again
        assert again.failures == {Status.TIMEOUT: 1}
        assert len(again) == 1


def test_a_line_cut_short_is_dropped_and_the_next_one_is_whole(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    with ReplyCache(path) as reply_cache:
        reply_cache.append(Entry(key(1), Status.OK, "judge", REPLY))
        reply_cache.append(Entry(key(2), Status.OK, "judge", REPLY))
    path.write_bytes(path.read_bytes()[:-20])
    with ReplyCache(path) as again:
        assert key(1) in again
        assert key(2) not in again
        again.append(Entry(key(3), Status.OK, "judge", REPLY))
    with ReplyCache(path) as third:
        assert third.reply(key(3)) == REPLY
        assert len(third) == 2


def test_one_process_at_a_time(tmp_path: Path):
    with ReplyCache(tmp_path / "j"), pytest.raises(ReplyCacheError, match="in use by another run"):
        ReplyCache(tmp_path / "j")


def test_another_file_is_not_taken_for_a_reply_cache(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_text("dear diary\n")
    with pytest.raises(ReplyCacheError, match=r"notes.txt:1 is no line of a reply cache"):
        ReplyCache(path)
    assert path.read_text() == "dear diary\n"


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReplyCacheError, match="cannot be written"):
        ReplyCache(tmp_path / "file" / "journal.jsonl")


WRITER = """
import sys
from pathlib import Path
from arena.engine import Entry, ReplyCache, Status
reply_cache = ReplyCache(Path(sys.argv[1]))
for number in range(10**6):
    reply_cache.append(Entry(f"{number:064x}", Status.OK, "judge", {"n": number}))
    print(number, flush=True)
"""


def test_every_line_that_was_acknowledged_survives_kill_9(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    last = -1
    for line in writer.stdout:
        last = int(line)
        if last >= 300:
            os.kill(writer.pid, signal.SIGKILL)
            break
    writer.wait()
    writer.stdout.close()
    assert last >= 300
    with ReplyCache(path) as reply_cache:
        assert all(reply_cache.reply(key(number)) == {"n": number} for number in range(last + 1))


@pytest.mark.parametrize("path", ["/proc/nobody/j", "/proc/j"])
def test_a_place_that_cannot_be_written_is_not_somebody_elses(path: str):
    with pytest.raises(ReplyCacheError, match=r"cannot be written .*Use --reply-cache FILE"):
        ReplyCache(Path(path))


FULL = """
import resource, signal, sys
from pathlib import Path
from arena.engine import Entry, ReplyCache, ReplyCacheError, Status

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with ReplyCache(Path(sys.argv[1])) as reply_cache:
    reply_cache.append(Entry("0" * 64, Status.OK, "judge", {"a": 1}))
    full = Path(sys.argv[1]).stat().st_size + int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))
    try:
        reply_cache.append(Entry("1" * 64, Status.OK, "judge", {"a": 2}))
    except ReplyCacheError as problem:
        print(problem)
"""


@pytest.mark.parametrize("room", [0, 30])
def test_a_full_disk_is_reported_and_takes_nothing_that_was_written(tmp_path: Path, room: int):
    path = tmp_path / "j"
    program = [sys.executable, "-c", FULL, str(path), str(room)]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout
    assert "Earlier entries are saved" in said
    with ReplyCache(path) as reply_cache:
        assert reply_cache.reply("0" * 64) == {"a": 1}
        assert len(reply_cache) == 1


@pytest.mark.parametrize("path", [".", "/dev/full"])
def test_a_folder_or_a_device_is_no_reply_cache(path: str):
    with pytest.raises(ReplyCacheError, match=r"is no file\. Use --reply-cache FILE"):
        ReplyCache(Path(path))
