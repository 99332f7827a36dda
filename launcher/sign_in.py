"""Signing in: by a code sent to a phone, by a QR code, or with a bot's token.

Each function takes a connected client on which nobody is signed in and returns the user (TL `user`). What
a person must tell, the code and the two-step password, is asked through a coroutine function that is given
what the person should know; `typed_code` and `typed_password` are those for a setting or the standard input.
A wrong answer is asked for again, three times in all.

Documentation: core.telegram.org/api/auth, core.telegram.org/api/qr-login, core.telegram.org/api/srp
"""

from __future__ import annotations

import asyncio
import base64
import getpass
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from pydantic import SecretStr
from telethon import TelegramClient, events
from telethon.errors import PhoneNumberUnoccupiedError
from telethon.password import compute_check
from telethon.tl import functions, types
from telethon.utils import parse_phone

from flows.errors import BadInput, MiniAppError, PasswordNeeded, RpcFailed, WrongSecret, call, from_rpc
from launcher.plain_text import plain

__all__ = [
    "AskCode",
    "AskPassword",
    "CodeSent",
    "PasswordAsked",
    "QrCode",
    "SignInGivenUp",
    "by_phone",
    "by_qr",
    "by_token",
    "typed_code",
    "typed_password",
]

ATTEMPTS = 3


class SignInGivenUp(MiniAppError):
    """The sign-in ended without an account: wrong answers, no answer, or a way that only official apps go."""


@dataclass(frozen=True, slots=True)
class CodeSent:
    """A sign-in code is on its way.

    `where` says where to look for it; `resend` where it would be sent when asked for again, None when that is
    not possible, and `resend_after` how many seconds Telegram wants to wait before. `wrong` counts the wrong
    codes given so far.
    """

    where: str
    length: int | None
    resend: str | None
    resend_after: int | None
    wrong: int = 0
    hash: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PasswordAsked:
    """The account has a two-step password, with its owner's `hint`. `wrong` counts the wrong ones so far."""

    hint: str | None
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class QrCode:
    """What to show as a QR code: a `tg://login` link, good until `expires`. Who scans it signs us in."""

    url: str = field(repr=False)
    expires: datetime


AskCode: TypeAlias = Callable[[CodeSent], Awaitable[str | None]]
"""Answers with the code, or None to have it sent again."""

AskPassword: TypeAlias = Callable[[PasswordAsked], Awaitable[str]]


async def by_phone(client: TelegramClient, phone: str, *, code: AskCode, password: AskPassword) -> Any:
    """Sign in with the code that Telegram sends to `phone` (international form).

    Raises BadInput for what is no phone number, SignInGivenUp after three wrong codes or passwords, RpcFailed
    (mostly SignInFailed) for what Telegram refuses.
    """
    number = parse_phone(phone)
    if number is None:
        raise BadInput("This is not a phone number.", "Write it in international form: +49 170 1234567.")
    settings = types.CodeSettings()
    answer = await call(
        client, functions.auth.SendCodeRequest(number, client.api_id, client.api_hash, settings)
    )
    if isinstance(answer, types.auth.SentCodeSuccess):
        return await _finish(client, answer.authorization)
    sent = _code_sent(answer)
    while sent.wrong < ATTEMPTS:
        given = await code(sent)
        if given is None:
            sent = await _sent_again(client, number, sent)
            continue
        try:
            request = functions.auth.SignInRequest(number, sent.hash, given.strip())
            return await _finish(client, await call(client, request))
        except PasswordNeeded:
            return await _with_password(client, password)
        except WrongSecret:
            sent = replace(sent, wrong=sent.wrong + 1)
    raise _given_up("code")


async def by_qr(
    client: TelegramClient,
    show: Callable[[QrCode], Awaitable[None]],
    *,
    password: AskPassword,
    least_wait: float = 5.0,
    codes: int = 10,
) -> Any:
    """Sign in by a QR code that a signed-in official app scans.

    `show` is given the first code, and a new one whenever the last has expired or was turned down; so many
    `codes` in all, each good for about 30 seconds. A local clock that is ahead makes codes look expired: each
    is shown for at least `least_wait` seconds. Raises SignInGivenUp when none was accepted, and as `by_phone`
    does.
    """
    scanned = asyncio.Event()

    async def on_scan(_: Any) -> None:
        scanned.set()

    client.add_event_handler(on_scan, events.Raw(types.UpdateLoginToken))
    try:
        for shown in range(codes + 1):
            scanned.clear()
            token = await _login_token(client)
            if isinstance(token, types.auth.LoginTokenSuccess):
                return await _finish(client, token.authorization)
            if shown < codes:
                await show(_qr_code(token))
                await _until(scanned, max(least_wait, (token.expires - datetime.now(UTC)).total_seconds()))
        raise SignInGivenUp(
            f"None of {codes} QR codes was scanned.",
            "Start again with Telegram at hand, or sign in by phone.",
        )
    except PasswordNeeded:
        return await _with_password(client, password)
    finally:
        client.remove_event_handler(on_scan)


async def by_token(client: TelegramClient, token: SecretStr) -> Any:
    """Sign in as the bot with this token. Bots open no Mini Apps, but they answer for them."""
    request = functions.auth.ImportBotAuthorizationRequest(
        0, client.api_id, client.api_hash, token.get_secret_value()
    )
    return await _finish(client, await call(client, request))


async def _finish(client: TelegramClient, authorization: Any) -> Any:
    if isinstance(authorization, types.auth.AuthorizationSignUpRequired):
        raise from_rpc(PhoneNumberUnoccupiedError(request=None), "auth.signIn")
    # What Telethon's own sign_in() ends with: it learns who we are and where updates stand.
    await client._on_login(authorization.user)
    return authorization.user


