"""`miniapp exporter`: watch Mini Apps for ever, for Prometheus and for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from launcher.cli import options as given
from launcher.cli.output import say
from launcher.short_text import counted

if TYPE_CHECKING:
    from launcher.exporter import History
    from launcher.exporter.source import Source
    from launcher.exporter.web_config import WebConfig
    from launcher.settings import Settings


def exporter(
    file: Annotated[Path, typer.Argument(help="The target file (YAML).", show_default=False)],
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS", help="IP address and port; port 0 is any free one.")
    ] = "127.0.0.1:9799",
    history: Annotated[
        Path | None,
        typer.Option("--history", metavar="FILE", help="Keep what was found across restarts (SQLite)."),
    ] = None,
    web_config: Annotated[
        Path | None,
        typer.Option(
            "--web-config", metavar="FILE", help="TLS and basic auth, as Prometheus's exporters have it."
        ),
    ] = None,
    from_workers: Annotated[
        bool,
        typer.Option("--from-workers", help="Check nothing: serve what `miniapp worker` has found."),
    ] = False,
    database: given.DatabaseOption = "",
    server: given.ServerOption = None,
    account: given.AccountOption = None,
) -> None:
    """Check the targets of FILE in their periods, and serve what was found until Ctrl-C.

    /metrics and /probe are for Prometheus, / is a status page. SIGHUP and POST /-/reload read FILE anew. With
    --from-workers the checks are made by workers with the same file, and their database is the history.
    """
    from launcher.cli.running import run
    from launcher.exporter import History
    from launcher.exporter.web_config import WebConfig, read_web_config
    from launcher.probe import read_targets

    if from_workers and history:
        raise typer.BadParameter("the workers' database is the history", param_hint="--history")
    said = read_targets(file, account).server
    config = read_web_config(web_config) if web_config else WebConfig()
    kept = History(history, told=say) if history else None
    source = _found(database) if from_workers else _checked(given.settings_for(server or said))
    run(_watch(file, source, account, listen, kept, config))


@asynccontextmanager
async def _checked(settings: Settings) -> AsyncIterator[Callable[..., Source]]:
    """What is checked here."""
    from launcher.cli.place import placed
    from launcher.exporter import Schedule
    from launcher.launcher import Launcher

    async with placed(settings) as (sandbox, ready):
        yield partial(Schedule, lambda name: Launcher(settings, name, sandbox=sandbox), ready=ready, said=say)


@asynccontextmanager
async def _found(database: str) -> AsyncIterator[Callable[..., Source]]:
    """What workers find."""
    from launcher.cli.worker import database_of, launch_key

    shared = database_of(database)
    from launcher.scale.shared_results import SharedResults

    yield partial(SharedResults, shared, launch_key=launch_key())


async def _watch(
    file: Path,
    source: AbstractAsyncContextManager[Callable[..., Source]],
    account: str | None,
    listen: str,
    history: History | None,
    config: WebConfig,
) -> None:
    from launcher.exporter import Exporter, application
    from launcher.exporter.serving import is_loopback, listening, serving, until_told

    with listening(listen) as listener:
        host, port, *_ = listener.getsockname()
        scheme = "https" if config.tls_server_config else "http"
        async with (
            source as results,
            Exporter(file, results, history=history, account=account, said=say) as exporter,
        ):
            if not is_loopback(listener) and not config.basic_auth_users:
                say("Others can reach it, and everybody may look: --web-config asks for a password.")
            place = f"[{host}]" if ":" in host else host
            app = application(exporter, config.basic_auth_users)
            async with serving(app, listener, config.tls_server_config):
                targets = counted(len(exporter.source.watched), "target")
                say(f"{targets}: {scheme}://{place}:{port}/ . Ctrl-C stops it.")
                await until_told(exporter)
