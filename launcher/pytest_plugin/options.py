"""What a run is told: `--mini-app-server test`, or `mini_app_server = test` in pytest's ini file.

The command line wins. What may be given several times is, in the ini file, a list of words. What cannot be is
refused before any test runs: a mistake is told once, and not by each test.
"""

from __future__ import annotations

import socket
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from launcher.bridge.platforms import PLATFORMS

__all__ = [
    "SANDBOX",
    "Keep",
    "RunOptions",
    "pytest_addoption",
    "pytest_configure",
    "read_options",
    "run_options",
]

SANDBOX = "sandbox"
Keep: TypeAlias = Literal["on", "off", "retain-on-failure"]
_KEEP = ("on", "off", "retain-on-failure")
_TELEGRAMS = ("test", "production")
_PATIENCE = 5.0
"""Seconds for a sandbox on this machine to take a connection."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The options of one run; `accounts` may be none: then the server's only one, or the sandbox's first."""

    server: str
    accounts: tuple[str, ...]
    platforms: tuple[str, ...]
    headed: bool
    tracing: Keep
    video: Keep
    screenshot: Keep
    output: Path


_OPTIONS = pytest.StashKey[RunOptions]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mini_app", "Telegram Mini Apps")
    for name, default, text in _WORDS:
        _add(parser, group, name, f"{text} (default: {default})", default=default)
    for name, text in _SEVERAL:
        _add(parser, group, name, text, several=True)
    for name, default, text in _KEPT:
        _add(parser, group, name, f"{text} (default: {default})", default=default, choices=_KEEP)
    group.addoption("--mini-app-headed", action="store_true", default=None, help="show the browser's window")
    parser.addini("mini_app_headed", "show the browser's window", type="bool", default=False)


_WORDS = (
    ("server", SANDBOX, "sandbox, test, production, or the ready file of a running sandbox"),
    ("output", "mini-app-results", "folder for what is kept of tests"),
)
_SEVERAL = (
    ("account", "the account to open apps as; of several, each test file gets one"),
    ("platform", "the client to be: android, ios, tdesktop, weba …; with several, each test runs on each"),
)
_KEPT = (
    ("tracing", "off", "keep Playwright's trace of each app"),
    ("video", "off", "keep a video of each app"),
    ("screenshot", "retain-on-failure", "keep a picture of each app as it was at the end"),
)


def _add(
    parser: pytest.Parser,
    group: Any,
    name: str,
    text: str,
    *,
    default: str = "",
    several: bool = False,
    choices: tuple[str, ...] | None = None,
) -> None:
    group.addoption(
        f"--mini-app-{name}",
        action="append" if several else "store",
        default=None,
        choices=choices,
        metavar=None if choices else name.upper(),
        help=text,
    )
    if several:
        parser.addini(f"mini_app_{name}", text, type="args", default=[])
    else:
        parser.addini(f"mini_app_{name}", text, type="string", default=default)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """After the conftests' own, which may start the sandbox."""
    config.stash[_OPTIONS] = read_options(config)


def run_options(config: pytest.Config) -> RunOptions:
    """Those of a run that has begun."""
    return config.stash[_OPTIONS]


def read_options(config: pytest.Config) -> RunOptions:
    """Read them. Raises pytest.UsageError for what cannot be, and for a sandbox that does not run."""

    def given(name: str) -> Any:
        return config.getoption(f"mini_app_{name}")

    def of(name: str) -> Any:
        return config.getini(f"mini_app_{name}") if given(name) is None else given(name)

    def called(name: str) -> str:
        return f"mini_app_{name}" if given(name) is None else f"--mini-app-{name}"

    for name, _, _ in _KEPT:
        _check(called(name), of(name), _KEEP)
    for platform in of("platform"):
        _check(called("platform"), platform, PLATFORMS)
    if of("server") not in (SANDBOX, *_TELEGRAMS):
        _check_sandbox(called("server"), Path(of("server")))
    return RunOptions(
        server=of("server"),
        accounts=tuple(of("account")),
        platforms=tuple(of("platform")) or ("android",),
        headed=bool(of("headed")),
        tracing=of("tracing"),
        video=of("video"),
        screenshot=of("screenshot"),
        output=config.invocation_params.dir / of("output"),
    )


def _check(name: str, value: str, known: Collection[str]) -> None:
    if value not in known:
        raise pytest.UsageError(f"{name} is {value!r}: write one of {', '.join(known)}.")


def _check_sandbox(name: str, ready: Path) -> None:
    """Raises pytest.UsageError when no sandbox listens where its ready file says."""
    from launcher.servers import server_at
    from launcher.settings import SettingsError

    try:
        server = server_at(ready, name)
        socket.create_connection((server.host, server.port), timeout=_PATIENCE).close()
    except SettingsError as failure:
        raise pytest.UsageError(str(failure)) from None
    except OSError:
        raise pytest.UsageError(
            f"{name} is {str(ready)!r}, and nothing listens where it says: its sandbox has ended. "
            f"Start it again with `miniapp sandbox --ready-file {ready}`."
        ) from None
