"""Metapro's HTTP API as the client uses it: what is sent, and what becomes of every kind of answer."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import httpx
import pytest

from launcher.metapro import (
    MetaproBroken,
    MetaproClient,
    MetaproError,
    MetaproMisconfigured,
    MetaproRefused,
    MetaproSettings,
    MetaproUnreachable,
)
from launcher.metapro.client import Exchange
from launcher.metapro.models import Login
from launcher.metapro.settings import SERVICES
from tests.running import let_pass
from tests.scripted import CUT, HANGS, Reply, Scripted

TOKEN = "asduf823hf-sa98ehf938rh"
USER = {"userId": "5b1c", "role": "user", "addresses": [{"wallet": "0xabc"}], "something": "new"}
LOGIN = {"account": USER, "token": {"accessToken": TOKEN, "tokenType": "x"}}
INIT_DATA = (
    "user=%7B%22id%22%3A1001%2C%22first_name%22%3A%22Alice%22%2C%22language_code%22%3A%22en%22%7D"
    "&auth_date=1700000000&signature=c2lnbmF0dXJl_c2lnbmF0dXJl&hash=" + "0f" * 32
)
WALLET = "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
SIGNATURE = "0x" + "ab" * 65

Calling = Callable[[MetaproClient], Coroutine[Any, Any, Any]]


@asynccontextmanager
async def talking(
    *replies: Reply, logged_in: bool = False, options: dict[str, Any] | None = None, **said: Any
) -> AsyncIterator[tuple[MetaproClient, Scripted]]:
    """A client, and a server that gives these replies; `client.waited` are the pauses it made."""
    async with Scripted([*([Reply(LOGIN, 201)] if logged_in else []), *replies]) as server:
        urls = {f"{service}_url": f"{server.url}/{service}" for service in SERVICES}
        settings = MetaproSettings(
            _env_file=None,
            **{"project_id": "P", "platform_id": "F", "bot_name": "demo_bot", "leaderboard_id": "L"}
            | urls
            | said,
        )
        async with MetaproClient(settings, **{"wait": Waits()} | (options or {})) as client:
            if logged_in:
                await client.telegram_login(INIT_DATA)
                server.asked.clear()
            yield client, server


class Waits:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)


# What is sent


async def test_the_telegram_login_says_what_the_public_sample_says() -> None:
    async with talking(Reply(LOGIN, 201)) as (client, server):
        login = await client.telegram_login(INIT_DATA, referral_code="friend")
    (asked,) = server.asked
    assert (asked.method, asked.target) == ("POST", "/users/v2/auth/telegram/login/simple")
    assert asked.json == {
        "telegramSimpleData": {"id": 1001, "first_name": "Alice"},
        "telegramSimpleString": INIT_DATA,
        "projectId": "P",
        "platformId": "F",
        "telegramBotName": "demo_bot",
        "referralCode": "friend",
    }
    assert "authorization" not in asked.headers
    assert (login.account.user_id, login.status, client.user_id) == ("5b1c", 201, "5b1c")
    assert login.token.get_secret_value() == TOKEN


async def test_every_name_of_the_login_is_a_knob() -> None:
    knobs = {
        "path": "/login", "string_field": "initData", "user_field": "u", "project_field": "",
        "bot_field": "bot", "platform_field": "pf", "referral_field": "ref", "extra_headers": {"x-a": "1"},
        "extra_body": {"b": 2}, "send_user_object": False, "token_path": "session", "user_id_path": "who.id",
    }  # fmt: skip
    answer = Reply({"session": "t" * 9, "who": {"id": "9"}})
    async with talking(answer, telegram_login=knobs) as (client, server):
        await client.telegram_login(INIT_DATA, referral_code="r")
    (asked,) = server.asked
    assert asked.target == "/users/login"
    assert asked.json == {"initData": INIT_DATA, "pf": "F", "bot": "demo_bot", "ref": "r", "b": 2}
    assert asked.headers["x-a"] == "1"
    assert client.user_id == "9"


@pytest.mark.parametrize(("scheme", "header"), [("raw", TOKEN), ("bearer", f"Bearer {TOKEN}")])
async def test_the_token_goes_as_the_scheme_says_with_the_user_beside_it(scheme: str, header: str) -> None:
    async with talking(Reply(USER), logged_in=True, auth_scheme=scheme) as (client, server):
        await client.me(WALLET)
    headers = server.asked[0].headers
    assert (headers["authorization"], headers["x-account-userid"]) == (header, "5b1c")
    assert headers["x-account-wallet"] == WALLET.lower()


@pytest.mark.parametrize(("place", "in_header", "in_body"), [("header", True, False), ("body", False, True)])
async def test_the_api_key_goes_where_it_is_said_to(place: str, in_header: bool, in_body: bool) -> None:
    said: dict[str, Any] = {"api_key": "K" * 20, "api_key_place": place, "api_key_name": "x-portal-key"}
    async with talking(Reply(LOGIN), **said) as (client, server):
        await client.telegram_login(INIT_DATA)
    (asked,) = server.asked
    assert (asked.headers.get("x-portal-key") == "K" * 20) is in_header
    assert (asked.json.get("x-portal-key") == "K" * 20) is in_body


CALLS: list[tuple[str, Calling, Any, str, dict[str, list[str]]]] = [
    ("me", lambda c: c.me(), USER, "/users/me", {}),
    ("profile", lambda c: c.profile("a/../me?x"), USER, "/users/profile/a%2F..%2Fme%3Fx", {}),
    ("dots", lambda c: c.profile(".."), USER, "/users/profile/%2E%2E", {}),
    ("profiles",
     lambda c: c.profiles(user_ids=["1", "2"], wallets=[WALLET], sort={"createdAt": "desc"}, limit=5),
     {"results": [USER], "count": 1}, "/users/profiles",
     {"userIds": ["1", "2"], "wallets": [WALLET.lower()], "sort[createdAt]": ["desc"], "skip": ["0"],
      "limit": ["5"]}),
    ("availability", lambda c: c.is_available("a b"), {"isAvailable": True}, "/users/availability/a%20b", {}),
    ("hash", lambda c: c.signature_hash(WALLET), {"hash": "h-1"}, "/users/auth/signature/hash", {}),
    ("check", lambda c: c.web3_check(WALLET), {"hasAccount": True, "hasRulesChecked": False},
     f"/users/v2/auth/web3/check/{WALLET.lower()}", {"projectId": ["P"]}),
    ("assets", lambda c: c.wallet_tokens(WALLET), {"results": [], "count": 0},
     f"/nft/v1/user/{WALLET.lower()}/tokens",
     {"_items": ["true"], "sort[token.creationBlock]": ["desc"], "skip": ["0"], "limit": ["20"]}),
    ("tokens", lambda c: c.tokens({"0xAB": [1, 2]}), {"results": [{"chainId": 56}], "count": 1},
     "/nft/v1/tokens", {"tokens[0xab]": ["1", "2"]}),
    ("list", lambda c: c.leaderboard(3), [], "/leaderboard/score-total/leaderboard/L", {"limit": ["3"]}),
    ("personal", lambda c: c.personal_score("u 1"), {"scores": []},
     "/leaderboard/score-total/personal/L/u%201", {}),
    ("count", lambda c: c.leaderboard_count(), "42", "/leaderboard/score-total/count/leaderboard/L", {}),
    ("app", lambda c: c.app(), {"appId": "A", "leaderboardId": "L"}, "/teams/v1/apps/A", {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "answer", "path", "query"), [row[1:] for row in CALLS], ids=[r[0] for r in CALLS]
)
async def test_each_read_asks_the_documented_address(
    call: Calling, answer: Any, path: str, query: dict[str, list[str]]
) -> None:
    async with talking(Reply(answer), logged_in=True, app_id="A", leaderboard_key="K" * 12) as (
        client,
        server,
    ):
        await call(client)
    (asked,) = server.asked
    parts = urlsplit(asked.target)
    assert (asked.method, parts.path, parse_qs(parts.query)) == ("GET", path, query)
    assert ("leaderboardapikey" in asked.headers) is path.startswith("/leaderboard")


async def test_a_wallet_logs_in_with_its_signature() -> None:
    async with talking(Reply(LOGIN), referral_settings_id="R") as (client, server):
        await client.web3_login(WALLET, SIGNATURE, "h-1", rules_checked=True, referral_code="friend")
        assert client.user_id == "5b1c"
    (asked,) = server.asked
    assert asked.target == "/users/v2/auth/web3/login"
    assert asked.headers["x-account-login-hash"] == "h-1"
    assert asked.json == {
        "wallet": WALLET.lower(), "signature": SIGNATURE, "projectId": "P", "platformId": "F",
        "rulesChecked": True, "referralSettingsId": "R", "referralCode": "friend",
    }  # fmt: skip


async def test_a_wallet_is_attached_to_the_account() -> None:
    async with talking(Reply(USER, 201), logged_in=True) as (client, server):
        attached = await client.attach_wallet(WALLET, SIGNATURE, "h-1")
    assert (attached.account.addresses[0].wallet, attached.status) == ("0xabc", 201)
    (asked,) = server.asked
    assert asked.json == {"wallet": WALLET.lower(), "signature": SIGNATURE, "merge": True}
    assert asked.headers["authorization"] == TOKEN


async def test_production_is_read_only_unless_it_is_allowed() -> None:
    async with talking(Reply(USER), logged_in=True, environment="production") as (client, server):
        with pytest.raises(MetaproMisconfigured, match="METAPRO_ALLOW_WRITES"):
            await client.attach_wallet(WALLET, SIGNATURE, "h")
        with pytest.raises(MetaproMisconfigured, match="METAPRO_ALLOW_WRITES"):
            await client.web3_login(WALLET, SIGNATURE, "h")
        assert server.asked == []
    async with talking(Reply(USER), logged_in=True, environment="production", allow_writes=True) as (
        client,
        server,
    ):
        await client.attach_wallet(WALLET, SIGNATURE, "h")
        assert len(server.asked) == 1


async def test_nothing_is_sent_while_environments_are_mixed() -> None:
    async with talking(Reply(USER), nft_url="https://test-api.metaproprotocol.com/ms/nft") as (
        client,
        server,
    ):
        with pytest.raises(MetaproMisconfigured, match="set all addresses, or none"):
            await client.telegram_login(INIT_DATA)
        assert server.asked == []


async def test_nothing_is_sent_to_an_address_with_a_password(caplog: pytest.LogCaptureFixture) -> None:
    """httpx's log has each address as it is."""
    caplog.set_level(logging.DEBUG)
    async with talking(Reply(USER)) as (client, server):
        url = client.settings.url("users").replace("//", "//name:canary-word@")
        async with MetaproClient(client.settings.model_copy(update={"users_url": url})) as other:
            with pytest.raises(MetaproMisconfigured, match="METAPRO_USERS_URL holds") as failure:
                await other.profile("1")
        assert server.asked == []
    assert "canary" not in str(failure.value) + caplog.text


