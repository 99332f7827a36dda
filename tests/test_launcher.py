"""The launcher over the wire: opening, keeping alive, every way an app ends, the connection lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from telethon import TelegramClient
from telethon.tl import functions, types

from flows import (
    AccountLost,
    BadInput,
    CannotOpen,
    ChatJoinApp,
    Consent,
    DataAlreadySent,
    DataRefused,
    FloodWait,
    MiniAppError,
    NotConnected,
    OpenMode,
    OpenParameters,
    QueryExpired,
)
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox import Delay, DropAfter, Fail, Sandbox
from launcher.sandbox.mailbox import Mailbox, notify
from launcher.settings import Settings
from launcher.timing import Timing
from tests.running import CALM, FAST, bot_client, calls_of, data_received, heard, launching, query_text

PROLONG = "messages.prolongWebView"
SEND = "messages.sendWebViewData"
START = "messages.startBot"


async def answer_query(sandbox: Sandbox, app: MiniApp) -> None:
    """Let the app's bot answer the query, as answerWebAppQuery does."""
    text = types.InputBotInlineMessageText("Ordered")
    result = types.InputBotInlineResult(id="1", type="article", send_message=text, title="Order")
    async with bot_client(sandbox) as bot:
        await bot(functions.messages.SendWebViewResultMessageRequest(query_text(app), result))


def prolonged(app: MiniApp, times: int = 1) -> asyncio.Future[MiniAppError | None]:
    """Resolves with the outcome of the app's next so many attempts' last one."""
    done: asyncio.Future[MiniAppError | None] = asyncio.get_running_loop().create_future()
    seen: list[MiniAppError | None] = []

    def on_prolong(_: MiniApp, failure: MiniAppError | None) -> None:
        seen.append(failure)
        if len(seen) == times and not done.done():
            done.set_result(failure)

    app.on_prolong = on_prolong
    return done


# Opening and its parameters


async def test_an_open_app_shows_what_telegram_answered() -> None:
    parameters = OpenParameters(platform="ios", mode=OpenMode.COMPACT)
    async with launching() as (launcher, _):
        async with launcher.open("@demo_bot", via="menu_button", parameters=parameters) as app:
            assert app.flow == "menu_button"
            assert app.query_id is not None
            assert app.launch_params.platform == "ios"
            assert app.init_data is not None
            assert app.init_data.user is not None
            assert app.init_data.user.first_name == "Alice"
            assert app.web_view.mode is OpenMode.COMPACT
            assert not app.is_closed
        assert app.reason is CloseReason.CALLER


async def test_leaving_the_launcher_closes_what_is_open() -> None:
    async with launching() as (launcher, _):
        opening = launcher.open("@demo_bot", via="menu_button")
        app = await opening.__aenter__()
    assert app.reason is CloseReason.CALLER
    assert await app.closed() is CloseReason.CALLER


async def test_an_error_in_the_block_reaches_the_caller_as_it_is() -> None:
    class MyError(Exception):
        pass

    with pytest.raises(MyError):
        async with launching() as (launcher, _), launcher.open("@demo_bot", via="menu_button"):
            raise MyError


async def test_a_launcher_is_entered_once() -> None:
    async with launching() as (launcher, _):
        with pytest.raises(BadInput, match="entered already"):
            await launcher.__aenter__()


async def test_a_launcher_has_no_client_before_it_is_entered() -> None:
    with pytest.raises(BadInput, match="not entered"):
        _ = Launcher(Settings(server="sandbox", _env_file=None)).client


async def test_the_server_sandbox_starts_one_with_its_first_account() -> None:
    async with Launcher(Settings(server="sandbox", _env_file=None), timing=CALM) as launcher:
        assert launcher.sandbox is not None
        async with launcher.open("t.me/demo_bot/app") as app:
            assert app.init_data is not None
            assert app.init_data.user is not None
            assert app.init_data.user.first_name == "Alice"


async def test_an_account_the_sandbox_does_not_have_is_named_with_those_it_has() -> None:
    with pytest.raises(BadInput, match=r"nobody.*Alice"):
        async with launching(account="nobody"):
            pass


