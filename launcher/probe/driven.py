"""The part of a check that drives Metapro: the steps a target names, or those that only read."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, get_args

from launcher.launcher import Launcher
from launcher.metapro import MetaproDriver, MetaproError, Outcome, Verdict, reopening
from launcher.metapro.stand_in import stand_in_settings
from launcher.mini_app import MiniApp
from launcher.probe.course import NOT_TESTED, Course, Wrong
from launcher.probe.results import Status
from launcher.probe.targets import Target
from launcher.sandbox import ready_file
from launcher.sandbox.ready_file import ReadyFile
from launcher.servers import ServerName

__all__ = ["READ_ONLY", "drive", "driver_of"]

READ_ONLY = ("C0", "C1", "T1", "L1", "K1", "U1", "B1")
"""What is watched unless a target names steps: nothing of it writes, and no page is needed."""


def driver_of(
    launcher: Launcher, ready: ReadyFile | None, target: Target, options: dict[str, Any]
) -> MetaproDriver | Wrong:
    """Who drives a target that is opened with these options; what is wrong when Metapro is not configured."""
    ready = ready or _ready_file(launcher)
    try:
        return MetaproDriver(
            stand_in_settings(ready),
            steps=READ_ONLY if isinstance(target.metapro, bool) else target.metapro,
            relaunch=reopening(launcher, target.opens, **options),
            model=ready.metapro.assumption_model if ready is not None and ready.metapro else "",
            now=launcher.sandbox.now if launcher.sandbox else time.time,
        )
    except MetaproError as failure:
        return Wrong(Status.UNKNOWN, failure.meaning, failure.remedy)


async def drive(driver: MetaproDriver, app: MiniApp, course: Course) -> None:
    """Drive the open app. Raises Wrong for a step that failed, and when Metapro could not be tested."""
    report = await driver.drive(app)
    course.metapro_model = report.model
    course.metapro = tuple(step.to_json() for step in report.steps)
    if report.outcome not in (Outcome.FAIL, Outcome.UNTESTED):
        return
    refused = {one.failure.meaning for one in course.exchanges if isinstance(one.failure, NOT_TESTED)}
    wrong = [step for step in report.steps if step.verdict is Verdict.FAIL]
    failed = [step for step in wrong if step.cause not in refused]
    status = Status.CRITICAL if failed and report.outcome is Outcome.FAIL else Status.UNKNOWN
    first = (failed or wrong or report.steps)[0]
    others = f", and {len(failed) - 1} more" if len(failed) > 1 else ""
    raise Wrong(status, f"{first.id} ({first.layer}): {first.cause.rstrip('.')}{others}.", first.remedy)


def _ready_file(launcher: Launcher) -> ReadyFile | None:
    """That of a sandbox, whose stand-in is driven then; Telegram's servers have none."""
    server = launcher.settings.server
    return None if server in get_args(ServerName) else ready_file.read(Path(server))