async def _with_password(client: TelegramClient, password: AskPassword) -> Any:
    for wrong in range(ATTEMPTS):
        asked = await call(client, functions.account.GetPasswordRequest())
        given = await password(PasswordAsked(asked.hint, wrong))
        request = functions.auth.CheckPasswordRequest(compute_check(asked, given))
        try:
            return await _finish(client, await call(client, request))
        except WrongSecret:
            pass
    raise _given_up("password")


def _given_up(what: str) -> SignInGivenUp:
    return SignInGivenUp(
        f"The {what} was wrong {ATTEMPTS} times.", f"Start the sign-in again with the right {what}."
    )


async def _sent_again(client: TelegramClient, number: str, before: CodeSent) -> CodeSent:
    try:
        answer = await call(client, functions.auth.ResendCodeRequest(number, before.hash))
    except RpcFailed as failure:
        if failure.name != "SEND_CODE_UNAVAILABLE" or before.resend is None:
            raise
        return replace(before, resend=None, resend_after=None)  # the code that was sent is still good
    return replace(_code_sent(answer), wrong=before.wrong)


_WAYS: dict[type, str] = {
    types.auth.SentCodeTypeApp: "in Telegram, on a device where this account is signed in",
    types.auth.SentCodeTypeSms: "by SMS",
    types.auth.SentCodeTypeFirebaseSms: "by SMS",
    types.auth.SentCodeTypeSmsWord: "by SMS, as a word",
    types.auth.SentCodeTypeSmsPhrase: "by SMS, as a phrase",
    types.auth.SentCodeTypeCall: "by a phone call",
    types.auth.SentCodeTypeFlashCall: "by a call: it is the caller's number",
    types.auth.SentCodeTypeMissedCall: "by a call: it is the last digits of the caller's number",
    types.auth.SentCodeTypeEmailCode: "by e-mail",
    types.auth.SentCodeTypeFragmentSms: "at fragment.com, where the number is kept",
    types.auth.CodeTypeSms: "by SMS",
    types.auth.CodeTypeCall: "by a phone call",
    types.auth.CodeTypeFlashCall: "by a call: it is the caller's number",
    types.auth.CodeTypeMissedCall: "by a call: it is the last digits of the caller's number",
    types.auth.CodeTypeFragmentSms: "at fragment.com, where the number is kept",
}


def _code_sent(answer: Any) -> CodeSent:
    where = _WAYS.get(type(getattr(answer, "type", None)))
    if where is None:  # an e-mail address must be set up first, or a fee be paid: official apps do that
        raise SignInGivenUp(
            "Telegram sends no code to this account as it is.",
            "Sign in once with an official app and do what it asks, or sign in by QR code.",
        )
    return CodeSent(
        where,
        getattr(answer.type, "length", None),
        _WAYS.get(type(answer.next_type)),
        answer.timeout,
        hash=answer.phone_code_hash,
    )


async def _login_token(client: TelegramClient) -> Any:
    """auth.loginToken, or auth.loginTokenSuccess once the code was accepted."""
    request = functions.auth.ExportLoginTokenRequest(client.api_id, client.api_hash, [])
    token = await call(client, request)
    if isinstance(token, types.auth.LoginTokenMigrateTo):
        await client._switch_dc(token.dc_id)  # the account lives there; Telethon's qr_login() does the same
        token = await call(client, functions.auth.ImportLoginTokenRequest(token.token))
    return token


def _qr_code(token: Any) -> QrCode:
    text = base64.urlsafe_b64encode(token.token).decode().rstrip("=")
    return QrCode(f"tg://login?token={text}", token.expires)


async def _until(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass


def typed_code(preset: SecretStr | None) -> AskCode:
    """Answers with `preset` (the setting TELEGRAM_CODE) or with a line of the standard input.

    An empty line has the code sent again, as long as there is a way left.
    """

    async def ask(sent: CodeSent) -> str | None:
        if preset is not None:
            return _preset(preset, sent.wrong, "TELEGRAM_CODE")
        again = f"; an empty line sends it again, {sent.resend}" if sent.resend else ""
        wrong = "That code was wrong. " if sent.wrong else ""
        given = _line(f"{wrong}The code was sent {sent.where}{again}. Code: ", secret=False)
        while not given and sent.resend is None:
            given = _line(f"There is no other way left; the code was sent {sent.where}. Code: ", secret=False)
        return given or None

    return ask


def typed_password(preset: SecretStr | None) -> AskPassword:
    """Answers with `preset` (the setting TELEGRAM_PASSWORD) or with a line of the standard input."""

    async def ask(asked: PasswordAsked) -> str:
        if preset is not None:
            return _preset(preset, asked.wrong, "TELEGRAM_PASSWORD")
        hint = f" (hint: {plain(asked.hint)})" if asked.hint else ""
        wrong = "That password was wrong. " if asked.wrong else ""
        return _line(f"{wrong}Two-step password{hint}: ", secret=True)

    return ask


def _preset(preset: SecretStr, wrong: int, variable: str) -> str:
    if wrong:
        raise SignInGivenUp(f"{variable} is wrong.", "Correct it, or unset it to be asked.")
    return preset.get_secret_value()


def _line(prompt: str, *, secret: bool) -> str:
    if secret and sys.stdin.isatty():
        return getpass.getpass(prompt, stream=sys.stderr)
    sys.stderr.write(prompt if sys.stdin.isatty() else f"{prompt}\n")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        raise SignInGivenUp(
            "There is nobody to ask: the standard input has ended.",
            "Set TELEGRAM_CODE and TELEGRAM_PASSWORD, or pipe them in, a line each.",
        )
    return line.rstrip("\r\n")
