"""A jail of our own: new namespaces, and a root that has only the interpreter and the system's libraries, read only.

It enters new namespaces (users, unless it is root; mounts, processes, network, IPC, host name), mounts the root with
an empty `/work` in memory, and forks process 1 of its own namespace, the supervisor: when it ends, the kernel kills
every process that the program started.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from .rights import libc, raise_on_error
from .supervisor import PATH, exit_code, exit_with_result, supervise

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG = 1
INNER_USER = 1000  # the user inside; not 0, so that starting the interpreter drops every capability
DEVICES = ("null", "zero", "urandom")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    result = libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, options.encode())
    raise_on_error(f"mount {target}", result)


def enter_namespaces() -> None:
    """Enter new namespaces. Root needs no user namespace; if unshare is refused, make one."""
    others = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    if os.geteuid() == 0 and libc.unshare(others) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    raise_on_error("unshare", libc.unshare(others | NEWUSER))
    for name, text in (
        ("setgroups", "deny"), ("uid_map", f"{INNER_USER} {user} 1"), ("gid_map", f"{INNER_USER} {group} 1"),
    ):  # fmt: skip
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def read_only(source: str, target: str) -> None:
    """Mount `source` at `target`, read only. A user namespace may not remove the flags of an existing mount."""
    mount(source, target, None, MS_BIND | MS_REC)
    kept = os.statvfs(target).f_flag & 0xF  # read only, nosuid, nodev, noexec
    mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | kept)


def mount_root(root: str, interpreter: str, megabytes: int) -> None:
    """Mount a root in memory and enter it: system libraries, interpreter, three devices, `/work` and `/tmp`."""
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", root, "tmpfs", MS_NOSUID | MS_NODEV, f"size={megabytes}m,mode=755")
    for path in SYSTEM:
        if os.path.islink(path):
            os.symlink(os.readlink(path), root + path)
        elif os.path.isdir(path):
            os.mkdir(root + path)
            read_only(path, root + path)
    if not os.path.isdir(root + interpreter):
        os.makedirs(root + interpreter)
        read_only(interpreter, root + interpreter)
    os.mkdir(root + "/dev")
    for device in DEVICES:
        os.close(os.open(f"{root}/dev/{device}", os.O_CREAT))
        mount(f"/dev/{device}", f"{root}/dev/{device}", None, MS_BIND)
    os.mkdir(root + "/etc")
    if os.path.isfile("/etc/ld.so.cache"):
        os.close(os.open(root + "/etc/ld.so.cache", os.O_CREAT))
        read_only("/etc/ld.so.cache", root + "/etc/ld.so.cache")
    os.makedirs(f"{root}{PATH}/inside")
    read_only(os.path.dirname(os.path.abspath(__file__)), f"{root}{PATH}/inside")
    for folder in ("/work", "/tmp"):  # noqa: S108  inside the new root
        os.mkdir(root + folder)
        os.chmod(root + folder, 0o1777)  # noqa: S103  no other user has access
    os.chroot(root)
    os.chdir("/work")


def main(descriptor: int) -> None:
    """The plan comes on standard input; the descriptor receives the verdict."""
    plan = json.load(sys.stdin)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if sys.platform != "linux":
        os.write(descriptor, b"not Linux")
        os._exit(70)
    exit_with_result(run_isolated, plan, descriptor)


def run_isolated(plan: dict[str, Any], descriptor: int) -> int:
    """The exit code of the program, which runs in new namespaces."""
    enter_namespaces()
    first = os.fork()
    if first == 0:
        exit_with_result(first_process, plan, descriptor)
    os.close(descriptor)
    return exit_code(os.waitpid(first, 0)[1])


def first_process(plan: dict[str, Any], descriptor: int) -> int:
    """The exit code of the program; every process that it started ends with this process."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    mount_root(plan["root"], plan["interpreter"], plan["megabytes"])
    return supervise(plan, descriptor)