async def test_the_launchers_consent_serves_apps_without_their_own() -> None:
    async with Sandbox() as sandbox:
        settings = Settings(server="sandbox", _env_file=None)
        policy = Consent(first_launch="decline")
        async with Launcher(settings, "alice", sandbox=sandbox, consent=policy) as launcher:
            with pytest.raises(MiniAppError, match="first_launch"):
                async with launcher.open("t.me/demo_bot/app"):
                    pass
            async with launcher.open("t.me/demo_bot/app", consent=Consent()) as app:
                assert app.flow == "direct_link"


# Prolonging


async def test_an_app_with_a_query_is_prolonged_again_and_again() -> None:
    async with launching(FAST) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="menu_button") as app:
            assert await prolonged(app, 3) is None
            assert app.prolongs >= 3
    assert calls_of(sandbox, PROLONG).count(PROLONG) >= 3


async def test_an_app_without_a_query_is_never_prolonged() -> None:
    async with (
        launching(FAST) as (launcher, sandbox),
        launcher.open("t.me/demo_bot/app") as direct,
        launcher.open("@demo_bot", via="menu_button") as other,
    ):
        await prolonged(other, 3)
        assert direct.prolongs == 0
    assert len({call.parameters["query_id"] for call in sandbox.log if call.method == PROLONG}) == 1


async def test_no_flood_wait_is_slept_through_in_secret() -> None:
    """Whoever watches the app hears of it before the attempt would be over."""
    async with launching(replace(FAST, attempt=5.0)) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="menu_button") as app:
            sandbox.faults.on(PROLONG, Fail(420, "FLOOD_WAIT_30"), times=None)
            failure = await prolonged(app)
            assert isinstance(failure, FloodWait)
            assert failure.seconds == 30


async def test_a_closed_app_is_not_prolonged() -> None:
    async with launching(FAST) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="menu_button") as app:
            await app.close()
            sandbox.log.clear()
            async with launcher.open("@demo_bot", via="menu_button") as other:
                await prolonged(other, 2)
    named = {call.parameters["query_id"] for call in sandbox.log if call.method == PROLONG}
    assert named == {other.query_id}


async def test_a_prolong_repeats_the_context_of_the_launch() -> None:
    async with (
        launching(FAST) as (launcher, sandbox),
        launcher.open(
            "@demo_bot", via="attachment_menu", chat="@demo_forum", topic=2, silent=True, send_as="@demo_news"
        ) as app,
    ):
        await prolonged(app)
    request, *prolongs = [
        call.parameters for call in sandbox.log if call.method in ("messages.requestWebView", PROLONG)
    ]
    for repeated in ("peer", "reply_to", "send_as", "silent"):
        assert str(request[repeated]) == str(prolongs[0][repeated])
    assert request["reply_to"].top_msg_id == 2


# Closing


async def test_the_bots_answer_closes_the_app() -> None:
    async with launching() as (launcher, sandbox), launcher.open("@demo_bot", via="inline_button") as app:
        await answer_query(sandbox, app)
        assert await app.closed() is CloseReason.RESULT_SENT


async def test_the_answer_to_one_app_leaves_another_open() -> None:
    async with (
        launching() as (launcher, sandbox),
        launcher.open("@demo_bot", via="inline_button") as answered,
        launcher.open("@demo_bot", via="inline_button") as other,
    ):
        await answer_query(sandbox, answered)
        await answered.closed()
        assert not other.is_closed


async def test_an_expired_query_closes_the_app() -> None:
    async with launching(FAST, query_lifetime=-1.0, query_grace=0.0) as (launcher, _):
        async with launcher.open("@demo_bot", via="menu_button") as app:
            failure = prolonged(app)
            assert await app.closed() is CloseReason.EXPIRED
            assert isinstance(await failure, QueryExpired)


