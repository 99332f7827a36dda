"""`auth.*`: signing in by phone, by QR code, as a bot; moving to another data centre; signing out."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import UTC, datetime
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.mailbox import push_to_key
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.sign_in import QR_LIFETIME, Code, LoginToken, SignIns, authorize, check_api_id
from launcher.sandbox.world import Bot, User

__all__ = [
    "accept_login_token", "cancel_code", "check_password", "export_authorization", "export_login_token",
    "import_authorization", "import_bot_authorization", "import_login_token", "log_out", "resend_code",
    "reset_authorizations", "send_code", "sign_in",
]  # fmt: skip

_RESEND_AFTER = 60


@handles(
    functions.auth.SendCodeRequest,
    docs="core.telegram.org/method/auth.sendCode",
    errors=("API_ID_INVALID", "PHONE_MIGRATE_%d", "PHONE_NUMBER_BANNED", "PHONE_NUMBER_INVALID"),
    signed_in=False,
)
async def send_code(call: Call) -> Any:
    """Any number gets a code; only signing in tells whether it has an account."""
    check_api_id(call)
    phone = _digits(call.request.phone_number)
    user = _by_phone(call, phone)
    if user is not None and user.banned:
        raise RpcError(400, "PHONE_NUMBER_BANNED")
    if user is not None and user.dc != call.key.dc:
        raise RpcError(303, f"PHONE_MIGRATE_{user.dc}")
    sign_ins = call.sandbox.part(SignIns)
    name = sign_ins.send_code(phone, user)
    return _sent(name, sign_ins.codes[name])


@handles(
    functions.auth.ResendCodeRequest,
    docs="core.telegram.org/method/auth.resendCode",
    errors=("PHONE_CODE_EXPIRED", "PHONE_CODE_HASH_EMPTY", "PHONE_NUMBER_INVALID", "SEND_CODE_UNAVAILABLE"),
    signed_in=False,
)
async def resend_code(call: Call) -> Any:
    """The same code once more, by the next medium."""
    name = call.request.phone_code_hash
    if not name:
        raise RpcError(400, "PHONE_CODE_HASH_EMPTY")
    code = call.sandbox.part(SignIns).code(_digits(call.request.phone_number), name)
    if len(code.media) == 1:
        raise RpcError(406, "SEND_CODE_UNAVAILABLE")
    code.media.pop(0)
    return _sent(name, code)


def _sent(name: str, code: Code) -> Any:
    length = len(code.digits)
    sent_by = {
        "app": types.auth.SentCodeTypeApp(length),
        "sms": types.auth.SentCodeTypeSms(length),
        "call": types.auth.SentCodeTypeCall(length),
    }
    then_by = {"sms": types.auth.CodeTypeSms(), "call": types.auth.CodeTypeCall()}
    left = code.media[1:]
    return types.auth.SentCode(
        type=sent_by[code.media[0]],
        phone_code_hash=name,
        next_type=then_by[left[0]] if left else None,
        timeout=_RESEND_AFTER if left else None,
    )


@handles(
    functions.auth.CancelCodeRequest,
    docs="core.telegram.org/method/auth.cancelCode",
    errors=("PHONE_CODE_EXPIRED", "PHONE_NUMBER_INVALID"),
    signed_in=False,
)
async def cancel_code(call: Call) -> bool:
    sign_ins, request = call.sandbox.part(SignIns), call.request
    sign_ins.code(_digits(request.phone_number), request.phone_code_hash)
    del sign_ins.codes[request.phone_code_hash]
    return True


@handles(
    functions.auth.SignInRequest,
    docs="core.telegram.org/method/auth.signIn",
    errors=(
        "PHONE_CODE_EMPTY", "PHONE_CODE_EXPIRED", "PHONE_CODE_INVALID", "PHONE_NUMBER_INVALID",
        "SESSION_PASSWORD_NEEDED",
    ),
    signed_in=False,
)  # fmt: skip
async def sign_in(call: Call) -> Any:
    """A right code is used up; a number without an account is answered with authorizationSignUpRequired."""
    sign_ins, request = call.sandbox.part(SignIns), call.request
    phone = _digits(request.phone_number)
    if not request.phone_code:
        raise RpcError(400, "PHONE_CODE_EMPTY")
    code = sign_ins.code(phone, request.phone_code_hash)
    if not hmac.compare_digest(code.digits.encode(), request.phone_code.encode()):
        raise RpcError(400, "PHONE_CODE_INVALID")
    del sign_ins.codes[request.phone_code_hash]
    user = _by_phone(call, phone)
    return types.auth.AuthorizationSignUpRequired() if user is None else authorize(call, user)


@handles(
    functions.auth.CheckPasswordRequest,
    docs="core.telegram.org/method/auth.checkPassword",
    errors=("PASSWORD_HASH_INVALID", "SRP_ID_INVALID", "SRP_PASSWORD_CHANGED"),
    signed_in=False,
)
async def check_password(call: Call) -> Any:
    """The second step: a proof that the client knows the password (core.telegram.org/api/srp)."""
    sign_ins = call.sandbox.part(SignIns)
    user = sign_ins.user_to_prove(call)
    if not isinstance(user, User):
        raise RpcError(400, "PASSWORD_HASH_INVALID")
    sign_ins.proved(user, call.request.password)
    return authorize(call, user, proved=True)


@handles(
    functions.auth.ImportBotAuthorizationRequest,
    docs="core.telegram.org/method/auth.importBotAuthorization",
    errors=("ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_INVALID", "API_ID_INVALID", "USER_MIGRATE_%d"),
    signed_in=False,
)
async def import_bot_authorization(call: Call) -> Any:
    check_api_id(call)
    bot = _by_token(call, call.request.bot_auth_token)
    if bot.dc != call.key.dc:
        raise RpcError(303, f"USER_MIGRATE_{bot.dc}")
    return authorize(call, bot)


def _by_token(call: Call, token: str) -> Bot:
    for bot in call.sandbox.world.bots():
        if hmac.compare_digest(bot.token.encode(), token.encode()):
            return bot
    number, _, rest = token.partition(":")
    named = call.sandbox.world.get(int(number)) if number.isascii() and number.isdigit() and rest else None
    assumption = "revoked_bot_token_is_expired"
    if isinstance(named, Bot) and call.sandbox.assumptions.holds(assumption):
        raise RpcError(400, "ACCESS_TOKEN_EXPIRED", assumption)
    raise RpcError(400, "ACCESS_TOKEN_INVALID")


@handles(
    functions.auth.ExportLoginTokenRequest,
    docs="core.telegram.org/method/auth.exportLoginToken",
    errors=("API_ID_INVALID", "SESSION_PASSWORD_NEEDED"),
    signed_in=False,
)
async def export_login_token(call: Call) -> Any:
    """A token to show as a QR code; once it was accepted, the sign-in, or where to go for it."""
    check_api_id(call)
    sign_ins = call.sandbox.part(SignIns)
    for name, token in sign_ins.tokens.items():
        if token.key == call.key.id and token.accepted_by is not None:
            return _finish(call, name, token)
    name = secrets.token_bytes(32)
    token = sign_ins.tokens[name] = LoginToken(call.key.id, call.sandbox.now() + QR_LIFETIME)
    return _shown(name, token)


@handles(
    functions.auth.ImportLoginTokenRequest,
    docs="core.telegram.org/method/auth.importLoginToken",
    errors=("AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID", "SESSION_PASSWORD_NEEDED"),
    signed_in=False,
)
async def import_login_token(call: Call) -> Any:
    """The end of a QR sign-in on the user's own data centre."""
    token = call.sandbox.part(SignIns).token(call.request.token)
    if token.accepted_by is None:
        return _shown(call.request.token, token)
    return _finish(call, call.request.token, token)


