"""Bad data gets an error that names the file, the line and the cure."""

import gzip
import json
import sys

import pytest

from benchmarks.data import DataSources, _hub_errors, read_file, rows
from benchmarks.errors import BadData
from benchmarks.known_files import known, known_files, own

BAD = {
    "cut.jsonl": (b'{"a": 1}\n{"a": \n', r"cut\.jsonl:2: The line is not JSON"),
    "list.jsonl": (b"[1]\n", r"list\.jsonl:1: The line is a list. Give one JSON object per line"),
    "latin.jsonl": ('{"a": "é"}\n'.encode("latin-1"), r"latin\.jsonl:1: The file is not UTF-8 .*iconv"),
    "empty.jsonl": (b"\n", r"empty\.jsonl: The file has no rows"),
    "half.csv": (b"a,b\n1\n", r"half\.csv:2: The row and the header differ in length"),
    "bad.json": (b'{"a": 1,\n}', r"bad\.json:2: The file is not JSON"),
    "cut.jsonl.gz": (gzip.compress(b'{"a": 1}')[:-6], r"The gzip file is not complete .* Download it again"),
    "what.xml": (b"<a/>", r"File type 'xml' is not supported. Use \.jsonl"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_cannot_be_read_says_where_and_what_to_do(tmp_path, name):
    content, message = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadData, match=message):
        read_file(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadData, match=r"no\.jsonl: File not found"):
        read_file(tmp_path / "no.jsonl")


def test_another_version_of_a_known_file_is_refused_unless_accepted(tmp_path):
    (tmp_path / "gsm8k").mkdir()
    (tmp_path / "gsm8k/test.jsonl").write_text(json.dumps({"question": "?", "answer": "#### 1"}))
    source = known("gsm8k/test.jsonl", "question", "answer")
    with pytest.raises(BadData, match=f"the task was made for {source.sha256}.*--no-verify-checksum"):
        rows([source], DataSources(tmp_path, hub=False))
    assert rows([source], DataSources(tmp_path, hub=False, verify_checksum=False))[0]["answer"] == "#### 1"


def test_a_missing_column_names_the_line_and_what_is_there(tmp_path):
    (tmp_path / "mine.jsonl").write_text('{"question": "?"}\n{"frage": "?"}\n')
    with pytest.raises(BadData, match=r"mine\.jsonl:2: has no column 'question'; it has: frage"):
        rows([own("mine.jsonl", "question")], DataSources(tmp_path))


def test_without_a_folder_the_cure_is_named():
    with pytest.raises(BadData, match="Set ARENA_DATA_DIR"):
        rows([known("gsm8k/test.jsonl")], DataSources(None, hub=False))


def test_a_folder_one_level_up_is_found_too(tmp_path):
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks/mine.csv").write_text("a,b\n1,2\n")
    [row] = rows([own("mine.csv", "a")], DataSources(tmp_path))
    assert (row["a"], row["_file"], row["_line"]) == ("1", "mine", 2)


def test_every_known_file_has_a_digest_and_an_origin():
    assert len(known_files()) > 200
    assert all(len(one.sha256) == 64 and "@" in one.origin for one in known_files().values())


def test_every_http_client_of_the_hub_can_fail():
    """Without a network the hub's client raises errors that are no `OSError`."""
    hub = pytest.importorskip("huggingface_hub")
    failures = _hub_errors()
    assert hub is not None
    for name in ("httpx", "httpx2"):
        if name in sys.modules:
            assert issubclass(sys.modules[name].ConnectError, failures)
