"""`miniapp demo`: all nine ways to open a Mini App, in a sandbox of its own."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from launcher.cli.options import JsonOption, OnlySandboxOption, RevealOption
from launcher.cli.output import show_json


def demo(
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Show each app in Chromium, or only open it.")
    ] = True,
    folder: Annotated[Path, typer.Option("--report", metavar="DIR", help="Where the pictures go.")] = Path(
        "demo-report"
    ),
    install: Annotated[
        bool,
        typer.Option("--install-browser", help="As root: let apt install Chromium when there is none."),
    ] = False,
    reveal: RevealOption = False,
    server: OnlySandboxOption = None,
    as_json: JsonOption = False,
) -> None:
    """Open all nine flows in a sandbox, keep them alive, and check everything that happens.

    A sample Mini App is shown in Chromium for each; pictures and an overview are written to demo-report.
    Without a browser this is said, and everything else is done.
    """
    from rich.console import Console

    from launcher.cli.running import run
    from launcher.demo import print_demo, print_step, run_demo

    steps = Console(stderr=as_json)
    report = run(
        run_demo(
            reveal=reveal, on_step=partial(print_step, console=steps), patience=60.0 if browser else 10.0,
            folder=folder if browser else None, install=install,
        )
    )  # fmt: skip
    if as_json:
        show_json(report.to_json())
    else:
        print_demo(report, Console())
    if not report.ok:
        raise typer.Exit(1)
