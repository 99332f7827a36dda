"""What is kept of a launch: the options --report and --save."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launcher.cli.output import say
from launcher.cli.written import writing

if TYPE_CHECKING:
    from launcher.mini_app import MiniApp
    from launcher.report import SavedLaunch

__all__ = ["Keeping", "settled"]

_READY = 15.0
"""Seconds for a page to say that it is ready."""
_BUSY = 5.0
"""Seconds for it to load what it loads by itself; one that polls never rests."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a launch is written to. Made before the launch, so that a wrong path costs none: raises
    typer.BadParameter for a folder that does not exist."""

    report: Path | None = None
    save: Path | None = None

    def __post_init__(self) -> None:
        for path, option in ((self.report, "--report"), (self.save, "--save")):
            if path is not None and not path.resolve().parent.is_dir():
                raise typer.BadParameter(
                    f"there is no folder {path.parent}: make it first", param_hint=option
                )

    @property
    def wanted(self) -> bool:
        return self.report is not None or self.save is not None

    def keep(self, launches: Sequence[SavedLaunch]) -> None:
        """Write the files, and tell where they are. Launches by links in the page follow the first one, and
        have a number in the names of their files; a revealed one is readable by its owner only. Raises
        BadInput for a file that cannot be written."""
        from launcher.private_file import for_owner_only
        from launcher.report import html

        for number, saved in enumerate(launches, 1):
            if self.save is not None:
                file = _numbered(self.save, number)
                with writing(file):
                    saved.write(file)
                say(f"Saved: {file}{_warning(saved)}")
            if self.report is not None:
                file = _numbered(self.report, number)
                with writing(file):
                    if saved.revealed:
                        for_owner_only(file)
                    file.write_text(html(saved), "utf-8")
                say(f"Report: {file}{_warning(saved)}")


def _numbered(file: Path, number: int) -> Path:
    return file if number == 1 else file.with_stem(f"{file.stem}-{number}")


def _warning(saved: SavedLaunch) -> str:
    return " (it holds secrets)" if saved.revealed else ""


async def settled(app: MiniApp) -> None:
    """Until the app's page is ready and rests, is over, or has had its time; at once if it is not shown."""
    if app.live is None:
        return
    import asyncio

    over = asyncio.ensure_future(app.closed())
    try:
        for step, seconds in ((app.live.ready, _READY), (partial(_rest, app), _BUSY)):
            task = asyncio.ensure_future(step())
            await asyncio.wait((task, over), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            task.cancel()
    finally:
        over.cancel()


async def _rest(app: MiniApp) -> None:
    from playwright.async_api import Error

    with suppress(Error):
        await app.frame.wait_for_load_state("networkidle")
