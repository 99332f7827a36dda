"""What is told of a test that failed: ten lines of each launch below its traceback, and the whole in files.

The files are named in those lines, in JUnit's XML (properties of the test case), and in the reports of
pytest-html and Allure where these run.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from launcher.pytest_plugin.launches import Ended, Launches

if TYPE_CHECKING:
    from launcher.report.saved import SavedEvent, SavedLaunch

__all__ = ["LAUNCHES", "lines", "pytest_runtest_makereport"]

LAUNCHES = pytest.StashKey[Launches]()
_LINES = 10
_EVENTS = 3
_REFUSED = 400
"""The first HTTP status that is a failure."""
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
        for ended, files in launches.write(item.nodeid, _message(report)):
            _tell(item, report, ended, files)
    elif report.when == "teardown":
        launches.finish()
    if report.when == "teardown":
        del item.stash[LAUNCHES]  # pytest keeps its items until the end of the run
    return report


def _message(report: pytest.TestReport) -> str:
    """What the test failed with, as far as this phase of it tells."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return crash.message if crash is not None else report.longreprtext


def _tell(item: pytest.Item, report: pytest.TestReport, ended: Ended, files: list[Path]) -> None:
    title = f"Mini App {ended.saved.target}"
    if report.when == "teardown":  # of these pytest shows what says so
        title += " (until teardown)"
    report.sections.append((title, "\n".join(lines(ended.saved, files, failing=ended.failing))))
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


def lines(saved: SavedLaunch, files: list[Path], *, failing: bool) -> list[str]:
    """At most ten lines; nothing in them opens the app again. The events have what the others leave, and the
    place of the whole comes last, whatever else there is. `failing`: it is the app as the failure met it."""
    before = [text for text in _beginning(saved) if text]
    after = [text for text in _outcome(saved, failing) if text]
    room = max(0, min(_EVENTS, _LINES - 1 - len(before) - len(after)))
    events = map(_event, saved.events[len(saved.events) - min(room, len(saved.events)) :])
    return [*before, *events, *after, f"report      {files[0]}"]


def _beginning(saved: SavedLaunch) -> Iterator[str]:
    """Four lines at most; and `_outcome` has five."""
    app = saved.app or {}
    opened = f"{app['flow']} of @{(saved.bot or {}).get('username')}" if saved.opened else "nothing"
    yield f"opened      {opened} on {saved.platform} ({saved.server})"
    yield _launch(saved)
    yield f"stopped     {_line(saved.failure.message, 300)}" if saved.failure else ""
    yield _page(saved)


def _launch(saved: SavedLaunch) -> str:
    """Who opened it, with what, and how old the proof of that is at its end."""
    told: Mapping[str, Any] = saved.init_data or {}
    user = told.get("user") or {}
    name = user.get("username")
    facts = [
        f"user {user['id']} {f'@{name}' if name else user.get('first_name', '')}" if user else "no user",
        f"start_param {_line(told['start_param'])}" if told.get("start_param") else "no start_param",
    ]
    if told.get("auth_date"):
        age = saved.when.timestamp() + saved.seconds - told["auth_date"]
        facts.append(f"auth {max(0, age):.0f} s old")
    return f"launch      {', '.join(facts) if told else 'no init data'}" if saved.opened else ""


def _page(saved: SavedLaunch) -> str:
    """Its address, and over HTTP what came of it."""
    url, page = str((saved.answer or {}).get("url", "")).partition("#")[0], saved.page or {}
    said = page.get("status") or page.get("failure")
    return f"page        {_line(url)}{f': {_line(str(said))}' if said else ''}" if url else ""


def _event(event: SavedEvent) -> str:
    way = "↑" if event.direction == "outgoing" else "↓"
    return f"event       {event.at:.3f} s {way} {_line(event.name + ' ' + (event.data or ''))}"


def _outcome(saved: SavedLaunch, failing: bool) -> Iterator[str]:
    waits = ", ".join(f"{one.name} since {one.at:.3f} s" for one in saved.unanswered)
    yield f"unanswered  {_line(waits, 200)}" if waits else ""
    wrong = _wrong(saved)
    yield f"console     {len(wrong)}: {_line(wrong[-1])}" if wrong else ""
    yield _network(saved)
    requests = ", ".join(dict.fromkeys(one.method for one in saved.exchanges))
    yield f"requests    {_line(requests, 200)}"
    yield _end(saved, failing)


def _network(saved: SavedLaunch) -> str:
    """Of the page's own requests those that failed: how many, and the last one."""
    failed = [one for one in saved.network if one.failure or (one.status or 0) >= _REFUSED]
    if not failed:
        return ""
    last = failed[-1]
    why = last.failure or str(last.status)
    number = f"{len(failed)} of {len(saved.network)} failed"
    return f"network     {number}: {last.method} {_line(last.origin + last.path)}: {_line(why)}"


def _end(saved: SavedLaunch, failing: bool) -> str:
    """Why it is closed, when the test did not see to that, and what this is an account of."""
    why = [saved.closed] if saved.closed not in (None, "caller") else []
    if not failing:
        why.append("left before the test failed: this is how it was at its end")
    return f"closed      {', '.join(why)}" if why else ""


def _wrong(saved: SavedLaunch) -> list[str]:
    """Errors on the page's console, and what else was seen of it but its requests, in their order. A film
    that could not be taken is not the page's fault."""
    errors = [(one.at, one.text) for one in saved.console if one.level == "error"]
    others = [(one.at, one.text) for one in saved.seen if one.kind not in ("request failed", "no video")]
    return [text for _, text in sorted([*errors, *others])]


def _line(text: str, longest: int = 100) -> str:
    from launcher.plain_text import plain
    from launcher.short_text import shortened

    return shortened(plain(text).strip(), longest)


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
