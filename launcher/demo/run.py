"""The demonstration itself: prepare, open everything side by side, gather what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from telethon.tl import types

from flows import MiniAppError
from launcher.demo.expected import DOCUMENTED, checks_of
from launcher.demo.flows_shown import EXPIRY, SHOWINGS, Showing
from launcher.demo.report import Check, DemoReport, LaunchReport, Step
from launcher.demo.troupe import Troupe, person, troupe
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.sign_in import CodeSent

__all__ = ["run_demo"]

Tell = Callable[[str, str], None]


async def run_demo(
    *,
    reveal: bool = False,
    on_step: Callable[[Step], None] | None = None,
    sandbox: Sandbox | None = None,
    patience: float = 10.0,
) -> DemoReport:
    """Show every flow against a data centre on the loopback; takes about two seconds.

    `on_step` is told each step when it is done. `reveal` puts launch URLs and query ids into the report's
    JSON as they are. `sandbox` (not entered yet) plays the data centre in place of a new one; it needs what
    the default world has. A launch that takes longer than `patience` seconds has failed, for something that
    should have come did not. What goes wrong with a launch is in the report, never raised.
    """
    started = time.perf_counter()
    steps: list[Step] = []

    def tell(title: str, detail: str) -> None:
        steps.append(Step(title, detail, time.perf_counter() - started))
        if on_step is not None:
            on_step(steps[-1])

    with TemporaryDirectory(prefix="miniapp-demo-") as folder:
        async with sandbox or Sandbox() as centre:
            try:
                launches, checks = await _played(centre, Path(folder), patience, tell)
            except MiniAppError as failure:
                launches, checks = _unplayed(failure), []
    *nine, expiry = launches
    return DemoReport(tuple(steps), tuple(nine), expiry, tuple(checks), time.perf_counter() - started, reveal)


async def _played(
    sandbox: Sandbox, folder: Path, patience: float, tell: Tell
) -> tuple[list[LaunchReport], list[Check]]:
    settings, accounts, ready = person(sandbox, folder)
    where = f"{ready.dc.host}:{ready.dc.port}"
    tell("data centre", f"Telegram in a box listens on {where}: MTProto over TCP, layer {ready.layer}")
    somebody = ready.accounts[0]
    name = somebody.name.lower()

    async def code(sent: CodeSent) -> str:
        tell("key exchange", "RSA and Diffie-Hellman made a fresh auth key; MTProto 2.0 from here on")
        tell("code", f"asked for by phone number, sent {sent.where}")
        return somebody.code

    await accounts.sign_in_by_phone(name, f"+{somebody.phone}", code=code)
    tell("signed in", f"{somebody.name}, with the code; the session file is kept while this runs")
    async with troupe(sandbox, settings, name, ready) as players:
        tell("bots", "@demo_bot and @guard_bot are signed in by their tokens and listen")
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_launch(show, players, patience, tell)) for show in (*SHOWINGS, EXPIRY)
            ]
        return [task.result() for task in tasks], _afterwards(players)


async def _launch(showing: Showing, players: Troupe, patience: float, tell: Tell) -> LaunchReport:
    """Show one flow. Never raises what may go wrong with it."""
    started = time.perf_counter()
    app, checks, error = await _from_opening_to_end(showing, players, patience)
    if app is not None:
        checks = [*checks_of(showing, app, players), *checks]
    report = LaunchReport(
        showing.flow,
        DOCUMENTED[showing.flow].method,
        showing.parameters,
        app.web_view if app else None,
        app.prolongs if app else 0,
        None if error or app is None else app.reason,
        time.perf_counter() - started,
        tuple(checks),
        error,
    )
    tell("expiry" if showing is EXPIRY else showing.flow, _told(report))
    return report


async def _from_opening_to_end(
    showing: Showing, players: Troupe, patience: float
) -> tuple[MiniApp | None, list[Check], str | None]:
    """The app if it was opened, what its ending saw, and what went wrong."""
    app, checks = None, []
    opening = players.launcher.open(showing.target, parameters=showing.parameters, **showing.options)
    try:
        async with asyncio.timeout(patience), opening as app:
            await _kept_alive(app, showing.prolongs)
            checks = await showing.ending(players, app)
            await app.closed()
    except TimeoutError:
        return app, checks, f"It did not come to its end within {patience:g} s."
    except MiniAppError as failure:
        return app, checks, str(failure)
    return app, checks, None


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