async def test_the_guards_decision_closes_the_app_and_is_kept() -> None:
    async with launching() as (launcher, sandbox), launcher.open("t.me/+GuardedChannelInvite") as app:
        guarded = app.app
        assert isinstance(guarded, ChatJoinApp)
        async with bot_client(sandbox, "guard_bot") as guard:
            decision = types.JoinChatBotResultApproved()
            await guard(functions.bots.SetJoinChatResultsRequest(guarded.query_id, decision))
        assert await app.closed() is CloseReason.JOIN_DECIDED
        assert isinstance(app.join_decision, types.JoinChatBotResultApproved)


async def test_the_guards_other_page_takes_the_place_of_the_first() -> None:
    async with launching() as (launcher, sandbox), launcher.open("t.me/+GuardedChannelInvite") as app:
        guarded, before = app.app, app.url
        assert isinstance(guarded, ChatJoinApp)
        async with bot_client(sandbox, "guard_bot") as guard:
            decision = types.JoinChatBotResultWebView("https://guard.example/second")
            async with heard(launcher, types.UpdateJoinChatWebViewDecision):
                await guard(functions.bots.SetJoinChatResultsRequest(guarded.query_id, decision))
        assert app.url.startswith("https://guard.example/second")
        assert not before.startswith(app.url)
        assert not app.is_closed


async def test_a_lost_account_closes_all_and_opens_nothing_more() -> None:
    async with (
        launching() as (launcher, sandbox),
        launcher.open("@demo_bot", via="menu_button") as first,
        launcher.open("t.me/demo_bot/app") as second,
    ):
        sandbox.forget_key(1001)
        assert await first.closed() is CloseReason.ACCOUNT_LOST
        assert await second.closed() is CloseReason.ACCOUNT_LOST
        with pytest.raises(AccountLost, match="sign the account in again"):
            async with launcher.open("t.me/demo_bot/app"):
                pass


async def test_the_first_reason_stands() -> None:
    async with launching() as (launcher, _), launcher.open("@demo_bot", via="menu_button") as app:
        waiting = asyncio.ensure_future(app.closed())
        await app.close(CloseReason.APP)
        await app.close(CloseReason.HOST_GONE)
        assert await waiting is CloseReason.APP


# Data


async def test_data_reaches_the_bot_once_and_closes_the_app() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            await app.send_data("two pizzas")
            assert await app.closed() is CloseReason.DATA_SENT
            with pytest.raises(DataAlreadySent):
                await app.send_data("three pizzas")
        assert data_received(sandbox) == ["two pizzas"]


async def test_of_a_hundred_racing_senders_one_wins() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            outcomes = await asyncio.gather(
                *(app.send_data(f"data {number}") for number in range(100)), return_exceptions=True
            )
    assert outcomes.count(None) == 1
    assert sum(isinstance(outcome, DataAlreadySent) for outcome in outcomes) == 99
    assert len(data_received(sandbox)) == 1


async def test_data_that_was_refused_may_be_sent_again() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            sandbox.faults.on(SEND, Fail(400, "BOT_INVALID"))
            with pytest.raises(MiniAppError, match="BOT_INVALID"):
                await app.send_data("order")
            assert not app.is_closed
            await app.send_data("order")
        assert data_received(sandbox) == ["order"]


@pytest.mark.parametrize("size", [0, 4097])
async def test_data_of_a_wrong_size_is_refused_before_sending(size: int) -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            with pytest.raises(DataRefused, match="1 to 4096 bytes"):
                await app.send_data("x" * size)
            assert SEND not in calls_of(sandbox)
            await app.send_data("ü" * 2048)
        assert data_received(sandbox) == ["ü" * 2048]


async def test_only_keyboard_button_apps_send_data() -> None:
    async with launching() as (launcher, _), launcher.open("t.me/demo_bot/app") as app:
        with pytest.raises(DataRefused, match=r"direct_link.*keyboard button"):
            await app.send_data("order")


async def test_a_bot_that_may_have_been_started_is_not_started_again() -> None:
    async with launching() as (launcher, sandbox):
        sandbox.faults.on(START, DropAfter())
        with pytest.raises(NotConnected):
            async with launcher.open("@demo_bot", via="keyboard_button", start="order"):
                pass
    assert calls_of(sandbox, START) == [START]


