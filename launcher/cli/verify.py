"""`miniapp verify`: which of the sandbox's assumptions hold on Telegram's servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launcher.cli import options as given
from launcher.cli.output import say, show_json, show_line, show_table

if TYPE_CHECKING:
    from launcher.settings import Settings
    from launcher.verify import Finding, Step, Verification


def verify(
    bot: Annotated[
        str | None,
        typer.Argument(
            help="A bot of yours: @name. By default that of TELEGRAM_BOT_TOKEN.", show_default=False
        ),
    ] = None,
    link: Annotated[
        list[str] | None,
        typer.Option("--link", metavar="LINK", help="A link to an app of the bot. Repeatable."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(
            "--budget",
            metavar="N",
            min=1,
            help="Requests in a minute; 20 by default, of a sandbox as many as it answers.",
        ),
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option(
            "--allow",
            metavar="NAME",
            help="An assumption for which something may be written, or a question to answer with yes. "
            "Repeatable.",
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Also write the result as JSON.")
    ] = None,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Compare a server with the sandbox, by a bot of your own: what is confirmed, contradicted, untested.

    Opens every app that the bot offers and varies the requests. Nothing is bought; what an assumption's test
    would write is left out unless it is allowed by name. Exit code 1 when something is contradicted or the
    end was not reached.
    """
    from launcher.cli.running import run
    from launcher.verify import WRITES, Verdict

    names = [name for name in allow or () if name in WRITES]
    options = {
        "links": link or (),
        "allowed": names,
        "consent": given.consent([name for name in allow or () if name not in WRITES], ask=False),
    }
    result = run(_verify(given.settings_for(server), account, bot, budget, options, quiet=as_json))
    _save(save, result)
    _show(result, as_json)
    if result.stopped is not None:
        say(f"miniapp: {result.stopped}")
    raise typer.Exit(int(result.stopped is not None or result.counts[Verdict.CONTRADICTED] > 0))


async def _verify(
    settings: Settings,
    account: str | None,
    bot: str | None,
    per_minute: float | None,
    options: dict[str, Any],
    *,
    quiet: bool,
) -> Verification:
    """A flood wait, however short, is for the person to hear of."""
    from launcher.budget import budget_for
    from launcher.launcher import Launcher
    from launcher.timing import Timing
    from launcher.verify import verify

    async with Launcher(settings, account, timing=Timing(flood_wait=0)) as launcher:
        budget = budget_for(launcher.server, per_minute)
        with _progress(quiet=quiet) as told:
            return await verify(launcher, bot, budget=budget, told=told, **options)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """Each step: a bar on a terminal, a line elsewhere, nothing for a program."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    from launcher.plain_text import plain

    console = Console(stderr=True, markup=False)
    if quiet or not console.is_terminal:
        yield (lambda step: None) if quiet else say
        return
    columns = (BarColumn(20), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("")
        yield lambda step: bar.update(task, description=plain(step), total=step.of, completed=step.number - 1)


def _save(file: Path | None, result: Verification) -> None:
    if file is None:
        return
    from flows import BadInput

    try:
        file.write_text(json.dumps(result.to_json(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise BadInput(f"{file}: {error.strerror}.", "Name a file that can be written.") from None


def _show(result: Verification, as_json: bool) -> None:
    from launcher.verify import Verdict

    if as_json:
        show_json(result.to_json())
        return
    show_table(
        ("app", "opened by"),
        ((one.flow, one.exchange.method if one.exchange else one.why or "") for one in result.opened),
    )
    for verdict in (Verdict.CONTRADICTED, Verdict.CONFIRMED, Verdict.UNTESTED):
        show_line(f"{verdict}: {result.counts[verdict]}")
        for finding in result.findings:
            if finding.verdict is verdict:
                _show_finding(finding)
    show_line(f"@{result.bot} on {result.server}, {result.requests} requests.")


def _show_finding(finding: Finding) -> None:
    """One line; of what is contradicted also the whole exchange."""
    from launcher.plain_text import plain
    from launcher.verify import Verdict

    by = f"{finding.exchange.method}: " if finding.exchange else ""
    show_line(f"  {finding.name}: {plain(by + finding.what)}")
    if finding.verdict is Verdict.CONTRADICTED:
        show_line(f"    assumed: {finding.assumption.holds}")
        show_line(f"    {json.dumps(finding.to_json()['exchange'], ensure_ascii=True)}")
