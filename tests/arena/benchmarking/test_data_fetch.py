"""Data of tasks, fetched from a server that stands in for the hub and the host of published files."""

import gzip
import hashlib
import json
import sys
import zipfile
from dataclasses import replace

import httpx
import pytest

from arena.benchmarking.data_fetch import Fetcher, fetch_tasks
from arena.benchmarking.file_download import Download, download
from arena.benchmarking.hub_files import HubFile, require_parquet
from arena.benchmarking.task_specs import tasks_to_fetch
from arena.errors import ConfigError, WorkFailed
from benchmarks.addresses import Address, Way, addresses
from benchmarks.data import RECORD, DataSources, recorded, rows
from benchmarks.errors import BadData
from benchmarks.known_files import known_files
from benchmarks.task import Source
from benchmarks.tasks import shipped
from tests.support.data_hub import data_hub

CONTENT = bytes(range(256)) * 1000
SHA = hashlib.sha256(CONTENT).hexdigest()
DEAD = "http://127.0.0.1:9"
pytestmark = pytest.mark.service


@pytest.fixture
def hub(monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with data_hub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


@pytest.fixture
def client():
    with httpx.Client(follow_redirects=True, timeout=10) as client:
        yield client


def silent(*_):
    return lambda *_: None


def wanted(hub, folder, sha256=SHA):
    return Download(f"{hub.url}/a/file.bin", folder / "file.bin", sha256)


def fetched(task, folder, hub):
    return fetch_tasks([task], folder, silent, silent, file_host=hub.url)


def test_an_interrupted_file_goes_on_where_it_ended(hub, client, tmp_path):
    hub.files["/a/file.bin"], hub.cut, hub.cuts = CONTENT, 100_000, 2
    reports = []
    download(client, wanted(hub, tmp_path), lambda *report: reports.append(report))
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    assert [seen[1] for seen in hub.seen] == [None, "bytes=100000-", "bytes=200000-"]
    assert reports[-1] == (len(CONTENT), len(CONTENT))
    assert [path.name for path in tmp_path.iterdir()] == ["file.bin"]


def test_what_came_before_the_network_was_lost_is_kept_for_the_next_command(hub, client, tmp_path):
    hub.files["/a/file.bin"], hub.cut, hub.cuts = CONTENT, 10_000, 4
    with pytest.raises(WorkFailed, match="40,000 bytes are kept: run the command again"):
        download(client, wanted(hub, tmp_path), silent())
    assert not (tmp_path / "file.bin").exists()
    download(client, wanted(hub, tmp_path), silent())
    assert hub.seen[-1][1] == "bytes=40000-"
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_a_server_without_ranges_begins_anew_and_a_whole_part_needs_no_byte(hub, client, tmp_path):
    hub.files["/a/file.bin"], hub.ignores_range = CONTENT, True
    (tmp_path / "file.bin.part").write_bytes(b"old")
    download(client, wanted(hub, tmp_path), silent())
    assert (tmp_path / "file.bin").read_bytes() == CONTENT
    hub.ignores_range = False
    (tmp_path / "file.bin.part").write_bytes(CONTENT)
    download(client, wanted(hub, tmp_path), silent())
    (tmp_path / "file.bin.part").write_bytes(CONTENT + b"longer than the file")
    download(client, wanted(hub, tmp_path), silent())
    assert (tmp_path / "file.bin").read_bytes() == CONTENT


def test_another_content_is_deleted_and_named(hub, client, tmp_path):
    hub.files["/a/file.bin"] = b"something else"
    with pytest.raises(WorkFailed, match=f"but {SHA} was expected"):
        download(client, wanted(hub, tmp_path), silent())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "Not found \\(404\\). The publisher moved"), (403, "denies access \\(403\\)"), (418, "replied 418"),
     (503, "the server is busy")],
)  # fmt: skip
def test_a_refusal_says_what_to_do(hub, client, tmp_path, status, message):
    hub.status = status
    with pytest.raises(WorkFailed, match=message):
        download(client, wanted(hub, tmp_path), silent())


def test_without_a_network_the_address_and_the_place_are_named(client, tmp_path):
    with pytest.raises(WorkFailed) as problem:
        download(client, Download(f"{DEAD}/a/b.csv", tmp_path / "b.csv"), silent())
    text = str(problem.value)
    assert "127.0.0.1:9 cannot be reached" in text
    assert f"download {DEAD}/a/b.csv on another machine and put it at {tmp_path / 'b.csv'}" in text


