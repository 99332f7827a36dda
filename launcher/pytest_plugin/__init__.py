"""Mini Apps in pytest.

    @pytest.mark.asyncio
    async def test_the_shop_opens(mini_app_open):
        async with mini_app_open("https://t.me/demo_bot/app") as app:
            await expect(app).to_be_ready()

Fixtures hand out what is not entered yet, and the test enters it: so they work under pytest-asyncio, which
runs set-up, test and teardown in different tasks, and under anyio. Without an option everything happens in a
sandbox of the test's own, with a sample page behind every app: no account, no network, no phone.

    options.py         the command line's options, and the same in pytest's ini file
    fixtures.py        what a test asks for
    world.py           the sandbox's world: bots of the test's own
    shared.py          one launcher for all that a test opens
    opening.py         one app of a test, with what is kept of it
    one_task.py        entering and leaving in a task of its own
    browser_server.py  one Chromium for the whole run
    order.py           which test runs where and when
    launches.py        what is kept of a test's apps
    failures.py        what is told of a test that failed

Every pytest run in an environment with this package imports this module: nothing large is imported before a
test wants it.
"""

from __future__ import annotations

from launcher.pytest_plugin.failures import pytest_runtest_makereport
from launcher.pytest_plugin.fixtures import (
    _mini_app_accounts,
    _mini_app_browser_server,
    _mini_app_launches,
    mini_app_account,
    mini_app_browser,
    mini_app_launcher,
    mini_app_open,
    mini_app_output,
    mini_app_platform,
    mini_app_settings,
    mini_app_world,
)
from launcher.pytest_plugin.options import pytest_addoption, pytest_configure
from launcher.pytest_plugin.order import (
    pytest_collection_modifyitems,
    pytest_generate_tests,
    pytest_xdist_make_scheduler,
)

__all__ = [
    "_mini_app_accounts",
    "_mini_app_browser_server",
    "_mini_app_launches",
    "mini_app_account",
    "mini_app_browser",
    "mini_app_launcher",
    "mini_app_open",
    "mini_app_output",
    "mini_app_platform",
    "mini_app_settings",
    "mini_app_world",
    "pytest_addoption",
    "pytest_collection_modifyitems",
    "pytest_configure",
    "pytest_generate_tests",
    "pytest_runtest_makereport",
    "pytest_xdist_make_scheduler",
]
