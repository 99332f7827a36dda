"""What is told of a test that failed: ten lines of each launch below its traceback, and the whole in files.

The files are named in those lines, in JUnit's XML (properties of the test case), and in the reports of
pytest-html and Allure where these run.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher.pytest_plugin.launches import Ended, Launches

if TYPE_CHECKING:
    from launcher.report.saved import SavedEvent, SavedLaunch

__all__ = ["LAUNCHES", "pytest_runtest_makereport"]

LAUNCHES = pytest.StashKey[Launches]()
_LINES = 10
_EVENTS = 3
_KINDS = {
    ".html": "text/html",
    ".json": "application/json",
    ".png": "image/png",
    ".zip": "application/zip",
    ".webm": "video/webm",
    ".jpg": "image/jpeg",
}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    launches = item.stash.get(LAUNCHES, None)
    if launches is None:
        return report
    launches.failed = launches.failed or report.failed
    if launches.failed:
        for ended, files in launches.write():
            _tell(item, report, ended, files)
    elif report.when == "teardown":
        launches.finish()
    if report.when == "teardown":
        del item.stash[LAUNCHES]  # pytest keeps its items until the end of the run
    return report


def _tell(item: pytest.Item, report: pytest.TestReport, ended: Ended, files: list[Path]) -> None:
    title = f"Mini App {ended.saved.target}"
    if report.when == "teardown":  # of these pytest shows what says so
        title += " (until teardown)"
    report.sections.append((title, "\n".join(_lines(ended, files))))
    for file in files:
        known = (_property(file), str(file))
        item.user_properties.append(known)
        report.user_properties.append(known)
    _into_html(item, report, files)
    _into_allure(files)


def _property(file: Path) -> str:
    """A file's name in JUnit's XML: mini_app_report, mini_app_trace_2, mini_app_video."""
    name = (
        file.parent.name
        if file.parent.name.startswith("video") and file.stem.startswith("page")
        else file.stem
    )
    return "mini_app_" + name.replace("-", "_")


def _lines(ended: Ended, files: list[Path]) -> list[str]:
    """At most ten lines; nothing in them opens the app again. The events have what the others leave."""
    saved = ended.saved
    before = [text for text in _beginning(saved) if text]
    after = [text for text in (*_outcome(saved), *_whole(ended, files)) if text]
    room = min(_EVENTS, _LINES - len(before) - len(after))
    return [*before, *map(_event, saved.events[max(0, len(saved.events) - room) :]), *after]


def _beginning(saved: SavedLaunch) -> Iterator[str]:
    app = saved.app or {}
    opened = f"{app['flow']} of @{(saved.bot or {}).get('username')}" if saved.opened else "nothing"
    yield f"opened      {opened} on {saved.platform} ({saved.server})"
    yield f"stopped     {_short(saved.failure.message, 300)}" if saved.failure else ""
    yield _page(saved)


def _page(saved: SavedLaunch) -> str:
    """Its address, and over HTTP what came of it."""
    url, page = str((saved.answer or {}).get("url", "")).partition("#")[0], saved.page or {}
    said = page.get("status") or page.get("failure")
    return f"page        {_short(url)}{f': {_short(str(said))}' if said else ''}" if url else ""


def _event(event: SavedEvent) -> str:
    way = "↑" if event.direction == "outgoing" else "↓"
    return f"event       {event.at:.3f} s {way} {_short(event.name + ' ' + (event.data or ''))}"


def _outcome(saved: SavedLaunch) -> Iterator[str]:
    waits = ", ".join(f"{one.name} since {one.at:.3f} s" for one in saved.unanswered)
    yield f"unanswered  {_short(waits, 200)}" if waits else ""
    wrong = _wrong(saved)
    yield f"console     {len(wrong)}: {_short(wrong[-1])}" if wrong else ""
    requests = ", ".join(dict.fromkeys(one.method for one in saved.exchanges))
    yield f"requests    {_short(requests, 200)}"


def _whole(ended: Ended, files: list[Path]) -> Iterator[str]:
    closed = ended.saved.closed
    yield f"closed      {closed}" if closed not in (None, "caller") else ""
    yield "" if ended.failing else "left        before the test failed: this is how it was at its end"
    yield f"report      {files[0]}"


def _wrong(saved: SavedLaunch) -> list[str]:
    """Errors on the page's console, and what else was seen of it, in their order."""
    errors = [(one.at, one.text) for one in saved.console if one.level == "error"]
    return [text for _, text in sorted([*errors, *((one.at, one.text) for one in saved.seen)])]


def _short(text: str, longest: int = 100) -> str:
    from launcher.plain_text import plain

    line = plain(text).strip()
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def _into_html(item: pytest.Item, report: Any, files: list[Path]) -> None:
    if not item.config.pluginmanager.hasplugin("html"):
        return
    from pytest_html import extras

    report.extras = [
        *getattr(report, "extras", []),
        *(extras.url(file.as_uri(), name=f"Mini App {file.name}") for file in files),
    ]


def _into_allure(files: list[Path]) -> None:
    allure = sys.modules.get("allure")
    if allure is not None:
        for file in files:
            kind = _KINDS.get(file.suffix)
            allure.attach.file(str(file), name=file.name, attachment_type=kind, extension=file.suffix[1:])
