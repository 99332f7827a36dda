"""`miniapp worker`: the checks of a target file, shared among machines over PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launcher.cli import options as given
from launcher.cli.output import say, show_json, show_line, show_table

if TYPE_CHECKING:
    from pydantic import SecretStr

    from launcher.scale import Database, Worker


def worker(
    file: Annotated[Path | None, typer.Argument(help="A target file (YAML).", show_default=False)] = None,
    database: given.DatabaseOption = "",
    name: Annotated[
        str | None,
        typer.Option("--name", help="Of this worker; by default the machine's, and its process id."),
    ] = None,
    once: Annotated[
        bool,
        typer.Option("--once", help="Do what is due, and end; exit code 1 when not everything could be."),
    ] = False,
    migrate: Annotated[bool, typer.Option("--migrate", help="Make the tables, and end.")] = False,
    status: Annotated[
        bool, typer.Option("--status", help="Show leases, queues and last results, and end.")
    ] = False,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Check the targets of a file again and again, beside other workers with the same file and database.

    An account is used by one worker at a time. Ctrl-C and SIGTERM end it well: running checks are finished,
    or go back into the queue. With MINIAPP_LAUNCH_KEY, a secret that all workers share, pages are shown by
    whichever worker has a browser to spare. With --json each result is one line.
    """
    from launcher.cli.running import run

    shared = database_of(database)
    if status:
        return run(show_status(shared, as_json=as_json))
    if migrate:
        return run(shared.migrate())
    if file is None:
        raise typer.BadParameter("a target file is needed", param_hint="FILE")
    return run(_work(_worker(file, shared, name, server, account, as_json), once=once))


def database_of(url: str) -> Database:
    """The database of the workers. Raises BadInput."""
    from flows import BadInput
    from launcher.extras import install

    try:
        from launcher.scale import Database
    except ImportError:
        raise BadInput("Workers need some more packages.", install("monitor", "scale")) from None
    if not url:
        raise BadInput(
            "There is no database.", "Set MINIAPP_DATABASE_URL to postgresql://… or give --database."
        )
    return Database(url)


def launch_key() -> SecretStr | None:
    """The secret that all workers share, if they do."""
    from pydantic import SecretStr

    key = os.environ.get("MINIAPP_LAUNCH_KEY")
    return SecretStr(key) if key else None


def _worker(
    file: Path, database: Database, name: str | None, server: str | None, account: str | None, as_json: bool
) -> Worker:
    from launcher.probe import CheckResult, read_targets
    from launcher.scale import Worker

    def told(result: CheckResult) -> None:
        if as_json:
            show_json(result.to_json())
        else:
            show_line(f"{result.target}  {result.status.name}  {result.text}")

    targets = read_targets(file, account)
    return Worker(
        given.settings_for(server or targets.server),
        targets,
        database,
        name=name or f"{socket.gethostname()}-{os.getpid()}",
        account=account,
        launch_key=launch_key(),
        told=told,
        noted=say,
    )


async def _work(worker: Worker, *, once: bool) -> None:
    """Work until done, or told to stop."""
    import asyncio

    from flows import MiniAppError

    working = asyncio.ensure_future(worker.run_once() if once else worker.run())
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(sign, working.cancel)
    try:
        await working
    except asyncio.CancelledError:
        if once:
            raise MiniAppError("It was stopped before everything was checked.", "Run it again.") from None


async def show_status(database: Database, *, as_json: bool) -> None:
    """Leases, queues and last results, as tables or as JSON."""
    from launcher.scale import status

    told = await status(database)
    if as_json:
        return show_json(told)
    for title, rows in told.items():
        _show(title, rows)
    return None


def _show(title: str, rows: list[dict[str, Any]]) -> None:
    columns = list(rows[0]) if rows else ["none yet"]
    show_table(columns, [list(row.values()) for row in rows], title=title)
