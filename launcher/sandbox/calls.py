"""One call from its wrappers to its answer: invokeWithLayer and the like are peeled off, an armed fault may
step in, the handler runs, the call is logged.

Layer and initConnection belong to the auth key, not to the connection: after an automatic reconnect Telethon
does not repeat them.

Documentation: core.telegram.org/api/invoking, core.telegram.org/method/initConnection.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING, Any

from telethon.tl import TLRequest, functions

from launcher.sandbox import faults, mtproto, rpc
from launcher.sandbox.rpc import Call, LoggedCall, RpcError

if TYPE_CHECKING:
    from launcher.sandbox.connection import Connection
    from launcher.sandbox.server import AuthKey

__all__ = ["MASK", "answer", "parameters"]

MASK = "***"
_SECRET = frozenset(
    {"api_hash", "bot_auth_token", "bytes", "code", "password", "phone_code", "phone_code_hash", "token"}
)
_BEFORE_INIT = (functions.auth.BindTempAuthKeyRequest,)
"""What a key may call before initConnection."""


class _Dropped(Exception):
    """A fault has cut the connection: there is nobody to answer."""


async def answer(
    connection: Connection, key: AuthKey, session: mtproto.MtprotoSession, request: mtproto.Request
) -> None:
    """Answer one request of a client. Never raises: what is not an `RpcError` is a bug of the sandbox, is
    kept in its `failures` and answered with 500 INTERNAL."""
    sandbox = connection.sandbox
    try:
        body = await _result(connection, key.real, session, request)
    except RpcError as error:
        session.fail(request.msg_id, error.code, error.name, time.time())
    except _Dropped:
        return
    except Exception as error:
        sandbox.failures.append(error)
        session.fail(request.msg_id, 500, "INTERNAL", time.time())
    else:
        session.answer(request.msg_id, body, time.time())


async def _result(
    connection: Connection, key: AuthKey, session: mtproto.MtprotoSession, request: mtproto.Request
) -> bytes:
    query = await _peel(connection, key, session, request.query)
    sandbox = connection.sandbox
    call = Call(sandbox, query, key, sandbox.account_of(key))
    handler = rpc.HANDLERS.get(type(query))
    method = handler.method if handler else rpc.method_name(query)
    action = sandbox.faults.take(method, key.account)
    match action:
        case faults.DropBefore():
            session.forget(request.msg_id)
            connection.close()
            raise _Dropped
        case faults.LoseKey():
            sandbox.forget(key)
            raise _Dropped
        case faults.Act(do):
            do(call)
            call.account = sandbox.account_of(key)
    body = await _logged(call, method, action, session.id)
    match action:
        case faults.DropAfter():
            connection.close()
        case faults.Delay(seconds):
            await asyncio.sleep(seconds)
    if sandbox.faults.latency:
        await asyncio.sleep(sandbox.faults.latency)
    return body


async def _logged(call: Call, method: str, action: faults.Action | None, session: int) -> bytes:
    """Run the handler, or fail in its place, and write the line of the log."""
    error: str | None = "INTERNAL"
    try:
        if isinstance(action, faults.Fail):
            raise RpcError(action.code, action.name)
        body = mtproto.serialize(await rpc.dispatch(call))
        error = None
    except RpcError as refusal:
        error = refusal.name
        raise
    finally:
        account = call.account.id if call.account else None
        line = LoggedCall(method, parameters(call.request), account, call.sandbox.now(), error, session)
        call.sandbox.log.append(line)
    return body


async def _peel(connection: Connection, key: AuthKey, session: mtproto.MtprotoSession, query: Any) -> Any:
    """The request inside the wrappers, which have had their effect. Raises `RpcError`."""
    layer, wants_updates = key.layer, True
    while True:
        match query:
            case functions.InvokeWithLayerRequest():
                layer = query.layer
            case functions.InitConnectionRequest():
                if query.api_id != connection.sandbox.api_id:
                    raise RpcError(400, "CONNECTION_API_ID_INVALID")
                key.client = query
            case functions.InvokeWithoutUpdatesRequest():
                wants_updates = False
            case functions.InvokeAfterMsgRequest():
                await _after(connection, session, [query.msg_id])
            case functions.InvokeAfterMsgsRequest():
                await _after(connection, session, query.msg_ids)
            case _:
                break
        query = query.query
    if not isinstance(query, TLRequest):
        raise RpcError(400, "INPUT_METHOD_INVALID")
    if key.expires_at is not None and not isinstance(query, _BEFORE_INIT):
        raise RpcError(401, "AUTH_KEY_PERM_EMPTY")  # a temporary key that is bound to none
    session.wants_updates = wants_updates
    if key.client is not None and layer != key.layer:
        key.layer = layer
        connection.announce()
    if key.layer is None and not isinstance(query, _BEFORE_INIT):
        raise RpcError(400, "CONNECTION_NOT_INITED")
    return query


async def _after(connection: Connection, session: mtproto.MtprotoSession, earlier: list[int]) -> None:
    """Wait for earlier requests of the same client. Raises `RpcError` when one of them failed."""
    running = [connection.running[msg_id] for msg_id in earlier if msg_id in connection.running]
    if running:
        await asyncio.wait(running)
    if any(session.has_failed(msg_id) for msg_id in earlier):
        raise RpcError(400, "MSG_WAIT_FAILED")


def parameters(request: Any) -> dict[str, Any]:
    """The fields of a request by TL name, without those absent on the wire and with secrets masked."""
    optional = _optional(type(request))
    return {
        name: MASK if name in _SECRET else value
        for name, value in vars(request).items()
        if value is not None and not (value is False and name in optional)
    }


_OPTIONAL: dict[type, frozenset[str]] = {}


def _optional(request: type) -> frozenset[str]:
    """The fields of a request class that may be absent: in Telethon, those that default to None."""
    if request not in _OPTIONAL:
        fields = inspect.signature(request).parameters.values()
        _OPTIONAL[request] = frozenset(field.name for field in fields if field.default is None)
    return _OPTIONAL[request]
