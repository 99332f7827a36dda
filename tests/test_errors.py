"""The table of RPC errors and their classification, against Telethon's own exceptions."""

import ast
import asyncio
import re
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient, functions
from telethon.crypto import AuthKey
from telethon.errors import (
    AuthKeyNotFound,
    BadRequestError,
    ForbiddenError,
    InvalidBufferError,
    RPCError,
    rpc_message_to_error,
)
from telethon.errors.rpcerrorlist import rpc_errors_dict
from telethon.network import ConnectionTcpFull, MTProtoSender
from telethon.sessions import MemorySession
from telethon.tl.types import (
    DataJSON,
    InputPeerUser,
    InputUser,
    RpcError,
)

from flows import errors, rpc_errors
from flows.rpc_errors import Kind, Row

SECRET_URL = "https://example.org/app#tgWebAppData=hash%3Dhunter2"

# The documented errors per method, written out once more: none of them may be missing.
DOCUMENTED = {
    "messages.requestWebView": {
        400: "BOT_INVALID BOT_WEBVIEW_DISABLED INPUT_USER_DEACTIVATED MSG_ID_INVALID "
        "PEER_ID_INVALID SEND_AS_PEER_INVALID THEME_PARAMS_INVALID URL_INVALID YOU_BLOCKED_USER",
        403: "CHAT_WRITE_FORBIDDEN PRIVACY_PREMIUM_REQUIRED",
    },
    "messages.requestSimpleWebView": {400: "BOT_INVALID URL_INVALID"},
    "messages.requestAppWebView": {
        400: "BOT_APP_BOT_INVALID BOT_APP_INVALID BOT_APP_SHORTNAME_INVALID MSG_ID_INVALID "
        "THEME_PARAMS_INVALID"
    },
    "messages.requestMainWebView": {400: "BOT_INVALID"},
    "messages.requestChatJoinWebView": {},
    "messages.prolongWebView": {400: "BOT_INVALID QUERY_ID_INVALID"},
    "messages.sendWebViewData": {400: "BOT_INVALID"},
    "messages.sendWebViewResultMessage": {400: "QUERY_ID_INVALID USER_BOT_REQUIRED"},
    "messages.getBotApp": {400: "BOT_APP_BOT_INVALID BOT_APP_INVALID BOT_APP_SHORTNAME_INVALID"},
    "messages.getAttachMenuBot": {400: "BOT_INVALID"},
    "messages.toggleBotInAttachMenu": {400: "BOT_INVALID"},
    "bots.canSendMessage": {400: "BOT_INVALID"},
    "bots.allowSendMessage": {400: "BOT_INVALID"},
    "bots.checkDownloadFileParams": {400: "BOT_INVALID"},
    "bots.toggleUserEmojiStatusPermission": {400: "BOT_INVALID"},
    "bots.invokeWebViewCustomMethod": {400: "BOT_INVALID DATA_JSON_INVALID METHOD_INVALID"},
    "messages.getPreparedInlineMessage": {400: "ID_INVALID ID_EXPIRED"},
    "bots.getRequestedWebViewButton": {400: "BOT_ID_INVALID WEBAPP_REQ_ID_INVALID"},
    "bots.requestWebViewButton": {400: "BUTTON_INVALID USER_BOT_REQUIRED USER_ID_INVALID"},
    "messages.sendBotRequestedPeer": {400: "MESSAGE_ID_INVALID PEER_ID_INVALID"},
    "messages.setInlineBotResults": {400: "SWITCH_WEBVIEW_URL_INVALID"},
    "bots.setJoinChatResults": {400: "USER_BOT_REQUIRED", 403: "BOT_GUARD_NOT_SUPPORTED"},
    "account.updateEmojiStatus": {
        400: "COLLECTIBLE_INVALID DOCUMENT_INVALID",
        403: "PREMIUM_ACCOUNT_REQUIRED",
    },
    "bots.updateUserEmojiStatus": {403: "USER_PERMISSION_DENIED"},
    "payments.getPaymentForm": {400: "SLUG_INVALID INVOICE_INVALID BOT_INVOICE_INVALID"},
    "messages.startBot": {
        400: "BOT_INVALID PEER_ID_INVALID START_PARAM_EMPTY START_PARAM_INVALID "
        "START_PARAM_TOO_LONG CHAT_ADMIN_REQUIRED INPUT_USER_DEACTIVATED",
        403: "CHAT_WRITE_FORBIDDEN",
    },
    "messages.getInlineBotResults": {
        400: "BOT_INVALID BOT_INLINE_DISABLED BOT_RESPONSE_TIMEOUT CHANNEL_INVALID "
        "CHANNEL_PRIVATE INPUT_USER_DEACTIVATED MSG_ID_INVALID",
        -503: "Timeout",
    },
    "contacts.resolveUsername": {400: "USERNAME_INVALID USERNAME_NOT_OCCUPIED"},
    "channels.joinChannel": {400: "INVITE_REQUEST_SENT INVITE_REQUEST_DECLINED"},
    "messages.importChatInvite": {400: "INVITE_REQUEST_SENT JOIN_GUARD_TIMEOUT"},
    "messages.requestUrlAuth": {400: "URL_INVALID URL_EXPIRED", 500: "OAUTH_REQUEST_INVALID"},
    "auth.sendCode": {
        400: "API_ID_INVALID API_ID_PUBLISHED_FLOOD PHONE_NUMBER_BANNED PHONE_NUMBER_FLOOD "
        "PHONE_NUMBER_INVALID",
        406: "PHONE_NUMBER_INVALID PHONE_PASSWORD_FLOOD UPDATE_APP_TO_LOGIN",
        500: "AUTH_RESTART AUTH_RESTART_%d",
        303: "PHONE_MIGRATE_%d NETWORK_MIGRATE_%d",
    },
    "auth.resendCode": {400: "PHONE_CODE_EXPIRED", 406: "SEND_CODE_UNAVAILABLE"},
    "auth.signIn": {
        400: "PHONE_CODE_EMPTY PHONE_CODE_EXPIRED PHONE_CODE_INVALID PHONE_NUMBER_UNOCCUPIED",
        401: "SESSION_PASSWORD_NEEDED",
        500: "AUTH_RESTART SIGN_IN_FAILED",
    },
    "auth.checkPassword": {400: "PASSWORD_HASH_INVALID SRP_ID_INVALID SRP_PASSWORD_CHANGED"},
    "auth.exportLoginToken": {400: "API_ID_INVALID API_ID_PUBLISHED_FLOOD"},
    "auth.importLoginToken": {400: "AUTH_TOKEN_ALREADY_ACCEPTED AUTH_TOKEN_EXPIRED AUTH_TOKEN_INVALID"},
    "auth.importBotAuthorization": {400: "ACCESS_TOKEN_INVALID ACCESS_TOKEN_EXPIRED"},
    "auth.logOut": {},
    "account.getPassword": {401: "AUTH_KEY_UNREGISTERED"},
}

