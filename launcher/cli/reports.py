"""Reports of many launches: `--report` of `miniapp check`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from launcher.cli.output import say

if TYPE_CHECKING:
    from launcher.probe import CheckResult

__all__ = ["Reports"]


class Reports:
    """A page for each target: in the file `path` for one target, in the folder `path` for several and when it
    is a folder already. Made before the checks, so that a wrong path costs none: raises typer.BadParameter.
    """

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self._path = path
        self._folder = path.is_dir() or len(names) > 1
        if self._folder and (path.suffix == ".html" or path.is_file()):
            raise _wrong(f"{path} is no folder, and {len(names)} targets have a page each: name a folder")
        if not path.resolve().parent.is_dir():
            raise _wrong(f"there is no folder {path.parent}: make it first")

    def write(self, results: Iterable[CheckResult]) -> None:
        """Write the pages, and tell where they are. Raises BadInput when that cannot be done."""
        from flows import BadInput
        from launcher.report import html

        try:
            if self._folder:
                self._path.mkdir(exist_ok=True)
            for result in results:
                if result.saved is None:
                    say(f"No report of {result.target}: it was not opened.")
                    continue
                page = self._path / f"{result.target}.html" if self._folder else self._path
                page.write_text(html(result.saved), "utf-8")
                say(f"Report: {page}")
        except OSError as error:
            raise BadInput(
                f"{error.filename}: {error.strerror}.", "Name a place that can be written."
            ) from None


def _wrong(text: str) -> typer.BadParameter:
    return typer.BadParameter(text, param_hint="--report")
