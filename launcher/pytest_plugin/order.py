"""Which test runs where and when.

Several platforms parametrise every test that opens an app. On a server whose accounts have session files an
account works in one process at a time: tests of one account are a group for `pytest -n 4 --dist loadgroup`.
pytest-playwright's synchronous `page` leaves an event loop running behind it, in which no asynchronous test can
start: tests that use it come last.
"""

from __future__ import annotations

from pathlib import Path
from zlib import crc32

import pytest

from launcher.pytest_plugin.options import SANDBOX, RunOptions, run_options

__all__ = ["account_of", "pytest_collection_modifyitems", "pytest_generate_tests"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = "mini_app_platform"
    given = {
        argument.strip()
        for mark in metafunc.definition.iter_markers("parametrize")
        for argument in (mark.args[0].split(",") if isinstance(mark.args[0], str) else mark.args[0])
    }
    platforms = run_options(metafunc.config).platforms
    if name in metafunc.fixturenames and name not in given and len(platforms) > 1:
        metafunc.parametrize(name, platforms)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not any(map(_opens, items)):
        return
    options = run_options(config)
    if options.server != SANDBOX:
        for item in filter(_opens, items):
            if item.get_closest_marker("xdist_group") is None:
                account = account_of(options, item.path) or "the only account"
                item.add_marker(pytest.mark.xdist_group(f"mini_app {account}"))
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