GENERAL = {
    303: "USER_MIGRATE_%d NETWORK_MIGRATE_%d PHONE_MIGRATE_%d",
    400: "BUSINESS_CONNECTION_NOT_ALLOWED CONNECTION_NOT_INITED CONNECTION_LAYER_INVALID "
    "INPUT_METHOD_INVALID",
    401: "AUTH_KEY_UNREGISTERED AUTH_KEY_PERM_EMPTY SESSION_REVOKED SESSION_EXPIRED "
    "USER_DEACTIVATED USER_DEACTIVATED_BAN",
    406: "AUTH_KEY_DUPLICATED",
    420: "FLOOD_WAIT_%d FLOOD_PREMIUM_WAIT_%d",
    500: "RPC_CALL_FAIL",
    -503: "Timeout",
}

CLASSES: dict[Kind, type[errors.RpcFailed]] = {
    Kind.NO_SUCH_BOT: errors.BotNotFound,
    Kind.NO_SUCH_APP: errors.AppNotFound,
    Kind.STALE: errors.Stale,
    Kind.WRONG_CONTEXT: errors.WrongContext,
    Kind.BLOCKED: errors.Blocked,
    Kind.BAD_REQUEST: errors.RpcFailed,
    Kind.OVER: errors.QueryExpired,
    Kind.ALREADY_DONE: errors.AlreadyDone,
    Kind.TRANSIENT: errors.Transient,
    Kind.FLOOD_WAIT: errors.FloodWait,
    Kind.OTHER_DC: errors.RpcFailed,
    Kind.PASSWORD_NEEDED: errors.PasswordNeeded,
    Kind.WRONG_SECRET: errors.WrongSecret,
    Kind.SIGN_IN_AGAIN: errors.SignInAgain,
    Kind.SIGN_IN: errors.SignInFailed,
    Kind.ACCOUNT_LOST: errors.AccountLost,
    Kind.REFUSED: errors.RpcFailed,
}


