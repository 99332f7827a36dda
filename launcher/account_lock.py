"""One account, one process: two users of one auth key make Telegram end it (AUTH_KEY_DUPLICATED).

Beside each session file lies a `.lock` file. Who uses the account holds the operating system's lock on
it, which ends with the process however it ends, and writes its process id there for others to read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flows.errors import MiniAppError
from launcher.session_file import unusable

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["AccountInUse", "holder", "locked"]

_FAR_AWAY = 4096
"""Windows locks bytes against reading too: this one is not part of the process id."""


class AccountInUse(MiniAppError):
    """Another process, or another part of this one, uses the account; `pid` is its id when it is known."""

    def __init__(self, name: str, pid: int | None) -> None:
        who = "another process" if pid is None else f"process {pid}"
        who = "this process" if pid == os.getpid() else who
        super().__init__(
            f"The account {name!r} is in use by {who}.",
            "Wait until it ends or stop it; an account serves one process at a time.",
        )
        self.pid = pid


@contextmanager
def locked(path: Path, name: str) -> Iterator[None]:
    """Hold the lock file at `path` for the account `name`; it stays there, empty, when it is let go, unless
    there is no session file beside it.

    Raises AccountInUse at once when it is held, SessionFileError when there can be no such file.
    """
    descriptor = _taken(path, name)
    try:
        _write(descriptor, str(os.getpid()))
        try:
            yield
        finally:
            _write(descriptor, "")
            _tidy(path)
    finally:
        os.close(descriptor)


def _taken(path: Path, name: str) -> int:
    """The lock file, open and locked. One that somebody has opened just before it was removed is another
    file than the one at the path: then it is tried again."""
    while True:
        descriptor = _opened(path)
        try:
            if not _lock(descriptor):
                raise AccountInUse(name, _pid(path))
            if _is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _tidy(path: Path) -> None:
    """Remove the lock file of an account that is not there, while it is held."""
    if not path.with_suffix(".session").exists():
        with suppress(OSError):  # Windows removes no open file
            path.unlink()


def holder(path: Path) -> int | None:
    """The id of the running process that holds the lock file; None when nobody seems to."""
    pid = _pid(path)
    return pid if pid is not None and _runs(pid) else None


def _opened(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(path, "locked", error) from None


def _write(descriptor: int, text: str) -> None:
    os.ftruncate(descriptor, 0)
    os.lseek(descriptor, 0, os.SEEK_SET)
    os.write(descriptor, text.encode())


def _pid(path: Path) -> int | None:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):  # released, or about to be written
        return None


def _runs(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # os.kill would end it there
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, for somebody else
    return True


if sys.platform == "win32":

    def _lock(descriptor: int) -> bool:
        os.lseek(descriptor, _FAR_AWAY, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
