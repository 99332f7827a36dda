"""Which test runs where and when.

Several platforms parametrise every test that opens an app. On a server whose accounts have session files an
account works in one process at a time: under `pytest -n 4 --dist loadgroup` the files of one account are a
group, which one process gets. Only the main process decides that, and of a test it knows but the name.
pytest-playwright's synchronous `page` leaves an event loop running behind it, in which no asynchronous test
can start: tests that use it come last.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from launcher.pytest_plugin.options import SANDBOX, RunOptions, run_options

__all__ = [
    "account_of",
    "pytest_collection_modifyitems",
    "pytest_generate_tests",
    "pytest_xdist_make_scheduler",
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = "mini_app_platform"
    if name not in metafunc.fixturenames:
        return
    given = {
        argument.strip()
        for mark in metafunc.definition.iter_markers("parametrize")
        for argument in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])
    }
    platforms = run_options(metafunc.config).platforms
    if name not in given and len(platforms) > 1:
        metafunc.parametrize(name, platforms)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    options = run_options(config)
    if config.getoption("dist") != "loadgroup" or options.server == SANDBOX:
        return None
    from xdist.scheduler import LoadGroupScheduling

    class ByAccount(LoadGroupScheduling):  # type: ignore[misc]
        """Groups as the tests' own marks say, and the rest by account."""

        def _split_scope(self, nodeid: str) -> str:
            own = super()._split_scope(nodeid)
            account = account_of(options, Path(nodeid.partition("::")[0]))
            return f"mini_app {account}" if own == nodeid else str(own)

    return ByAccount(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any(map(_opens, items)):
        items.sort(key=_leaves_a_loop)


def account_of(options: RunOptions, file: Path) -> str | None:
    """The account of the tests in a file: of several always the same one, on whatever machine."""
    if not options.accounts:
        return None
    return options.accounts[crc32(file.name.encode()) % len(options.accounts)]


def _opens(item: pytest.Item) -> bool:
    return "mini_app_settings" in getattr(item, "fixturenames", ())


def _leaves_a_loop(item: pytest.Item) -> bool:
    return "playwright" in getattr(item, "fixturenames", ())