def web_view_request() -> Any:
    return functions.messages.RequestWebViewRequest(
        peer=InputPeerUser(1, 2),
        bot=InputUser(1, 2),
        platform="android",
        url=SECRET_URL,
        theme_params=DataJSON(data="{}"),
    )


def from_telegram(code: int, name: str, request: Any = None) -> RPCError:
    """The exception which Telethon makes of Telegram's answer."""
    error: RPCError = rpc_message_to_error(
        RpcError(error_code=code, error_message=name), request or web_view_request()
    )
    return error


def documented(table: dict[int, str]) -> list[tuple[int, str]]:
    return [(code, name) for code, names in table.items() for name in names.split()]


def id_of(row: Row) -> str:
    return f"{row.method}-{row.name}"


# The table


@pytest.mark.parametrize("method", DOCUMENTED)
def test_every_documented_error_of_a_method_has_a_row(method: str) -> None:
    assert method in rpc_errors.methods()
    for code, name in documented(DOCUMENTED[method]):
        row = rpc_errors.row(method, name, code)
        assert row is not None, f"{method}: {code} {name}"
        if row.method == method:
            assert name in rpc_errors.errors_of(method)


def test_documented_errors_are_listed_for_the_method_itself() -> None:
    for method in ("messages.requestWebView", "messages.prolongWebView", "messages.getBotApp"):
        names = {name for _, name in documented(DOCUMENTED[method])}
        assert rpc_errors.errors_of(method) == names


def test_methods_without_documented_errors_have_none() -> None:
    assert rpc_errors.errors_of("messages.requestChatJoinWebView") == frozenset()
    assert rpc_errors.errors_of("auth.logOut") == frozenset()
    assert rpc_errors.errors_of("messages.noSuchMethod") == frozenset()


@pytest.mark.parametrize(("code", "name"), documented(GENERAL))
def test_general_errors_follow_any_method(code: int, name: str) -> None:
    for method in (None, "messages.requestChatJoinWebView", "help.getNearestDc"):
        row = rpc_errors.row(method, name, code)
        assert row is not None
        assert row.method == "*"


def test_a_row_is_not_found_under_another_method_name_or_code() -> None:
    assert rpc_errors.row("messages.requestMainWebView", "URL_INVALID") is None
    assert rpc_errors.row("messages.requestWebView", "NO_SUCH_ERROR") is None
    assert rpc_errors.row("messages.requestWebView", "URL_INVALID", 403) is None
    assert rpc_errors.row(None, "URL_INVALID") is None


def test_rows_are_unique() -> None:
    keys = [(row.method, row.name) for row in rpc_errors.ROWS]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("row", rpc_errors.ROWS, ids=id_of)
def test_a_row_is_complete(row: Row) -> None:
    for sentence in (row.meaning, row.remedy):
        assert re.fullmatch(r"[^\s].*\.", sentence), sentence
        assert "  " not in sentence
    assert row.source
    assert row.code in row.codes
    if "%d" in row.meaning + row.remedy:
        assert "%d" in row.name


def test_every_method_is_a_request_of_telethons() -> None:
    """A misspelt method would never be looked up."""
    for method in rpc_errors.methods():
        namespace, name = method.split(".")
        request = f"{name[0].upper()}{name[1:]}Request"
        assert hasattr(getattr(functions, namespace), request), method


# Classification


@pytest.mark.parametrize("row", rpc_errors.ROWS, ids=id_of)
def test_telethons_exception_is_classified_by_its_row(row: Row) -> None:
    for code in row.codes:
        failure = errors.from_rpc(from_telegram(code, row.name.replace("%d", "17")), row.method)
        assert type(failure) is CLASSES[row.kind]
        assert failure.method == row.method
        assert failure.code in row.codes
        assert failure.name == row.name
        assert failure.value == (17 if "%d" in row.name else None)
        assert failure.kind is row.kind
        assert failure.meaning == row.meaning.replace("%d", "17")
        assert failure.remedy == row.remedy.replace("%d", "17")
        assert failure.source == row.source