# What becomes of answers


async def test_a_count_is_plain_text_or_json() -> None:
    async with talking(Reply("42"), Reply(7), Reply('"9"'), Reply("many")) as (client, _):
        assert [await client.leaderboard_count() for _ in range(3)] == [42, 7, 9]
        with pytest.raises(MetaproBroken, match="no number"):
            await client.leaderboard_count()


BAD: list[tuple[Reply, type[MetaproError], str]] = [
    (
        Reply({"statusCode": 400, "message": "no", "error": "Bad Request"}, 400),
        MetaproRefused,
        "status 400: no",
    ),
    (Reply({"messages": ["one", "two"]}, 403), MetaproRefused, "status 403: one; two"),
    (Reply({"statusCode": 422, "message": ["a", "b"]}, 422), MetaproRefused, "status 422: a; b"),
    (Reply("<html>Forbidden</html>", 403), MetaproRefused, "status 403. "),
    (Reply([1], 404), MetaproRefused, "status 404. "),
    (Reply("<html>Bad gateway</html>", 502), MetaproBroken, "fails with status 502"),
    (Reply("", 200), MetaproBroken, "no JSON"),
    (Reply("<html>", 200), MetaproBroken, "no JSON"),
    (Reply(b"\xff\xfe", 200), MetaproBroken, "no JSON"),
    (Reply([], 200), MetaproBroken, "not as documented: the whole"),
    (Reply({"userId": 7}, 200), MetaproBroken, "not as documented: userId"),
    (Reply({"userId": ""}, 200), MetaproBroken, "not as documented: userId"),
    (Reply("", 302, {"Location": "https://elsewhere.example/"}), MetaproRefused, "status 302"),
]


