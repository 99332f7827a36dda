"""Everything that can go wrong, in one tree, split by what the caller can do about it.

    MiniAppError
    ├── BadInput            an argument is wrong: correct it (nothing was sent)
    ├── CannotOpen          the bot, message or chat offers no such app (nothing was opened)
    ├── ConsentDeclined     a question was answered with no: allow it, or accept that
    ├── DataRefused         this app may not send that data (nothing was sent)
    │   └── DataAlreadySent     a keyboard-button app sends once: take it as done
    ├── NotConnected        the connection broke: whether the request was carried out is unknown
    └── RpcFailed           Telegram answered with an error; what it is worth is in its row
        ├── BotNotFound         resolve the bot once more, then give up
        ├── AppNotFound         forget the cached app, then give up
        ├── Stale               fetch the button, link or id again, then give up
        ├── WrongContext        choose another chat, message or sender
        ├── Blocked             unblock the bot if the user wants it
        ├── QueryExpired        close the Mini App
        ├── AlreadyDone         take it as done
        ├── Transient           wait a little and repeat
        │   └── FloodWait           wait `seconds` and repeat
        ├── SignInFailed        this number or application cannot sign in
        │   ├── PasswordNeeded      go on with the two-step password
        │   ├── WrongSecret         ask for the code, password or token again
        │   └── SignInAgain         start signing in from the beginning
        └── AccountLost         the session is gone: close everything of this account

Each says in one line what happened and what to do (`meaning`, `remedy`). None ever holds a URL,
init data, a code or a password in its text.

Telegram's own errors are classified once, here, by the table in `rpc_errors`: `call` makes a
request and raises them, `from_rpc` turns one of Telethon's exceptions into ours. Going by
Telethon's classes would not do: half of the errors of Mini Apps have none (see `rpc_name`).
"""

import asyncio
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Self

from telethon.errors import (
    AuthKeyNotFound,
    BadMessageError,
    InvalidChecksumError,
    RPCError,
    SecurityError,
    TimedOutError,
)
from telethon.errors.rpcerrorlist import rpc_errors_dict, rpc_errors_re
from telethon.tl import TLRequest

from flows import rpc_errors
from flows.rpc_errors import Kind, Row


class MiniAppError(Exception):
    """What happened, and what to do: two sentences in one line."""

    def __init__(self, meaning: str, remedy: str) -> None:
        super().__init__(" ".join(f"{meaning} {remedy}".split()))
        self.meaning = meaning
        self.remedy = remedy


class BadInput(MiniAppError):
    """An argument cannot be used; nothing was sent."""


class CannotOpen(MiniAppError):
    """The bot, message or chat does not offer the app that was asked for; nothing was opened."""

    @classmethod
    def not_a_bot(cls, who: str) -> "CannotOpen":
        return cls(f"{who} is not a bot.", "Give the user name of a bot; check the spelling.")

    @classmethod
    def restricted(cls, bot: str) -> "CannotOpen":
        return cls(
            f"Telegram restricts {bot} for this account.",
            "Open the bot in an official client to read the reason, or use another account.",
        )

    @classmethod
    def no_menu_button(cls, bot: str) -> "CannotOpen":
        return cls(
            f"The menu button of {bot} opens no Mini App.",
            "Open another of its apps, or have its owner set a menu button in BotFather.",
        )

    @classmethod
    def nothing_in_sight(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} offers no Mini App that a client can see: no main app, no menu button, no menu entry.",
            "Give a link with the app's name (t.me/bot/app), or name a button of its messages with button=.",
        )

    @classmethod
    def no_main_app(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} has no main Mini App.",
            "Use a link with the app's name (t.me/bot/app), or another flow.",
        )

    @classmethod
    def no_inline_mode(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} does not take inline queries.",
            "Use another flow, or have its owner switch inline mode on in BotFather.",
        )

    @classmethod
    def no_inline_app(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} shows no Mini App button above the results of this inline query.",
            "Try the query for which the bot offers one.",
        )

    @classmethod
    def no_such_button(cls, wanted: str | int | tuple[int, int], present: Iterable[str]) -> "CannotOpen":
        """`wanted` is a text or a position, `present` the texts of the buttons that are there."""
        there = ", ".join(map(repr, present)) or "none"
        return cls(f"There is no button {wanted!r}.", f"Choose one of the buttons there: {there}.")

    @classmethod
    def not_an_app_button(cls, text: str) -> "CannotOpen":
        return cls(
            f"The button {text!r} opens no Mini App.",
            "Choose a Mini App button, or one whose URL is a Mini App link.",
        )

    @classmethod
    def no_attachment_app(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} offers nothing for the attachment or side menu.",
            "Use another flow, or check the user name.",
        )

    @classmethod
    def not_in_this_chat(cls, bot: str, allowed: Iterable[str]) -> "CannotOpen":
        """`allowed` names the sorts of chats in which the attachment-menu app may be opened."""
        sorts = ", ".join(allowed) or "none"
        return cls(
            f"The attachment-menu app of {bot} cannot be opened in this chat.",
            f"Choose a chat of a sort it supports: {sorts}.",
        )

    @classmethod
    def no_side_menu_entry(cls, bot: str) -> "CannotOpen":
        return cls(
            f"{bot} has no entry in the side menu.",
            "Open its attachment-menu or main app instead.",
        )


