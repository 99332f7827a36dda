"""Two readers: a person, who gets tables and lines, and a program, which gets one JSON value.

Names, titles and texts come from strangers. Before a person sees them, whatever could steer a terminal or
turn the direction of the text is made visible, and nothing in them is taken for markup.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from launcher.plain_text import plain

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["say", "show_json", "show_line", "show_panel", "show_table"]


def say(text: object) -> None:
    """A line for a person, on standard error."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()


def show_line(text: object) -> None:
    """A line of the result, on standard output."""
    sys.stdout.write(f"{plain(text)}\n")
    sys.stdout.flush()


def show_json(value: Any) -> None:
    """The result for a program: one line of ASCII on standard output."""
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def show_table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str | None = None,
    on_error: bool = False,
    whole: bool = False,
) -> None:
    """A table on standard output, or on standard error; None is an empty cell. `whole`: only the last
    column is broken into lines, however narrow the terminal."""
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=whole and column != columns[-1])
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    _console(on_error).print(table)


def show_panel(title: str, fields: Iterable[tuple[str, object]]) -> None:
    """Names and values in a frame on standard output, None left out."""
    from rich.panel import Panel
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in fields:
        if value is not None:
            grid.add_row(name, _cell(value))
    _console(False).print(Panel(grid, title=Text(plain(title)), title_align="left", expand=False))


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
    return plain(value)


def _console(on_error: bool) -> Console:
    from rich.console import Console

    return Console(stderr=on_error, markup=False, emoji=False, highlight=False)
