"""Started as a process of its own (`python -I -S jail.py FD`), never imported: isolates itself, runs a program.

It enters new namespaces (users, unless it is root; mounts, processes, network, IPC, host name), mounts a root that
has only the interpreter and the system's libraries, read only, and an empty `/work` in memory, and forks twice. The
first child is process 1 of its own namespace: when it ends, the kernel kills every process that the program started.
The second child gives up all rights and executes the program.

FD receives `ready` when the program starts, or the error that prevented it; then the token, after the last line of
the program.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import signal
import sys
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
INNER_USER = 1000  # the user inside; not 0, so that starting the interpreter drops every capability
FIRST_USER = 1 << 30  # for root: each run has its own user, so that its processes can be counted
DEVICES = ("null", "zero", "urandom")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

libc = ctypes.CDLL(None, use_errno=True)

# The token is written after the last line: a program that exits early, with any exit code, never writes its token.
RUNNER = """
import builtins, os, sys
descriptor, token = int(sys.argv[1]), sys.argv[2]
sys.argv, builtins.exit, builtins.quit = ["program.py"], sys.exit, sys.exit
with open("/work/program.py", encoding="utf-8") as file:
    source = file.read()
exec(compile(source, "program.py", "exec"), {"__name__": "__main__"})
os.write(descriptor, token.encode())
"""


def raise_on_error(name: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


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
    for folder in ("/work", "/tmp"):  # noqa: S108  inside the new root
        os.mkdir(root + folder)
        os.chmod(root + folder, 0o1777)  # noqa: S103  no other user has access
    os.chroot(root)
    os.chdir("/work")


def set_limits(plan: dict[str, Any]) -> None:
    seconds, memory = int(plan["seconds"]) + 1, plan["megabytes"] << 20
    for which, value in (
        (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_NPROC, plan["processes"]), (resource.RLIMIT_NOFILE, plan["files"]),
        (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(which, (value, value))


def drop_rights_and_exec(plan: dict[str, Any], descriptor: int) -> None:
    """Execute the program without privileges, with an environment of its own."""
    if os.geteuid() == 0:
        user = FIRST_USER + plan["number"] % FIRST_USER
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    raise_on_error("no new privileges", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    set_limits(plan)
    with open("/work/program.py", "w", encoding="utf-8") as file:
        file.write(plan["program"])
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.write(descriptor, b"ready\n")
    command = [plan["python"], "-I", "-S", "-c", RUNNER, str(descriptor), plan["token"]]
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8"}
    os.execve(plan["python"], command, environment)  # noqa: S606  the purpose of this file


def first_process(plan: dict[str, Any], descriptor: int) -> int:
    """The exit code of the program; every process that it started ends with this process."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    mount_root(plan["root"], plan["interpreter"], plan["megabytes"])
    program = os.fork()
    if program == 0:
        exit_with_result(drop_rights_and_exec, plan, descriptor)
    while True:
        ended, status = os.wait()
        if ended == program:
            return exit_code(status)


def exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def exit_with_result(function: Any, plan: dict[str, Any], descriptor: int) -> None:
    """End this process with the exit code that `function` returns; an error is written to the descriptor."""
    try:
        os._exit(function(plan, descriptor))
    except OSError as error:
        os.write(descriptor, f"{error.strerror or error}".encode())
        os._exit(70)


def main() -> None:
    descriptor = int(sys.argv[1])
    plan = json.load(sys.stdin)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if platform.system() != "Linux":
        os.write(descriptor, b"not Linux")
        os._exit(70)
    exit_with_result(run_isolated, plan, descriptor)


def run_isolated(plan: dict[str, Any], descriptor: int) -> int:
    """The exit code of the program, which runs in new namespaces."""
    enter_namespaces()
    first = os.fork()
    if first == 0:
        exit_with_result(first_process, plan, descriptor)
    return exit_code(os.waitpid(first, 0)[1])


if __name__ == "__main__":
    main()