def test_a_published_file_has_the_checksum_of_its_task_and_is_recorded(hub, tmp_path):
    task = shipped()["xstest"]
    [(source, address)] = addresses(task).items()
    assert address.way is Way.FILE
    hub.files[f"/{address.place}"] = b"id,prompt,type,label\n1,How?,x,safe\n"
    [file] = fetched(task, tmp_path, hub)
    assert (file.state, file.licence) == ("failed", "CC-BY-4.0")
    assert source.sha256 in file.detail
    sha256 = hashlib.sha256(hub.files[f"/{address.place}"]).hexdigest()
    own = replace(task, sources={"test": [replace(source, sha256=sha256)]})
    [file] = fetched(own, tmp_path, hub)
    assert (file.state, recorded(tmp_path)[source.file]["sha256"]) == ("fetched", sha256)
    assert recorded(tmp_path)[source.file]["from"].endswith(address.place)
    [again] = fetched(own, tmp_path, hub)
    assert (again.state, again.detail) == ("here", str(tmp_path / source.file))


HUB = Source("set/rows.jsonl.gz", "0" * 64, "owner/set:plain", "r1", "test", ("question",))


def hub_task(*sources):
    return replace(shipped()["xstest"], sources={"test": list(sources)})


def test_rows_of_the_hub_are_pinned_by_the_first_fetch(hub, tmp_path):
    lines = b'{"question": "a", "picture": null}\n{"question": "b"}\n'
    hub.dataset("owner/set", "r1", {"plain/test.jsonl": lines, "other/test.jsonl": b"{}", "README.md": b"x"})
    [file] = fetched(hub_task(HUB), tmp_path, hub)
    assert file.state == "fetched", file.detail
    assert gzip.decompress((tmp_path / HUB.file).read_bytes()).count(b"\n") == 2
    assert [row["question"] for row in rows([HUB], DataSources(tmp_path, hub=False))] == ["a", "b"]
    assert recorded(tmp_path)[HUB.file]["revision"] == "r1"
    (tmp_path / HUB.file).write_bytes(gzip.compress(b'{"question": "forged"}\n'))
    with pytest.raises(BadData, match="The SHA-256 is"):
        rows([HUB], DataSources(tmp_path, hub=False))
    (tmp_path / HUB.file).unlink()
    hub.dataset("owner/set", "r1", {"plain/test.jsonl": b'{"question": "changed"}\n'})
    [file] = fetched(hub_task(HUB), tmp_path, hub)
    assert (file.state, "The first fetch of revision r1 had SHA-256" in file.detail) == ("failed", True)
    assert not (tmp_path / HUB.file).exists()


def test_parquet_parts_are_read_in_order_without_their_pictures(hub, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    files = {}
    for number in (1, 0):
        columns = {
            "question": [f"q{number}"],
            "image": [{"bytes": b"\x00"}],
            "icon": [b"\x00"],
            "choices": [["x", "y"]],
        }
        parquet.write_table(arrow.table(columns), tmp_path / "one")
        files[f"data/test-0000{number}-of-00002.parquet"] = (tmp_path / "one").read_bytes()
    hub.dataset("owner/set", "r2", files)
    source = replace(HUB, file="set/rows.jsonl", hub="owner/set", revision="r2")
    [file] = fetched(hub_task(source), tmp_path, hub)
    assert file.state == "fetched", file.detail
    read = rows([source], DataSources(tmp_path, hub=False))
    assert [row["question"] for row in read] == ["q0", "q1"]
    assert {name for name in read[0] if not name.startswith("_")} == {"question", "choices"}
    assert sorted(path.name for path in (tmp_path / "set").iterdir()) == ["rows.jsonl"]


def test_a_gated_data_set_needs_a_token_which_goes_to_the_hub_alone(hub, tmp_path, monkeypatch):
    hub.status = 401
    [file] = fetched(shipped()["gpqa_diamond"], tmp_path, hub)
    assert (
        "gated. Accept its terms at https://huggingface.co/datasets/Idavidrein/gpqa, and set HF_TOKEN"
        in file.detail
    )
    monkeypatch.setenv("HF_TOKEN", "secret")
    [file] = fetched(shipped()["gpqa_diamond"], tmp_path, hub)
    assert "HF_TOKEN has no access" in file.detail
    assert "secret" not in file.detail
    assert hub.seen[-1][2] == "Bearer secret"
    hub.status = None
    fetched(shipped()["xstest"], tmp_path, hub)
    assert hub.seen[-1][2] is None


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (None, "this revision of it is gone"),
        ({"README.md": b"x"}, "no Parquet, JSONL or CSV file of configuration 'plain'"),
    ],
)
def test_a_data_set_without_the_rows_says_so(hub, tmp_path, files, message):
    if files is not None:
        hub.dataset("owner/set", "r1", files)
    [file] = fetched(hub_task(HUB), tmp_path, hub)
    assert (file.state, message in file.detail) == ("failed", True)


