"""`miniapp demo`: all nine ways to open a Mini App, in a sandbox of its own."""

from __future__ import annotations

from functools import partial

import typer

from launcher.cli.options import JsonOption, OnlySandboxOption, RevealOption
from launcher.cli.output import show_json


def demo(reveal: RevealOption = False, server: OnlySandboxOption = None, as_json: JsonOption = False) -> None:
    """Open all nine flows in a sandbox, keep them alive, and check everything that happens."""
    from rich.console import Console

    from launcher.cli.running import run
    from launcher.demo import print_demo, print_step, run_demo

    steps = Console(stderr=as_json)
    report = run(run_demo(reveal=reveal, on_step=partial(print_step, console=steps)))
    if as_json:
        show_json(report.to_json())
    else:
        print_demo(report, Console())
    if not report.ok:
        raise typer.Exit(1)
