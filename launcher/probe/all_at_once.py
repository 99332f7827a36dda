"""Checking many targets once: the accounts side by side, each within its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from flows import MiniAppError
from launcher.budget import Budget
from launcher.defects import defect
from launcher.launcher import Launcher
from launcher.probe.checking import Checker
from launcher.probe.results import CheckResult, Status, not_tested
from launcher.probe.targets import Target, Targets
from launcher.settings import Settings

if TYPE_CHECKING:
    from launcher.sandbox.ready_file import ReadyFile

__all__ = ["AT_ONCE", "check_all"]

AT_ONCE = 4
"""Checks of one account at once: more share the same connection and browser, and take no less time."""


async def check_all(
    settings: Settings,
    targets: Targets,
    *,
    account: str | None = None,
    sandbox: Any = None,
    ready: ReadyFile | None = None,
    told: Callable[[CheckResult], None] = lambda _: None,
    keep: Callable[[Status], bool] | None = None,
) -> list[CheckResult]:
    """The results in the order of the targets; `told` hears of each as it comes.

    `account` is that of targets which name none. An account that cannot be used makes its targets
    UNKNOWN, and the others go on. `sandbox` is one in this process; `ready` and `keep` are those of
    `Checker`.
    """
    results: dict[str, CheckResult] = {}

    def note(result: CheckResult) -> None:
        results[result.target] = result
        told(result)

    options: dict[str, Any] = {"resolve_every": targets.resolve_every, "ready": ready, "keep": keep}
    of_account: dict[str | None, list[Target]] = {}
    for target in targets.targets:
        of_account.setdefault(target.account or account, []).append(target)
    async with asyncio.TaskGroup() as group:
        for name, wanted in of_account.items():
            group.create_task(_as_account(settings, targets, name, wanted, sandbox, note, options))
    return [results[target.name] for target in targets.targets]


async def _as_account(
    settings: Settings,
    targets: Targets,
    name: str | None,
    wanted: list[Target],
    sandbox: Any,
    note: Callable[[CheckResult], None],
    options: dict[str, Any],
) -> None:
    async with AsyncExitStack() as stack:
        try:
            launcher = await stack.enter_async_context(Launcher(settings, name, sandbox=sandbox))
        except MiniAppError as failure:
            for target in wanted:
                note(not_tested(target, failure))
            return
        checker = Checker(launcher, budget=Budget(targets.account(name).budget), **options)
        room = asyncio.Semaphore(AT_ONCE)

        async def check(target: Target) -> None:
            async with room:
                try:
                    result = await checker.check(target)
                except Exception as error:  # of ours: the others go on
                    result = not_tested(target, defect(error))
                note(result)

        async with asyncio.TaskGroup() as group:
            for target in wanted:
                group.create_task(check(target))
