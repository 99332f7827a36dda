"""Which test runs where and when.

Several platforms parametrise every test that opens an app. On a server whose accounts have session files an
account works in one process at a time: tests of one account are a group for `pytest -n 4 --dist loadgroup`.
pytest-playwright's synchronous `page` leaves an event loop running behind it, in which no asynchronous test
can start: tests that use it come last.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from launcher.pytest_plugin.options import SANDBOX, RunOptions, run_options

__all__ = [
    "account_of",
    "pytest_collection_modifyitems",
    "pytest_generate_tests",
    "pytest_itemcollected",
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


def pytest_itemcollected(item: pytest.Item) -> None:
    if not (_opens(item) and item.config.pluginmanager.hasplugin("xdist")):
        return
    options = run_options(item.config)
    if options.server != SANDBOX and item.get_closest_marker("xdist_group") is None:
        account = account_of(options, item.path) or "the only account"
        item.add_marker(pytest.mark.xdist_group(f"mini_app {account}"))


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
