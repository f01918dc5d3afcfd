"""Runs in Weights & Biases, through its own client. WANDB_MODE=offline keeps them in a folder, without a network."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import ConfigError
from arena.exchange.tracked_run import TrackedRun, TrackedTable, TrackerFailed

# What the client would send of its own accord: the terminal, code, the repository, the machine and its load.
SETTINGS = {
    "silent": True, "console": "off", "disable_git": True, "disable_code": True, "x_disable_meta": True,
    "x_disable_stats": True, "x_disable_machine_info": True, "x_save_requirements": False,
}  # fmt: skip


@dataclass(frozen=True)
class WandbTracker:
    """A project, as PROJECT or ENTITY/PROJECT."""

    project: str
    client: Any
    name: str = "Weights & Biases"

    def send(self, run: TrackedRun) -> str:
        """Send the run. Raises `TrackerFailed`."""
        entity, _, project = self.project.rpartition("/")
        try:
            settings = {key: value for key, value in SETTINGS.items() if key in self.client.Settings.model_fields}
            begun = self.client.init(
                entity=entity or None, project=project, name=run.name, job_type=run.kind, config=dict(run.config),
                settings=self.client.Settings(**settings), reinit="create_new",
            )  # fmt: skip
            sent = False
            try:
                self._fill(begun, run)
                sent = True
            finally:
                begun.finish(exit_code=int(not sent))
        except Exception as problem:  # whatever the client or the network raises
            raise TrackerFailed(self.name, problem) from problem
        if begun.offline:
            folder = Path(begun.dir).parent
            return f"The run is in {folder}. To upload it: wandb sync {folder}"
        return f"The run is at {begun.url}"

    def _fill(self, begun: Any, run: TrackedRun) -> None:
        begun.summary.update(run.numbers)
        begun.log({table.name: self._table(table) for table in run.tables})
        if run.page:
            artifact = self.client.Artifact(f"{run.kind}-report-{begun.id}", type="report")
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / "report.html"
                path.write_text(run.page, encoding="utf-8", errors="replace")
                artifact.add_file(str(path))  # which the client copies
            begun.log_artifact(artifact)

    def _table(self, table: TrackedTable) -> Any:
        rows = [list(row) for row in table.rows]
        return self.client.Table(columns=list(table.columns), data=rows, allow_mixed_types=True)


def wandb_tracker(project: str) -> WandbTracker:
    """The tracker of a project. Raises `ConfigError` without the client, or for a name that is none."""
    parts = project.split("/")
    if not all(part.strip() for part in parts) or len(parts) > 2:
        raise ConfigError(f"--wandb {project!r}: is no project. Give PROJECT or ENTITY/PROJECT.")
    try:
        import wandb
        from wandb import init  # noqa: F401 - a folder named wandb can be imported too
    except ImportError as cause:
        raise ConfigError(
            f"--wandb needs the extra 'wandb' ({cause}). Run `pip install 'arena[wandb]'`."
        ) from cause
    return WandbTracker(project, wandb)