@pytest.mark.parametrize(("reply", "kind", "words"), BAD, ids=range(len(BAD)))
async def test_a_bad_answer_is_told_by_whose_fault_it_is(
    reply: Reply, kind: type[MetaproError], words: str
) -> None:
    async with talking(reply, logged_in=True) as (client, server):
        with pytest.raises(kind) as failure:
            await client.profile("1")
        assert len(server.asked) == (3 if reply.status >= 500 else 1)
    assert words in str(failure.value)
    assert failure.value.layer == ("network" if reply.status >= 500 else "metapro-data")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"account": USER}, "no token"),
        ({"account": USER, "token": {"accessToken": ""}}, "no token"),
        ({"token": {"accessToken": TOKEN}}, "no Metapro ID"),
        ({"account": {"userId": 5}, "token": {"accessToken": TOKEN}}, "no Metapro ID"),
        ("text", "no token"),
        ([], "no token"),
    ],
)
async def test_a_login_without_token_or_person_is_none(answer: Any, words: str) -> None:
    async with talking(Reply(json.dumps(answer))) as (client, _):
        with pytest.raises(MetaproBroken, match=words):
            await client.telegram_login(INIT_DATA)
        assert (client.token, client.user_id) == (None, None)


# Repeating


@pytest.mark.parametrize(
    ("replies", "pauses"),
    [
        ([Reply("", 502), Reply(USER)], [0.2]),
        ([Reply("", 503), Reply("", 500), Reply(USER)], [0.2, 0.6]),
        ([Reply("", 429, {"Retry-After": "3"}), Reply(USER)], [3.0]),
        ([Reply("", 429), Reply(USER)], [0.2]),
        ([Reply("", 429, {"Retry-After": "soon"}), Reply(USER)], [0.2]),
    ],
)
async def test_a_read_is_repeated_after_what_passes(replies: list[Reply], pauses: list[float]) -> None:
    waits = Waits()
    async with talking(*replies, logged_in=True, options={"wait": waits}) as (client, _):
        assert (await client.profile("1")).user_id == "5b1c"
    assert waits.pauses == pauses


