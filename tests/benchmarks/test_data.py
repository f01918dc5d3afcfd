"""Data files: the rows of readable ones, the errors of others."""

from __future__ import annotations

from benchmarks.data import read_file


def test_lines_called_json_tabs_and_endings_after_the_kind_are_read(tmp_path):
    written = {
        "lines.json": '{"a": 1}\n{"a": 2}\n',
        "tabs.tsv": "a\tb\n1\t2\n",
        "words.txt.test": "one\ntwo",
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text)
    assert [row["a"] for row in read_file(tmp_path / "lines.json")] == [1, 2]
    assert read_file(tmp_path / "tabs.tsv")[0]["b"] == "2"
    (words,) = read_file(tmp_path / "words.txt.test")
    assert (words["text"], words["_file"]) == ("one\ntwo", "words")
