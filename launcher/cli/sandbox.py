"""`miniapp sandbox`: a Telegram on the loopback for other programs, until it is told to stop."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from launcher.cli.options import JsonOption, OnlySandboxOption
from launcher.cli.output import say, show_json, show_line, show_table

if TYPE_CHECKING:
    from launcher.sandbox.metapro import Switches
    from launcher.sandbox.ready_file import ReadyFile


def sandbox(
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Of the main data centre; 0 is any free one.")
    ] = 0,
    ready_file: Annotated[
        Path | None,
        typer.Option(
            "--ready-file", metavar="FILE", help="Written once it listens: all that clients need, as JSON."
        ),
    ] = None,
    flip: Annotated[
        list[str] | None,
        typer.Option("--flip", metavar="ASSUMPTION", help="Let an assumption not hold. Repeatable."),
    ] = None,
    query_lifetime: Annotated[
        float,
        typer.Option(
            "--query-lifetime", metavar="SECONDS", min=0, help="How long a web view lives unprolonged."
        ),
    ] = 60.0,
    metapro: Annotated[
        list[str] | None,
        typer.Option(
            "--metapro", metavar="SWITCH=VALUE", help="Turn a switch of the stand-in of Metapro. Repeatable."
        ),
    ] = None,
    assumptions: Annotated[
        bool, typer.Option("--assumptions", help="List the assumptions, and run nothing.")
    ] = False,
    server: OnlySandboxOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a Telegram data centre on 127.0.0.1 until Ctrl-C.

    It has people, bots and Mini Apps in it, and a stand-in of Metapro for apps that log in there: a model of
    what is documented, not Metapro. Other programs get at it with --server FILE. With --json the content of
    the ready file goes to standard output once it listens. Ctrl-C and SIGTERM end it well: exit code 0.
    """
    from launcher.cli.running import run

    if assumptions:
        return _list_assumptions(as_json)
    return run(_serve(port, ready_file, flip or [], query_lifetime, metapro or [], as_json))


def _list_assumptions(as_json: bool) -> None:
    from launcher.sandbox.assumptions import ASSUMPTIONS

    rows = [(row.name, row.holds, row.flipped) for row in ASSUMPTIONS.values()]
    if as_json:
        show_json([{"name": name, "holds": holds, "flipped": flipped} for name, holds, flipped in rows])
    else:
        for name, holds, flipped in rows:
            for line in (name, f"    {holds}", f"    with --flip: {flipped}"):
                show_line(line)


async def _serve(
    port: int,
    ready_file: Path | None,
    flip: list[str],
    query_lifetime: float,
    metapro: list[str],
    as_json: bool,
) -> None:
    from flows import BadInput
    from launcher.sandbox import Sandbox
    from launcher.sandbox.assumptions import UnknownAssumption
    from launcher.sandbox.program import serve

    try:
        made = Sandbox(port=port, flipped=flip, query_lifetime=query_lifetime)
    except UnknownAssumption as unknown:
        raise typer.BadParameter(
            f"there is no assumption {unknown.args[0]!r}; `miniapp sandbox --assumptions` lists them",
            param_hint="--flip",
        ) from None
    try:
        await serve(
            ready_file=ready_file,
            on_ready=partial(_announce, ready_file, as_json=as_json),
            sandbox=made,
            switches=_switches(metapro),
        )
    except OSError as error:
        if error.filename is not None:
            raise
        raise BadInput(
            f"The port {port} of 127.0.0.1 cannot be listened on.",
            "Choose another, or leave --port out for any free one.",
        ) from None


def _switches(given: list[str]) -> Switches:
    """The switches that `NAME=VALUE` turn; a value is JSON, or else the text that it is."""
    from pydantic import ValidationError

    from launcher.sandbox.metapro import Switches

    told = dict(map(_told, given))
    try:
        return Switches.model_validate({name: _value(value) for name, value in told.items()})
    except ValidationError as error:
        wrong = str(error.errors(include_url=False, include_input=False)[0]["loc"][0])
    raise typer.BadParameter(_misfit(wrong, told[wrong]), param_hint="--metapro")


def _told(one: str) -> tuple[str, str]:
    """Name and value. Raises typer.BadParameter."""
    from launcher.sandbox.metapro import Switches

    name, equals, value = one.partition("=")
    if name not in Switches.model_fields:
        names = ", ".join(Switches.model_fields)
        raise typer.BadParameter(f"there is no switch {name!r}; there are {names}", param_hint="--metapro")
    if not equals:
        raise typer.BadParameter(f"{name} is turned by {name}=VALUE; {_takes(name)}", param_hint="--metapro")
    return name, value


def _misfit(name: str, value: str) -> str:
    return f"{name} cannot be {value!r}; {_takes(name)}"


def _takes(name: str) -> str:
    from launcher.sandbox.metapro import positions

    return f"it takes {positions(name)}"


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _announce(ready_file: Path | None, ready: ReadyFile, *, as_json: bool) -> None:
    _show_world(ready)
    _show_what_to_try(ready, ready_file)
    if as_json:
        show_json(ready.model_dump(mode="json"))


def _show_world(ready: ReadyFile) -> None:
    people = [(one.name, one.user_id, one.phone, one.code, one.password) for one in ready.accounts]
    bots = [(f"@{one.username}", one.id, ", ".join(one.apps)) for one in ready.bots]
    show_table(("account", "user id", "phone", "code", "password"), people, on_error=True)
    show_table(("bot", "id", "direct-link apps"), bots, on_error=True)


def _show_what_to_try(ready: ReadyFile, ready_file: Path | None) -> None:
    if ready_file is None:
        say("Other programs need the ready file: run it again with --ready-file FILE.")
    else:
        first, app = ready.accounts[0], _some_app(ready)
        say(f"Try: miniapp login --phone {first.phone} --server {ready_file}   (code {first.code})")
        say(f"     miniapp open {app} --server {ready_file}")
    if ready.site is not None and ready.metapro is not None:
        say(f"Its sample apps are at {ready.site}.")
        say(f"Its stand-in of Metapro ({ready.metapro.assumption_model}) is at {ready.metapro.url}.")
        if ready.metapro.relay is not None:
            say(f"Its WalletConnect relay is at {ready.metapro.relay}.")
    say(f"The sandbox listens on {ready.dc.host}:{ready.dc.port}. Ctrl-C stops it.")


def _some_app(ready: ReadyFile) -> str:
    links = (f"https://t.me/{bot.username}/{app}" for bot in ready.bots for app in bot.apps)
    return next(links, f"@{ready.bots[0].username}")
