"""The last act: an app that logs in to Metapro is driven step by step, against the sandbox's stand-in."""

from __future__ import annotations

from collections.abc import Callable

from launcher.demo.troupe import Troupe
from launcher.launcher import Launcher
from launcher.metapro import (
    DriveReport,
    MetaproDriver,
    StepResult,
    Verdict,
    reopening,
    stand_in_settings,
)
from launcher.sandbox.default_world import METAPRO_BOT_NAME
from launcher.sandbox.metapro import MetaproStandIn
from launcher.sandbox.program import with_relay
from launcher.sandbox.ready_file import ReadyFile
from launcher.sandbox.site import Site
from launcher.settings import Settings

__all__ = ["metapro_driven"]

_NOBODYS_VARIABLES = "MINIAPP_DEMO_METAPRO_"
_APP = f"https://t.me/{METAPRO_BOT_NAME}/app?startapp=friend"


async def metapro_driven(
    players: Troupe, site: Site, *, browser: bool, tell: Callable[[str], None]
) -> DriveReport:
    """Every step, in the browser if there is one; whatever METAPRO_… variables say. `tell` hears in a line of
    each step that was made."""
    async with with_relay(players.sandbox, site) as ready:
        return await _driven(players, ready, browser=browser, tell=tell)


async def _driven(
    players: Troupe, ready: ReadyFile, *, browser: bool, tell: Callable[[str], None]
) -> DriveReport:
    def told(step: StepResult) -> None:
        if step.verdict is not Verdict.SKIPPED:
            tell(f"{step.id:<16}{step.name}: {step.verdict}")

    settings = stand_in_settings(
        ready, allow_writes=True, _env_file=None, _env_prefix=_NOBODYS_VARIABLES
    )  # fmt: skip
    second = Launcher(
        Settings(server="sandbox", _env_file=None), ready.accounts[1].name, sandbox=players.sandbox
    )
    async with second, second.open(_APP) as companion:
        driver = MetaproDriver(
            settings, negative=True, now=players.sandbox.now, companion=companion,
            relaunch=reopening(players.launcher, _APP), model=MetaproStandIn.label, on_result=told,
        )  # fmt: skip
        async with players.launcher.open(_APP, hosting=driver.hosting() if browser else None) as app:
            return await driver.drive(app)
