"""`miniapp inspect`: what a client does with a link, stage by stage."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from launcher.cli import options as given
from launcher.cli.batch import run_batch
from launcher.cli.keeping import Keeping, settled
from launcher.cli.output import say, show_json
from launcher.cli.wording import spoken

if TYPE_CHECKING:
    from launcher.inspection import Inspection
    from launcher.report import SavedLaunch
    from launcher.settings import Settings


def inspect(
    link: Annotated[
        str,
        typer.Argument(
            help="A t.me or tg:// link, or @bot; a file of them with --jsonl.", show_default=False
        ),
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
        Literal["browser", "http"] | None,
        typer.Option("--host", help="Also show the page in Chromium, or look at it once over HTTP."),
    ] = None,
    report: given.ReportOption = None,
    save: given.SaveOption = None,
    jsonl: Annotated[
        bool, typer.Option("--jsonl", help="Inspect every link of a text file, into a file of JSON lines.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            dir_okay=False,
            help="With --jsonl: the results, and what need not be asked again; FILE.jsonl by default.",
        ),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="N",
            min=1,
            max=600,
            help="With --jsonl: requests in a minute; 20 by default, of a sandbox as many as it answers.",
        ),
    ] = None,
    reveal: given.RevealOption = False,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Open a link once, and show each stage: how it reads, what is found, asked, requested and answered.

    A file of links is inspected one by one, within the budget; run again, it goes on where it was.
    """
    from launcher.cli.running import run

    options = given.place_and_start(
        via=via, chat=chat, button=button, topic=topic, reply_to=reply_to, send_as=send_as, silent=silent,
        start=start, start_param=start_param, query=query,
    )  # fmt: skip
    options |= {
        "parameters": given.open_parameters(platform, mode, theme),
        "consent": given.consent(allow, ask),
        "host": host,
    }
    settings = given.settings_for(server)
    if jsonl:
        _only_single(host=host, report=report, save=save)
        del options["host"]
        options["reveal"] = reveal
        return run(run_batch(settings, account, Path(link), out, budget, options))
    if Path(link).is_file():
        raise typer.BadParameter(f"{link} is a file: --jsonl inspects the links in it", param_hint="LINK")
    keeping = Keeping(report, save)
    inspection, launches = run(_inspect(settings, account, link, options, reveal))
    keeping.keep(launches)
    _show(inspection, as_json)
    if inspection.failure is not None:
        say(f"miniapp: {spoken(inspection.failure)}")
        raise typer.Exit(1)
    return None


def _only_single(**chosen: object) -> None:
    """Raises typer.BadParameter for an option that is for one link."""
    for name, value in chosen.items():
        if value is not None:
            raise typer.BadParameter("it is for one link, not for a file", param_hint=f"--{name}")


async def _inspect(
    settings: Settings, account: str | None, link: str, options: dict[str, Any], reveal: bool
) -> tuple[Inspection, list[SavedLaunch]]:
    from flows import MiniAppError
    from launcher.cli.place import placed
    from launcher.launcher import Launcher
    from launcher.report import Recording

    record = Recording(reveal=reveal)
    async with (
        placed(settings, pages=options["host"] is not None) as (sandbox, _),
        Launcher(settings, account, sandbox=sandbox) as launcher,
    ):
        with suppress(MiniAppError):  # it is in the record
            async with record.opening(launcher, link, **options) as app:
                await settled(app)
        return record.inspection, record.all_saved()


def _show(inspection: Inspection, as_json: bool) -> None:
    from rich.console import Console

    from launcher.inspection import print_inspection

    if as_json:
        show_json(inspection.to_json())
    else:
        print_inspection(inspection, Console())