async def test_a_closed_app_sends_nothing() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            await app.close()
            with pytest.raises(DataRefused, match="closed"):
                await app.send_data("late")
    assert data_received(sandbox) == []


async def test_switching_inline_gives_results_and_closes() -> None:
    async with launching() as (launcher, _), launcher.open("@demo_bot", via="inline_mode") as app:
        results = await app.switch_inline("greeting", chat="@bob_builds", chat_types=("users",))
        assert [result.title for result in results]
        assert app.reason is CloseReason.SWITCHED_INLINE


async def test_switching_inline_into_a_chat_of_another_kind_is_refused() -> None:
    async with launching() as (launcher, _), launcher.open("@demo_bot", via="inline_mode") as app:
        with pytest.raises(CannotOpen, match="another kind"):
            await app.switch_inline("", chat="@bob_builds", chat_types=("channels",))
        assert not app.is_closed


# The connection


async def test_after_a_reconnect_apps_are_prolonged_at_once() -> None:
    async with launching() as (launcher, sandbox), launcher.open("@demo_bot", via="menu_button") as app:
        outcome = prolonged(app)
        sandbox.drop_connections()
        assert await outcome is None


async def test_after_a_reconnect_a_prolong_alone_learns_that_an_app_is_over() -> None:
    async with launching(flipped=("reconnect_announces_updates_too_long",)) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="inline_button") as app:
            sandbox.part(Mailbox).lose_next("updateWebViewResultSent")
            await answer_query(sandbox, app)
            assert not app.is_closed
            sandbox.drop_connections()
            assert await app.closed() is CloseReason.EXPIRED


async def test_after_a_reconnect_the_difference_alone_learns_that_an_app_is_over() -> None:
    """A flood wait keeps prolongs from telling; the update goes out while surely nobody is there, and the
    server does nothing by itself afterwards."""
    flipped = ("kept_updates_are_pushed_on_return", "reconnect_announces_updates_too_long")
    async with (
        launching(flipped=flipped) as (launcher, sandbox),
        launcher.open("@demo_bot", via="inline_button") as app,
    ):
        assert app.query_id is not None
        sandbox.faults.on(PROLONG, Fail(420, "FLOOD_WAIT_3600"), times=None)
        sandbox.drop_connections(1001)
        notify(sandbox, 1001, types.UpdateWebViewResultSent(app.query_id))
        assert not app.is_closed
        assert await app.closed() is CloseReason.RESULT_SENT


async def test_whoever_wants_to_know_is_told_of_the_connection() -> None:
    async with launching() as (launcher, sandbox):
        back, told = asyncio.Event(), []

        def on_connection(connected: bool) -> None:
            told.append(connected)
            if connected:
                back.set()

        launcher.on_connection = on_connection
        sandbox.drop_connections()
        await back.wait()
        assert told == [False, True]


async def test_a_restart_of_the_server_closes_nothing() -> None:
    async with launching() as (launcher, sandbox), launcher.open("@demo_bot", via="menu_button") as app:
        outcome = prolonged(app)
        await sandbox.restart()
        assert await outcome is None
        assert not app.is_closed


async def test_opening_waits_for_the_connection_to_come_back() -> None:
    async with launching() as (launcher, sandbox):
        sandbox.drop_connections()
        async with launcher.open("t.me/demo_bot/app") as app:
            assert app.flow == "direct_link"


# What is remembered


async def test_a_changed_menu_button_is_used_at_once() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="menu_button"):
            pass
        async with bot_client(sandbox) as bot:
            button = types.BotMenuButton("New", "https://demo.example/new")
            async with heard(launcher, types.UpdateBotMenuButton):
                await bot(functions.bots.SetBotMenuButtonRequest(types.InputUserEmpty(), button))
        sandbox.log.clear()
        async with launcher.open("@demo_bot", via="menu_button") as app:
            assert app.url.startswith("https://demo.example/new")
        assert calls_of(sandbox, "messages.requestWebView", "users.getFullUser") == [
            "messages.requestWebView"
        ]


