"""The demonstration itself: prepare, open everything side by side, gather what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from telethon.tl import types

from flows import MiniAppError
from launcher.demo.doors import Doors, doors_shown, told
from launcher.demo.expected import DOCUMENTED, checks_of
from launcher.demo.flows_shown import EXPIRY, SHOWINGS, Showing
from launcher.demo.metapro import metapro_driven
from launcher.demo.on_screen import cleared, photographed
from launcher.demo.pages import write_index
from launcher.demo.report import Check, DemoReport, LaunchReport, Picture, Step
from launcher.demo.troupe import Troupe, person, troupe
from launcher.hosting import Kind
from launcher.hosts.observations import HostUnavailable
from launcher.metapro import DriveReport
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.sandbox.metapro import MetaproStandIn
from launcher.sandbox.site import Site
from launcher.sign_in import CodeSent

__all__ = ["run_demo"]

Tell = Callable[[str, str], None]


async def run_demo(
    *,
    reveal: bool = False,
    on_step: Callable[[Step], None] | None = None,
    sandbox: Sandbox | None = None,
    patience: float = 10.0,
    folder: Path | None = None,
    install: bool = False,
) -> DemoReport:
    """Show every flow against a data centre on the loopback; takes about two seconds.

    With `folder` each app is shown in Chromium with the sample Mini App in it; the folder gets a picture of
    each and an `index.html`. When there is no browser this is said, and it goes on without; `install` lets
    root's package manager fetch one first. `on_step` is told each step when it is done. `reveal` puts launch
    URLs and query ids into the report's JSON as they are. `sandbox` (not entered yet) plays the data centre
    in place of a new one; it needs what the default world has. A launch that takes longer than `patience`
    seconds has failed, for something that should have come did not. What goes wrong with a launch is in the
    report, never raised; OSError is, when `folder` cannot be written.
    """
    started = time.perf_counter()
    steps: list[Step] = []

    def tell(title: str, detail: str) -> None:
        steps.append(Step(title, detail, time.perf_counter() - started))
        if on_step is not None:
            on_step(steps[-1])

    screen = _Screen(folder, install, patience, tell)
    with TemporaryDirectory(prefix="miniapp-demo-") as private:
        async with sandbox or Sandbox() as centre:
            try:
                launches, checks, driven, doors = await _played(centre, Path(private), screen)
            except MiniAppError as failure:
                launches, checks, driven, doors = _unplayed(failure), [], None, None
    *nine, expiry = launches
    seconds = time.perf_counter() - started
    report = DemoReport(
        tuple(steps),
        tuple(nine),
        expiry,
        tuple(checks),
        seconds,
        reveal,
        screen.folder if screen.on else None,
        driven,
        doors,
    )
    if report.folder is not None:
        write_index(report, report.folder)
    return report


@dataclass(slots=True)
class _Screen:
    """What a demonstration was asked for, and whether there is a browser (`on`)."""

    folder: Path | None
    install: bool
    patience: float
    tell: Tell
    on: bool = False

    async def switch_on(self, players: Troupe) -> None:
        """Start the browser, unless none is wanted or to be had."""
        if self.folder is None:
            return
        self.tell("browser", "Chromium is looked for, and fetched where there is none")
        players.launcher.browser_options = {"package": self.install}
        try:
            browser = await players.launcher.browser()
        except HostUnavailable as why:
            self.tell("browser", f"None, so this is the quick form, without pictures. {why}")
            return
        cleared(self.folder)
        self.tell("browser", f"Chromium {browser.version} shows each app, in its client's size and colours")
        self.on = True

    def of(self, showing: Showing) -> Path | None:
        """Where the picture of this launch belongs, if there is to be one."""
        return self.folder if self.on and showing is not EXPIRY else None


async def _played(
    sandbox: Sandbox, folder: Path, screen: _Screen
) -> tuple[list[LaunchReport], list[Check], DriveReport, Doors]:
    settings, accounts, ready = person(sandbox, folder)
    where = f"{ready.dc.host}:{ready.dc.port}"
    screen.tell("data centre", f"Telegram in a box listens on {where}: MTProto over TCP, layer {ready.layer}")
    somebody = ready.accounts[0]
    name = somebody.name.lower()

    async def code(sent: CodeSent) -> str:
        screen.tell("key exchange", "RSA and Diffie-Hellman made a fresh auth key; MTProto 2.0 from here on")
        screen.tell("code", f"asked for by phone number, sent {sent.where}")
        return somebody.code

    await accounts.sign_in_by_phone(name, f"+{somebody.phone}", code=code)
    screen.tell("signed in", f"{somebody.name}, with the code; the session file is kept while this runs")
    async with troupe(sandbox, settings, name, ready) as players:
        screen.tell("bots", "@demo_bot and @guard_bot are signed in by their tokens and listen")
        await screen.switch_on(players)
        async with MetaproStandIn(sandbox) as metapro:
            async with Site(sandbox if screen.on else None, metapro=metapro) as site:
                launches = await _all_launched(players, screen)
                screen.tell("metapro", "the app of @metapro_demo_bot, against a model of Metapro's services")
                driven = await metapro_driven(
                    players, site, browser=screen.on, tell=partial(screen.tell, "metapro")
                )
                counts = ", ".join(f"{count} {verdict}" for verdict, count in driven.counts.items())
                screen.tell("metapro", f"{len(driven.steps)} steps: {counts}")
                doors = await doors_shown(players, screen.folder if screen.on else None)
                screen.tell("check", told(doors.checked))
                return launches, _afterwards(players), driven, doors


async def _all_launched(players: Troupe, screen: _Screen) -> list[LaunchReport]:
    """Everything side by side."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_launch(show, players, screen)) for show in (*SHOWINGS, EXPIRY)]
    return [task.result() for task in tasks]


