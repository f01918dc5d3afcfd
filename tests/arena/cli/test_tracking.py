"""Runs sent to experiment trackers: with the real clients where they are installed, and what happens where they fail."""

from __future__ import annotations

import importlib.util
import json
import os
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from arena.cli.tracking import open_trackers, send
from arena.errors import ConfigError
from arena.exchange.mlflow_tracker import usable
from arena.exchange.tracked_run import TrackedRun, TrackerFailed
from arena.web.run_pages.document import Completion, Message, RunDocument, ShownSample
from arena.web.run_pages.tracking import tracked_judge_run
from tests.arena.cli.test_bench import kitchen  # noqa: F401
from tests.support.faulty_judge import FaultyJudge
from tests.support.judged_sets import a_set
from tests.support.typed import Typed

RUN = TrackedRun("judge", "a run", {}, {"score/a": 1.0, "no": None, "inf": float("inf")}, [])
JUDGE = ("judge", "pairwise", "--prompts", "set", "--judge", "judge", "--control-pairs", "0", "--format", "json")
SPEED = ("speed", "fake", "--requests", "4", "--warmup", "1", "--repeats", "2", "--format", "json")
BLOCK, HEAD, WHOLE, LAST = 32768, 7, 1, 4  # of the log of a run of wandb
needs_mlflow = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="needs the extra 'mlflow', which is in no default"
)
needs_wandb = pytest.mark.skipif(
    importlib.util.find_spec("wandb") is None, reason="needs the extra 'wandb', which is in no default"
)


class Taking:
    name = "taking"

    def __init__(self):
        self.runs = []

    def send(self, run):
        self.runs.append(run)
        return "The run is here."


class Refusing:
    name = "refusing"

    def send(self, run):
        raise TrackerFailed(self.name, OSError("no network to https://me:pass@tracker.example/api"))


@pytest.fixture
def arena(monkeypatch, capsys, tmp_path):
    command = Typed(monkeypatch, capsys)

    def run(*words, code=0):
        done = command(*words, folder=tmp_path)
        assert done.returncode == code, done.stderr
        return done

    return run


def started(*words, folder, **environment):
    """The command in a process of its own, as the clients keep threads and processes."""
    base = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB", "MLFLOW"))}
    base |= {"HOME": str(folder), "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}
    return subprocess.run(
        [sys.executable, "-m", "arena", *words], cwd=folder, env=base, capture_output=True, text=True
    )


@pytest.mark.parametrize("name", ["wandb", "mlflow"])
@pytest.mark.parametrize("command", [JUDGE, SPEED, ("bench", "run", "--sample", "--models", "sure")])
def test_a_missing_client_is_named_with_its_command_before_any_call(arena, monkeypatch, tmp_path, name, command):
    monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "arena.toml").write_text('[[models]]\nname = "fake"\nendpoint = "scripted"\n')
    done = arena(*command, f"--{name}", "x", code=2)
    assert f"--{name} needs the extra '{name}'" in done.stderr
    assert f"pip install 'arena[{name}]'" in done.stderr


@pytest.mark.parametrize("project", ["", "a/b/c", "/b", "a/"])
def test_a_wandb_project_has_one_or_two_names(project):
    with pytest.raises(ConfigError, match="is no project"):
        open_trackers(project, None)


def test_a_tracker_that_fails_is_told_the_others_get_the_run_and_the_exit_code_is_one(capsys):
    taking = Taking()
    with pytest.raises(typer.Exit) as ended:
        send([Refusing(), taking], RUN)
    assert ended.value.exit_code == 1
    told = capsys.readouterr().err
    assert "refusing did not take the run: no network to https://tracker.example/api" in told
    assert "not lost" in told
    assert "taking: The run is here." in told
    assert taking.runs == [RUN]


def test_only_finite_numbers_are_scores():
    assert RUN.numbers == {"score/a": 1.0}


def test_keys_that_mlflow_refuses_are_changed_and_stay_apart():
    values = {"score/a+b": 1, "score/a_b": 2, "a/../b": 3, "/c": 4, "": 5}
    assert usable(values) == {"score/a_b": 1, "score/a_b 2": 2, "a/_/b": 3, "_/c": 4, "_": 5}


@pytest.mark.parametrize(("prompts", "sent"), [("", False), ("set", True)])
def test_conversations_of_people_are_not_sent(prompts, sent):
    sample = ShownSample("b1", "", [Message("user", "My secret is …")], [Completion("a", "A secret answer")])
    document = RunDocument("Judge run", "judge", datetime(2026, 1, 5, tzinfo=UTC), (), (), (), (), [sample])
    result = {
        "mode": "battles", "judge": "judge", "prompts": prompts, "models": [{"model": "a", "score": 7.5}], "criteria": [],
        "cases": 1, "judged": 1, "coverage": 1.0, "cost": None, "requests": {"calls": 1}, "orders": {"flip_rate": None},
    }  # fmt: skip
    run = tracked_judge_run(document, result)
    assert run.numbers["score/a"] == 7.5
    assert ("secret" in f"{run.tables}") is sent
    assert ("secret" in run.page) is sent


def scored(numbers, result):
    """Whether the numbers of a tracker are those of a judge run."""
    for row in result["models"]:
        for key, name in (("rating", "rating/{}"), ("lower", "rating/{}/lower"), ("upper", "rating/{}/upper")):
            assert numbers[name.format(row["model"])] == pytest.approx(row[key])
    assert numbers["judged"] == result["judged"]
    assert numbers["cost"] == pytest.approx(result["cost"])


