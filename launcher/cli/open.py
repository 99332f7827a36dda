"""`miniapp open`: what may be said of an opening; `launch` does it."""

from __future__ import annotations

from typing import Annotated

import typer

from launcher.cli import options as given


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
    prolong_every: Annotated[
        float, typer.Option("--prolong-every", metavar="SECONDS", min=0.01, hidden=True)
    ] = 60.0,
    reveal: given.RevealOption = False,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Open a Mini App as a Telegram client does, and keep it alive until it closes or Ctrl-C.

    Ctrl-C closes the app, tells how it went and gives exit code 130; SIGTERM does the same with exit code 0.
    """
    from flows import check_data
    from launcher.cli.launch import Launch, Show
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
    launch = Launch(given.settings_for(server), account, target, options, Show(reveal, as_json))
    run(launch.run(send_data, seconds, prolong_every))
    if launch.code:
        raise typer.Exit(launch.code)
