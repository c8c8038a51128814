"""The guard of a process run: cuts the network, runs the job, forwards SIGTERM, and never leaves a descendant behind.

Run by path with any Python 3 (standard library only): `python -I -S guard.py <lifeline fd> <network: none|host> -- command...`.
The lifeline is the read end of a pipe that only the harness writes to: when it closes - the harness wants the job dead, or was killed -
everything is killed. The guard is what an init is in a container: it adopts orphans and exits with the job's code, 128 + n for signal n.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import sys

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS = 0x8914
IFF_UP = 1
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

CANNOT_ISOLATE = 125
"""Exit code when `none` was asked for and the kernel does not allow it; the job was not started."""
CANNOT_EXECUTE = 126
NOT_FOUND = 127


def isolate_network() -> None:
    """Leave the machine's network for one that has only the loopback interface; raises OSError when the kernel does not allow it."""
    uid, gid = os.geteuid(), os.getegid()
    try:
        _libc("unshare", CLONE_NEWNET)
    except OSError as refused:
        if refused.errno != errno.EPERM:
            raise
        _libc("unshare", CLONE_NEWUSER | CLONE_NEWNET)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{uid} {uid} 1")
        _write("/proc/self/gid_map", f"{gid} {gid} 1")
    others = set(interfaces()) - {"lo"}
    if others:
        raise OSError(errno.EPERM, f"still sees {', '.join(sorted(others))}")
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14s", b"lo", IFF_UP, b""))


def interfaces() -> list[str]:
    """Names of the network interfaces that this process sees."""
    with open("/proc/self/net/dev", encoding="ascii") as table:
        return [line.partition(":")[0].strip() for line in table if ":" in line]


def run(lifeline: int, command: list[str]) -> int:
    """Run `command` until it ends or the lifeline closes; returns its exit code, with no descendant left."""
    _libc_quietly("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    terminate: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: terminate.append(1))
    child = _spawn(command, lifeline)
    code = None
    while code is None:
        ready, _, _ = select.select([lifeline, wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
        if terminate:
            terminate.clear()
            os.kill(child, signal.SIGTERM)
        if lifeline in ready:
            os.kill(child, signal.SIGKILL)
            lifeline = wake_read
        code = _reap(child)
    _kill_descendants()
    return code


def _spawn(command: list[str], lifeline: int) -> int:
    guard = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        os.close(lifeline)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _libc_quietly("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() == guard:
            os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"exec {command[0]} failed: {error.strerror}\n".encode(errors="replace"))
        os._exit(NOT_FOUND if error.errno == errno.ENOENT else CANNOT_EXECUTE)
    os._exit(CANNOT_EXECUTE)


def _reap(child: int) -> int | None:
    """Collect every child that has ended; the exit code of `child` when it is among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            returned = os.waitstatus_to_exitcode(status)
            code = returned if returned >= 0 else 128 - returned


def _kill_descendants() -> None:
    """Kill children until none is left: the orphans of a killed child become children of this process."""
    while True:
        for pid in _children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> list[int]:
    parent, found = str(os.getpid()), []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as stat:
                if stat.read().rpartition(")")[2].split()[1] == parent:
                    found.append(int(name))
        except (OSError, IndexError):
            continue
    return found


def _libc(function: str, *arguments: int) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    try:
        call = getattr(library, function)
    except AttributeError as error:
        raise OSError(errno.ENOSYS, f"{function}: {os.strerror(errno.ENOSYS)}") from error
    if call(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def _libc_quietly(function: str, *arguments: int) -> None:
    with contextlib.suppress(OSError):
        _libc(function, *arguments)


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def main(arguments: list[str]) -> int:
    """Entry: see the module's docstring."""
    lifeline, network, _, *command = arguments
    if network == "none":
        try:
            isolate_network()
        except OSError as error:
            os.write(2, f"{error.strerror or error}\n".encode(errors="replace"))
            return CANNOT_ISOLATE
    return run(int(lifeline), command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