async def test_a_date_to_wait_for_is_obeyed_and_an_hour_is_not_waited_for() -> None:
    waits = Waits()
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=8), usegmt=True)
    replies = [Reply("", 429, {"Retry-After": soon}), Reply(USER), Reply("", 429, {"Retry-After": "3600"})]
    async with talking(*replies, logged_in=True, options={"wait": waits}) as (client, server):
        await client.profile("1")
        assert 1 < waits.pauses[0] <= 8
        with pytest.raises(MetaproRefused, match="429"):
            await client.profile("1")
        assert len(server.asked) == 3


async def test_the_last_failure_is_told_and_a_write_is_never_repeated() -> None:
    async with talking(Reply("", 503), logged_in=True) as (client, server):
        with pytest.raises(MetaproBroken, match="503"):
            await client.profile("1")
        assert len(server.asked) == 3
        with pytest.raises(MetaproBroken):
            await client.attach_wallet(WALLET, SIGNATURE, "h")
        with pytest.raises(MetaproBroken):
            await client.telegram_login(INIT_DATA)
        assert len(server.asked) == 5


async def test_a_connection_that_cannot_be_made_is_tried_again_and_one_that_breaks_is_not() -> None:
    waits = Waits()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    urls = {f"{service}_url": f"http://127.0.0.1:{port}" for service in SERVICES}
    async with MetaproClient(MetaproSettings(_env_file=None, **urls), wait=waits) as client:
        with pytest.raises(MetaproUnreachable, match="refused"):
            await client.profile("1")
    assert waits.pauses == [0.2, 0.6]
    async with talking(CUT, options={"wait": waits}) as (client, server):
        with pytest.raises(MetaproUnreachable, match="broke"):
            await client.profile("1")
        assert len(server.asked) == 1


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    async with talking(HANGS, timeout=0.2) as (client, _):
        with pytest.raises(MetaproUnreachable, match="too long"):
            await client.profile("1")