@pytest.mark.parametrize("row", rpc_errors.ROWS, ids=id_of)
def test_the_text_says_all_in_one_line(row: Row) -> None:
    failure = errors.from_rpc(from_telegram(row.code, row.name.replace("%d", "17")), row.method)
    text = str(failure)
    assert "\n" not in text
    assert "%d" not in text
    for part in (row.method, str(row.code), row.name, row.meaning, row.remedy):
        assert part.replace("%d", "17") in text


def test_an_error_without_a_class_of_its_own_is_named_by_its_message() -> None:
    error = from_telegram(400, "BOT_APP_INVALID")
    assert type(error) is BadRequestError
    assert errors.rpc_name(error) == (400, "BOT_APP_INVALID", None)
    error = from_telegram(403, "PRIVACY_PREMIUM_REQUIRED")
    assert type(error) is ForbiddenError
    assert errors.rpc_name(error) == (403, "PRIVACY_PREMIUM_REQUIRED", None)


def test_an_error_with_a_class_of_its_own_is_named_by_its_class() -> None:
    error = from_telegram(400, "BOT_INVALID")
    assert error.message == "BAD_REQUEST"
    assert errors.rpc_name(error) == (400, "BOT_INVALID", None)


@pytest.mark.parametrize(
    ("code", "sent", "expected"),
    [
        (420, "FLOOD_WAIT_30", (420, "FLOOD_WAIT_%d", 30)),
        (420, "FLOOD_PREMIUM_WAIT_5", (420, "FLOOD_PREMIUM_WAIT_%d", 5)),
        (420, "SLOWMODE_WAIT_9", (420, "SLOWMODE_WAIT_%d", 9)),
        (303, "PHONE_MIGRATE_4", (303, "PHONE_MIGRATE_%d", 4)),
        (303, "USER_MIGRATE_2", (303, "USER_MIGRATE_%d", 2)),
        (406, "AUTH_KEY_DUPLICATED", (406, "AUTH_KEY_DUPLICATED", None)),
        (-503, "Timeout", (-503, "Timeout", None)),
        (-503, "TIMEOUT", (-503, "Timeout", None)),
        (-500, "No workers running", (-500, "No workers running", None)),
        (500, "INTERDC_3_CALL_ERROR", (500, "INTERDC_%d_CALL_ERROR", 3)),
        (500, "AUTH_RESTART_8", (500, "AUTH_RESTART_%d", 8)),
        (403, "ALLOW_PAYMENT_REQUIRED_50", (403, "ALLOW_PAYMENT_REQUIRED_%d", 50)),
        (
            400,
            "INPUT_METHOD_INVALID_472471681_289215",
            (400, "INPUT_METHOD_INVALID_%d", 472471681),
        ),
    ],
)
def test_numbers_and_odd_codes_are_read(code: int, sent: str, expected: tuple[int, str, int | None]) -> None:
    assert errors.rpc_name(from_telegram(code, sent)) == expected


def test_every_class_of_telethon_has_a_name() -> None:
    """The reverse look-up misses none: a name sent is the name read."""
    for name in set(rpc_errors_dict) - {"EMAIL_UNCONFIRMED"}:  # also comes with a number
        read = errors.rpc_name(from_telegram(400, name))[1]
        assert read.upper() == name.upper()


def test_a_flood_wait_says_how_long() -> None:
    failure = errors.from_rpc(from_telegram(420, "FLOOD_WAIT_30"), "messages.requestWebView")
    assert isinstance(failure, errors.FloodWait)
    assert failure.seconds == 30
    assert "FLOOD_WAIT_30" in str(failure)
    assert "30 seconds" in failure.remedy


