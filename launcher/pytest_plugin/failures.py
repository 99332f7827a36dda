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

from launcher.pytest_plugin.launches import Launches

if TYPE_CHECKING:
    from launcher.report import SavedLaunch

__all__ = ["LAUNCHES", "pytest_runtest_makereport"]

LAUNCHES = pytest.StashKey[Launches]()
_EVENTS = 3
_KINDS = {".html": "text/html", ".json": "application/json", ".png": "image/png", ".zip": "application/zip"}


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
        for saved, files in launches.write():
            _tell(item, report, saved, files)
    elif report.when == "teardown":
        launches.finish()
    return report


def _tell(item: pytest.Item, report: pytest.TestReport, saved: SavedLaunch, files: list[Path]) -> None:
    title = f"Mini App {saved.target}"
    if report.when == "teardown":  # of these pytest shows what says so
        title += " (until teardown)"
    report.sections.append((title, "\n".join(_lines(saved, files))))
    for file in files:
        known = ("mini_app_" + file.stem.replace("-", "_"), str(file))
        item.user_properties.append(known)
        report.user_properties.append(known)
    _into_html(item, report, files)
    _into_allure(files)


def _lines(saved: SavedLaunch, files: list[Path]) -> list[str]:
    """At most ten lines; nothing in them opens the app again."""
    return [text for text in _facts(saved, files) if text][:10]


def _facts(saved: SavedLaunch, files: list[Path]) -> Iterator[str]:
    app, answer = saved.app or {}, saved.answer or {}
    opened = f"{app['flow']} of @{(saved.bot or {}).get('username')}" if saved.opened else "nothing"
    yield f"opened      {opened} on {saved.platform} ({saved.server})"
    yield f"stopped     {_short(saved.failure.message, 300)}" if saved.failure else ""
    yield f"page        {_short(str(answer['url']).partition('#')[0])}" if answer.get("url") else ""
    yield f"closed      {saved.closed}" if saved.closed not in (None, "caller") else ""
    for event in saved.events[-_EVENTS:]:
        way = "↑" if event.direction == "outgoing" else "↓"
        yield f"event       {event.at:.3f} s {way} {_short(event.name + ' ' + (event.data or ''))}"
    waits = ", ".join(one.name for one in saved.unanswered)
    yield f"unanswered  {waits}" if waits else ""
    wrong = _wrong(saved)
    yield f"console     {len(wrong)}: {_short(wrong[-1])}" if wrong else ""
    requests = ", ".join(dict.fromkeys(one.method for one in saved.exchanges))
    yield f"requests    {_short(requests, 200)}"
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
