"""`miniapp drive`: a Mini App that is integrated with Metapro, step by step.

The exit code is a number for a monitoring job: 0 as it should be, 1 something failed, 3 it could not be
tested, which is also what a wrong command line or configuration gives.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from launcher.cli import options as given
from launcher.cli.keeping import Keeping
from launcher.cli.output import show_json
from launcher.cli.place import placed

if TYPE_CHECKING:
    from launcher.hosting import Hosting
    from launcher.launcher import Launcher
    from launcher.metapro import DriveReport, MetaproDriver, StepResult
    from launcher.sandbox import Sandbox
    from launcher.sandbox.ready_file import ReadyFile
    from launcher.settings import Settings

__all__ = ["drive"]


def drive(
    target: Annotated[
        str, typer.Argument(help="A t.me or tg:// link, @bot, or the link of a message.", show_default=False)
    ],
    via: given.ViaOption = None,
    chat: given.ChatOption = None,
    button: given.ButtonOption = None,
    topic: given.TopicOption = None,
    reply_to: given.ReplyToOption = None,
    send_as: given.SendAsOption = None,
    silent: given.SilentOption = False,
    start: given.StartOption = None,
    start_param: given.StartParamOption = None,
    query: given.QueryOption = "",
    platform: given.PlatformOption = "android",
    mode: given.ModeOption = "fullsize",
    theme: given.ThemeOption = None,
    allow: given.AllowOption = None,
    ask: given.AskOption = False,
    host: Annotated[
        Literal["browser", "http", "none"],
        typer.Option("--host", help="Show the page in Chromium, look at it once over HTTP, or neither."),
    ] = "browser",
    steps: Annotated[
        list[str] | None,
        typer.Option(
            "--steps",
            metavar="STEPS",
            help="Only these, as L1,K1 or C1, and what they depend on. Repeatable.",
        ),
    ] = None,
    negative: Annotated[
        bool, typer.Option("--negative", help="Also try logins that Metapro should refuse.")
    ] = False,
    allow_writes: Annotated[
        bool,
        typer.Option("--allow-writes", help="Also make the steps that write: attaching a wallet."),
    ] = False,
    long: Annotated[
        bool, typer.Option("--long", help="Also make the steps that take hours: how long a token lives.")
    ] = False,
    second_account: Annotated[
        str | None,
        typer.Option("--second-account", metavar="NAME", help="A second person, to be kept apart from."),
    ] = None,
    hold: Annotated[
        float | None,
        typer.Option("--hold", metavar="SECONDS", min=0, help="Then keep the session alive for so long."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="What rests on an undocumented assumption counts as failed.")
    ] = False,
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Playwright's trace, without the secrets.")
    ] = None,
    report: given.ReportOption = None,
    save: given.SaveOption = None,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Drive a Mini App that is integrated with Metapro: launch, login, wallet, data, faults, step by step.

    METAPRO_… variables and .env say which Metapro; against a sandbox it is the sandbox's stand-in, a model of
    what is documented. Exit code 0: as it should be; 1: a step failed; 3: it could not be tested.
    """
    from launcher.cli.running import run

    options = given.place_and_start(
        via=via, chat=chat, button=button, topic=topic, reply_to=reply_to, send_as=send_as, silent=silent,
        start=start, start_param=start_param, query=query,
    )  # fmt: skip
    options |= {
        "parameters": given.open_parameters(platform, mode, theme),
        "consent": given.consent(allow, ask),
    }
    wishes = {
        "steps": [step for one in steps or () for step in one.replace(",", " ").split()],
        "negative": negative,
        "strict": strict,
        "long": _long() if long else None,
    }
    if trace is not None and host != "browser":
        raise typer.BadParameter("only a browser can be traced", param_hint="--trace")
    keeping = Keeping(report, save)
    driving = _Driving(given.settings_for(server), account, second_account, target, options, wishes, keeping)
    with _progress(quiet=ask or as_json) as told:
        wishes["on_result"] = told
        found = run(driving.run(host, allow_writes, trace, hold))
    _show(found, as_json)
    if found.exit_code:
        raise typer.Exit(found.exit_code)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[StepResult], None]]:
    """On a terminal, which step was made last; a question would be lost beside it."""
    from rich.console import Console

    console = Console(stderr=True, quiet=quiet)
    with console.status("opening the app …") if console.is_terminal else nullcontext() as status:
        yield lambda step: status.update(f"{step.id}: {step.verdict} …") if status else None


def _long() -> Any:
    from launcher.metapro import LongRun

    return LongRun()


def _show(report: DriveReport, as_json: bool) -> None:
    from rich.console import Console

    from launcher.metapro import print_report

    if as_json:
        show_json(report.to_json())
    else:
        print_report(report, Console())


@dataclass(frozen=True, slots=True)
class _Driving:
    """One drive, from the connection to the report."""

    settings: Settings
    account: str | None
    second: str | None
    target: str
    options: dict[str, Any]
    wishes: dict[str, Any]
    keeping: Keeping

    async def run(
        self, host: Literal["browser", "http", "none"], writes: bool, trace: Path | None, hold: float | None
    ) -> DriveReport:
        from launcher.hosting import Hosting
        from launcher.metapro import MetaproDriver, reopening, stand_in_settings

        async with AsyncExitStack() as stack:
            sandbox, ready = await stack.enter_async_context(placed(self.settings))
            metapro = stand_in_settings(ready, **({"allow_writes": True} if writes else {}))
            hosting = None if host == "none" else Hosting(host, trace=trace)
            launcher = await stack.enter_async_context(self._launcher(self.account, sandbox))
            driver = MetaproDriver(
                metapro,
                relaunch=reopening(launcher, self.target, hosting=hosting, **self.options),
                companion=await self._companion(stack, sandbox, ready),
                model=ready.metapro.assumption_model if ready is not None and ready.metapro else "",
                now=time.time if sandbox is None else sandbox.now,
                **self.wishes,
            )
            shown = driver.hosting(hosting) if host == "browser" else hosting
            return await self._drive(driver, launcher, shown, hold)

    async def _drive(
        self, driver: MetaproDriver, launcher: Launcher, shown: Hosting | None, hold: float | None
    ) -> DriveReport:
        """Drive the app; its launch is recorded if somebody wants to keep it."""
        if not self.keeping.wanted:
            async with launcher.open(self.target, hosting=shown, **self.options) as app:
                return await driver.drive(app, hold=hold)
        from launcher.report import Recording

        record = Recording()
        try:
            async with record.opening(launcher, self.target, hosting=shown, **self.options) as app:
                found = await driver.drive(app, hold=hold)
                record.metapro = [step.to_json() for step in found.steps]
                record.metapro_model = found.model
                return found
        finally:
            self.keeping.keep(record.all_saved())

    def _launcher(self, account: str | None, sandbox: Sandbox | None) -> Launcher:
        from launcher.launcher import Launcher

        return Launcher(self.settings, account, sandbox=sandbox)

    async def _companion(
        self, stack: AsyncExitStack, sandbox: Sandbox | None, ready: ReadyFile | None
    ) -> Any:
        """The second person's app, if there is one; a sandbox in this process has people enough."""
        second = self.second
        if second is None and sandbox is not None and ready is not None:
            first = (self.account or ready.accounts[0].name).lower()
            second = next(one.name for one in ready.accounts if one.name.lower() != first)
        if second is None:
            return None
        other = await stack.enter_async_context(self._launcher(second, sandbox))
        return await stack.enter_async_context(other.open(self.target, **self.options))
