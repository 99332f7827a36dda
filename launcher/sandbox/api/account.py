"""`account.*`: the two-step password and the online status."""

from __future__ import annotations

import secrets
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.rpc import Call, handles
from launcher.sandbox.sign_in import SignIns
from launcher.sandbox.srp import GENERATOR, PRIME
from launcher.sandbox.world import User

__all__ = ["get_password", "update_status"]


@handles(
    functions.account.GetPasswordRequest,
    docs="core.telegram.org/method/account.getPassword",
    signed_in=False,
)
async def get_password(call: Call) -> Any:
    """How to prove the password (core.telegram.org/api/srp): answered to whoever has to, so before the end of
    a sign-in as well, and to nobody else."""
    sign_ins = call.sandbox.part(SignIns)
    user = sign_ins.user_to_prove(call)
    fields: dict[str, Any] = {
        "new_algo": _algorithm(secrets.token_bytes(8), secrets.token_bytes(16)),
        "new_secure_algo": types.SecurePasswordKdfAlgoPBKDF2HMACSHA512iter100000(secrets.token_bytes(8)),
        "secure_random": secrets.token_bytes(256),
    }
    if not isinstance(user, User) or user.password is None:
        return types.account.Password(**fields)
    srp_id, challenge = sign_ins.challenge(user)
    return types.account.Password(
        has_password=True,
        current_algo=_algorithm(challenge.verifier.salt1, challenge.verifier.salt2),
        srp_B=challenge.srp_B,
        srp_id=srp_id,
        **fields,
    )


def _algorithm(salt1: bytes, salt2: bytes) -> Any:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        salt1, salt2, GENERATOR, PRIME.to_bytes(256, "big")
    )


@handles(functions.account.UpdateStatusRequest, docs="core.telegram.org/method/account.updateStatus")
async def update_status(call: Call) -> bool:
    """Nobody here watches who is online."""
    return True
