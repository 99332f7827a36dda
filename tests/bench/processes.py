"""What the processes below this one weigh, from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

__all__ = ["resident_bytes"]

_PROC = Path("/proc")


def resident_bytes(name: str) -> int:
    """The resident set of all descendants whose name begins so; 0 where there is no /proc."""
    parents: dict[int, list[int]] = defaultdict(list)
    names: dict[int, str] = {}
    for pid, parent, called in _processes():
        parents[parent].append(pid)
        names[pid] = called
    return sum(_resident(pid) for pid in _below(os.getpid(), parents) if names[pid].startswith(name))


def _processes() -> Iterator[tuple[int, int, str]]:
    """Process, its parent and its name, of all that run."""
    for folder in _PROC.glob("[0-9]*"):
        try:
            head, _, tail = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        yield int(folder.name), int(tail.split()[1]), head.partition("(")[2]


def _below(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    for child in children.get(pid, ()):
        yield child
        yield from _below(child, children)


def _resident(pid: int) -> int:
    try:
        pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
