"""`miniapp open`: what may be said of an opening; `launch` does it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from launcher.cli import options as given

if TYPE_CHECKING:
    from launcher.hosting import Hosting


def open_app(
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
    speculate: Annotated[
        bool, typer.Option("--speculate", help="Open a direct link that is known in one round trip.")
    ] = False,
    platform: given.PlatformOption = "android",
    mode: given.ModeOption = "fullsize",
    theme: given.ThemeOption = None,
    allow: given.AllowOption = None,
    ask: given.AskOption = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            "--for", metavar="SECONDS", min=0, help="How long to keep it; until it closes by default."
        ),
    ] = None,
    send_data: Annotated[
        str | None,
        typer.Option("--send-data", metavar="TEXT", help="Send this to the bot, as a keyboard app may once."),
    ] = None,
    host: Annotated[
        Literal["browser", "http"] | None,
        typer.Option("--host", help="Show the page in Chromium, or look at it once over HTTP."),
    ] = None,
    headed: Annotated[bool, typer.Option("--headed", help="Show the browser's window.")] = False,
    screenshot: Annotated[
        Path | None,
        typer.Option("--screenshot", metavar="FILE", help="A PNG of the page, taken when it is ready."),
    ] = None,
    video: Annotated[
        Path | None,
        typer.Option("--video", metavar="DIR", help="A video of the page, or pictures, in this folder."),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Playwright's trace, without the secrets.")
    ] = None,
    sdk: Annotated[
        Path | None,
        typer.Option(
            "--sdk",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="Served in place of telegram.org's script.",
        ),
    ] = None,
    report: given.ReportOption = None,
    save: given.SaveOption = None,
    prolong_every: Annotated[
        float, typer.Option("--prolong-every", metavar="SECONDS", min=0.01, hidden=True)
    ] = 60.0,
    reveal: given.RevealOption = False,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Open a Mini App as a Telegram client does, and keep it alive until it closes or Ctrl-C.

    With --host browser, which the options for it imply, its page is shown and every event told as it comes;
    a sandbox in this process then has a sample app to show. Ctrl-C closes the app, tells how it went and
    gives exit code 130; SIGTERM does the same with exit code 0.
    """
    from flows import check_data
    from launcher.cli.keeping import Keeping
    from launcher.cli.launch import Launch, Show
    from launcher.cli.page import Page
    from launcher.cli.running import run

    if send_data is not None:
        with given.value_of("--send-data"):
            check_data(send_data)
    options = given.place_and_start(
        via=via, chat=chat, button=button, topic=topic, reply_to=reply_to, send_as=send_as, silent=silent,
        start=start, start_param=start_param, query=query,
    )  # fmt: skip
    options |= {
        "speculate": speculate,
        "parameters": given.open_parameters(platform, mode, theme),
        "consent": given.consent(allow, ask),
    }
    hosting = _hosting(host, headed or screenshot is not None, sdk, trace, video)
    page = Page(hosting, headed, screenshot, reveal)
    keeping = Keeping(report, save)
    show = Show(reveal, as_json)
    launch = Launch(given.settings_for(server), account, target, options, show, page, keeping)
    run(launch.run(send_data, seconds, prolong_every))
    if launch.code:
        raise typer.Exit(launch.code)


def _hosting(
    host: Literal["browser", "http"] | None,
    browser: bool,
    sdk: Path | None,
    trace: Path | None,
    video: Path | None,
) -> Hosting | None:
    """How the page is shown, if it is to be; what only a browser does asks for one."""
    browser = browser or any((sdk, trace, video))
    if host == "http" and browser:
        raise typer.BadParameter("what the other options ask for needs a browser", param_hint="--host")
    if host is None and not browser:
        return None
    from launcher.hosting import Hosting

    return Hosting(host or "browser", sdk=sdk, trace=trace, video=video)
