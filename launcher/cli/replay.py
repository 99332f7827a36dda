"""`miniapp replay`: a saved launch again, on the terminal, as a page, or as a sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, Annotated

import typer

from launcher.cli import options as given
from launcher.cli.keeping import Keeping
from launcher.cli.output import say, show_json, show_line, show_panel, show_table
from launcher.short_text import as_text, shortened

if TYPE_CHECKING:
    from launcher.report import SavedLaunch
    from launcher.sandbox.ready_file import ReadyFile

_LONGEST = 160
"""Characters of a value in a table."""


def replay(
    file: Annotated[Path, typer.Argument(help="A launch that --save has written.", show_default=False)],
    report: given.ReportOption = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Run a sandbox in which this launch can be made again.")
    ] = False,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            "--ready-file", metavar="FILE", help="With --serve: for the --server of other commands."
        ),
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="With --serve; 0 is any free one.")
    ] = 0,
    as_json: given.JsonOption = False,
) -> None:
    """Show a saved launch again, write its report, or serve it.

    With --serve a sandbox has the same bot, app and answers until Ctrl-C; what Telegram refused is refused
    again. Its pages are not served: a browser asks their own servers.
    """
    from launcher.cli.running import run
    from launcher.report import SavedLaunch

    if ready_file is not None and not serve:
        raise typer.BadParameter("it is for --serve", param_hint="--ready-file")
    keeping = Keeping(report)
    saved = SavedLaunch.read(file)
    keeping.keep([saved])
    if serve:
        run(_serve(saved, ready_file, port))
    elif as_json:
        show_json(saved.to_json())
    elif report is None:
        _show(saved)


async def _serve(saved: SavedLaunch, ready_file: Path | None, port: int) -> None:
    from launcher.report.world import replayed
    from launcher.sandbox import ready_file as ready
    from launcher.sandbox.program import until_stopped

    async with replayed(saved, port=port) as sandbox:
        await until_stopped(ready.describe(sandbox), ready_file, partial(_announce, saved, ready_file))


def _announce(saved: SavedLaunch, ready_file: Path | None, ready: ReadyFile) -> None:
    from launcher.report.world import link_of

    if ready_file is None:
        say("Other programs need the ready file: run it again with --ready-file FILE.")
    else:
        person = ready.accounts[0]
        say(f"Try: miniapp login --phone {person.phone} --server {ready_file}   (code {person.code})")
        say(f"     miniapp inspect {join([link_of(saved), *_options(saved)])} --server {ready_file}")
    say(f"The launch is served on {ready.dc.host}:{ready.dc.port}. Ctrl-C stops it.")


_AGAIN = ("chat", "button", "start", "start_param", "query")
"""Options whose texts mean the same in the sandbox; numbers are of messages and chats that it has not."""


def _options(saved: SavedLaunch) -> Iterator[str]:
    """With which options of the command line the launch is made again."""
    from flows import OpenParameters
    from launcher.masks import MASK

    usual = OpenParameters()
    via = saved.options.get("via") or (saved.app or {}).get("flow")
    wanted = {
        "via": via if saved.link is None else None,
        **{name: saved.options.get(name) for name in _AGAIN},
        "platform": saved.platform,
        "mode": saved.parameters.get("mode"),
    }
    for name, value in wanted.items():
        if isinstance(value, str) and value not in ("", usual.platform, usual.mode) and MASK not in value:
            yield from (f"--{name.replace('_', '-')}", value)


def _show(saved: SavedLaunch) -> None:
    """On a terminal: what happened, then each part that there is."""
    from launcher.inspection.readings import agreement

    outcome = "opened" if saved.opened else f"not opened: {saved.failure.message if saved.failure else ''}"
    facts = [
        ("when", saved.when.isoformat(timespec="seconds")),
        ("opened by", saved.opened_by and f"a link in the page of {saved.opened_by}"),
        ("server", saved.server),
        ("platform", saved.platform),
        ("options", ", ".join(f"{name}={as_text(value)}" for name, value in saved.options.items()) or None),
        ("outcome", outcome),
        ("judged", saved.judgement and f"{saved.judgement.verdict} by {saved.judgement.by}"),
        ("closed", saved.closed),
    ]
    show_panel(saved.target, facts)
    for name in ("link", "bot", "app", "answer", "launch_params", "init_data", "page"):
        if values := getattr(saved, name):
            show_panel(name.replace("_", " "), [(key, _cell(value)) for key, value in values.items()])
    if saved.readings:
        show_line(agreement(saved.readings))
    _tables(saved)


def _tables(saved: SavedLaunch) -> None:
    tables: dict[tuple[str, ...], list[tuple[object, ...]]] = {
        ("question", "about", "answer"): [
            (one.question, one.detail, "yes" if one.allowed else "no") for one in saved.questions
        ],
        ("at", "request", "took", "error"): [
            (_ms(one.at), one.method, _ms(one.seconds), one.error and one.error.message)
            for one in saved.exchanges
        ],
        ("verdict", "check", "what"): [(one.verdict, one.name, one.text) for one in saved.checks],
        ("at", "way", "event", "data"): [
            (_ms(one.at), one.direction, one.name, _cell(one.data)) for one in saved.events
        ],
        ("at", "seen", "what"): [(_ms(one.at), one.kind, one.text) for one in saved.seen],
        ("at", "level", "on the console"): [
            (_ms(one.at), one.level, _cell(one.text)) for one in saved.console
        ],
        ("at", "method", "address", "status", "took"): [
            (
                _ms(one.at),
                one.method,
                one.origin + one.path,
                one.failure or one.status,
                None if one.ms is None else _ms(one.ms / 1000),
            )
            for one in saved.network
        ],
        ("step", "name", "verdict", "cause"): [
            (step.id, step.name, step.verdict, step.cause) for step in saved.metapro
        ],
    }
    for columns, rows in tables.items():
        if rows:
            show_table(columns, rows)
    if saved.unanswered:
        show_line(f"Unanswered: {', '.join(one.name for one in saved.unanswered)}")


def _cell(value: object) -> object:
    """What is none and what is yes or no is shown as everywhere."""
    return value if value is None or isinstance(value, bool) else shortened(value, _LONGEST)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
