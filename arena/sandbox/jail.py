"""Started as a process of its own (`python -I -S jail.py FD`), never imported: shuts itself in, runs a program.

It leaves the user's namespaces (users, where it is not root; mounts, processes, network, IPC, host name), builds a
root that has nothing but the interpreter, read only, and an empty `/work` in memory, and forks twice: the first
child is process 1 of its own namespace, and when it ends the kernel kills whatever the program has left behind;
the second gives up every right and becomes the program.

What went wrong before the program began is written to FD, else `ready`; and the program's last line, when it is
reached, writes the token that shows it.
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
INSIDE = 1000  # the user inside; not 0, so that starting the interpreter drops every capability
FIRST_USER = 1 << 30  # for root: users of one run each, so that their processes can be counted
DEVICES = ("null", "zero", "urandom")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")

libc = ctypes.CDLL(None, use_errno=True)

# The last thing that happens: a program that leaves early, with any exit code, never says its token.
RUNNER = """
import builtins, os, sys
descriptor, token = int(sys.argv[1]), sys.argv[2]
sys.argv, builtins.exit, builtins.quit = ["program.py"], sys.exit, sys.exit
with open("/work/program.py", encoding="utf-8") as file:
    source = file.read()
exec(compile(source, "program.py", "exec"), {"__name__": "__main__"})
os.write(descriptor, token.encode())
"""


def call(what: str, code: int) -> None:
    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    found = libc.mount(source.encode(), target.encode(), kind and kind.encode(), flags, options.encode())
    call(f"mount {target}", found)


def leave() -> None:
    """Into new namespaces. Root needs none of its own for users, and where it may not do the others, it does."""
    others = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    if os.geteuid() == 0 and libc.unshare(others) == 0:
        return
    user, group = os.geteuid(), os.getegid()
    call("unshare", libc.unshare(others | NEWUSER))
    for name, text in (
        ("setgroups", "deny"), ("uid_map", f"{INSIDE} {user} 1"), ("gid_map", f"{INSIDE} {group} 1"),
    ):  # fmt: skip
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)


def read_only(source: str, target: str) -> None:
    """`source` at `target`, for reading. Flags that a mount already has may not be dropped by a new user."""
    mount(source, target, None, MS_BIND | MS_REC)
    kept = os.statvfs(target).f_flag & 0xF  # read only, nosuid, nodev, noexec
    mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | kept)


def build(root: str, interpreter: str, megabytes: int) -> None:
    """A root in memory: the system's libraries, the interpreter, three devices, `/work` and `/tmp`."""
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
        os.chmod(root + folder, 0o1777)  # noqa: S103  nobody else is in there
    os.chroot(root)
    os.chdir("/work")


def limit(plan: dict[str, Any]) -> None:
    seconds, memory = int(plan["seconds"]) + 1, plan["megabytes"] << 20
    for which, value in (
        (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_NPROC, plan["processes"]), (resource.RLIMIT_NOFILE, plan["files"]),
        (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(which, (value, value))


def become(plan: dict[str, Any], descriptor: int) -> None:
    """The program, without a right, a secret in its environment, or an open file of ours."""
    if os.geteuid() == 0:
        user = FIRST_USER + plan["number"] % FIRST_USER
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    call("no new privileges", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    limit(plan)
    with open("/work/program.py", "w", encoding="utf-8") as file:
        file.write(plan["program"])
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.write(descriptor, b"ready\n")
    command = [plan["python"], "-I", "-S", "-c", RUNNER, str(descriptor), plan["token"]]
    surroundings = {"PATH": "/usr/bin:/bin", "HOME": "/work", "LANG": "C.UTF-8"}
    os.execve(plan["python"], command, surroundings)  # noqa: S606  it is what a jail is for


def first_process(plan: dict[str, Any], descriptor: int) -> int:
    """Builds the root, starts the program and waits for it alone; the others end with this process."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    build(plan["root"], plan["interpreter"], plan["megabytes"])
    program = os.fork()
    if program == 0:
        guarded(become, plan, descriptor)
    while True:
        ended, status = os.wait()
        if ended == program:
            return code(status)


def code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def guarded(function: Any, *given: Any) -> None:
    """Ends this process with what `function` returns; the reason of a failure goes to the descriptor."""
    try:
        os._exit(function(*given))
    except OSError as error:
        os.write(given[1], f"{error.strerror or error}".encode())
        os._exit(70)


def main() -> None:
    descriptor = int(sys.argv[1])
    plan = json.load(sys.stdin)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if platform.system() != "Linux":
        os.write(descriptor, b"not Linux")
        os._exit(70)
    guarded(inside, plan, descriptor)


def inside(plan: dict[str, Any], descriptor: int) -> int:
    leave()
    first = os.fork()
    if first == 0:
        guarded(first_process, plan, descriptor)
    return code(os.waitpid(first, 0)[1])


if __name__ == "__main__":
    main()