def _shown(name: bytes, token: LoginToken) -> Any:
    return types.auth.LoginToken(expires=datetime.fromtimestamp(int(token.expires), UTC), token=name)


def _finish(call: Call, name: bytes, token: LoginToken) -> Any:
    user = call.sandbox.world[token.accepted_by or 0]
    assert isinstance(user, User)
    if user.dc != call.key.dc:
        return types.auth.LoginTokenMigrateTo(dc_id=user.dc, token=name)
    del call.sandbox.part(SignIns).tokens[name]
    return types.auth.LoginTokenSuccess(authorization=authorize(call, user))


@handles(
    functions.auth.AcceptLoginTokenRequest,
    docs="core.telegram.org/method/auth.acceptLoginToken",
    errors=("AUTH_TOKEN_ALREADY_ACCEPTED", "AUTH_TOKEN_EXPIRED", "AUTH_TOKEN_INVALID"),
)
async def accept_login_token(call: Call) -> Any:
    """A signed-in client has scanned the QR code: the key that shows it is told by updateLoginToken."""
    sandbox = call.sandbox
    token = sandbox.part(SignIns).token(call.request.token)
    if token.accepted_by is not None:
        raise RpcError(400, "AUTH_TOKEN_ALREADY_ACCEPTED")
    token.accepted_by = call.me.id
    now = datetime.fromtimestamp(int(sandbox.now()), UTC)
    shown_by = sandbox.keys.get(token.key)
    if shown_by is not None:
        push_to_key(sandbox, shown_by, types.UpdateShort(types.UpdateLoginToken(), now))
    return types.Authorization(
        hash=token.key >> 1,  # a signed number on the wire
        device_model="Unknown",
        platform="",
        system_version="",
        api_id=sandbox.api_id,
        app_name="",
        app_version="",
        date_created=now,
        date_active=now,
        ip="127.0.0.1",
        country="",
        region="",
        password_pending=isinstance(call.me, User) and call.me.password is not None,
    )


