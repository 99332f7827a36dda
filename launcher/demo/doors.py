"""What a monitoring job and a researcher get: checks, an exporter's status page, one launch as a report."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from launcher.demo.troupe import Troupe
from launcher.exporter import Exporter, Schedule
from launcher.exporter.page import alone, overview
from launcher.launcher import Launcher
from launcher.probe import CheckResult
from launcher.report import Recording, html
from launcher.sandbox.ready_file import accounts
from launcher.settings import Settings

__all__ = ["Doors", "doors_shown", "told"]

STATUS_PAGE, LAUNCH = "status.html", "launch.html"
_LINK = "https://t.me/demo_bot/app?startapp=hello"


@dataclass(frozen=True, slots=True)
class Doors:
    """`checked` are the last results of the exporter's targets; the two files are None without pictures."""

    checked: tuple[CheckResult, ...]
    status_page: Path | None = None
    launch: Path | None = None


async def doors_shown(players: Troupe, folder: Path | None) -> Doors:
    """Watch three apps with an exporter until each was checked; with `folder`, keep its page, and a report of
    one launch whose page is shown."""
    with TemporaryDirectory(prefix="miniapp-demo-") as private:
        file = Path(private) / "targets.yaml"
        second = accounts(players.sandbox)[1].name  # the first person's apps are not disturbed
        file.write_text(_targets(second, "none" if folder is None else "http"), "utf-8")
        schedule = partial(Schedule, lambda name: _launcher(players, name))
        async with Exporter(file, schedule) as exporter:
            watched = exporter.source.watched.values()
            await asyncio.gather(*(one.checked.wait() for one in watched))
            page = alone(overview(exporter))
    checked = tuple(one.last for one in watched if one.last is not None)
    if folder is None:
        return Doors(checked)
    launch = await _recorded(players)
    await asyncio.to_thread(_write, {folder / STATUS_PAGE: page, folder / LAUNCH: launch})
    return Doors(checked, folder / STATUS_PAGE, folder / LAUNCH)


def _targets(account: str, host: str) -> str:
    """Checked every other second, so that all three come in turn soon."""
    targets = [
        {"name": "direct-link", "link": _LINK, "expect": {"init_data": True}},
        {"name": "menu-button", "bot": "@demo_bot", "via": "menu_button"},
        {"name": "main-app", "bot": "@demo_bot", "via": "main_app", "platform": "ios"},
    ]
    budget, defaults = {account: {"budget": 600}}, {"account": account, "host": host, "period": 2}
    file = {"accounts": budget, "defaults": defaults, "targets": targets}
    return json.dumps(file)  # which is YAML, too


def _launcher(players: Troupe, account: str | None) -> Launcher:
    return Launcher(Settings(server="sandbox", _env_file=None), account, sandbox=players.sandbox)


async def _recorded(players: Troupe) -> str:
    record = Recording()
    async with record.opening(players.launcher, _LINK, host="browser") as app:
        await app.ready()
    return html(record.saved())


def _write(pages: dict[Path, str]) -> None:
    for file, text in pages.items():
        file.write_text(text, "utf-8")


def told(checked: Sequence[CheckResult]) -> str:
    """The checks in one line."""
    return ", ".join(f"{one.target} {one.status.name} in {one.seconds * 1000:.0f} ms" for one in checked)
