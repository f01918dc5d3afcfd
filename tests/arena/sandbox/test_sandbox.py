"""Programs that try to get out, and what they get. Where the machine cannot isolate, nothing is run."""

import os
import sys
import time
from pathlib import Path

import pytest

from arena.sandbox import Limits, Unisolated, check, run_all
from arena.sandbox import run as run_program
from arena.sandbox.walls import Own, installed
from tests.support.timing import NO_HANG, until

SHORT = Limits(seconds=1.5)
LONG = Limits(seconds=30)  # for what ends by itself


@pytest.fixture(autouse=True, params=["own walls", "bubblewrap"])
def isolated(request):
    """Each test runs within both kinds of walls."""
    walls = Own() if request.param == "own walls" else installed()
    if walls is None:
        pytest.skip("bubblewrap is not installed")
    try:
        check(walls)
    except Unisolated as error:
        pytest.skip(str(error))
    inside.walls = walls
    return walls


class inside:  # noqa: N801
    walls = None


def run(program, limits=LONG):
    return run_program(program, limits, inside.walls)


def processes_named(word):
    """Processes of this machine with `word` in their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in place.read_bytes():
                found.append(place.parent.name)
        except OSError:
            continue  # it has just ended
    return found


def test_a_program_passes_when_its_last_line_is_reached():
    found = run("print('words')\nassert sum(range(5)) == 10\n")
    assert found.passed
    assert (found.reason, found.output) == ("", "words\n")


def test_a_failed_assertion_is_an_exception_with_its_output():
    found = run("assert 1 == 2")
    assert not found.passed
    assert found.reason == "exception"
    assert "AssertionError" in found.output


@pytest.mark.parametrize("leave", ["exit(0)", "import os; os._exit(0)", "raise SystemExit"])
def test_leaving_early_with_code_0_does_not_pass(leave):
    found = run(f"{leave}\nassert False")
    assert not found.passed
    assert found.reason == "early exit"


@pytest.mark.slow
def test_an_infinite_loop_and_a_long_sleep_are_ended():
    for program in ("while True: pass", "import time\ntime.sleep(600)"):
        started = time.monotonic()
        found = run(program, SHORT)
        assert found.reason == "timeout"
        assert time.monotonic() - started < NO_HANG


@pytest.mark.slow
def test_a_fork_bomb_ends_with_its_run():
    bomb = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
    found = run(bomb, SHORT)
    assert found.reason == "timeout"
    until(lambda: not processes_named("inside.solution"))  # in the command line of each; they end one by one
    assert run("import time\ntime.sleep(0)").passed


def test_memory_is_limited():
    found = run("x = bytearray(2 << 30)", Limits(megabytes=256))
    assert "MemoryError" in found.output


def test_a_disk_full_of_files_is_not_this_machines():
    found = run("open('/work/big', 'wb').write(bytes(200 << 20))", Limits(megabytes=64, seconds=10))
    assert not found.passed
    assert run("open('/work/small', 'w').write('x')\nassert open('/work/small').read() == 'x'").passed


@pytest.mark.parametrize("path", ["/usr/arena-was-here", "/etc/arena-was-here", "/arena-was-here", "../../x"])
def test_nothing_outside_can_be_written(path):
    assert not run(f"open({path!r}, 'w').write('x')").passed
    assert not Path(path).exists()


def test_nothing_of_the_user_can_be_read(tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    monkeypatch.setenv("ARENA_API_KEY", "secret")
    assert not run(f"open({str(secret)!r}).read()").passed
    assert not run("open('/etc/passwd').read()").passed
    assert run("import os\nassert 'ARENA_API_KEY' not in os.environ\nassert not os.path.exists('/home')").passed


def test_there_is_no_network():
    program = """
import socket
for address in (("127.0.0.1", 22), ("1.1.1.1", 53)):
    try:
        socket.create_connection(address, timeout=1)
    except OSError as error:
        assert "unreachable" in str(error) or "refused" in str(error), error
    else:
        raise AssertionError(address)
assert [name for _, name in socket.if_nameindex() if name != "lo"] == []
"""
    assert run(program).passed


@pytest.mark.slow
def test_huge_output_is_cut_and_fills_no_memory():
    found = run("while True: print('x' * 10000)", SHORT)
    assert found.reason == "timeout"
    assert len(found.output) <= 4000


def test_the_parent_cannot_be_killed():
    program = """
import os, signal
for target in (1, os.getppid(), -1):
    try:
        os.kill(target, signal.SIGKILL)
    except (PermissionError, ProcessLookupError):
        pass
"""
    run(program)
    assert run("pass").passed  # and this process is still here to say so


def test_a_daemon_dies_with_its_run():
    word = f"daemon{os.getpid()}"
    program = f"""
import os, subprocess, sys
if os.fork() == 0:
    os.setsid()
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", {word!r}], start_new_session=True)
    os._exit(0)
os.wait()
"""
    assert run(program).passed
    until(lambda: not processes_named(word))


def test_rights_do_not_come_back():
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.unshare(0x10000000) == -1  # a new user namespace
assert libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == -1
assert libc.umount2(b"/usr", 2) == -1
for call in (lambda: os.setuid(0), lambda: os.chroot("/work"), lambda: os.mknod("/work/sda", 0o60600, 0x800)):
    try:
        call()
    except PermissionError:
        continue
    raise AssertionError("allowed")
"""
    assert run(program).passed


def test_many_run_in_their_order():
    found = list(run_all(["pass", "assert False", "pass"], workers=2))
    assert [one.passed for one in found] == [True, False, True]


class Refused:
    """Walls that the kernel does not allow."""

    def command(self, plan, descriptor):
        said = f"import os, sys; sys.stdin.read(); os.write({descriptor}, b'unshare: Not permitted')"
        return [sys.executable, "-c", said]


def test_a_machine_that_cannot_isolate_runs_nothing():
    with pytest.raises(Unisolated, match=r"cannot isolate programs \(unshare: Not permitted\).*sysctl"):
        run_program("pass", None, Refused())


def test_another_system_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(Unisolated, match="darwin has no namespaces"):
        check()


def test_limits_are_above_0():
    with pytest.raises(ValueError, match="seconds is 0"):
        Limits(seconds=0)