class ConsentDeclined(MiniAppError):
    """What a person would have been asked was answered with no. `question` is its name."""

    def __init__(self, question: str) -> None:
        super().__init__(
            f"The question {question!s} was answered with no.",
            "Allow this question in the consent policy if it may be answered with yes.",
        )
        self.question = question


class DataRefused(MiniAppError):
    """The app may not send data, or not this data; nothing was sent."""


class DataAlreadySent(DataRefused):
    """The app has sent its data before; a second time is never sent."""

    def __init__(self) -> None:
        super().__init__("This Mini App has sent its data already.", "Press the button again to send more.")


class NotConnected(MiniAppError):
    """The connection was not there or broke; whether `method` was carried out is unknown."""

    def __init__(self, method: str) -> None:
        super().__init__(
            f"{method}: there was no connection to Telegram, or it broke before the answer came.",
            "Check the network and the server, then connect and try again.",
        )
        self.method = method


class RpcFailed(MiniAppError):
    """Telegram answered a request with an error.

    `method` is the TL name of the request, `code` and `name` are Telegram's (`name` with `%d` in
    place of a number, which is `value`), `kind` says what can be done, `source` is the page that
    documents the error.

    Documentation: core.telegram.org/api/errors
    """

    def __init__(self, row: Row, code: int | None = None, value: int | None = None) -> None:
        self.method = row.method
        self.code = row.code if code is None else code
        self.name = row.name
        self.value = value
        self.kind = row.kind
        self.source = row.source
        number = "?" if value is None else str(value)
        name, meaning, remedy = (text.replace("%d", number) for text in (row.name, row.meaning, row.remedy))
        super().__init__(f"{self.method}: {self.code} {name}. {meaning}", remedy)
        self.meaning = meaning

    @property
    def text(self) -> str:
        """The name as Telegram sent it, such as FLOOD_WAIT_30: what a page is told of the error."""
        return self.name if self.value is None else self.name.replace("%d", str(self.value))

    def about(self, what: str) -> Self:
        """The same error, with what it is about in front of its text: a name that the caller gave."""
        self.args = (f"{what}: {self}",)
        return self


class BotNotFound(RpcFailed):
    """There is no such bot, or this account has no valid access hash of it."""


class AppNotFound(RpcFailed):
    """The bot has no app of this name, or no longer."""


class Stale(RpcFailed):
    """The button, link or id was valid once, perhaps."""


class WrongContext(RpcFailed):
    """The chat, message or sender does not suit the request."""


class Blocked(RpcFailed):
    """This account has blocked the bot."""


class QueryExpired(RpcFailed):
    """The web-view session is over."""


class AlreadyDone(RpcFailed):
    """An earlier attempt was carried out."""


class Transient(RpcFailed):
    """A passing trouble on Telegram's side."""


class FloodWait(Transient):
    """Too many requests."""

    @property
    def seconds(self) -> int:
        """How long to wait before the next attempt."""
        return self.value or 0


class SignInFailed(RpcFailed):
    """The account cannot be signed in like this."""


class PasswordNeeded(SignInFailed):
    """The code was right; the two-step password comes next."""


class WrongSecret(SignInFailed):
    """The code, password or token was wrong; it may be given again."""


class SignInAgain(SignInFailed):
    """This attempt is void; a new one may succeed."""


class AccountLost(RpcFailed):
    """Nothing works with this session any more."""


_CLASSES: dict[Kind, type[RpcFailed]] = {
    Kind.NO_SUCH_BOT: BotNotFound,
    Kind.NO_SUCH_APP: AppNotFound,
    Kind.STALE: Stale,
    Kind.WRONG_CONTEXT: WrongContext,
    Kind.BLOCKED: Blocked,
    Kind.BAD_REQUEST: RpcFailed,
    Kind.OVER: QueryExpired,
    Kind.ALREADY_DONE: AlreadyDone,
    Kind.TRANSIENT: Transient,
    Kind.FLOOD_WAIT: FloodWait,
    Kind.OTHER_DC: RpcFailed,
    Kind.PASSWORD_NEEDED: PasswordNeeded,
    Kind.WRONG_SECRET: WrongSecret,
    Kind.SIGN_IN_AGAIN: SignInAgain,
    Kind.SIGN_IN: SignInFailed,
    Kind.ACCOUNT_LOST: AccountLost,
    Kind.REFUSED: RpcFailed,
}

_OWN_NAMES: dict[type, str] = {
    **{error_class: name for name, error_class in rpc_errors_dict.items()},
    **{error_class: pattern.replace(r"(\d+)", "%d") for pattern, error_class in rpc_errors_re},
}

_NUMBER = re.compile(r"_(\d+)(?:_\d+)*")
_UNNAMED = "UNNAMED"


