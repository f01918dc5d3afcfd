"""Runs in MLflow, through its own client: on a server, in a database, or in a folder of this machine."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import ConfigError
from arena.exchange.tracked_run import TrackedRun, TrackerFailed

EXPERIMENT = "arena"
LONGEST = 500  # characters of a parameter: old servers refuse longer ones. The file config.json has all of them
AT_ONCE = 100  # parameters, or metrics, of one call
UNUSABLE = re.compile(r"[^\w./: -]")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
FILES = (".db", ".sqlite", ".sqlite3")


@dataclass(frozen=True)
class MlflowTracker:
    """A tracking server or database at `uri`; `artifacts` is the folder of the files of a local one."""

    uri: str
    artifacts: Path | None
    package: Any
    name: str = "MLflow"

    def send(self, run: TrackedRun) -> str:
        """Send the run. Raises `TrackerFailed`."""
        try:
            if self.artifacts is not None:
                self.artifacts.parent.mkdir(parents=True, exist_ok=True)
            client = self.package.MlflowClient(tracking_uri=self.uri)
            begun = client.create_run(
                self._experiment(client), run_name=run.name, tags={"kind": run.kind}
            ).info.run_id
            state = "FAILED"
            try:
                self._fill(client, begun, run)
                state = "FINISHED"
            finally:
                client.set_terminated(begun, state)
        except Exception as problem:  # whatever the client or the network raises
            raise TrackerFailed(self.name, problem) from problem
        shown = "" if self.artifacts is None else f". To open it: mlflow ui --backend-store-uri {self.uri}"
        return f"The run is {begun} in the experiment {EXPERIMENT}{shown}"

    def _experiment(self, client: Any) -> str:
        known = client.get_experiment_by_name(EXPERIMENT)
        if known is not None:
            return str(known.experiment_id)
        place = None if self.artifacts is None else self.artifacts.as_uri()
        return str(client.create_experiment(EXPERIMENT, artifact_location=place))

    def _fill(self, client: Any, begun: str, run: TrackedRun) -> None:
        entities, now = self.package.entities, int(time.time() * 1000)
        params = [entities.Param(key, value[:LONGEST]) for key, value in usable(run.config).items()]
        metrics = [entities.Metric(key, value, now, 0) for key, value in usable(run.numbers).items()]
        for start in range(0, len(params), AT_ONCE):
            client.log_batch(begun, params=params[start : start + AT_ONCE])
        for start in range(0, len(metrics), AT_ONCE):
            client.log_batch(begun, metrics=metrics[start : start + AT_ONCE])
        client.log_dict(begun, dict(run.config), "config.json")
        files = []
        for table in run.tables:  # as `log_table` writes them, which needs pandas
            files.append(f"{table.name}.json")
            content = {"columns": list(table.columns), "data": [list(row) for row in table.rows]}
            client.log_text(begun, json.dumps(content, ensure_ascii=False), files[-1])
        client.set_tag(
            begun, "mlflow.loggedArtifacts", json.dumps([{"path": file, "type": "table"} for file in files])
        )
        if run.page:
            client.log_text(begun, run.page, "report.html")


def usable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values under keys that MLflow takes, each of its own.

    >>> usable({"score/a+b": 1, "score/a_b": 2, "win rate, %": 3})
    {'score/a_b': 1, 'score/a_b 2': 2, 'win rate_ _': 3}
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        found[_new(_key(name), found)] = value
    return found


def _key(name: str) -> str:
    """A key without the characters that MLflow refuses, which is no path to elsewhere; up to 200 characters."""
    parts = [UNUSABLE.sub("_", part).strip() for part in name.split("/")]
    return "/".join("_" if part in ("", ".", "..") else part for part in parts)[-200:].lstrip("/") or "_"


def _new(key: str, taken: Iterable[str]) -> str:
    return next(one for one in _numbered(key) if one not in taken)


def _numbered(key: str) -> Iterator[str]:
    yield key
    number = 2
    while True:
        yield f"{key} {number}"
        number += 1


def mlflow_tracker(place: str) -> MlflowTracker:
    """The tracker at an address, a database file or a folder. Raises `ConfigError` without the client."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
        from mlflow import MlflowClient, entities  # noqa: F401 - a folder named mlflow can be imported too
    except ImportError as cause:
        raise ConfigError(
            f"--mlflow needs the extra 'mlflow' ({cause}). Run `pip install 'arena[mlflow]'`."
        ) from cause
    uri, artifacts = _address(place)
    return MlflowTracker(uri, artifacts, mlflow)


def _address(place: str) -> tuple[str, Path | None]:
    """The tracking URI, and the folder of the files of a local one. Raises `ConfigError`."""
    if SCHEME.match(place) or place == "databricks":
        if not place.startswith("sqlite:///"):
            return place, None
        file = Path(place.removeprefix("sqlite:///")).absolute()
    elif not place.strip():
        raise ConfigError("--mlflow: the place is empty. Give the address of a server, or a folder.")
    else:
        path = Path(place).absolute()
        file = path if path.suffix in FILES else path / "mlflow.db"
    if file.is_dir() or (file.parent.exists() and not file.parent.is_dir()):
        raise ConfigError(f"--mlflow {place}: is no folder and no database file. Name another place.")
    return f"sqlite:///{file.as_posix()}", file.parent / "artifacts"
