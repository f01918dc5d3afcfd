"""A stored run is never lost to older replies, and names of any length are stored, on SQLite and on PostgreSQL."""

import json
from dataclasses import replace

import pytest

from arena.benchmarking.comparison import compare
from arena.benchmarking.config import BenchmarkConfig
from arena.benchmarking.events import Replaced
from arena.benchmarking.run import run_benchmarks
from arena.config import ScriptedSettings, Settings
from arena.errors import ConfigError
from arena.store.benchmarks import UnknownRun, delete_runs, keep_run, outcomes, runs
from arena.store.copy import copy_database
from arena.store.text_columns import fitted
from tests.arena.benchmarking.test_run import KITCHEN, OWN_TASK, ROWS
from tests.arena.store.test_migrations import migrate
from tests.support.arenas import emptied, new_file
from tests.support.typed import Typed


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    monkeypatch.delenv("ARENA_DATA_DIR", raising=False)
    (tmp_path / "kitchen.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "kitchen.py").write_text(OWN_TASK)
    return tmp_path


def benched(database, kitchen, reply, cache, **more):
    """A run of one model whose endpoint gives this reply; its identity in the reply cache stays the same."""
    answers = ScriptedSettings(name="one", endpoint="scripted", replies=(reply,), delay=0)
    settings = Settings(database_url=str(database.engine.url), models=[answers])
    events = []
    config = BenchmarkConfig([str(kitchen / "kitchen.py")], ["one"], reply_cache=kitchen / cache, **more)
    [run] = run_benchmarks(database, settings, config, on_event=events.append).runs
    return run, [event.reason for event in events if isinstance(event, Replaced)]


@pytest.fixture
def same_identity(monkeypatch):
    """A mended server keeps its address: the settings, and so the keys of its replies, do not change."""
    monkeypatch.setattr("arena.serving.model_clients.identity", lambda *_: {"model": "one"})


def stored_value(database):
    with database.read() as session:
        [stored] = runs(session)
    return stored.row.value


def test_older_replies_never_replace_newer_ones(database, kitchen, same_identity):
    benched(database, kitchen, "Who knows?", "first.jsonl")
    assert stored_value(database) == 0.0
    _, notes = benched(database, kitchen, "Answer: B", "second.jsonl")
    assert stored_value(database) == pytest.approx(2 / 3)
    assert notes == ["run 1 (kitchen, one, acc 0.0000) was replaced: acc is 0.6667 now."]
    run, notes = benched(database, kitchen, "Answer: B", "first.jsonl")
    assert stored_value(database) == pytest.approx(2 / 3)
    assert (run.to_dict()["saved"], run.report.value) == (False, 0.0)
    assert "run 1 (kitchen, one, acc 0.6667) has newer replies and was kept" in notes[0]
    assert "--recompute" in notes[0]


def test_recompute_asks_again_and_the_new_replies_are_found_from_then_on(database, kitchen, same_identity):
    benched(database, kitchen, "Who knows?", "one.jsonl")
    run, notes = benched(database, kitchen, "Answer: B", "one.jsonl", recompute=True)
    assert (run.call_counts.calls, run.call_counts.replayed) == (3, 0)
    assert stored_value(database) == pytest.approx(2 / 3)
    assert len(notes) == 1
    run, notes = benched(database, kitchen, "Never asked.", "one.jsonl")
    assert (run.call_counts.calls, run.report.value, notes) == (0, pytest.approx(2 / 3), [])


def test_replies_of_unknown_time_do_not_replace_known_ones(database, kitchen, same_identity):
    benched(database, kitchen, "Who knows?", "old.jsonl")
    lines = [json.loads(line) for line in (kitchen / "old.jsonl").read_text().splitlines()]
    without = [{name: value for name, value in line.items() if name != "at"} for line in lines]
    (kitchen / "old.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in without))
    benched(database, kitchen, "Answer: B", "new.jsonl")
    run, notes = benched(database, kitchen, "", "old.jsonl")
    assert (run.call_counts.calls, len(notes), stored_value(database)) == (0, 1, pytest.approx(2 / 3))


RUN = {
    "task": "t", "dimension": "d", "settings": "s", "config_hash": "c", "request_type": "generate", "options": {},
    "metric": "acc", "value": 1.0, "scored": 2, "metrics": {}, "subjects": {},
}  # fmt: skip


def outcome(number, cluster, **more):
    return {"number": number, "sample": str(number), "cluster": cluster, "status": "scored", **more}


def test_names_of_any_length_are_stored_and_stay_apart(database):
    long = "a long request of somebody " * 100
    made = [outcome(0, long), outcome(1, long), outcome(2, long + "!"), outcome(3, "short", subject="s" * 500)]
    with database.write() as session:
        number = keep_run(session, "one", RUN, made).number
    with database.read() as session:
        kept = outcomes(session, number)
    clusters = [row.cluster for row in kept]
    assert clusters[0] == clusters[1] != clusters[2]
    assert clusters[3] == "short"
    assert max(map(len, clusters)) <= 200
    assert len(kept[3].subject) == 120
    assert clusters[0].startswith("a long request")


def test_long_names_of_older_versions_are_mended_by_the_migration_and_can_be_copied(tmp_path, postgres):
    old, long = new_file(tmp_path / "old.db"), "x" * 2417
    with old.write() as session:
        keep_run(session, "one", RUN, [outcome(0, ""), outcome(1, "")])
    migrate(old, "0017")
    with old.writing() as connection:
        connection.exec_driver_sql(f"UPDATE benchmark_outcome SET cluster = '{long}' WHERE number = 1")
    migrate(old, "head")
    target = emptied(postgres)
    copy_database(old, target, lambda *_: None)
    with target.read() as session:
        assert [row.cluster for row in outcomes(session, 1)] == ["", fitted(long, 200)]
    old.close()
    target.close()


def test_runs_are_deleted_with_their_samples(database):
    with database.write() as session:
        first = keep_run(session, "one", RUN, [outcome(0, "")]).number
        second = keep_run(session, "one", {**RUN, "config_hash": "other"}, [outcome(0, "")]).number
    with database.write() as session:
        assert [row["run"] for row in delete_runs(session, [first])] == [first]
        with pytest.raises(UnknownRun, match="not found"):
            delete_runs(session, [first])
    with database.read() as session:
        assert [stored.row.id for stored in runs(session)] == [second]
        assert (len(outcomes(session, first)), len(outcomes(session, second))) == (0, 1)


def test_ways_of_asking_are_no_difference_between_models(database):
    made = [outcome(number, "", metrics='{"acc": 1.0}') for number in range(40)]
    bad = [replace_metrics(row, 0.0) for row in made]
    with database.write() as session:
        keep_run(session, "a", RUN, made)
        keep_run(session, "b", {**RUN, "config_hash": "b", "request_type": "loglikelihood", "value": 0.0}, bad)
    with database.read() as session:
        with pytest.raises(ConfigError, match=r"different request types \(a: generate; b: loglikelihood\)"):
            compare(session, ["a", "b"])
        [pair] = compare(session, ["1", "2"])["pairs"]
    assert (pair["difference"], pair["comparable"], pair["differ"], pair["p_holm"]) == (1.0, False, False, None)


def test_runs_of_different_metrics_are_not_compared(database):
    made = [outcome(number, "", metrics='{"acc": 1.0, "flexible": 0.0}') for number in range(4)]
    with database.write() as session:
        keep_run(session, "a", RUN, made)
        keep_run(session, "b", {**RUN, "config_hash": "b", "metric": "flexible"}, made)
    with database.read() as session:
        with pytest.raises(ConfigError, match=r"different metrics \(acc, flexible\)"):
            compare(session, ["1", "2"])
        with pytest.raises(ConfigError, match="no runs of one task with the same settings"):
            compare(session, ["a", "b"])


def test_a_result_of_an_older_reader_is_another_run(database, kitchen, monkeypatch):
    benched(database, kitchen, "Answer: B", "one.jsonl")
    monkeypatch.setattr("tests.arena.benchmarking.test_run.KITCHEN", replace(KITCHEN, text_scorer=3))
    run, notes = benched(database, kitchen, "Answer: B", "one.jsonl")
    assert (run.kept.number, run.call_counts.calls, notes) == (2, 0, [])
    with database.read() as session:
        assert [json.loads(stored.row.options)["text_scorer"] for stored in runs(session)] == [2, 3]


def replace_metrics(row, value):
    return {**row, "metrics": json.dumps({"acc": value})}


def test_two_tasks_are_one_csv_table_and_runs_are_deleted_by_command(kitchen, monkeypatch, capsys):
    typed = Typed(monkeypatch, capsys)
    (kitchen / "arena.toml").write_text(
        'database_url = "sqlite:///bench.db"\n[[models]]\nname = "sure"\nendpoint = "scripted"\n'
        'replies = ["Answer: B #### 4"]\ndelay = 0.0\n'
    )
    (kitchen / "sums.py").write_text(
        "from dataclasses import replace\nfrom benchmarks.known_files import own\n"
        "from benchmarks.tasks.gsm8k import CHAINED\n"
        'TASKS = (replace(CHAINED, name="sums", sources={"test": [own("sums.jsonl", "question", "answer")]}),)\n'
    )
    (kitchen / "sums.jsonl").write_text(json.dumps({"question": "2 + 2?", "answer": "#### 4"}))
    command = ("bench", "run", "kitchen.py", "sums.py", "--models", "sure", "--format", "csv")
    done = typed(*command, folder=kitchen)
    assert done.returncode == 0, done.stderr
    header, *lines = done.stdout.splitlines()
    assert {"metric_acc", "metric_flexible"} <= set(header.split(","))
    assert len(lines) == 2
    deleted = json.loads(typed("bench", "delete", "1", "--format", "json", folder=kitchen).stdout)
    assert [row["run"] for row in deleted["deleted"]] == [1]
    assert typed("bench", "delete", "1", folder=kitchen).returncode == 2
    assert len(json.loads(typed("bench", "show", "--format", "json", folder=kitchen).stdout)) == 1