def rpc_name(error: RPCError) -> tuple[int, str, int | None]:
    """Code, name and number of one of Telethon's RPC errors, as Telegram sent them.

    The name has `%d` in place of the number: (420, "FLOOD_WAIT_%d", 30). It has to be looked for
    in two places. An error with a class of its own knows its name by its class only, its `message`
    is that of the base class (`BAD_REQUEST`), and its code that of the class. An error without one
    (`BOT_APP_INVALID`) is a plain `BadRequestError`, and its `message` is the name.
    """
    name = _OWN_NAMES.get(type(error))
    if name is None:
        return error.code, *_split(error.message)
    # Telethon writes 503, Telegram sends -503.
    code = -abs(error.code) if isinstance(error, TimedOutError) else error.code
    return code, name, _captured(error)


def _captured(error: RPCError) -> int | None:
    """The number in the name; Telethon calls it seconds, new_dc, dc, which, minutes..."""
    return next((value for value in vars(error).values() if isinstance(value, int)), None)


def _split(message: str) -> tuple[str, int | None]:
    """`AUTH_RESTART_7` -> (`AUTH_RESTART_%d`, 7). What does not look like a name is left out."""
    if not re.fullmatch(r"[A-Za-z0-9_ ]{1,64}", message):
        return _UNNAMED, None
    number = _NUMBER.search(message)
    return _NUMBER.sub("_%d", message, count=1), int(number[1]) if number else None


def from_rpc(error: RPCError, method: str) -> RpcFailed:
    """Classify one of Telethon's RPC errors that answered `method` (a TL name).

    A name that the table has for other methods only keeps its meaning; one that it does not have
    at all is judged by its code. Both say so in `source`.
    """
    code, name, value = rpc_name(error)
    known = rpc_errors.row(method, name) or rpc_errors.anywhere(name)
    row = replace(known or _undocumented(code, name, value), method=method)
    has_own_class = type(error) in _OWN_NAMES  # then its code is the class's, not what was sent
    return _CLASSES[row.kind](row, row.code if has_own_class else code, value)


def _undocumented(code: int, name: str, value: int | None) -> Row:
    kind = _kind_of_code(code, value)
    return Row(
        rpc_errors.ANY_METHOD,
        name,
        (code,),
        kind,
        "This error is not documented for this method.",
        f"Look it up at core.telegram.org/api/errors; its code suggests: {kind.value}.",
        "not documented",
    )


def _kind_of_code(code: int, value: int | None) -> Kind:
    """What the numeric code alone tells; the minus of -500 and -503 means nothing more."""
    match abs(code):
        case 303:
            return Kind.OTHER_DC
        case 401:
            return Kind.ACCOUNT_LOST
        case 420 if value is not None:
            return Kind.FLOOD_WAIT
        case number if number >= 500:
            return Kind.TRANSIENT
        case _:
            return Kind.REFUSED


def method_name(request: TLRequest) -> str:
    """The TL name of a request: `messages.requestWebView` of a `RequestWebViewRequest`.

    A request wrapped in `invokeWithLayer` and the like gives the name of the inner one.
    """
    while isinstance(inner := getattr(request, "query", None), TLRequest):
        request = inner
    namespace = type(request).__module__.removeprefix("telethon.tl.functions").removeprefix(".")
    name = type(request).__name__.removesuffix("Request")
    name = name[:1].lower() + name[1:]
    return f"{namespace}.{name}" if namespace else name


# What Telethon puts into the future of a request when its connection ends: OSError and EOFError
# from the socket, BufferError for a transport error such as -429, the rest for broken messages.
_CONNECTION_ERRORS = (
    OSError,
    EOFError,
    BufferError,
    BadMessageError,
    InvalidChecksumError,
    SecurityError,
)
_FAILURES = (RPCError, AuthKeyNotFound, asyncio.CancelledError, *_CONNECTION_ERRORS)


@contextmanager
def answers(method: str) -> Iterator[None]:
    """Turn the failures of `method` (a TL name) in the block into ours; for what `call` cannot say.

    Raises:
        RpcFailed: Telegram answered with an error.
        NotConnected: there was no answer.
    """
    try:
        yield
    except _FAILURES as error:
        if _is_our_end(error):
            raise
        raise _ours(error, method) from error


async def call(client: Any, request: TLRequest) -> Any:
    """`await client(request)`, with RPC errors as `RpcFailed` and broken connections as `NotConnected`.

    Retries nothing and sleeps never; make the client with `flood_sleep_threshold=0` and
    `raise_last_call_error=True`, so that Telethon does not either.
    """
    try:
        return await client(request)
    except _FAILURES as error:
        if _is_our_end(error):
            raise
        raise _ours(error, method_name(request)) from error


def _is_our_end(error: BaseException) -> bool:
    """Telethon cancels what is pending when it is disconnected; that is not our own task's end."""
    if not isinstance(error, asyncio.CancelledError):
        return False
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _ours(error: BaseException, method: str) -> MiniAppError:
    match error:
        case RPCError():
            return from_rpc(error, method)
        case AuthKeyNotFound():
            return _auth_key_not_found(method)
    return NotConnected(method)


def _auth_key_not_found(method: str) -> AccountLost:
    row = rpc_errors.row(method, "AUTH_KEY_NOT_FOUND")
    assert row is not None
    return AccountLost(replace(row, method=method))