@needs_mlflow
@pytest.mark.service
@pytest.mark.filterwarnings("ignore")
def test_judge_runs_are_in_mlflow_with_scores_samples_costs_and_the_report(arena, tmp_path):
    from mlflow import MlflowClient

    with FaultyJudge() as judge:
        a_set(arena, tmp_path, judge.url, [(f"Alpha {n}.", f"Beta {n}.") for n in range(6)])
        done = started(*JUDGE, "--mlflow", "tracked", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "MLflow: The run is" in done.stderr
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'tracked' / 'mlflow.db'}")
    [run] = client.search_runs([client.get_experiment_by_name("arena").experiment_id])
    assert run.info.status == "FINISHED"
    scored(run.data.metrics, json.loads(done.stdout))
    assert run.data.params["judge"] == "judge"
    assert {"report.html", "samples.json", "models.json", "costs_and_times.json", "config.json"} <= {
        one.path for one in client.list_artifacts(run.info.run_id)
    }
    samples = json.loads(
        Path(client.download_artifacts(run.info.run_id, "samples.json", str(tmp_path))).read_text()
    )
    assert len(samples["data"]) == 6
    assert samples["columns"][:3] == ["sample", "category", "prompt"]
    assert "Alpha 3." in json.dumps(samples["data"])
    assert not (tmp_path / "mlruns").exists()


@needs_mlflow
@pytest.mark.service
@pytest.mark.filterwarnings("ignore")
def test_benchmarks_and_load_tests_are_in_mlflow(kitchen):  # noqa: F811
    from mlflow import MlflowClient

    words = ("bench", "run", "kitchen.py", "--models", "sure,lost", "--format", "json", "--mlflow", "own.db")
    done = started(*words, folder=kitchen)
    assert done.returncode == 0, done.stderr
    with (kitchen / "arena.toml").open("a") as file:
        file.write('\n[[models]]\nname = "fake"\nendpoint = "scripted"\nreplies = ["one two three"]\n')
    load = started(*SPEED, "--mlflow", "own.db", folder=kitchen)
    assert load.returncode == 0, load.stderr
    client = MlflowClient(tracking_uri=f"sqlite:///{kitchen / 'own.db'}")
    runs = client.search_runs([client.get_experiment_by_name("arena").experiment_id])
    by_kind = {run.data.tags["kind"]: run for run in runs}
    assert set(by_kind) == {"bench", "speed"}
    for row in json.loads(done.stdout):
        numbers, place = by_kind["bench"].data.metrics, f"{row['task']}/{row['model']}"
        assert numbers[f"{place}/{row['metric']}"] == pytest.approx(row["value"])
        assert numbers[f"{place}/lower"] == pytest.approx(row["lower"])
    report = json.loads(load.stdout)
    speed = by_kind["speed"]
    assert speed.data.metrics["p99_ttft_ms"] == pytest.approx(report["vllm"]["p99_ttft_ms"])
    requests = json.loads(
        Path(client.download_artifacts(speed.info.run_id, "requests.json", str(kitchen))).read_text()
    )
    assert len(requests["data"]) == 8


@needs_mlflow
@pytest.mark.service
def test_an_mlflow_server_that_is_down_loses_nothing(arena, tmp_path):
    with FaultyJudge() as judge:
        a_set(arena, tmp_path, judge.url, [(f"Alpha {n}.", f"Beta {n}.") for n in range(4)])
        done = started(
            *JUDGE, "--mlflow", "http://127.0.0.1:9", "--report", "out.html", folder=tmp_path,
            MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
        )  # fmt: skip
    assert done.returncode == 1
    assert "MLflow did not take the run" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["published"]
    assert (tmp_path / "out.html").exists()
    board = json.loads(arena("judge", "board", "judge", "--prompts", "set", "--format", "json").stdout)
    assert {row["model"] for row in board} == {"alpha", "beta"}


def records(folder):
    """The records of the only offline run in a folder: a log of LevelDB with a header of seven bytes."""
    from wandb.proto.wandb_internal_pb2 import Record

    [path] = folder.glob("wandb/offline-run-*/run-*.wandb")
    content, place, begun, found = path.read_bytes(), 7, b"", []
    while place < len(content):
        left = BLOCK - place % BLOCK
        if left < HEAD:  # the rest of a block, too short for another piece
            place += left
            continue
        _, length, kind = struct.unpack_from("<IHB", content, place)
        begun += content[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (WHOLE, LAST):
            record = Record()
            record.ParseFromString(begun)
            found.append(record)
            begun = b""
    return found


@needs_wandb
@pytest.mark.service
@pytest.mark.filterwarnings("ignore")
def test_judge_runs_are_in_an_offline_run_of_wandb_without_a_network(arena, tmp_path):
    with FaultyJudge() as judge:
        a_set(arena, tmp_path, judge.url, [(f"Alpha {n}.", f"Beta {n}.") for n in range(6)])
        done = started(*JUDGE, "--wandb", "own", folder=tmp_path, WANDB_MODE="offline")
    assert done.returncode == 0, done.stderr
    assert "wandb sync" in done.stderr
    found = records(tmp_path)
    summary = {}
    for record in found:
        for item in (*record.summary.update, *record.history.item):
            summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
    scored(summary, json.loads(done.stdout))
    assert summary["samples/nrows"] == 6
    config = {item.key: item.value_json for record in found for item in record.run.config.update}
    assert json.loads(config["judge"]) == "judge"
    assert "report" in {record.artifact.type for record in found}


@needs_wandb
@pytest.mark.service
def test_a_wandb_without_a_key_loses_nothing(arena, tmp_path):
    with FaultyJudge() as judge:
        a_set(arena, tmp_path, judge.url, [(f"Alpha {n}.", f"Beta {n}.") for n in range(4)])
        done = started(*JUDGE, "--wandb", "own", folder=tmp_path, WANDB_BASE_URL="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "Weights & Biases did not take the run" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["published"]
