"""The command `miniapp`: accounts, apps and the sandbox from a terminal.

One file per command. Each imports what it works with when it runs, so that help and completion load nothing
but typer. Results go to standard output, as one JSON value with `--json`; questions and progress go to
standard error. What goes wrong anywhere is raised, and becomes one line and an exit code in `main`: 1 for
what failed, 2 for a command line that cannot be used, 130 for Ctrl-C (but what runs until then, a sandbox, an
exporter, a worker, ends by it as it should).
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from launcher.cli.accounts import accounts, logout
from launcher.cli.check import check
from launcher.cli.demo import demo
from launcher.cli.diff import diff
from launcher.cli.drive import drive
from launcher.cli.events import events
from launcher.cli.exporter import exporter
from launcher.cli.failures import report
from launcher.cli.inspect import inspect
from launcher.cli.login import login
from launcher.cli.open import open_app
from launcher.cli.output import show_line
from launcher.cli.record import record
from launcher.cli.replay import replay
from launcher.cli.sandbox import sandbox
from launcher.cli.verdicts import VerdictCommand
from launcher.cli.verify import verify
from launcher.cli.worker import worker

__all__ = ["app", "main"]

app = typer.Typer(
    name="miniapp",
    epilog="Offline: `miniapp demo`, or `miniapp open @demo_bot --via main_app --server sandbox`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        show_line(f"miniapp {version('miniapp-launcher')}")
        raise typer.Exit


@app.callback()
def program(
    asked: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version, and end."),
    ] = False,
) -> None:
    """Open Telegram Mini Apps by program: every documented way, online or in a sandbox."""


app.command()(login)
app.command()(logout)
app.add_typer(accounts)
app.command("open")(open_app)
app.command()(inspect)
app.command()(replay)
app.command()(diff)
app.command(cls=VerdictCommand)(check)
app.command(cls=VerdictCommand)(drive)
app.command()(exporter)
app.command()(record)
app.command()(verify)
app.command()(worker)
app.command()(sandbox)
app.command()(events)
app.command()(demo)


def main() -> None:
    """Run the command line of this process, and end it."""
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        as_json = "--json" in sys.argv
        code = report(error, as_json=as_json, as_nagios=sys.argv[1:2] == ["check"] and not as_json)
    sys.exit(code if isinstance(code, int) else 0)