@pytest.mark.parametrize(
    ("method", "code", "name", "expected"),
    [
        ("messages.prolongWebView", 400, "QUERY_ID_INVALID", errors.QueryExpired),
        ("messages.sendWebViewData", 500, "RANDOM_ID_DUPLICATE", errors.AlreadyDone),
        ("messages.requestWebView", 400, "YOU_BLOCKED_USER", errors.Blocked),
        ("messages.requestAppWebView", 400, "BOT_APP_INVALID", errors.AppNotFound),
        ("messages.requestWebView", 400, "BOT_INVALID", errors.BotNotFound),
        ("messages.requestWebView", 400, "URL_INVALID", errors.Stale),
        ("messages.requestWebView", 403, "CHAT_WRITE_FORBIDDEN", errors.WrongContext),
        ("messages.prolongWebView", -503, "Timeout", errors.Transient),
        ("messages.prolongWebView", 401, "AUTH_KEY_UNREGISTERED", errors.AccountLost),
        ("messages.prolongWebView", 406, "AUTH_KEY_DUPLICATED", errors.AccountLost),
        ("auth.signIn", 401, "SESSION_PASSWORD_NEEDED", errors.PasswordNeeded),
        ("auth.signIn", 400, "PHONE_CODE_INVALID", errors.WrongSecret),
        ("auth.checkPassword", 400, "PASSWORD_HASH_INVALID", errors.WrongSecret),
        ("auth.signIn", 400, "PHONE_CODE_EXPIRED", errors.SignInAgain),
        ("auth.sendCode", 400, "API_ID_PUBLISHED_FLOOD", errors.SignInFailed),
        # Codes that mislead: neither 420 nor 500 means that waiting helps here.
        ("channels.joinChannel", 420, "FROZEN_METHOD_INVALID", errors.RpcFailed),
        ("messages.requestUrlAuth", 500, "OAUTH_REQUEST_INVALID", errors.Stale),
    ],
)
def test_the_class_tells_what_a_caller_can_do(
    method: str, code: int, name: str, expected: type[errors.RpcFailed]
) -> None:
    assert type(errors.from_rpc(from_telegram(code, name), method)) is expected


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        (400, "SOMETHING_NEW", errors.RpcFailed),
        (401, "SOMETHING_NEW", errors.AccountLost),
        (420, "SOMETHING_NEW_WAIT_12", errors.FloodWait),
        (420, "SOMETHING_NEW", errors.RpcFailed),
        (500, "SOMETHING_NEW", errors.Transient),
        (-500, "No workers running", errors.Transient),
        (-503, "Timedout", errors.Transient),
    ],
)
def test_an_unknown_name_is_judged_by_its_code(
    code: int, name: str, expected: type[errors.RpcFailed]
) -> None:
    failure = errors.from_rpc(from_telegram(code, name), "messages.requestWebView")
    assert type(failure) is expected
    assert failure.code == code
    assert failure.source == "not documented"
    assert "not documented" in str(failure)
    assert name in str(failure)


def test_the_code_is_the_one_sent_where_telethon_keeps_it() -> None:
    """The table has 403 and 406; a class of Telethon's own would have forgotten which it was."""
    for code in (403, 406):
        error = from_telegram(code, "PRIVACY_PREMIUM_REQUIRED")
        assert errors.from_rpc(error, "messages.requestWebView").code == code


def test_a_name_documented_for_other_methods_keeps_its_meaning() -> None:
    failure = errors.from_rpc(from_telegram(400, "URL_INVALID"), "messages.requestMainWebView")
    assert type(failure) is errors.Stale
    assert failure.method == "messages.requestMainWebView"
    assert failure.source == "documented for other methods only"


def test_what_is_no_name_is_not_repeated() -> None:
    failure = errors.from_rpc(from_telegram(400, SECRET_URL), "messages.requestWebView")
    assert "hunter2" not in str(failure)
    assert "\n" not in str(errors.from_rpc(from_telegram(400, "A\nB"), "help.getConfig"))


# Names of requests


@pytest.mark.parametrize(
    ("request_", "name"),
    [
        (web_view_request(), "messages.requestWebView"),
        (functions.auth.LogOutRequest(), "auth.logOut"),
        (functions.help.GetConfigRequest(), "help.getConfig"),
        (functions.PingRequest(ping_id=1), "ping"),
        (
            functions.InvokeWithLayerRequest(
                229, functions.InvokeWithoutUpdatesRequest(functions.help.GetConfigRequest())
            ),
            "help.getConfig",
        ),
        (
            # Has a field named `query`, a string.
            functions.messages.GetInlineBotResultsRequest(
                bot=InputUser(1, 2), peer=InputPeerUser(1, 2), query="cats", offset=""
            ),
            "messages.getInlineBotResults",
        ),
    ],
)
def test_method_name(request_: Any, name: str) -> None:
    assert errors.method_name(request_) == name


