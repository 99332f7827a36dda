"""`miniapp record`: what is done in an app becomes a test."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launcher.cli import options as given
from launcher.cli.output import say
from launcher.cli.written import writing
from launcher.short_text import counted

if TYPE_CHECKING:
    from flows import BadInput
    from launcher.mini_app import MiniApp
    from launcher.page_events import Logged
    from launcher.record import Recorded
    from launcher.record.steps import NotRecorded
    from launcher.settings import Settings


def record(
    target: Annotated[str, typer.Argument(help="A t.me or tg:// link, or @bot.", show_default=False)],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="The test that is written: test_x.py.")
    ],
    script: Annotated[
        Path | None,
        typer.Option(
            "--script",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Do what the lines of this file say, without a window, in place of a person.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Write over a file that is there.")] = False,
    via: given.ViaOption = None,
    chat: given.ChatOption = None,
    button: given.ButtonOption = None,
    start: given.StartOption = None,
    start_param: given.StartParamOption = None,
    query: given.QueryOption = "",
    platform: given.PlatformOption = "android",
    mode: given.ModeOption = "fullsize",
    allow: given.AllowOption = None,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
) -> None:
    """Open an app in a window and write a pytest file of what you do: clicks, typed text, popups, closing.

    What the phone shows around the page has no place in the window. Type it on the terminal:
    main, secondary, back, settings, popup ID, dismiss, scan TEXT, close (or m, s, b). It ends when the app
    closes, when you close the window, or with Ctrl-D or Ctrl-C. Passwords are not written; what else cannot
    be is said, and stands in the test as a comment.
    """
    from launcher.cli.running import run

    if not output.resolve().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {output.parent}: make it first", param_hint="-o")
    if output.exists() and not overwrite:
        raise typer.BadParameter(f"{output} is there: name another file, or --overwrite it", param_hint="-o")
    options = given.place_and_start(
        via=via, chat=chat, button=button, topic=None, reply_to=None, send_as=None, silent=False,
        start=start, start_param=start_param, query=query,
    )  # fmt: skip
    options |= {
        "parameters": given.open_parameters(platform, mode, None),
        "consent": given.consent(allow, ask=False),
    }
    played = None if script is None else _Script(script)
    recorded = run(_record(given.settings_for(server), account, target, played, options))
    with writing(output):
        output.write_text(recorded.source(), "utf-8")
    say(f"Written: {output}, {counted(len(recorded.steps) - recorded.lost, 'step')}. Run it: pytest {output}")
    if recorded.lost:
        say(f"Not recorded: {counted(recorded.lost, 'more step')}. A comment in the test names each.")


async def _record(
    settings: Settings, account: str | None, target: str, script: _Script | None, options: dict[str, Any]
) -> Recorded:
    from flows import BadInput
    from launcher.cli.place import placed
    from launcher.hosts.chromium import has_display
    from launcher.launcher import Launcher
    from launcher.record import record

    if script is None and not has_display():
        raise BadInput("There is no display to show a window on.", "Give the steps in a file: --script FILE.")
    async with (
        placed(settings) as (sandbox, _),
        Launcher(settings, account, sandbox=sandbox) as launcher,
    ):
        if script is not None:
            return await record(
                launcher, target, script.lines(), refused=script.refuse, lost=_lose, **options
            )
        launcher.browser_options = {"headed": True}
        return await record(launcher, target, _typed(), opened=_begin, refused=_refuse, lost=_lose, **options)


class _Script:
    """The lines of a file, and where in it something is wrong."""

    def __init__(self, file: Path) -> None:
        """Raises BadInput for what is no text."""
        from flows import BadInput

        self._file = file
        self._number = 0
        try:
            self._lines = file.read_text("utf-8-sig").splitlines()
        except UnicodeDecodeError:
            raise BadInput(
                f"{file} is not text in UTF-8.", "Name a file with a line for each step."
            ) from None

    async def lines(self) -> AsyncIterator[str]:
        for line in self._lines:
            self._number += 1
            yield line

    def refuse(self, failure: BadInput) -> None:
        from flows import BadInput

        where = f"{self._file}, line {self._number}"
        raise BadInput(f"{where}: {failure.meaning}", failure.remedy) from None


async def _typed() -> AsyncIterator[str]:
    """The lines that are typed until Ctrl-D or Ctrl-C; where nobody can type, until Ctrl-C.

    A thread reads them, for a line that is never typed must not keep the program.
    """
    import asyncio

    loop, lines = asyncio.get_running_loop(), asyncio.Queue[str]()

    def read() -> None:
        while (line := sys.stdin.readline()) or sys.stdin.isatty():
            with suppress(RuntimeError):  # the program is ending
                loop.call_soon_threadsafe(lines.put_nowait, line)
            if not line:
                return

    threading.Thread(target=read, daemon=True).start()
    with suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGINT, lines.put_nowait, "")
    try:
        while line := await lines.get():
            yield line
    finally:
        with suppress(NotImplementedError):
            loop.remove_signal_handler(signal.SIGINT)


def _begin(app: MiniApp) -> None:
    from launcher.record import HELP

    say("Click and type in the window. For what is not in it, type here:")
    for line in HELP.splitlines():
        say(line)
    for event in app.events:
        _tell(app, event)
    app.events.on_event = partial(_tell_soon, app)


def _tell_soon(app: MiniApp, event: Logged) -> None:
    """An event is logged before the phone has changed."""
    from asyncio import get_running_loop

    get_running_loop().call_soon(_tell, app, event)


def _tell(app: MiniApp, event: Logged) -> None:
    """What the phone shows now that is not in the window."""
    from launcher.plain_text import plain

    device = app.device
    if event.name == "web_app_open_popup" and device.popup is not None:
        ways = [f"popup {button.id!r}" for button in device.popup.buttons]
        say(f"popup: {plain(device.popup.message)!r}: type {', '.join(ways)} or dismiss")
    elif event.name == "web_app_setup_main_button" and device.main_button.is_visible:
        say(f"main button: {plain(device.main_button.text)!r}: type m")
    elif event.name == "web_app_setup_secondary_button" and device.secondary_button.is_visible:
        say(f"secondary button: {plain(device.secondary_button.text)!r}: type s")
    elif event.name == "web_app_setup_back_button" and device.back_button.is_visible:
        say("back button: type b")
    elif event.name == "web_app_setup_settings_button" and device.settings_button.is_visible:
        say("settings in the menu: type settings")
    elif event.name == "web_app_open_scan_qr_popup" and device.scanner.opened is not None:
        say("code scanner: type scan TEXT")


def _refuse(failure: BadInput) -> None:
    say(str(failure))


def _lose(step: NotRecorded) -> None:
    say(f"not recorded: {step.what}")
