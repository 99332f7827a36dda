"""What a test asks for. Everything is handed out un-entered; a test overrides what it wants otherwise.

mini_app_open      opens an app: the one most tests need
mini_app_launcher  the launcher that opens them, for a test that wants it for itself
mini_app_world     the sandbox's world, and bots of the test's own
mini_app_settings, mini_app_account, mini_app_platform, mini_app_browser
                   what the others are made of
mini_app_output    a folder for what a test wants to keep
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from launcher.pytest_plugin.browser_server import BrowserServer
from launcher.pytest_plugin.failures import LAUNCHES
from launcher.pytest_plugin.launches import Launches, folder_of
from launcher.pytest_plugin.opening import AppOfTest
from launcher.pytest_plugin.options import SANDBOX, run_options
from launcher.pytest_plugin.order import accounts_of_files, file_of
from launcher.pytest_plugin.shared import SharedLauncher
from launcher.pytest_plugin.world import MiniAppWorld

if TYPE_CHECKING:
    from launcher import MiniApp, Settings
    from launcher.hosts.browser import Browser

__all__ = [
    "OpenApp",
    "_mini_app_accounts",
    "_mini_app_browser_server",
    "mini_app_account",
    "mini_app_browser",
    "mini_app_launcher",
    "mini_app_open",
    "mini_app_output",
    "mini_app_platform",
    "mini_app_settings",
    "mini_app_world",
]

OpenApp: TypeAlias = "Callable[..., AbstractAsyncContextManager[MiniApp]]"


@pytest.fixture
def mini_app_settings(request: pytest.FixtureRequest) -> Settings:
    """The settings: the server that the run was told, the rest from the environment and `.env`; for the
    sandbox nothing of these."""
    from launcher import Settings

    server = run_options(request.config).server
    return Settings(server=server, _env_file=None) if server == SANDBOX else Settings(server=server)


@pytest.fixture
def mini_app_account(request: pytest.FixtureRequest, _mini_app_accounts: dict[str, str]) -> str | None:
    """The account's name; None is the server's only one, or the sandbox's first."""
    return _mini_app_accounts.get(file_of(request.node.nodeid))


@pytest.fixture(scope="session")
def _mini_app_accounts(request: pytest.FixtureRequest) -> dict[str, str]:
    accounts = run_options(request.config).accounts
    return accounts_of_files(accounts, [item.nodeid for item in request.session.items])


@pytest.fixture
def mini_app_platform(request: pytest.FixtureRequest) -> str:
    """The client to be: android, ios, tdesktop, weba …"""
    return run_options(request.config).platforms[0]


@pytest.fixture
def mini_app_output(request: pytest.FixtureRequest, _mini_app_launches: Launches) -> Path:
    """The test's own folder in the output folder. What is left in it of an earlier run is removed."""
    _mini_app_launches.folder.mkdir(parents=True, exist_ok=True)
    return _mini_app_launches.folder


@pytest.fixture
def mini_app_world(mini_app_settings: Settings) -> MiniAppWorld:
    """The sandbox's world; on another server the test is skipped."""
    if mini_app_settings.server != SANDBOX:
        pytest.skip(
            f"mini_app_world is the sandbox's, and this run is on {mini_app_settings.server}: "
            "nobody can add a bot there"
        )
    return MiniAppWorld()


@pytest.fixture
def mini_app_browser() -> Browser | None:
    """An entered `Browser` to show pages in; None is one that the whole run shares. Where all tests share an
    event loop, a fixture of that loop's scope saves each test its connection."""
    return None


@pytest.fixture(scope="session")
def _mini_app_browser_server(pytestconfig: pytest.Config) -> Iterator[BrowserServer]:
    server = BrowserServer(headed=run_options(pytestconfig).headed)
    yield server
    server.close()


@pytest.fixture
def mini_app_launcher(
    request: pytest.FixtureRequest,
    mini_app_settings: Settings,
    mini_app_account: str | None,
    mini_app_browser: Browser | None,
    _mini_app_browser_server: BrowserServer,
) -> SharedLauncher:
    """The launcher of the test: `async with mini_app_launcher as launcher:`. What `mini_app_open` opens
    within the block is opened by it."""
    sandbox = mini_app_settings.server == SANDBOX
    return SharedLauncher(
        mini_app_settings,
        mini_app_account,
        world=request.getfixturevalue("mini_app_world") if sandbox else None,
        server=_mini_app_browser_server,
        browser=mini_app_browser,
    )


@pytest.fixture
def mini_app_open(
    mini_app_launcher: SharedLauncher, mini_app_platform: str, _mini_app_launches: Launches
) -> OpenApp:
    """Opens a Mini App: `async with mini_app_open("https://t.me/demo_bot/app") as app:`.

    The options are those of `Launcher.open`; `host` is "browser" unless given, `parameters` the run's
    platform. Of a test that fails, what happened to its apps is told and kept.
    """

    def open_app(target: Any, **options: Any) -> AppOfTest:
        from launcher import OpenParameters

        if "hosting" not in options:
            options.setdefault("host", "browser")
        options.setdefault("parameters", OpenParameters(platform=mini_app_platform))
        return AppOfTest(mini_app_launcher, _mini_app_launches, target, options)

    return open_app


@pytest.fixture
def _mini_app_launches(request: pytest.FixtureRequest) -> Launches:
    options = run_options(request.config)
    launches = Launches(options, folder_of(options.output, request.node.nodeid))
    request.node.stash[LAUNCHES] = launches
    return launches
