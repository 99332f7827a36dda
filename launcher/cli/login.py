"""`miniapp login`: sign in by phone, by QR code or as a bot, and keep the account."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from launcher.cli.options import AccountOption, JsonOption, ServerOption, settings_for
from launcher.cli.output import say, show_json, show_line

if TYPE_CHECKING:
    from pydantic import SecretStr

    from launcher.accounts import Account, Accounts
    from launcher.settings import Settings
    from launcher.sign_in import QrCode


def login(
    name: Annotated[
        str | None,
        typer.Argument(help="What to call the account here; its user name by default, or the phone's end."),
    ] = None,
    phone: Annotated[
        str | None, typer.Option("--phone", metavar="NUMBER", help="In international form.")
    ] = None,
    qr: Annotated[bool, typer.Option("--qr", help="Show a QR code, to be scanned in Telegram.")] = False,
    bot: Annotated[
        bool, typer.Option("--bot", help="Sign in as the bot of TELEGRAM_BOT_TOKEN, or of a typed token.")
    ] = False,
    server: ServerOption = None,
    account: AccountOption = None,
    as_json: JsonOption = False,
) -> None:
    """Sign in and keep the account.

    Code, password and token are asked for, read from standard input (a line each), or taken from
    TELEGRAM_CODE, TELEGRAM_PASSWORD and TELEGRAM_BOT_TOKEN.
    """
    from launcher.cli.accounts import accounts_on, as_dict
    from launcher.cli.running import run

    if sum((phone is not None, qr, bot)) > 1:
        raise typer.BadParameter("choose one of --phone, --qr and --bot")
    settings = settings_for(server)
    accounts = accounts_on(settings)
    signed_in = run(_sign_in(accounts, name or account, phone, qr=qr, bot=bot))
    if as_json:
        show_json(as_dict(signed_in))
    else:
        show_line(_told(signed_in))


async def _sign_in(
    accounts: Accounts, name: str | None, phone: str | None, *, qr: bool, bot: bool
) -> Account:
    if bot:
        return await accounts.sign_in_bot(name, _token(accounts.settings))
    if qr:
        return await accounts.sign_in_by_qr(name, partial(_shown, accounts.server.name))
    return await accounts.sign_in_by_phone(name, phone or _phone())


def _phone() -> str:
    return _typed("Phone number, in international form: ", "Give it with --phone.")


def _token(settings: Settings) -> SecretStr:
    from pydantic import SecretStr

    return settings.bot_token or SecretStr(_typed("Token of the bot: ", "Set TELEGRAM_BOT_TOKEN."))


def _typed(prompt: str, otherwise: str) -> str:
    from flows import BadInput
    from launcher.cli.questions import asked_line

    line = asked_line(prompt)
    if not line:
        raise BadInput("There is nobody to ask: the standard input has ended.", otherwise)
    return line.strip()


_SCANNERS = {
    "sandbox": "No phone is on a sandbox: a client that is signed in there accepts the token of this link "
    "with auth.acceptLoginToken. Or sign in with --phone.",
}


async def _shown(server: str, code: QrCode) -> None:
    """Draw a code on standard error, with the link itself for whoever can use that.

    A new one follows when the old has expired.
    """
    scan = "Scan this in Telegram: Settings > Devices > Link Desktop Device. It changes when it expires."
    say(_SCANNERS.get(server, scan))
    from launcher.extras import install

    try:
        import segno
    except ImportError:
        say(f"(A drawing needs one more package. {install('qr')})")
    else:
        segno.make(code.url, micro=False).terminal(out=sys.stderr, compact=True)
    say(code.url)


def _told(account: Account) -> str:
    number = f", {account.phone}" if account.phone else ""
    kept = "encrypted" if account.encrypted else "in a plain file"
    return (
        f"Signed in as {account.name} (user {account.user_id}{number}) on the server {account.server}; "
        f"kept {kept}."
    )
