"""`miniapp diff`: what changed between two saved launches, or between platforms of one link."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from launcher.cli import options as given
from launcher.cli.output import say, show_json, show_table
from launcher.short_text import shortened

if TYPE_CHECKING:
    from launcher.report import SavedLaunch
    from launcher.report.diff import Change
    from launcher.settings import Settings

_LONGEST = 300
"""Characters of a value in the table."""


def diff(
    first: Annotated[
        str, typer.Argument(help="A saved launch; or a link or @bot, with --platform.", show_default=False)
    ],
    second: Annotated[str | None, typer.Argument(help="Another saved launch.", show_default=False)] = None,
    platform: Annotated[
        list[str] | None,
        typer.Option("--platform", metavar="NAME", help="Open the link as this client. Repeatable."),
    ] = None,
    via: given.ViaOption = None,
    start_param: given.StartParamOption = None,
    mode: given.ModeOption = "fullsize",
    host: Annotated[
        Literal["browser"] | None,
        typer.Option("--host", help="Also show the page, and compare what it does."),
    ] = None,
    allow: given.AllowOption = None,
    server: given.ServerOption = None,
    account: given.AccountOption = None,
    as_json: given.JsonOption = False,
) -> None:
    """Compare two saved launches, or how one link opens on several platforms.

    Times and what is made anew for each launch are left out. Exit code 0 when nothing changed, 1 when
    something did.
    """
    from launcher.cli.running import run

    if second is not None:
        _only_for_a_link(platform=platform, via=via, start_param=start_param, host=host, allow=allow)
        launches = {name: _read(name) for name in (first, second)}
        if len(launches) == 1:
            raise typer.BadParameter("both are the same file", param_hint="SECOND")
    else:
        platforms = list(dict.fromkeys(platform or ()))
        if len(platforms) < 2:
            raise typer.BadParameter(
                "give a second file, or two platforms to compare", param_hint="--platform"
            )
        options = given.place_and_start(
            via=via, chat=None, button=None, topic=None, reply_to=None, send_as=None, silent=None,
            start=None, start_param=start_param, query="",
        ) | {"host": host, "consent": given.consent(allow, ask=False)}  # fmt: skip
        parameters = {name: given.open_parameters(name, mode, None) for name in platforms}
        launches = run(_launches(given.settings_for(server), account, first, parameters, options))
    _tell(launches, as_json)


def _only_for_a_link(**chosen: object) -> None:
    """Raises typer.BadParameter for an option that says how a link is opened."""
    for name, value in chosen.items():
        if value:
            raise typer.BadParameter(
                "it is for one link, not for two files", param_hint=f"--{name.replace('_', '-')}"
            )


def _read(name: str) -> SavedLaunch:
    from launcher.report import SavedLaunch

    return SavedLaunch.read(Path(name))


async def _launches(
    settings: Settings, account: str | None, target: str, parameters: dict[str, Any], options: dict[str, Any]
) -> dict[str, SavedLaunch]:
    """One launch for each platform. Each begins with what the account knew before all of them, so that none
    is spared a request that another had to make."""
    from flows import MiniAppError
    from flows.cache import Cache
    from launcher.cli.keeping import settled
    from launcher.cli.place import placed
    from launcher.launcher import Launcher
    from launcher.report import Recording

    launches = {}
    async with (
        placed(settings, pages=options["host"] is not None) as (sandbox, _),
        Launcher(settings, account, sandbox=sandbox) as launcher,
    ):
        known = launcher.cache.to_json()
        for name, chosen in parameters.items():
            launcher.cache = Cache.from_json(known)
            record = Recording(pictures=False)
            with suppress(MiniAppError):  # it is in the record
                async with record.opening(launcher, target, parameters=chosen, **options) as app:
                    await settled(app)
            launches[name] = record.saved()
    return launches


def _tell(launches: dict[str, SavedLaunch], as_json: bool) -> None:
    """Each launch beside the first."""
    from launcher.report.diff import difference

    (before, saved), *others = launches.items()
    found = {name: difference(saved, other) for name, other in others}
    if as_json:
        show_json(
            [
                {"before": before, "after": name, "changes": [change.to_json() for change in changes]}
                for name, changes in found.items()
            ]
        )
    else:
        for name, changes in found.items():
            _table(before, name, changes)
    if any(found.values()):
        raise typer.Exit(1)


def _table(before: str, after: str, changes: Iterable[Change]) -> None:
    rows = [(one.section, one.where, _cell(one.before), _cell(one.after)) for one in changes]
    if rows:
        show_table(("part", "what", before, after), rows)
    else:
        say(f"{before} and {after} are alike.")


def _cell(value: Any) -> str:
    return "absent" if value is None else shortened(value, _LONGEST)
