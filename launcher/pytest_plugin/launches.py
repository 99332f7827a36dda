"""What is kept of the launches of one test, and where.

A test's folder in the output folder has, for each launch: `launch.json` and `report.html` (everything that is
known of it, masked), `screenshot.png`, and `trace.zip` and `video/page.webm` where the run asks for them. A
later launch of the same test has a number in its names. The picture is taken where a failure leaves an app;
of an app that was left before its test failed there is none, but what is known of its end.

A test that passes leaves nothing, unless an option is `on`, and costs nothing: what a launch was is put into
words only when it is to be told.
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

__all__ = ["Ended", "Launches", "folder_of"]

_LONGEST = 80
"""Characters of a folder's name: paths have an end on some systems."""
_FAILURE = 4_000
"""Characters of a test's failure."""


def folder_of(output: Path, nodeid: str) -> Path:
    """A test's own folder: its name in plain letters, and a number that tells apart what reads alike then."""
    name = re.sub(r"[^\w.-]+", "-", nodeid).strip("-")[-_LONGEST:]
    return output / f"{name}-{crc32(nodeid.encode()):08x}"


class Ended:
    """A launch at its end: what it was when a failure left it (`failing`), or when it was over. `stopped_by`
    is what its opening ended with."""

    def __init__(self, record: Recording, *, failing: bool, stopped_by: BaseException | None = None) -> None:
        self.failing = failing
        self._record = record
        self._then = _stopped(record.saved(patience=0), stopped_by) if failing else None

    @property
    def saved(self) -> SavedLaunch:
        return self._then or self._record.saved()

    def masked(self, text: str) -> str:
        return self._record.masked(text)

    def judged(self, test: str, failure: str) -> SavedLaunch:
        """As it was, with the test that failed and its failure."""
        from launcher.report.saved import SavedJudgement

        judgement = SavedJudgement(by=test, verdict="failed", text=failure[:_FAILURE])
        return self.saved.model_copy(update={"judgement": judgement})


def _stopped(saved: SavedLaunch, by: BaseException | None) -> SavedLaunch:
    """With what stopped the launch. Of what is none of the launcher's errors only the kind is told: its text
    may have any address in it, and the test's traceback has it."""
    from launcher.report.saved import SavedFailure

    if by is None or saved.failure is not None:
        return saved
    kind = type(by).__name__
    failure = SavedFailure(type=kind, message=f"{kind}, while it was opened.")
    return saved.model_copy(update={"failure": failure})


class Launches:
    """The launches of one test; `failed` once it has."""

    def __init__(self, options: RunOptions, folder: Path) -> None:
        self.failed = False
        self.folder = folder
        self._options = options
        self._ended: list[Ended] = []
        self._written = 0
        self._shown = 0
        self._traces: list[Path] = []
        self._films: list[Path] = []
        shutil.rmtree(folder, ignore_errors=True)  # of an earlier run

    def wants_picture(self, *, failing: bool) -> bool:
        return _wanted(self._options.screenshot, failing)

    def recordings(self) -> dict[str, Path]:
        """Where the trace and the video of the next page go, as far as the run wants them."""
        self._shown += 1
        wanted = {}
        if self._options.tracing != "off":
            self._traces.append(self._file("trace", self._shown, ".zip"))
            wanted["trace"] = self._traces[-1]
        if self._options.video != "off":
            self._films.append(self._file("video", self._shown))
            wanted["video"] = self._films[-1]
        return wanted

    def over(self, ended: list[Ended]) -> None:
        """Launches have ended, or are about to."""
        self._ended.extend(ended)

    def write(self, test: str, failure: str) -> list[tuple[Ended, list[Path]]]:
        """Write what is known of the launches that are over and not written yet; of the test that has failed
        its name and what it failed with."""
        from launcher.report import html

        for one in self._ended:  # it may quote any of them
            failure = one.masked(failure)
        told = []
        for number, ended in enumerate(self._ended[self._written :], self._written + 1):
            saved = ended.judged(test, failure)
            report, launch = self._file("report", number, ".html"), self._file("launch", number, ".json")
            report.write_text(html(saved), "utf-8")
            saved.write(launch)
            told.append((ended, [report, launch, *self._pictures(saved, number)]))
        if told:
            told[-1][1].extend(self._recorded())
        self._written = len(self._ended)
        return told

    def finish(self) -> None:
        """After a test that has passed: keep what is always kept, and nothing else."""
        if self._options.screenshot == "on":
            for number, ended in enumerate(self._ended, 1):
                self._pictures(ended.saved, number)
        if self._options.tracing != "on":
            for file in self._traces:
                file.unlink(missing_ok=True)
        if self._options.video != "on":
            for folder in self._films:
                shutil.rmtree(folder, ignore_errors=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _pictures(self, saved: SavedLaunch, number: int) -> list[Path]:
        files = []
        for picture in saved.screenshots:
            files.append(self._file("screenshot", number, ".png"))
            files[-1].write_bytes(base64.b64decode(picture.png))
        return files

    def _recorded(self) -> list[Path]:
        """Traces and films. Of the pictures that stand for a film the first one shows the way."""
        films = [file for folder in self._films for file in sorted(folder.glob("page*"))[:1]]
        return [*filter(Path.exists, self._traces), *films]

    def _file(self, name: str, number: int, suffix: str = "") -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / (f"{name}{suffix}" if number == 1 else f"{name}-{number}{suffix}")


def _wanted(keep: Keep, failed: bool) -> bool:
    return keep == "on" or (keep == "retain-on-failure" and failed)