# Calls


def answering(error: Exception) -> Callable[[Any], Awaitable[Any]]:
    async def send(request: Any) -> Any:
        raise error

    return send


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, asyncio.Queue[asyncio.StreamWriter]]]:
    """A port on which a connection is accepted, and told of once it has said something."""
    spoken: asyncio.Queue[asyncio.StreamWriter] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        await spoken.put(writer)
        with suppress(ConnectionError):
            while await reader.read(4096):
                pass
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], spoken


@asynccontextmanager
async def connected_sender(port: int) -> AsyncIterator[MTProtoSender]:
    """Telethon's own sender, with a key that needs no exchange."""
    client = TelegramClient(MemorySession(), 1, "hash")
    sender = MTProtoSender(AuthKey(bytes(256)), loggers=client._log, auto_reconnect=False)
    connection = ConnectionTcpFull("127.0.0.1", port, 2, loggers=client._log)
    await sender.connect(connection)
    try:
        yield sender
    finally:
        await sender.disconnect()
        with suppress(OSError, EOFError):  # why it ended; asyncio logs what nobody looks at
            await sender.disconnected


async def test_call_translates_an_rpc_error_and_keeps_its_cause() -> None:
    request = web_view_request()
    error = from_telegram(400, "BOT_WEBVIEW_DISABLED", request)
    with pytest.raises(errors.Stale) as caught:
        await errors.call(answering(error), request)
    assert caught.value.method == "messages.requestWebView"
    assert caught.value.__cause__ is error


def test_answers_translates_what_a_block_raises() -> None:
    error = from_telegram(400, "USERNAME_NOT_OCCUPIED")
    with (
        pytest.raises(errors.BotNotFound, match=r"contacts\.resolveUsername: 400") as caught,
        errors.answers("contacts.resolveUsername"),
    ):
        raise error
    assert caught.value.__cause__ is error


async def test_call_returns_the_answer() -> None:
    async def send(request: Any) -> str:
        return f"answer to {errors.method_name(request)}"

    assert await errors.call(send, functions.auth.LogOutRequest()) == "answer to auth.logOut"


@pytest.mark.parametrize("name", ["BOT_INVALID", "BOT_APP_INVALID", "FLOOD_WAIT_3"])
async def test_no_secret_of_the_request_is_in_any_text(name: str) -> None:
    error = from_telegram(400, name, web_view_request())
    with pytest.raises(errors.RpcFailed) as caught:
        await errors.call(answering(error), web_view_request())
    whole = "".join(traceback.format_exception(caught.value))
    assert "requestWebView" in whole
    for text in (whole, repr(caught.value), str(caught.value), repr(error)):
        assert "hunter2" not in text
        assert "example.org" not in text


async def test_a_flood_wait_which_telethon_remembers_needs_no_network() -> None:
    client = TelegramClient(MemorySession(), 1, "hash", flood_sleep_threshold=0)
    request = functions.messages.GetAttachMenuBotsRequest(hash=0)
    client._flood_waited_requests[request.CONSTRUCTOR_ID] = float(2**40)
    with pytest.raises(errors.FloodWait) as caught:
        await errors.call(client, request)
    assert caught.value.name == "FLOOD_WAIT_%d"
    assert caught.value.seconds > 1000


async def test_a_client_that_was_never_connected() -> None:
    client = TelegramClient(MemorySession(), 1, "hash")
    with pytest.raises(errors.NotConnected) as caught:
        await errors.call(client, functions.messages.GetAttachMenuBotsRequest(hash=0))
    assert caught.value.method == "messages.getAttachMenuBots"
    assert "messages.getAttachMenuBots" in str(caught.value)


async def test_a_server_that_hangs_up_before_answering() -> None:
    async with silent_server() as (port, spoken), connected_sender(port) as sender:
        call = asyncio.create_task(errors.call(sender.send, functions.help.GetConfigRequest()))
        (await spoken.get()).close()
        with pytest.raises(errors.NotConnected):
            await call


