"""The walls around a program: bubblewrap's where it is installed and works, else those of `inside/jail.py`."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any, Protocol

from arena.sandbox.inside.jail import DEVICES, INNER_USER, SYSTEM
from arena.sandbox.inside.supervisor import PATH

INSIDE = Path(__file__).with_name("inside")
Plan = dict[str, Any]


class Walls(Protocol):
    """How a jail is built."""

    def command(self, plan: Plan, descriptor: int) -> list[str]:
        """The command that reads the plan from standard input and writes the verdict to the descriptor."""
        ...


class Own:
    """Namespaces and a root by our own code."""

    def command(self, plan: Plan, descriptor: int) -> list[str]:
        return [sys.executable, "-I", "-S", "-c", _start(str(INSIDE.parent), "jail", descriptor)]


class Bubblewrap:
    """github.com/containers/bubblewrap: the same namespaces, by a program that Flatpak and others rely on."""

    def __init__(self, program: str) -> None:
        self.program = program

    def command(self, plan: Plan, descriptor: int) -> list[str]:
        inner = [plan["python"], "-I", "-S", "-c", _start(PATH, "supervisor", descriptor)]
        return [self.program, *NAMESPACES, *(ROOT if os.geteuid() == 0 else OTHERS), *_mounts(plan), "--", *inner]


NAMESPACES = (
    "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent",
    "--new-session", "--cap-drop", "ALL",
)  # fmt: skip
# Root gives each run its own users, since the kernel counts no processes of root; others have one user in a namespace.
ROOT = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
OTHERS = ("--unshare-user", "--uid", str(INNER_USER), "--gid", str(INNER_USER))


def _mounts(plan: Plan) -> list[str]:
    """What `inside.jail.mount_root` mounts."""
    words: list[str] = []
    for path in SYSTEM:
        if os.path.islink(path):
            words += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            words += ["--ro-bind", path, path]
    parents = [str(folder) for folder in reversed(Path(plan["interpreter"]).parents[:-1])]
    for folder in ("/dev", PATH, *(folder for folder in parents if not folder.startswith(SYSTEM))):
        words += ["--perms", "755", "--dir", folder]  # left to itself, it makes folders that only root may enter
    if not plan["interpreter"].startswith(SYSTEM):
        words += ["--ro-bind", plan["interpreter"], plan["interpreter"]]
    for device in DEVICES:
        words += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    words += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--ro-bind", str(INSIDE), f"{PATH}/inside"]
    words += ["--size", str(plan["megabytes"] << 20), "--perms", "1777", "--tmpfs", "/work"]
    return [*words, "--symlink", "/work", "/tmp", "--remount-ro", "/", "--chdir", "/work"]  # noqa: S108  inside


def _start(folder: str, module: str, descriptor: int) -> str:
    return f"import sys; sys.path.insert(0, {folder!r}); from inside.{module} import main; main({descriptor})"


def installed() -> Bubblewrap | None:
    """Bubblewrap's walls; None where it is not installed."""
    program = shutil.which("bwrap")
    return Bubblewrap(program) if program else None
