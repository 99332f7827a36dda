"""Where Chromium is, and how it is started.

It is looked for in `CHROMIUM_PATH`, on PATH, where Playwright keeps its own, and then fetched: by
Playwright's installer and, where we are root, by the distribution's package manager, each for a limited
time. When there is none the error is one line that says how to get one.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path

from launcher.hosts.observations import HostUnavailable

__all__ = ["ARGUMENTS", "DISABLED_FEATURES", "REPLACED", "find_chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
HOW = "Install Chromium and set CHROMIUM_PATH to it, or run: python -m playwright install chromium"

DISABLED_FEATURES = (
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding",
    "AvoidCorsURLLoaderRestartOnRedirect", "TcpPortRandomizationWin", "OptimizationHints",
    "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch", "msForceBrowserSignIn",
    "msEdgeUpdateLaunchServicesPreferredVersion",
)  # fmt: skip
"""What Playwright switches off, but for `ThirdPartyStoragePartitioning`: without that one, storage throws
in the iframe of a web client. Of a switch that is given twice Chromium takes the last."""
WASTEFUL_FEATURES = ("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess")
"""What nobody sees of a page without a window, and takes Chromium more than half of its work for one: two
pages of its own under the address bar of each context, and a process that waits for another site."""

ARGUMENTS = (
    f"--disable-features={','.join((*DISABLED_FEATURES, *WASTEFUL_FEATURES))}",
    "--disable-sync",
)
REPLACED = ("--disable-popup-blocking",)
"""Switches of Playwright's that are left out. A page that opens windows in a loop is held by the browser."""


def arguments() -> list[str]:
    """The switches for this machine; Chromium's own sandbox does not start as root."""
    return [*ARGUMENTS, *(["--no-sandbox"] if _is_root() else [])]


async def find_chromium(own: str | None = None, *, download: float = 180.0, package: float = 300.0) -> Path:
    """The path of a Chromium.

    `own` is where Playwright's would be. `download` and `package` are how many seconds Playwright's installer
    and, if we are root, each of the two steps of the distribution's (`apt-get`) may take; 0 leaves it out.
    Raises HostUnavailable.
    """
    if chosen := os.environ.get("CHROMIUM_PATH"):
        return _chosen(chosen)
    if found := _installed(own):
        return found
    if own and download:
        await _run(download, sys.executable, "-m", "playwright", "install", "chromium")
    if package and not _installed(own) and _is_root() and shutil.which("apt-get"):
        await _run(package, "apt-get", "update")
        await _run(package, "apt-get", "install", "-y", "--no-install-recommends", "chromium")
    if found := _installed(own):
        return found
    raise HostUnavailable(f"No Chromium was found. {HOW}")


def _chosen(path: str) -> Path:
    found = shutil.which(path)
    if found is None:
        raise HostUnavailable(
            "CHROMIUM_PATH does not name a program. Correct it, or unset it to have one found."
        )
    return Path(found)


def _installed(own: str | None) -> Path | None:
    paths = [*map(shutil.which, NAMES), own]
    return next((Path(path) for path in paths if path and Path(path).is_file()), None)


async def _run(seconds: float, *command: str) -> None:
    """Run a command for so many seconds at most; what came of it is for the caller to look at."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        if process.returncode is None:
            _end(process.pid)
            await process.wait()


def _end(pid: int) -> None:
    """End a command with whatever it has started: an installer's children would go on by themselves."""
    with suppress(ProcessLookupError):
        if sys.platform == "win32":
            os.kill(pid, signal.SIGTERM)
        else:
            os.killpg(pid, signal.SIGKILL)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def has_display() -> bool:
    """Whether a window can be shown, as far as the environment tells."""
    return sys.platform != "linux" or not {"DISPLAY", "WAYLAND_DISPLAY"}.isdisjoint(os.environ)