async def test_a_second_launch_asks_telegram_once() -> None:
    async with launching() as (launcher, sandbox):
        for target, via, expected in (
            ("@demo_bot", "menu_button", ["messages.requestWebView"]),
            ("@demo_bot", "main_app", ["messages.requestMainWebView"]),
            ("@demo_bot", "side_menu", ["messages.requestSimpleWebView"]),
            ("@demo_bot", "attachment_menu", ["messages.requestWebView"]),
            ("t.me/demo_bot/app", None, ["messages.getBotApp", "messages.requestAppWebView"]),
        ):
            async with launcher.open(target, via=via):
                pass
            sandbox.log.clear()
            async with launcher.open(target, via=via):
                pass
            assert calls_of(sandbox) == expected


async def test_the_account_remembers_across_runs() -> None:
    async with Sandbox() as sandbox:
        settings = Settings(server="sandbox", _env_file=None)
        async with Launcher(settings, "alice", sandbox=sandbox) as first:
            async with first.open("t.me/demo_bot/app"):
                pass
        stored = first.cache.to_json()
    assert [row["short_name"] for row in stored["apps"]] == ["app"]


def test_no_period_is_hidden() -> None:
    assert Timing().prolong_every == 60.0


async def test_the_attachment_menu_is_looked_at_again_after_a_while() -> None:
    async with launching(replace(CALM, menus=0.0)) as (launcher, sandbox):
        for _ in range(2):
            async with launcher.open("@demo_bot", via="side_menu"):
                pass
    assert calls_of(sandbox, "messages.getAttachMenuBots") == ["messages.getAttachMenuBots"] * 2


async def test_a_change_of_the_attachment_menu_is_heard() -> None:
    async with launching() as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="side_menu"):
            pass
        async with TelegramClient(sandbox.sign_in("alice"), sandbox.api_id, sandbox.api_hash) as other:
            bot = await other.get_input_entity("demo_bot")
            request = functions.messages.ToggleBotInAttachMenuRequest(bot=bot, enabled=False)
            async with heard(launcher, types.UpdateAttachMenuBots):
                await other(request)
        with pytest.raises(MiniAppError, match="installation"):
            async with launcher.open("@demo_bot", via="side_menu"):
                pass


async def test_an_answer_that_never_comes_is_asked_for_again() -> None:
    """And the answer to a later attempt counts, however many are late on a slow machine."""
    late, again = asyncio.Event(), asyncio.Event()

    def on_prolong(_: MiniApp, failure: MiniAppError | None) -> None:
        if isinstance(failure, NotConnected):
            late.set()
        elif late.is_set():
            again.set()

    async with launching(replace(FAST, attempt=0.2, retries=(0.02,) * 100)) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="menu_button") as app:
            app.on_prolong = on_prolong
            sandbox.faults.on(PROLONG, Delay(3600.0))
            sandbox.faults.on("messages.requestWebView", Delay(3600.0))
            async with launcher.open("@demo_bot", via="menu_button"):
                pass
            await again.wait()
    assert calls_of(sandbox, "messages.requestWebView").count("messages.requestWebView") >= 3


async def test_data_of_which_no_answer_came_is_sent_again_only_as_it_was() -> None:
    async with launching(replace(CALM, retries=())) as (launcher, sandbox):
        async with launcher.open("@demo_bot", via="keyboard_button") as app:
            sandbox.faults.on(SEND, DropAfter())
            with pytest.raises(NotConnected):
                await app.send_data("first")
            with pytest.raises(DataRefused, match="the same data"):
                await app.send_data("second")
            back = asyncio.Event()
            launcher.on_connection = lambda connected: back.set() if connected else None
            if not launcher.client.is_connected():
                await back.wait()
            await app.send_data("first")
        assert data_received(sandbox) == ["first"]
        ids = {call.parameters["random_id"] for call in sandbox.log if call.method == SEND}
        assert len(ids) == 1
