"""How far a long command has come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from launcher.cli.output import say
from launcher.plain_text import plain

__all__ = ["Shown", "progress"]

Shown: TypeAlias = Callable[[int, int, object], None]
"""Is told how many are done, of how many, and what there is to say of that."""


@contextmanager
def progress(*, quiet: bool = False, lines: bool = False) -> Iterator[Shown]:
    """A bar on a terminal, on standard error. Elsewhere nothing, or with `lines` a line each time; nothing at
    all when `quiet`."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True, markup=False)
    if quiet or not console.is_terminal:
        yield _line if lines and not quiet else _nothing
        return
    columns = (BarColumn(20), TimeRemainingColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, of, what: bar.update(task, completed=done, total=of, description=plain(what))


def _line(_done: int, _of: int, what: object) -> None:
    say(what)


def _nothing(_done: int, _of: int, _what: object) -> None:
    pass
