"""The rights of the processes in a jail: limits, a user of their own, no capabilities, few system calls."""

from __future__ import annotations

import ctypes
import os
import resource

from . import system_calls

TYPE_CHECKING = False  # without typing, whose import takes longer than the rest
if TYPE_CHECKING:
    from typing import Any

PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
FIRST_USER = 1 << 30  # for root: each run has its own users, so that its processes can be counted
BETWEEN = 1 << 29  # the solution and its tests are different users, so that neither can reach the other
CAPABILITIES = 0x20080522  # the version of the structure

libc = ctypes.CDLL(None, use_errno=True)


def raise_on_error(name: str, result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def hide() -> None:
    """Let no other process read or trace this one and what it forks."""
    raise_on_error("dumpable", libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))


def drop(plan: dict[str, Any], *, tests: bool) -> None:
    """Give up every right: user, capabilities, system calls, and more than the limits of the plan."""
    if os.geteuid() == 0:
        user = FIRST_USER + plan["number"] % BETWEEN + (BETWEEN if tests else 0)
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
    header, nothing = (ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)()
    raise_on_error("capabilities", libc.capset(header, nothing))
    raise_on_error("no new privileges", libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    set_limits(plan)
    system_calls.install(libc)


def set_limits(plan: dict[str, Any]) -> None:
    seconds, memory = int(plan["seconds"]) + 1, plan["megabytes"] << 20
    for which, value in (
        (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, memory),
        (resource.RLIMIT_NPROC, plan["processes"]), (resource.RLIMIT_NOFILE, plan["files"]),
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_MSGQUEUE, 0), (resource.RLIMIT_MEMLOCK, 0),
    ):  # fmt: skip
        resource.setrlimit(which, (value, value))
