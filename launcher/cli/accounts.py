"""`miniapp accounts`: the accounts on this machine, and how they get elsewhere. `miniapp logout`: an end."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from launcher.cli.options import AccountOption, JsonOption, ServerOption, settings_for
from launcher.cli.output import say, show_json, show_line, show_table

if TYPE_CHECKING:
    from launcher.accounts import Account, Accounts
    from launcher.settings import Settings

VARIABLE = "MINIAPP_ACCOUNT"

accounts = typer.Typer(name="accounts", invoke_without_command=True)
NameArgument: TypeAlias = Annotated[
    str | None, typer.Argument(help="The account; may also be said by --account.", show_default=False)
]


def chosen(name: str | None, account: str | None) -> str:
    """The name that was given, in either way."""
    if name is None and account is None:
        raise typer.BadParameter("name the account")
    if None not in (name, account) and name != account:
        raise typer.BadParameter("NAME and --account differ")
    return name or account or ""


def accounts_on(settings: Settings, *, connecting: bool = True) -> Accounts:
    """The accounts of the server that is meant, to connect or only to look at their files.

    Raises SettingsError for the sandbox in the process.
    """
    from launcher.accounts import Accounts
    from launcher.servers import server_of
    from launcher.settings import SettingsError

    if settings.server == "sandbox":
        raise SettingsError(
            "The server `sandbox` lives inside one command and signs in by itself: it keeps no accounts.",
            "Run `miniapp sandbox --ready-file FILE` and give --server FILE.",
        )
    return Accounts(settings, server_of(settings, connecting=connecting))


def as_dict(account: Account) -> dict[str, Any]:
    """What is known of an account, for JSON."""
    return asdict(account)


@accounts.callback()
def list_accounts(
    context: typer.Context,
    server: ServerOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the accounts of a server; export and import them."""
    if context.invoked_subcommand is not None:
        return
    from launcher.accounts import NoSuchAccount

    known = accounts_on(settings_for(server), connecting=False)
    found = [one for one in known.list() if account in (None, one.name)]
    if account is not None and not found:
        raise NoSuchAccount(account, known.server.name, known.names())
    if as_json:
        show_json([as_dict(one) for one in found])
    elif found:
        columns = ("name", "server", "user id", "phone", "encrypted", "held by")
        show_table(columns, [tuple(_row(one)) for one in found])
        for one in found:
            if one.problem is not None:
                show_line(f"{one.name}: {one.problem}")
    else:
        from launcher.entry import SIGN_IN

        say(f"No account is signed in on the server {known.server.name}. {SIGN_IN}")


def _row(account: Account) -> list[object]:
    holder = f"process {account.held_by}" if account.held_by is not None else None
    return [account.name, account.server, account.user_id, account.phone, account.encrypted, holder]


@accounts.command("export")
def export_account(
    name: NameArgument = None,
    server: ServerOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write an account to standard output, as one line for a secret variable of a CI system.

    Whoever has that line has the account, unless it is encrypted by a passphrase.
    """
    name = chosen(name, account)
    text = accounts_on(settings_for(server), connecting=False).export(name)
    if as_json:
        show_json({"name": name, "account": text})
    else:
        show_line(text)


@accounts.command("import")
def import_account(
    name: NameArgument = None,
    server: ServerOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep an exported account, read from standard input or MINIAPP_ACCOUNT, under a name."""
    name = chosen(name, account)
    known = accounts_on(settings_for(server), connecting=False)
    imported = known.import_(name, os.environ.get(VARIABLE) or sys.stdin.read())
    if as_json:
        show_json(as_dict(imported))
    else:
        show_line(f"Imported {imported.name} (user {imported.user_id}) on the server {imported.server}.")


def logout(
    name: NameArgument = None,
    force: Annotated[
        bool, typer.Option("--force", help="Remove the file even if the server cannot be told.")
    ] = False,
    server: ServerOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """End an account's session on the server, and remove its file."""
    from launcher.cli.running import run

    name = chosen(name, account)
    known = accounts_on(settings_for(server))
    run(known.sign_out(name, force=force))
    if as_json:
        show_json({"name": name, "server": known.server.name, "signed_out": True})
    else:
        show_line(f"Signed out {name} on the server {known.server.name}.")