@handles(
    functions.auth.ExportAuthorizationRequest,
    docs="core.telegram.org/method/auth.exportAuthorization",
    errors=("DC_ID_INVALID",),
)
async def export_authorization(call: Call) -> Any:
    """A permit for a key of another data centre to act for this account."""
    if call.request.dc_id not in call.sandbox.dcs or call.request.dc_id == call.key.dc:
        raise RpcError(400, "DC_ID_INVALID")
    permit = secrets.token_bytes(128)
    call.sandbox.part(SignIns).exported[call.me.id, permit] = call.request.dc_id
    return types.auth.ExportedAuthorization(id=call.me.id, bytes=permit)


@handles(
    functions.auth.ImportAuthorizationRequest,
    docs="core.telegram.org/method/auth.importAuthorization",
    errors=("AUTH_BYTES_INVALID",),
    signed_in=False,
)
async def import_authorization(call: Call) -> Any:
    exported = call.sandbox.part(SignIns).exported
    permit = call.request.id, call.request.bytes
    if exported.get(permit) != call.key.dc:
        raise RpcError(400, "AUTH_BYTES_INVALID")
    del exported[permit]
    account = call.sandbox.world[call.request.id]
    assert isinstance(account, User | Bot)
    return authorize(call, account, proved=True)


@handles(functions.auth.LogOutRequest, docs="core.telegram.org/method/auth.logOut", signed_in=False)
async def log_out(call: Call) -> Any:
    """The key stays, but belongs to nobody."""
    call.sandbox.part(SignIns).owing.pop(call.key.id, None)
    call.key.account = None
    return types.auth.LoggedOut()


@handles(functions.auth.ResetAuthorizationsRequest, docs="core.telegram.org/method/auth.resetAuthorizations")
async def reset_authorizations(call: Call) -> bool:
    """Sign out everywhere else."""
    for key in call.sandbox.keys.values():
        if key.account == call.me.id and key is not call.key:
            key.account = None
    return True


def _digits(phone: str) -> str:
    """A phone number as the world writes it; 406 PHONE_NUMBER_INVALID for what is none."""
    digits = re.sub(r"[\s()+-]", "", phone)
    if not re.fullmatch(r"[0-9]{5,15}", digits):
        raise RpcError(406, "PHONE_NUMBER_INVALID")
    return digits


def _by_phone(call: Call, phone: str) -> User | None:
    return next((user for user in call.sandbox.world.users() if user.phone == phone), None)
