"""What a run is told: `--mini-app-server test`, or `mini_app_server = test` in pytest's ini file.

The command line wins. What may be given several times is, in the ini file, a list of words.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

__all__ = ["SANDBOX", "Keep", "RunOptions", "pytest_addoption", "run_options"]

SANDBOX = "sandbox"
Keep: TypeAlias = Literal["on", "off", "retain-on-failure"]
_KEEP = ("on", "off", "retain-on-failure")


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


def run_options(config: pytest.Config) -> RunOptions:
    """Read them. Raises pytest.UsageError for a value in the ini file that cannot be."""

    def of(name: str) -> Any:
        given = config.getoption(f"mini_app_{name}")
        return config.getini(f"mini_app_{name}") if given is None else given

    for name, _, _ in _KEPT:
        if of(name) not in _KEEP:
            raise pytest.UsageError(f"mini_app_{name} is {of(name)!r}: write one of {', '.join(_KEEP)}.")
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
