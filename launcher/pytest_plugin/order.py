"""Which test runs where and when.

Several platforms parametrise every test that opens an app. On a server whose accounts have session files an
account works in one process at a time: the files of a run, in the order of their names, are given to the
accounts in turn, and under `pytest -n 4 --dist loadgroup` those of one account are a group, which one process
gets. Only the main process decides that, and of a test it knows but the name.
pytest-playwright's synchronous `page` leaves an event loop running behind it, in which no asynchronous test
can start: tests that use it come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import cycle
from typing import Any

import pytest

from launcher.pytest_plugin.options import SANDBOX, run_options

__all__ = [
    "accounts_of_files",
    "file_of",
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
            return f"mini_app {self._accounts.get(file_of(nodeid))}" if own == nodeid else str(own)

        @cached_property
        def _accounts(self) -> dict[str, str]:
            return accounts_of_files(options.accounts, self.collection)

    return ByAccount(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if any(map(_opens, items)):
        items.sort(key=_leaves_a_loop)


def accounts_of_files(accounts: Sequence[str], nodeids: Iterable[str]) -> dict[str, str]:
    """Which account the tests of each file have, in a run of these tests: the same in each process of the
    run. Empty without accounts."""
    files = sorted(set(map(file_of, nodeids)))
    return dict(zip(files, cycle(accounts), strict=False))


def file_of(nodeid: str) -> str:
    """The file of a test, as pytest and xdist name the test."""
    return nodeid.partition("::")[0]


def _opens(item: pytest.Item) -> bool:
    return "mini_app_settings" in getattr(item, "fixturenames", ())


def _leaves_a_loop(item: pytest.Item) -> bool:
    return "playwright" in getattr(item, "fixturenames", ())
