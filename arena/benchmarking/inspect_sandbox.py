"""A sandbox of inspect_ai without Docker: each command in bubblewrap's namespaces, with one folder that it may write.

Programs see the system's programs and libraries to read, `/work` to write, no other file, no network and no process of
this machine. Unlike `arena.sandbox` it does not limit memory, processes or the size of the folder. Needs inspect_ai.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Any

from inspect_ai.util import ExecResult, SandboxEnvironment, SandboxEnvironmentLimits, sandboxenv, subprocess

from arena.benchmarking.inspect_run import BUBBLEWRAP
from arena.sandbox import Unisolated
from arena.sandbox.inside.jail import SYSTEM

WORK = PurePosixPath("/work")
PYTHON = str(Path(sys.base_prefix).resolve())
PROGRAMS = f"/usr/local/bin:/usr/bin:/bin:{PYTHON}/bin"
NAMESPACES = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv")
ETC = ("/etc/ld.so.cache", "/etc/alternatives", "/etc/passwd", "/etc/group", "/etc/ssl", "/etc/localtime")


@sandboxenv(name=BUBBLEWRAP)
class BubblewrapSandbox(SandboxEnvironment):  # type: ignore[misc]
    """One sample's folder, seen as `/work`, and the commands that run in it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="arena-bubblewrap-", ignore_cleanup_errors=True)

    @classmethod
    async def task_init(cls, task_name: str, config: Any) -> None:
        """Raises `Unisolated` where bubblewrap is not installed or its namespaces are not allowed."""
        if shutil.which("bwrap") is None:
            raise Unisolated(f"{task_name}: the program bwrap is not installed. Install bubblewrap.")
        tried = cls()
        try:
            result = await tried.exec(["/bin/sh", "-c", "true"])
        finally:
            tried.folder.cleanup()
        if not result.success:
            raise Unisolated(
                f"{task_name}: bubblewrap does not work here: {' '.join(result.stderr.split())[:300]}"
            )

    @classmethod
    async def sample_init(cls, task_name: str, config: Any, metadata: dict[str, str]) -> dict[str, Any]:
        return {"default": cls()}

    @classmethod
    async def sample_cleanup(
        cls, task_name: str, config: Any, environments: dict[str, Any], interrupted: bool
    ) -> None:
        for environment in environments.values():
            environment.folder.cleanup()

    async def exec(
        self,
        cmd: list[str],
        input: str | bytes | None = None,  # noqa: A002
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,  # noqa: ASYNC109
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> Any:
        """The result of a command. Raises `TimeoutError`, and `PermissionError` for another user."""
        if user is not None:
            raise PermissionError(f"{BUBBLEWRAP} cannot run commands as {user!r}. Name no user.")
        return await subprocess(
            self._command(cmd, str(WORK / (cwd or "")), env or {}),
            input=input,
            timeout=timeout,
            output_limit=SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE,
            concurrency=concurrency,
        )

    async def write_file(self, file: str, contents: str | bytes) -> None:
        """Write a file from inside, where a link leads nowhere else. Raises `IsADirectoryError`, `PermissionError`."""
        path = shlex.quote(str(WORK / file))
        parent = shlex.quote(str((WORK / file).parent))
        script = f"[ -d {path} ] && exit 21; mkdir -p -- {parent} && cat > {path}"
        result = await self.exec(["/bin/sh", "-c", script], input=contents)
        _check(result, file)

    async def read_file(self, file: str, text: bool = True) -> Any:
        """A file's text, or its bytes, read from inside.

        Raises `FileNotFoundError`, `IsADirectoryError`, `PermissionError`, `UnicodeDecodeError`.
        """
        path = shlex.quote(str(WORK / file))
        script = f"[ -d {path} ] && exit 21; [ -e {path} ] || exit 22; cat {path}"
        result: ExecResult[bytes] = await subprocess(
            self._command(["/bin/sh", "-c", script], str(WORK), {}), text=False
        )
        _check(result, file)
        return result.stdout.decode() if text else result.stdout

    def _command(self, command: list[str], folder: str, environment: dict[str, str]) -> list[str]:
        variables = {"PATH": PROGRAMS, "HOME": str(WORK), "LANG": "C.UTF-8", **environment}
        words = ["bwrap", *NAMESPACES, *_mounts(), "--bind", self.folder.name, str(WORK), "--chdir", folder]
        for name, value in variables.items():
            words += ["--setenv", name, value]
        return [*words, "--", *command]


def _mounts() -> list[str]:
    """The system's folders and Python, to read; `/proc`, `/dev` and `/tmp` of the sandbox's own."""
    words = ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]  # noqa: S108  inside
    for path in SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    if not PYTHON.startswith(SYSTEM):
        words += ["--ro-bind", PYTHON, PYTHON]
    for path in ETC:
        words += ["--ro-bind-try", path, path]
    return words


def _check(result: Any, file: str) -> None:
    if result.returncode == 21:
        raise IsADirectoryError(f"{file} is a folder.")
    if result.returncode == 22:
        raise FileNotFoundError(f"{file}: no such file.")
    if not result.success:
        shown = result.stderr if isinstance(result.stderr, str) else result.stderr.decode(errors="replace")
        raise PermissionError(f"{file}: {' '.join(shown.split())[:200]}")