def test_a_page_in_place_of_the_list_and_a_dead_mirror_are_named(hub, tmp_path, monkeypatch):
    hub.files["/api/datasets/owner/set/tree/r1"] = b"<html>log in</html>"
    [file] = fetched(hub_task(HUB), tmp_path, hub)
    assert "The reply is no list of files. Check HF_ENDPOINT" in file.detail
    monkeypatch.setenv("HF_ENDPOINT", DEAD)
    [file] = fetched(hub_task(HUB), tmp_path, hub)
    assert f"{DEAD} cannot be reached" in file.detail


def test_a_member_of_a_wheel_is_taken_without_installing_it(client, tmp_path, monkeypatch):
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / "arena_test_data-1.0-py3-none-any.whl", "w") as wheel:
        info = "arena_test_data-1.0.dist-info"
        wheel.writestr("arena_test_data/rows.jsonl.gz", gzip.compress(b'{"question": "a"}\n'))
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: arena-test-data\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    fetcher = Fetcher(tmp_path, client, silent)
    source = Source("rows.jsonl", hashlib.sha256(b'{"question": "a"}\n').hexdigest())
    wheel_address = Address(Way.WHEEL, "arena-test-data==1.0", "arena_test_data/rows.jsonl.gz")
    fetcher._fetch(source, wheel_address, tmp_path / source.file)
    assert (tmp_path / "rows.jsonl").read_bytes() == b'{"question": "a"}\n'
    for wrong, message in (
        (replace(wheel_address, member="none.txt"), "none.txt cannot be read"),
        (replace(wheel_address, place="arena-test-data==2.0"), "pip cannot download the package"),
    ):
        with pytest.raises(WorkFailed, match=message):
            fetcher._fetch(source, wrong, tmp_path / "other")
    with pytest.raises(WorkFailed, match=r"was expected\. Check which package index"):
        fetcher._fetch(replace(source, sha256="1" * 64), wheel_address, tmp_path / "other")


def test_what_cannot_be_fetched_has_its_address_and_place(hub, tmp_path):
    [file] = fetched(shipped()["ptb"], tmp_path, hub)
    assert file.state == "by hand"
    assert "LDC99T42" in file.detail
    assert str(tmp_path / "ptb/ptb.test.txt") in file.detail
    [file, *_] = fetched(shipped()["bigbench_mc"], tmp_path, hub)
    assert file.detail.startswith(
        "https://pypi.org/project/bigbench/1.0.0/, in its archive: bigbench/benchmark_tasks/"
    )
    [file] = fetched(shipped()["arc_agi_1"], tmp_path, hub)
    assert file.detail.startswith("https://github.com/fchollet/ARC-AGI at commit 3990304")
    for task in shipped().values():
        for source, address in addresses(task).items():
            assert address.place
            assert address.way is not Way.FILE or source.file in known_files()
    ways = [{address.way for address in addresses(task).values()} for task in shipped().values()]
    assert sum(Way.BY_HAND not in way for way in ways) >= 38


def test_tasks_are_named_by_name_or_dimension():
    assert [task.name for task in tasks_to_fetch(["values", "mmlu:anatomy", "dimension:values"])] == [
        "hhh",
        "mmlu",
    ]
    with pytest.raises(ConfigError, match="Task 'wisdom' not found"):
        tasks_to_fetch(["wisdom"])


def test_a_broken_record_and_a_folder_that_is_none_are_named(hub, tmp_path):
    (tmp_path / RECORD).write_text("{")
    with pytest.raises(ConfigError, match="The record is not valid"):
        fetched(shipped()["xstest"], tmp_path, hub)
    (tmp_path / "file").write_text(json.dumps({}))
    with pytest.raises(ConfigError, match="The data folder cannot be used"):
        fetched(shipped()["xstest"], tmp_path / "file" / "below", hub)


def test_parquet_needs_its_extra_before_any_download(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    require_parquet([HubFile("a.jsonl", 1, None)])
    with pytest.raises(ConfigError, match=r"arena\[parquet\]"):
        require_parquet([HubFile("a.parquet", 1, None)])
