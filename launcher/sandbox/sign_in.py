"""Sign-ins under way: codes on their way to a phone, QR tokens on a screen, passwords still owed.

None of it belongs to the world: it ends with the sandbox.
Documentation: core.telegram.org/api/auth, core.telegram.org/api/qr-login, core.telegram.org/api/srp.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from telethon.tl import types

from launcher.sandbox.peers import render
from launcher.sandbox.rpc import Call, RpcError
from launcher.sandbox.srp import Challenge, Verifier
from launcher.sandbox.world import Bot, User

if TYPE_CHECKING:
    from launcher.sandbox.server import Sandbox

__all__ = ["QR_LIFETIME", "Code", "LoginToken", "SignIns", "authorize", "check_api_id"]

CODE_LIFETIME = 300.0
QR_LIFETIME = 30.0


@dataclass(slots=True)
class Code:
    """A code that was sent: to which number, until when it counts, over which media it may still go."""

    phone: str
    digits: str = field(repr=False)
    expires: float
    media: list[str]
    """What the code was sent by last ("app", "sms", "call"), then what is left to try."""


@dataclass(slots=True)
class LoginToken:
    """A QR token: the key that shows it, when it dies, and the user that accepted it."""

    key: int
    expires: float
    accepted_by: int | None = None


class SignIns:
    """All sign-ins under way in one sandbox."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.codes: dict[str, Code] = {}
        self.tokens: dict[bytes, LoginToken] = {}
        self.owing: dict[int, int] = {}
        """Auth keys that have passed everything but the password, with the users they are about to be."""
        self.exported: dict[tuple[int, bytes], int] = {}
        """Authorizations on their way to another data centre, with that data centre."""
        self._verifiers: dict[tuple[int, str], Verifier] = {}
        self._challenges: dict[int, tuple[int, Challenge]] = {}

    def send_code(self, phone: str, user: User | None) -> str:
        """Send a code; returns the `phone_code_hash`. A number without an account gets the code of Telegram's
        test numbers: the data centre's digit five times."""
        digits = user.code if user else str(self._sandbox.main_dc) * 5
        reachable = user is not None and any(key.account == user.id for key in self._sandbox.keys.values())
        media = ["app", "sms", "call"] if reachable else ["sms", "call"]
        name = secrets.token_hex(9)
        self.codes[name] = Code(phone, digits, self._sandbox.now() + CODE_LIFETIME, media)
        return name

    def code(self, phone: str, name: str) -> Code:
        """The code sent to a number under a `phone_code_hash`; 400 PHONE_CODE_EXPIRED if there is none."""
        code = self.codes.get(name)
        if code is None or code.phone != phone or code.expires < self._sandbox.now():
            raise RpcError(400, "PHONE_CODE_EXPIRED")
        return code

    def token(self, token: bytes) -> LoginToken:
        """A QR token; 400 AUTH_TOKEN_INVALID or AUTH_TOKEN_EXPIRED."""
        found = self.tokens.get(token)
        if found is None:
            raise RpcError(400, "AUTH_TOKEN_INVALID")
        if found.expires < self._sandbox.now():
            raise RpcError(400, "AUTH_TOKEN_EXPIRED")
        return found

    def user_to_prove(self, call: Call) -> User | Bot:
        """Whose password this key has to give: the user it is about to be, or else the one it is."""
        owed = self.owing.get(call.key.id)
        user = call.me if owed is None else self._sandbox.world[owed]
        assert isinstance(user, User | Bot)
        return user

    def challenge(self, user: User) -> tuple[int, Challenge]:
        """A new attempt at a user's password, and its `srp_id`. Only the latest one of a user counts."""
        assert user.password is not None
        key = user.id, user.password
        if key not in self._verifiers:
            self._verifiers[key] = Verifier.of(user.password)
        attempt = secrets.randbits(62), Challenge(self._verifiers[key])
        self._challenges[user.id] = attempt
        return attempt

    def proved(self, user: User, proof: Any) -> None:
        """Check an `inputCheckPasswordSRP`; 400 SRP_ID_INVALID or PASSWORD_HASH_INVALID."""
        if not isinstance(proof, types.InputCheckPasswordSRP):
            raise RpcError(400, "PASSWORD_HASH_INVALID")
        srp_id, challenge = self._challenges.pop(user.id, (None, None))
        if challenge is None or srp_id != proof.srp_id:
            raise RpcError(400, "SRP_ID_INVALID")
        if challenge.verifier is not self._verifiers.get((user.id, user.password or "")):
            raise RpcError(400, "SRP_PASSWORD_CHANGED")
        if not challenge.proves(proof.A, proof.M1):
            raise RpcError(400, "PASSWORD_HASH_INVALID")


def authorize(call: Call, account: User | Bot, *, proved: bool = False) -> Any:
    """Sign the caller's key in and return `auth.authorization`; 401 SESSION_PASSWORD_NEEDED for a user whose
    two-step password is still to be `proved`."""
    sign_ins = call.sandbox.part(SignIns)
    if isinstance(account, User) and account.password is not None and not proved:
        sign_ins.owing[call.key.id] = account.id
        raise RpcError(401, "SESSION_PASSWORD_NEEDED")
    sign_ins.owing.pop(call.key.id, None)
    call.key.account = account.id
    return types.auth.Authorization(user=render(call.sandbox, account.id, account))


def check_api_id(call: Call) -> None:
    """400 API_ID_INVALID unless the request carries the sandbox's own API id and hash."""
    sandbox, request = call.sandbox, call.request
    if (request.api_id, request.api_hash) != (sandbox.api_id, sandbox.api_hash):
        raise RpcError(400, "API_ID_INVALID")