# The token


async def test_a_token_that_has_expired_is_replaced_once() -> None:
    refused = Reply({"message": "expired"}, 401)
    again = Reply({**LOGIN, "token": {"accessToken": "second-token"}})
    async with talking(refused, again, Reply(USER), logged_in=True) as (client, server):
        assert (await client.me()).user_id == "5b1c"
        assert [asked.target for asked in server.asked] == [
            "/users/me", "/users/v2/auth/telegram/login/simple", "/users/me",
        ]  # fmt: skip
        assert server.asked[1].json["telegramSimpleString"] == INIT_DATA
        assert server.asked[2].headers["authorization"] == "second-token"


async def test_tokens_that_never_count_are_no_loop() -> None:
    refused = Reply({"message": "expired"}, 401)
    async with talking(refused, Reply(LOGIN), refused, logged_in=True) as (client, server):
        with pytest.raises(MetaproRefused, match="401"):
            await client.me()
        assert len(server.asked) == 3


async def test_one_call_logs_in_once_however_often_it_is_repeated() -> None:
    refused, down = Reply({"message": "expired"}, 401), Reply("", 503)
    replies = [refused, Reply(LOGIN), down, refused, Reply(LOGIN), down, refused, Reply(LOGIN)]
    async with talking(*replies, logged_in=True) as (client, server):
        with pytest.raises(MetaproRefused, match="401"):
            await client.me()
        assert [asked.target for asked in server.asked].count("/users/v2/auth/telegram/login/simple") == 1


async def test_a_new_login_may_take_longer_than_a_request() -> None:
    """It may need a new launch, which is none of the service's time."""

    async def again(client: MetaproClient) -> Login:
        let_pass(20)
        return await client.telegram_login(INIT_DATA)

    replies = [Reply("", 401), Reply(LOGIN), Reply(USER)]
    options: dict[str, Any] = {"log_in_again": again}
    async with talking(*replies, logged_in=True, options=options, timeout=20) as (client, _):
        assert (await client.me()).user_id == "5b1c"


async def test_a_new_login_that_meets_no_service_is_told_and_the_call_is_not_repeated() -> None:
    async def again(client: MetaproClient) -> Login:
        raise MetaproUnreachable("The login is nowhere.", "Look.") from httpx.ConnectError("refused")

    options: dict[str, Any] = {"log_in_again": again}
    async with talking(Reply("", 401), logged_in=True, options=options) as (client, server):
        with pytest.raises(MetaproUnreachable, match="The login is nowhere"):
            await client.me()
        assert len(server.asked) == 1


async def test_every_request_is_heard_of_once() -> None:
    exchanges: list[Exchange] = []
    replies = [Reply("", 401), Reply(LOGIN), Reply(USER), CUT]
    options: dict[str, Any] = {"on_exchange": exchanges.append}
    async with talking(*replies, logged_in=True, options=options) as (client, _):
        await client.me()
        with pytest.raises(MetaproUnreachable):
            await client.profile("1")
    assert [(one.method, one.status) for one in exchanges] == [
        ("POST", 201), ("GET", 401), ("POST", 200), ("GET", 200), ("GET", None),
    ]  # fmt: skip
    assert exchanges[-1].url.endswith("/users/profile/1")


async def test_calls_that_meet_the_same_expiry_log_in_once() -> None:
    refused, asked_anew = Reply("", 401), 0
    exchanges: list[Exchange] = []

    def heard(exchange: Exchange) -> None:
        exchanges.append(exchange)
        if [one.status for one in exchanges].count(401) == 2:
            refusals.set()

    refusals = asyncio.Event()

    async def again(client: MetaproClient) -> Login:
        nonlocal asked_anew
        asked_anew += 1
        await refusals.wait()
        return await client.telegram_login(INIT_DATA)

    replies = [refused, refused, Reply({**LOGIN, "token": {"accessToken": "second-token"}}), Reply(USER)]
    options: dict[str, Any] = {"log_in_again": again, "on_exchange": heard}
    async with talking(*replies, logged_in=True, options=options) as (client, server):
        await asyncio.gather(client.me(), client.me())
        assert asked_anew == 1
        assert [asked.target for asked in server.asked].count("/users/v2/auth/telegram/login/simple") == 1


