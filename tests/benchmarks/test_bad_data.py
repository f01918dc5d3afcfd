"""Bad data gets an error that names the file, the line and the cure."""

import gzip
import json
import sys
from dataclasses import replace

import pytest

from benchmarks.choice import MultipleChoice, own_choice
from benchmarks.data import DataSources, _hub_errors, read_file, rows
from benchmarks.errors import BadData
from benchmarks.known_files import known, known_files, own
from benchmarks.samples import checked_samples
from benchmarks.task import RequestType, Sample

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


MANY = tuple(f"choice {number}" for number in range(30))
OWN = MultipleChoice(
    name="many",
    dimension="knowledge",
    licence="mine",
    sources={"test": [own("many.jsonl")]},
    read=own_choice,
    prompt=lambda sample: str(sample.fields["question"]),
)


@pytest.mark.parametrize("answer", [99, "99", 30, "²", -1])
def test_an_index_that_is_no_choice_is_an_error_also_of_many_choices(answer):
    with pytest.raises(BadData, match=r"is not one of the 30 choices\. Give an index from 0 or a letter up to Z"):
        own_choice({"question": "?", "choices": MANY, "answer": answer})


def test_choices_beyond_the_letters_are_never_cut():
    [sample] = checked_samples(OWN, [{"id": "one", "question": "?", "choices": MANY, "answer": 28}])
    with pytest.raises(BadData, match=r"'one' has 30 choices, and letters end at 26"):
        OWN.requests(sample, (), RequestType.GENERATE)
    requests = OWN.requests(sample, (), RequestType.LOGLIKELIHOOD)
    assert [request["continuation"] for request in requests][-1] == " choice 29"
    replies = [{"logprob": -float(number != 28)} for number in range(30)]
    outcome = OWN.score(sample, replies, RequestType.LOGLIKELIHOOD)
    assert (outcome.answer, outcome.metrics["acc"]) == ("29", 1.0)


def test_ids_of_their_own_choices_and_a_target_are_checked_before_any_call():
    row = {"id": "one", "question": "?", "choices": ["a", "b"], "answer": "A"}
    with pytest.raises(BadData, match=r"2 samples have the id 'one'\. Give each sample an id of its own"):
        checked_samples(OWN, [row, row])
    with pytest.raises(BadData, match=r"There are no choices\. Give at least two"):
        checked_samples(OWN, [{**row, "choices": []}])
    with pytest.raises(BadData, match=r"has 1 choices\. Give at least two"):
        checked_samples(OWN, [{**row, "choices": ["a"]}])
    unchecked = replace(OWN, read=lambda _: Sample("two", {"question": "?"}, choices=("a", "b"), target=99))
    with pytest.raises(BadData, match=r"target 99 is not the index of one of its 2 choices"):
        checked_samples(unchecked, [row])
