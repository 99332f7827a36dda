"""What is kept of the launches of one test, and where.

A test's folder in the output folder has, for each launch: `launch.json` and `report.html` (everything that is
known of it, masked), `screenshot.png`, and `trace.zip` and the video where the run asks for them. A later
launch of the same test has a number in its file names. The picture is taken where a failure leaves an app.

A test that passes leaves nothing, unless an option is `on`.
"""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from launcher.pytest_plugin.options import Keep, RunOptions

if TYPE_CHECKING:
    from launcher.report import Recording, SavedLaunch

__all__ = ["Launches", "folder_of"]

_LONGEST = 80
"""Characters of a folder's name: paths have an end on some systems."""


def folder_of(output: Path, nodeid: str) -> Path:
    """A test's own folder: its name in plain letters, and a number that tells apart what reads alike then."""
    name = re.sub(r"[^\w.-]+", "-", nodeid).strip("-")[-_LONGEST:]
    return output / f"{name}-{crc32(nodeid.encode()):08x}"


class Launches:
    """The launches of one test; `failed` once it has."""

    def __init__(self, options: RunOptions, folder: Path) -> None:
        self.failed = False
        self.folder = folder
        self._options = options
        self._saved: list[SavedLaunch] = []
        self._written = 0
        self._traces = 0
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier run

    def wants_picture(self, *, failed: bool) -> bool:
        return _wanted(self._options.screenshot, failed or self.failed)

    def trace(self) -> Path | None:
        if self._options.tracing == "off":
            return None
        self._traces += 1
        return self._file("trace", self._traces, ".zip")

    def video(self) -> Path | None:
        if self._options.video == "off":
            return None
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder

    async def over(self, record: Recording) -> None:
        """A launch has ended, and those by links in its page are told of too."""
        self._saved.extend(await record.all_saved())

    def write(self) -> list[tuple[SavedLaunch, list[Path]]]:
        """Write what is known of the launches that are over and not written yet."""
        from launcher.report import html

        told = []
        for number, saved in enumerate(self._saved[self._written :], self._written + 1):
            report, launch = self._file("report", number, ".html"), self._file("launch", number, ".json")
            report.write_text(html(saved), "utf-8")
            saved.write(launch)
            told.append((saved, [report, launch, *self._pictures(saved, number)]))
        if told:
            told[-1][1].extend(self._recorded())
        self._written = len(self._saved)
        return told

    def finish(self) -> None:
        """After a test that has passed: keep what is always kept, and nothing else."""
        for number, saved in enumerate(self._saved, 1):
            if self._options.screenshot == "on":
                self._pictures(saved, number)
        for keep, pattern in ((self._options.tracing, "trace*.zip"), (self._options.video, "*.webm")):
            if keep != "on":
                for file in self.folder.glob(pattern):
                    file.unlink()
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _pictures(self, saved: SavedLaunch, number: int) -> list[Path]:
        files = []
        for picture in saved.screenshots:
            files.append(self._file("screenshot", number, ".png"))
            files[-1].write_bytes(base64.b64decode(picture.png))
        return files

    def _recorded(self) -> list[Path]:
        return sorted(file for file in self.folder.iterdir() if file.suffix in (".zip", ".webm"))

    def _file(self, name: str, number: int, suffix: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / (f"{name}{suffix}" if number == 1 else f"{name}-{number}{suffix}")


def _wanted(keep: Keep, failed: bool) -> bool:
    return keep == "on" or (keep == "retain-on-failure" and failed)
