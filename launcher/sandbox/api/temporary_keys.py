"""`auth.bindTempAuthKey`: clients with perfect forward secrecy (TDLib, mtcute) talk under temporary keys,
each bound to the permanent key that holds the account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telethon.tl import functions

from launcher.sandbox.mtproto import Forged, open_binding
from launcher.sandbox.rpc import Call, RpcError, handles

if TYPE_CHECKING:
    from launcher.sandbox.server import AuthKey

__all__ = ["bind"]


@handles(
    functions.auth.BindTempAuthKeyRequest,
    docs="core.telegram.org/method/auth.bindTempAuthKey",
    errors=("ENCRYPTED_MESSAGE_INVALID", "TEMP_AUTH_KEY_EMPTY"),
    signed_in=False,
)
async def bind(call: Call) -> bool:
    """From now on the temporary key stands for the permanent one, with its account and layer."""
    temporary, request = call.key, call.request
    if temporary.expires_at is None:
        raise RpcError(400, "TEMP_AUTH_KEY_EMPTY")
    permanent = call.sandbox.known_key(request.perm_auth_key_id % (1 << 64), temporary.dc)
    if permanent is None or permanent.expires_at is not None:
        raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID")
    try:
        inner = open_binding(permanent.key, request.encrypted_message)
    except Forged:
        raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID") from None
    if not _names(inner, request, temporary):
        raise RpcError(400, "ENCRYPTED_MESSAGE_INVALID")
    temporary.bound = permanent
    return True


def _names(inner: Any, request: Any, temporary: AuthKey) -> bool:
    """Whether the sealed half says what the open half says."""
    return bool(
        inner.nonce == request.nonce
        and inner.expires_at == request.expires_at
        and inner.perm_auth_key_id == request.perm_auth_key_id
        and inner.temp_auth_key_id % (1 << 64) == temporary.id
        and inner.temp_session_id in temporary.sessions
    )