async def test_a_client_that_is_disconnected_meanwhile() -> None:
    async with silent_server() as (port, spoken), connected_sender(port) as sender:
        call = asyncio.create_task(errors.call(sender.send, functions.help.GetConfigRequest()))
        await spoken.get()
        await sender.disconnect()
        await asyncio.wait([call])
        assert not call.cancelled()
        assert isinstance(call.exception(), errors.NotConnected)


async def test_cancelling_the_caller_stays_a_cancellation() -> None:
    async with silent_server() as (port, spoken), connected_sender(port) as sender:
        call = asyncio.create_task(errors.call(sender.send, functions.help.GetConfigRequest()))
        await spoken.get()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_forgotten_auth_key_loses_the_account() -> None:
    with pytest.raises(errors.AccountLost) as caught:
        await errors.call(answering(AuthKeyNotFound()), web_view_request())
    assert (caught.value.code, caught.value.name) == (-404, "AUTH_KEY_NOT_FOUND")
    assert caught.value.method == "messages.requestWebView"


async def test_a_flood_at_the_transport_is_a_lost_connection() -> None:
    flood = InvalidBufferError((-429).to_bytes(4, "little", signed=True))
    with pytest.raises(errors.NotConnected):
        await errors.call(answering(flood), web_view_request())


async def test_a_mistake_in_the_code_is_not_covered_up() -> None:
    with pytest.raises(ZeroDivisionError):
        await errors.call(answering(ZeroDivisionError()), web_view_request())


# The tree


def test_the_docstring_draws_the_tree_as_it_is() -> None:
    drawn = []
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│ ]*(?:[├└]── )?)([A-Z]\w+)(  |$)", line):
            drawn.append((len(match[1]) // 4, match[2]))
    parents: dict[str, str] = {}
    path: list[str] = []
    for depth, name in drawn:
        path[depth:] = [name]
        parents[name] = path[depth - 1] if depth else "Exception"
    source = ast.parse(Path(errors.__file__).read_text(encoding="utf-8"))
    real = {node.name: ast.unparse(node.bases[0]) for node in source.body if isinstance(node, ast.ClassDef)}
    assert parents == real


@pytest.mark.parametrize(
    ("error", "parts"),
    [
        (errors.CannotOpen.not_a_bot("@durov"), ["@durov", "spelling"]),
        (errors.CannotOpen.restricted("@bot"), ["@bot", "official client"]),
        (errors.CannotOpen.no_menu_button("@bot"), ["@bot", "menu button"]),
        (errors.CannotOpen.no_main_app("@bot"), ["@bot", "main Mini App"]),
        (errors.CannotOpen.no_inline_mode("@bot"), ["@bot", "inline"]),
        (errors.CannotOpen.no_inline_app("@bot"), ["@bot", "query"]),
        (errors.CannotOpen.no_such_button("Buy", ["Sell\nnow", "Help"]), ["'Sell\\nnow', 'Help'"]),
        (errors.CannotOpen.no_such_button(3, []), ["no button 3", "none"]),
        (errors.CannotOpen.not_an_app_button("Buy"), ["'Buy'"]),
        (errors.CannotOpen.no_attachment_app("@bot"), ["@bot"]),
        (errors.CannotOpen.not_in_this_chat("@bot", ["groups", "channels"]), ["groups, channels"]),
        (errors.CannotOpen.no_side_menu_entry("@bot"), ["@bot", "side menu"]),
        (errors.ConsentDeclined("write_access"), ["write_access", "consent policy"]),
        (errors.DataAlreadySent(), ["already"]),
        (errors.DataRefused("Too long.\n", "Shorten it."), ["Too long. Shorten it."]),
        (errors.BadInput("No such mode.", "Choose compact."), ["No such mode. Choose compact."]),
        (errors.NotConnected("help.getConfig"), ["help.getConfig", "try again"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_local_refusals_say_what_to_do_in_one_line(error: errors.MiniAppError, parts: list[str]) -> None:
    text = str(error)
    assert "\n" not in text
    assert text.endswith(error.remedy)
    assert error.remedy.endswith(".")
    for part in parts:
        assert part in text
