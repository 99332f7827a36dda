"""From a request to its answer: the registry of handlers, what a handler is given, and the call log.

A handler is one asynchronous function for one TL method. It names the documentation page it follows and the
errors it may answer with; `dispatch` holds it to that list. A method without a handler is answered with
400 INPUT_METHOD_INVALID: the sandbox grows only by what a flow, a bot or a test needs.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from launcher.sandbox.server import AuthKey, Sandbox
    from launcher.sandbox.world import Bot, User

__all__ = [
    "HANDLERS",
    "Call",
    "Handler",
    "LoggedCall",
    "RpcError",
    "dispatch",
    "handles",
    "method_name",
]

# What the dispatcher itself, the sign-in check and the fault hooks may answer, whatever the method.
GENERAL_ERRORS = frozenset({"INPUT_METHOD_INVALID", "AUTH_KEY_UNREGISTERED", "INTERNAL"})


class RpcError(Exception):
    """An `rpc_error` for the client: code, name, and the assumption it rests on when no page documents it."""

    def __init__(self, code: int, name: str, assumption: str | None = None) -> None:
        super().__init__(f"{code} {name}")
        self.code = code
        self.name = name
        self.assumption = assumption


@dataclass(slots=True)
class Call:
    """One request as a handler sees it.

    `account` is the user or bot the key is signed in as; a handler that was registered with
    `signed_in=False` may find None there.
    """

    sandbox: Sandbox
    request: Any
    key: AuthKey
    account: User | Bot | None

    @property
    def me(self) -> User | Bot:
        """The signed-in account; 401 AUTH_KEY_UNREGISTERED for everybody else."""
        if self.account is None:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        return self.account


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One line of the call log.

    `parameters` holds the request's fields by TL name, without those that were absent on the wire;
    `session` is the id of the MTProto session it came in: of one running client. `error` is the error name
    answered, or None. Codes, passwords and tokens are masked. A call that a fault
    dropped before its handler ran is not logged: it never happened.
    """

    method: str
    parameters: dict[str, Any] = field(repr=False)
    account: int | None
    time: float
    error: str | None = None
    session: int = 0


Answer = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Handler:
    answer: Answer
    method: str
    docs: str
    errors: frozenset[str]
    signed_in: bool


HANDLERS: dict[type, Handler] = {}


def handles(
    request: Any, *, docs: str, errors: tuple[str, ...] = (), signed_in: bool = True
) -> Callable[[Answer], Answer]:
    """Register the function below as the handler of one Telethon request class.

    `docs` is the page it follows (`core.telegram.org/method/…`), `errors` every documented error name it
    may raise, a number at its end written as %d (PHONE_MIGRATE_%d); errors that rest on an assumption are not
    listed, they carry the assumption's name.
    """

    def register(answer: Answer) -> Answer:
        HANDLERS[request] = Handler(answer, method_name(request), docs, frozenset(errors), signed_in)
        return answer

    return register


async def dispatch(call: Call) -> Any:
    """Answer one call with a TL object, a bool, a list of TL objects, or bytes that are TL already (for a
    vector of numbers); raises `RpcError` for an error answer."""
    handler = HANDLERS.get(type(call.request))
    if handler is None:
        raise RpcError(400, "INPUT_METHOD_INVALID")
    if handler.signed_in and call.account is None:
        raise RpcError(401, "AUTH_KEY_UNREGISTERED")
    try:
        return await handler.answer(call)
    except RpcError as error:
        _hold_to_its_list(handler, error)
        raise


def _hold_to_its_list(handler: Handler, error: RpcError) -> None:
    documented = handler.errors | GENERAL_ERRORS
    name = re.sub(r"_\d+$", "_%d", error.name)
    if error.assumption is None and name not in documented:
        raise AssertionError(f"{handler.method} may not answer {error.name}: it is not in its list")


def method_name(request: Any) -> str:
    """The TL name of a Telethon request class or object, such as `messages.requestWebView`."""
    cls = request if isinstance(request, type) else type(request)
    namespace = cls.__module__.rpartition("telethon.tl.functions")[2].lstrip(".")
    name = cls.__name__.removesuffix("Request")
    name = name[0].lower() + name[1:]
    return f"{namespace}.{name}" if namespace else name