@dataclass(slots=True)
class _Launch:
    """One launch while it runs: the app once it was opened, what was seen on the way, what went wrong."""

    app: MiniApp | None = None
    picture: Picture | None = None
    checks: list[Check] = field(default_factory=list)
    error: str | None = None


async def _launch(showing: Showing, players: Troupe, screen: _Screen) -> LaunchReport:
    """Show one flow. Never raises what may go wrong with it."""
    started = time.perf_counter()
    launch = _Launch()
    try:
        async with asyncio.timeout(screen.patience):
            await _from_opening_to_end(launch, showing, players, screen.of(showing))
    except TimeoutError:
        launch.error = f"It did not come to its end within {screen.patience:g} s."
    except MiniAppError as failure:
        launch.error = str(failure)
    app = launch.app
    report = LaunchReport(
        showing.flow,
        DOCUMENTED[showing.flow].method,
        showing.parameters,
        app.web_view if app else None,
        app.prolongs if app else 0,
        None if launch.error or app is None else app.reason,
        time.perf_counter() - started,
        (*(checks_of(showing, app, players) if app else ()), *launch.checks),
        launch.error,
        launch.picture,
    )
    screen.tell("expiry" if showing is EXPIRY else showing.flow, _told(report))
    return report


async def _from_opening_to_end(
    launch: _Launch, showing: Showing, players: Troupe, folder: Path | None
) -> None:
    host: Kind | None = "browser" if folder else None
    opening = players.launcher.open(
        showing.target, parameters=showing.parameters, host=host, **showing.options
    )
    async with opening as app:
        launch.app = app
        await _kept_alive(app, showing.prolongs)
        if folder is not None:
            launch.picture, launch.checks = await photographed(app, showing.flow, folder)
        launch.checks += await showing.ending(players, app)
        await app.closed()


async def _kept_alive(app: MiniApp, times: int) -> None:
    """Until the app was prolonged so often, or is over; at once when it has no query."""
    if app.query_id is None:
        return
    enough = asyncio.Event()

    def count(app: MiniApp, _: MiniAppError | None) -> None:
        if app.prolongs >= times or app.is_closed:
            enough.set()

    app.on_prolong = count
    await enough.wait()


def _told(report: LaunchReport) -> str:
    if report.error:
        return f"failed: {report.error}"
    return f"opened by {report.request}, closed: {report.closed}"


def _afterwards(players: Troupe) -> list[Check]:
    """What can only be said at the end: how often something was done."""
    signed_in = {line.method for line in players.sandbox.log} >= {"auth.sendCode", "auth.signIn"}
    world = players.sandbox.world
    messages = world.boxes[world.bot("demo_bot").id].messages.values()
    came = sum(isinstance(message.action, types.MessageActionWebViewDataSentMe) for message in messages)
    return [
        Check(signed_in, "the person signed in with a code sent to the phone"),
        Check(came == 1, "the app's data came to its bot once", f"{came} times"),
    ]


def _unplayed(failure: MiniAppError) -> list[LaunchReport]:
    """Nothing could be opened, for there was no connection or no sign-in."""
    return [
        LaunchReport(
            show.flow, DOCUMENTED[show.flow].method, show.parameters, None, 0, None, 0.0, (), str(failure)
        )
        for show in (*SHOWINGS, EXPIRY)
    ]
