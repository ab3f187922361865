"""Start a kernel for somebody else's code: with limits, and shut in where the machine allows it.

``python -P jail.py ORDER KERNEL-ARGUMENTS`` becomes an IPython kernel. The order, JSON, holds the limits
and whether to shut in. On Linux a user may make namespaces of his own (unless the machine forbids it): in them
the code has no network, sees no process but its own, and finds the folders with tests and other people's work
empty. When its first process ends, so do all that it has started. :func:`can_shut_in` tries whether that works.
What this does not do: it is no defence against a hole in the kernel of the operating system, and elsewhere than
on Linux nothing is shut in. The page on teaching says how to grade in a container.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_NEW_MOUNTS, _NEW_IPC, _NEW_USER, _NEW_PIDS, _NEW_NETWORK = (
    0x20000,
    0x8000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_RECURSIVE, _PRIVATE = 0x4000, 0x40000
_READ_ONLY, _NO_SET_UID, _NO_DEVICES, _NO_EXECUTION = 1, 2, 4, 8
_DIE_WITH_PARENT, _DROP_FROM_BOUND, _NO_NEW_PRIVILEGES = 1, 24, 38
_CAPABILITIES_VERSION = 0x20080522
COMMAND = (
    sys.executable,
    "-P",
    str(Path(__file__).resolve()),
)  # by its path: a kernel has no need of the rest
_LARGEST_FILE = 256 * 2**20  # bytes that one file may grow to


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _checked(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _mount(kind: str, target: str, flags: int = 0, options: str | None = None) -> None:
    data = options.encode() if options else None
    _checked(_libc().mount(kind.encode(), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), data))


def _shut_in(hidden: Sequence[str]) -> None:
    """Give this process namespaces of its own and cover the hidden folders; in the parent this does not return."""
    user, group = os.getuid(), os.getgid()
    _checked(_libc().unshare(_NEW_USER | _NEW_MOUNTS | _NEW_PIDS | _NEW_NETWORK | _NEW_IPC))
    for name, text in [
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ]:
        Path("/proc/self", name).write_text(text, encoding="ascii")
    _checked(_libc().mount(b"none", b"/", None, ctypes.c_ulong(_RECURSIVE | _PRIVATE), None))
    for folder in hidden:
        _mount("tmpfs", folder, _READ_ONLY | _NO_SET_UID | _NO_DEVICES, "size=4k,mode=0555")
    child = os.fork()
    if child:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _, status = os.waitpid(child, 0)
        os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
    _checked(_libc().prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0))
    _mount("proc", "/proc", _NO_SET_UID | _NO_DEVICES | _NO_EXECUTION)
    _give_up_privileges()


def _give_up_privileges() -> None:
    """Leave nothing with which the covers could be lifted again."""
    libc = _libc()
    for capability in range(64):
        libc.prctl(_DROP_FROM_BOUND, capability, 0, 0, 0)  # refused beyond the last one that there is
    _checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    header = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0)
    _checked(libc.capset(header, (ctypes.c_uint32 * 6)()))


def _set_limits(seconds: int, memory: int) -> None:
    """Set what the operating system itself holds to; memory of many processes is the grader's to watch."""
    wanted = {"CPU": seconds, "FSIZE": _LARGEST_FILE, "CORE": 0}
    if sys.platform == "linux":
        wanted["DATA"] = memory
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, most = resource.getrlimit(kind)
        value = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(kind, (value, value))


def can_shut_in(hidden: Sequence[Path] = ()) -> bool:
    """Try once whether this machine lets a process be shut in."""
    if sys.platform != "linux":
        return False
    order = json.dumps({"shut_in": True, "hidden": [str(path) for path in hidden], "try": True})
    answer = subprocess.run(
        [*COMMAND, order],
        capture_output=True,
        timeout=60,
        check=False,
    )
    return answer.returncode == 0


def library_path() -> str:
    """A PYTHONPATH with which a process in any folder finds this rnnkit."""
    library = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [library, os.environ.get("PYTHONPATH")]))


def may_hide(folder: Path, needed: Sequence[Path]) -> bool:
    """Whether a folder is there and holds nothing of what a kernel needs."""
    resolved = folder.resolve()
    return resolved.is_dir() and not any(path.resolve().is_relative_to(resolved) for path in needed)


def _main(arguments: Sequence[str]) -> int:
    order = json.loads(arguments[0])
    if order["shut_in"]:
        _shut_in(order["hidden"])
    if order.get("try"):
        return 0
    _set_limits(order["seconds"], order["memory"])
    from ipykernel import kernelapp

    sys.argv = ["ipykernel_launcher", *arguments[1:]]
    sys.path.insert(0, "")  # as a kernel has it: the folder that it works in
    kernelapp.launch_new_instance()
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