async def test_two_people_share_connections_and_nothing_else() -> None:
    other = {**LOGIN, "account": {"userId": "other"}, "token": {"accessToken": "other-token"}}
    cookie = Reply(other, headers={"Set-Cookie": "session=other; Path=/"})
    async with talking(cookie, Reply(USER), logged_in=True) as (client, server):
        second = client.another(client.settings)
        await second.telegram_login(INIT_DATA)
        await client.me()
        assert (client.user_id, second.user_id) == ("5b1c", "other")
        assert server.asked[1].headers["authorization"] == TOKEN
        assert "cookie" not in server.asked[1].headers


# Secrets

SECRETS = {
    "api_key": "canary-api-key-000", "leaderboard_key": "canary-board-key-0", "wallet_key": "ca" * 32,
    "bot_token": "7000000001:canary-bot-token", "rpc_url": "https://node.example/canary-node",
}  # fmt: skip


async def test_no_secret_is_seen_in_errors_logs_or_exchanges(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    exchanges: list[Exchange] = []
    echo = Reply(
        {"messages": [f"{TOKEN} {INIT_DATA}", f"{SIGNATURE} {SECRETS['api_key']}", "jane.doe@example.org"]},
        400,
    )
    seen: list[str] = []
    options: dict[str, Any] = {"on_exchange": exchanges.append}
    said: dict[str, Any] = SECRETS | {"api_key_place": "header"}
    async with talking(echo, logged_in=True, options=options, **said) as (client, _):
        calls: list[Calling] = [
            lambda c: c.me(), lambda c: c.telegram_login(INIT_DATA), lambda c: c.leaderboard(),
            lambda c: c.attach_wallet(WALLET, SIGNATURE, "h"), lambda c: c.web3_login(WALLET, SIGNATURE, "h"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(MetaproRefused) as failure:
                await call(client)
            seen += [str(failure.value), repr(failure.value.args), repr(failure.value.messages)]
            seen.append(repr(failure.value.__cause__) + repr(failure.value.__context__))
        seen += [repr(client), repr(client.token), repr(client.settings), repr(exchanges)]
    text = unquote("\n".join([*seen, caplog.text]))
    for secret in (*SECRETS.values(), TOKEN, SIGNATURE, "0f" * 32, "c2lnbmF0dXJl_c2lnbmF0dXJl", "jane.doe"):
        assert secret not in text, secret
    assert {(one.service, one.status) for one in exchanges} == {
        ("users", 201),
        ("users", 400),
        ("leaderboard", 400),
    }


async def test_a_secret_is_struck_out_before_words_are_cut_short() -> None:
    """Half a secret would not be recognised any more."""
    bare = SIGNATURE.removeprefix("0x")
    echo = Reply({"messages": [f"repeated {bare}", f"{'so ' * 35}{SIGNATURE}", f"{'w' * 110} {TOKEN}"]}, 400)
    async with talking(echo, logged_in=True) as (client, _):
        with pytest.raises(MetaproRefused) as failure:
            await client.attach_wallet(WALLET, SIGNATURE, "h")
    assert failure.value.messages[0] == "repeated ***"
    for piece in (bare[:8], TOKEN[:8]):
        assert piece not in str(failure.value)


async def test_words_of_any_length_are_masked_at_once() -> None:
    async with talking(Reply({"message": "w" * 1_000_000}, 400)) as (client, _):
        with pytest.raises(MetaproRefused) as failure:
            await client.signature_hash(WALLET)
    assert failure.value.messages == ("w" * 120,)


async def test_a_knock_tells_whether_a_service_is_alive() -> None:
    async with talking(Reply({"message": "Cannot GET /"}, 404), Reply("", 200), Reply("", 503)) as (
        client,
        _,
    ):
        assert (await client.reach("nft")).status == 404
        for words in ("nothing", "503"):
            with pytest.raises(MetaproBroken, match=words):
                await client.reach("nft")
