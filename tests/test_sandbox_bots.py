"""Bots of the sandbox at work: messages and keyboards, starting, inline mode, menu buttons, join guards."""

import asyncio
from typing import Any

import pytest
from telethon.tl import functions, types

from launcher.sandbox.default_world import (
    ALICE,
    BOB,
    CHANNEL,
    CLUB,
    DEMO_BOT,
    DORA,
    FORUM,
    GROUP,
    GUARD_BOT,
    GUARDED,
    LINK_BOT,
    PLAIN_BOT,
)
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import Bot, Channel, User
from tests.telethon_clients import Client, fragment, init_data, signed_in

APP = "https://plain.example/app"


def write(client: Client, peer: int, text: str = "Hello", **more: Any) -> Any:
    return functions.messages.SendMessageRequest(client.peer(peer), text, **more)


def inline_keyboard(kind: Any) -> Any:
    return types.ReplyInlineMarkup(
        [types.KeyboardInlineButtonRow([types.KeyboardInlineButton("Open", kind)])]
    )


def start(client: Client, parameter: str, peer: int = DEMO_BOT, bot: int = DEMO_BOT) -> Any:
    return functions.messages.StartBotRequest(client.user(bot), client.peer(peer), parameter)


def ask(client: Client, bot: int = DEMO_BOT, peer: Any = None) -> Any:
    place = types.InputPeerEmpty() if peer is None else peer
    return functions.messages.GetInlineBotResultsRequest(client.user(bot), place, "query", "")


def results(query_id: int, *ids: str, **more: Any) -> Any:
    articles = [
        types.InputBotInlineResult(name, "article", types.InputBotInlineMessageText(f"Text of {name}"))
        for name in ids
    ]
    return functions.messages.SetInlineBotResultsRequest(query_id, articles, 0, **more)


def send(client: Client, query_id: int, name: str, peer: int = BOB) -> Any:
    return functions.messages.SendInlineBotResultRequest(client.peer(peer), query_id, name)


def join(client: Client, channel: int = GUARDED) -> Any:
    return functions.channels.JoinChannelRequest(client.channel(channel))


def decide(query_id: int, result: Any) -> Any:
    return functions.bots.SetJoinChatResultsRequest(query_id, result)


def guarded(sandbox: Sandbox) -> Channel:
    channel = sandbox.world[GUARDED]
    assert isinstance(channel, Channel)
    return channel


# Messages


async def test_a_button_a_bot_sends_can_be_opened() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, PLAIN_BOT) as bot,
    ):
        opening = functions.messages.RequestWebViewRequest(
            alice.peer(PLAIN_BOT), alice.user(PLAIN_BOT), "android", url=APP
        )
        assert await alice.refused(opening) == "400 URL_INVALID"
        await bot(write(bot, ALICE, reply_markup=inline_keyboard(types.InlineButtonTypeWebView(APP))))
        message = (await alice.update(types.UpdateNewMessage)).message
        assert message.reply_markup.rows[0].buttons[0].type.url == APP
        assert (await alice(opening)).query_id


async def test_what_keyboards_may_hold() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, DEMO_BOT) as bot:
        web_view = inline_keyboard(types.InlineButtonTypeWebView(APP))
        assert await bot.refused(write(bot, GROUP, reply_markup=web_view)) == "400 BUTTON_TYPE_INVALID"
        plain = inline_keyboard(types.InlineButtonTypeWebView("http://plain.example"))
        assert await bot.refused(write(bot, ALICE, reply_markup=plain)) == "400 BUTTON_URL_INVALID"
        link = inline_keyboard(types.InlineButtonTypeUrl("https://t.me/demo_bot/app"))
        await bot(write(bot, GROUP, reply_markup=link))


async def test_assumption_keyboards_of_people() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        request = write(alice, BOB, reply_markup=inline_keyboard(types.InlineButtonTypeUrl(APP)))
        sent = (await alice(request)).updates
        assert [update.message.reply_markup for update in sent if hasattr(update, "message")] == [None]
        sandbox.assumptions.flip("keyboards_of_people_are_dropped")
        assert await alice.refused(request) == "400 REPLY_MARKUP_INVALID"


async def test_messages_that_cannot_be_sent() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, BOB) as bob,
        signed_in(sandbox, PLAIN_BOT) as bot,
    ):
        bobs = sandbox.world.user(BOB)
        assert await bob.refused(write(bob, ALICE, " ")) == "400 MESSAGE_EMPTY"
        assert await bob.refused(write(bob, ALICE, "x" * 4097)) == "400 MESSAGE_TOO_LONG"
        assert await bob.refused(write(bob, CHANNEL)) == "403 CHAT_WRITE_FORBIDDEN"
        unknown = functions.messages.SendMessageRequest(types.InputPeerUser(ALICE, 1), "Hello")
        assert await bob.refused(unknown) == "400 PEER_ID_INVALID"
        reply = types.InputReplyToMessage(999)
        assert await bob.refused(write(bob, FORUM, reply_to=reply)) == "400 MSG_ID_INVALID"
        assert await bob.refused(write(bob, FORUM, send_as=bob.peer(ALICE))) == "400 SEND_AS_PEER_INVALID"
        sandbox.world.user(ALICE).premium_only = True
        assert await bob.refused(write(bob, ALICE)) == "403 PRIVACY_PREMIUM_REQUIRED"
        sandbox.world.user(ALICE).deleted = True
        assert await bob.refused(write(bob, ALICE)) == "400 INPUT_USER_DEACTIVATED"
        bobs.blocked.add(PLAIN_BOT)
        assert await bob.refused(write(bob, PLAIN_BOT)) == "400 YOU_BLOCKED_USER"
        assert (await bot.refused(write(bot, BOB))).endswith(" USER_IS_BLOCKED")


async def test_a_message_is_sent_once() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        for _ in range(2):
            await alice(write(alice, BOB, random_id=5))
        await alice(write(alice, BOB, "Last", random_id=6))
        assert (await bob.update(types.UpdateNewMessage)).message.message == "Hello"
        assert (await bob.update(types.UpdateNewMessage)).message.message == "Last"
        sandbox.assumptions.flip("duplicate_random_id_is_silent")
        assert await alice.refused(write(alice, BOB, random_id=5)) == "500 RANDOM_ID_DUPLICATE"


async def test_who_sends_reads_it_in_the_answer_alone() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, ALICE) as other,
        signed_in(sandbox, BOB) as bob,
    ):
        await alice(write(alice, BOB, "Mine"))
        assert (await other.update(types.UpdateNewMessage)).message.message == "Mine"
        await bob(write(bob, ALICE, "Yours"))
        assert (await alice.update(types.UpdateNewMessage)).message.message == "Yours"


async def test_writing_to_a_bot_lets_it_write_back() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, DORA) as dora:
        may = functions.bots.CanSendMessageRequest(dora.user(PLAIN_BOT))
        assert await dora(may) is False
        await dora(write(dora, PLAIN_BOT))
        assert await dora(may) is True


async def test_telethon_reads_dialogs_history_and_messages() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        names = [dialog.name for dialog in await alice.telethon.get_dialogs()]
        bot = await alice.telethon.get_input_entity("demo_bot")
        texts = [message.text async for message in alice.telethon.iter_messages(bot, reverse=True, limit=3)]
        older = await alice.telethon.get_messages(bot, limit=1, offset_id=3)
        one = await alice.telethon.get_messages(bot, ids=3)
        none = await alice.telethon.get_messages(bot, ids=999)
        forum = await alice.telethon.get_input_entity("demo_forum")
        in_forum = await alice.telethon.get_messages(forum, ids=4)
    assert {"Demo", "Plain", "Links", "Demo group", "Demo forum", "Demo channel"} == set(names)
    assert texts == ["/start", "Press a key", "Press a button"]
    assert (older[0].id, older.total) == (2, 4)
    assert one.text == "Press a button"
    assert none is None
    assert in_forum.text == "Which app do you use?"


async def test_reading_is_refused() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        history = functions.messages.GetHistoryRequest(alice.peer(CLUB), 0, None, 0, 10, 0, 0, 0)
        assert await alice.refused(history) == "400 CHANNEL_PRIVATE"
        empty = functions.channels.GetMessagesRequest(alice.channel(FORUM), [])
        assert await alice.refused(empty) == "400 MESSAGE_IDS_EMPTY"
        topics = functions.messages.GetForumTopicsRequest(alice.peer(CHANNEL), None, 0, 0, 10)
        assert await alice.refused(topics) == "400 CHANNEL_FORUM_MISSING"
        none = functions.messages.GetForumTopicsByIDRequest(alice.peer(FORUM), [])
        assert await alice.refused(none) == "400 TOPICS_EMPTY"
        group = functions.messages.GetFullChatRequest(999)
        assert await alice.refused(group) == "400 CHAT_ID_INVALID"


async def test_topics_and_their_latest_messages() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        forum = alice.peer(FORUM)
        every = await alice(functions.messages.GetForumTopicsRequest(forum, None, 0, 0, 10))
        one = await alice(functions.messages.GetForumTopicsByIDRequest(forum, [2]))
    shown = {topic.title: (topic.id, topic.top_message) for topic in every.topics}
    assert shown == {"General": (1, 1), "Apps": (2, 4), "Gossip": (3, 3)}
    assert [topic.title for topic in one.topics] == ["Apps"]


async def test_channels_and_groups_in_full() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        full = await alice(functions.channels.GetFullChannelRequest(alice.channel(GUARDED)))
        own = await alice(functions.channels.GetFullChannelRequest(alice.channel(CHANNEL)))
        authors = await alice(functions.channels.GetSendAsRequest(alice.peer(FORUM)))
        found = await alice(functions.channels.GetChannelsRequest([alice.channel(FORUM)]))
        groups = await alice(functions.messages.GetChatsRequest([GROUP, FORUM, 999]))
        group = await alice(functions.messages.GetFullChatRequest(GROUP))
    assert full.full_chat.guard_bot_id == GUARD_BOT
    assert [user.id for user in full.users] == [GUARD_BOT]
    assert own.full_chat.default_send_as == types.PeerChannel(CHANNEL)
    assert [author.peer for author in authors.peers] == [types.PeerUser(ALICE), types.PeerChannel(CHANNEL)]
    assert [chat.id for chat in found.chats] == [FORUM]
    assert [chat.id for chat in groups.chats] == [GROUP]
    assert len(group.full_chat.participants.participants) == 3


# Starting


async def test_a_connected_bot_sees_how_it_was_started() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, DORA) as dora,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        sent = await dora(start(dora, "pay-load_1"))
        assert (await bot.update(types.UpdateNewMessage)).message.message == "/start pay-load_1"
        assert len([update for update in sent.updates if isinstance(update, types.UpdateNewMessage)]) == 1
        assert sandbox.world.boxes[DORA].messages.keys() == {1}


async def test_a_bot_without_a_client_answers_by_itself() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, DORA) as dora:
        await dora(start(dora, "x"))
        answer = (await dora.update(types.UpdateNewMessage)).message
        assert answer.message.startswith("Welcome")
        url = answer.reply_markup.rows[0].buttons[0].type.url
        view = await dora(
            functions.messages.RequestWebViewRequest(
                dora.peer(DEMO_BOT), dora.user(DEMO_BOT), "android", url=url
            )
        )
    assert view.query_id


async def test_starting_a_bot_in_a_group_brings_it_in() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        sent = await alice(start(alice, "x", GROUP, PLAIN_BOT))
        assert PLAIN_BOT in sandbox.world[GROUP].members  # type: ignore[union-attr]
    assert sent.updates[-1].message.message == "/start@plain_bot x"


@pytest.mark.parametrize(
    ("parameter", "error"),
    [
        ("", "START_PARAM_EMPTY"),
        ("no/slash", "START_PARAM_INVALID"),
        ("x" * 65, "START_PARAM_TOO_LONG"),
    ],
)
async def test_start_parameters(parameter: str, error: str) -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert await alice.refused(start(alice, parameter)) == f"400 {error}"


async def test_where_bots_cannot_be_started() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, BOB) as bob:
        assert await bob.refused(start(bob, "x", ALICE)) == "400 PEER_ID_INVALID"
        assert await bob.refused(start(bob, "x", bot=ALICE)) == "400 BOT_INVALID"
        assert await bob.refused(start(bob, "x", FORUM)) == "400 CHAT_ADMIN_REQUIRED"
        assert await bob.refused(start(bob, "x", CHANNEL)) == "403 CHAT_WRITE_FORBIDDEN"


# Inline mode


async def test_a_bot_that_answers_by_itself() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        shown = await alice(ask(alice))
        assert [result.id for result in shown.results] == ["greeting", "farewell"]
        assert shown.switch_webview.url == "https://demo.example/picker"
        await alice(send(alice, shown.query_id, "greeting"))
        posted = (await bob.update(types.UpdateNewMessage)).message
        assert (posted.message, posted.via_bot_id) == ("Hello from the demo", DEMO_BOT)
        assert await alice.refused(send(alice, shown.query_id, "other")) == "400 RESULT_ID_INVALID"
        assert await alice.refused(send(alice, shown.query_id, "")) == "400 RESULT_ID_EMPTY"
        assert await alice.refused(send(alice, 0, "greeting")) == "400 QUERY_ID_EMPTY"
        assert await alice.refused(send(alice, 77, "greeting")) == "400 INLINE_RESULT_EXPIRED"
        assert await bob.refused(send(bob, shown.query_id, "greeting", ALICE)) == "400 INLINE_RESULT_EXPIRED"
        assert await alice.refused(send(alice, shown.query_id, "greeting", CLUB)) == (
            "403 CHAT_WRITE_FORBIDDEN"
        )


async def test_a_connected_bot_is_asked() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        sandbox.world.bot(DEMO_BOT).inline = None
        asking = asyncio.create_task(alice(ask(alice, peer=alice.peer(FORUM))))
        query = await bot.update(types.UpdateBotInlineQuery)
        assert (query.user_id, query.query) == (ALICE, "query")
        assert isinstance(query.peer_type, types.InlineQueryPeerTypeMegagroup)
        button = types.InlineBotWebView("Pick", "https://demo.example/live")
        insecure = types.InlineBotWebView("Pick", "http://demo.example/live")
        assert await bot.refused(results(query.query_id, switch_webview=insecure)) == (
            "400 SWITCH_WEBVIEW_URL_INVALID"
        )
        assert await bot.refused(results(query.query_id, "a", "a")) == "400 RESULT_ID_INVALID"
        assert await alice.refused(results(query.query_id)) == "400 USER_BOT_REQUIRED"
        assert await bot(results(query.query_id, "a", "b", switch_webview=button)) is True
        assert await bot.refused(results(query.query_id)) == "400 QUERY_ID_INVALID"
        shown = await asking
        assert [result.send_message.message for result in shown.results] == ["Text of a", "Text of b"]
        view = await alice(
            functions.messages.RequestSimpleWebViewRequest(
                alice.user(DEMO_BOT), "ios", from_switch_webview=True, url=shown.switch_webview.url
            )
        )
    assert "tgWebAppData" not in fragment(view.url)


async def test_a_bot_that_does_not_answer() -> None:
    async with Sandbox(bot_timeout=0.01) as sandbox, signed_in(sandbox, ALICE) as alice:
        sandbox.world.bot(DEMO_BOT).inline = None
        assert await alice.refused(ask(alice)) == "400 BOT_RESPONSE_TIMEOUT"
        async with signed_in(sandbox, DEMO_BOT) as bot:
            assert await alice.refused(ask(alice)) == "400 BOT_RESPONSE_TIMEOUT"
            query = await bot.update(types.UpdateBotInlineQuery)
            assert await bot.refused(results(query.query_id)) == "400 QUERY_ID_INVALID"


async def test_bots_that_cannot_be_asked() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert await alice.refused(ask(alice, PLAIN_BOT)) == "400 BOT_INLINE_DISABLED"
        assert await alice.refused(ask(alice, BOB)) == "400 BOT_INVALID"
        sandbox.world.bot(LINK_BOT).deleted = True
        assert await alice.refused(ask(alice, LINK_BOT)) == "400 INPUT_USER_DEACTIVATED"
        assert await alice.refused(start(alice, "x", LINK_BOT, LINK_BOT)) == "400 INPUT_USER_DEACTIVATED"
        nowhere = ask(alice, peer=types.InputPeerUser(BOB, 1))
        assert await alice.refused(nowhere) == "400 PEER_ID_INVALID"
        sandbox.assumptions.flip("inline_queries_check_their_peer")
        assert (await alice(nowhere)).results


# Menu buttons and popular apps


async def test_a_changed_menu_button_is_told() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, LINK_BOT) as bot,
    ):
        button = types.BotMenuButton("New", "https://links.example/new")
        everybody = types.InputUserEmpty()
        assert await bot(functions.bots.SetBotMenuButtonRequest(everybody, button)) is True
        told = await alice.update(types.UpdateBotMenuButton)
        assert (told.bot_id, told.button.url) == (LINK_BOT, button.url)
        assert (await bot(functions.bots.GetBotMenuButtonRequest(everybody))).text == "New"
        full = await alice(functions.users.GetFullUserRequest(alice.user(LINK_BOT)))
        assert full.full_user.bot_info.menu_button.url == button.url


async def test_the_menu_button_of_one_user() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, BOB) as bob,
        signed_in(sandbox, LINK_BOT) as bot,
    ):
        mine = bot.user(ALICE)
        own = types.BotMenuButton("Own", "https://links.example/own")
        await bot(functions.bots.SetBotMenuButtonRequest(mine, own))
        assert (await alice.update(types.UpdateBotMenuButton)).button.text == "Own"
        full = await bob(functions.users.GetFullUserRequest(bob.user(LINK_BOT)))
        assert full.full_user.bot_info.menu_button.text == "Open"
        await bot(functions.bots.SetBotMenuButtonRequest(mine, types.BotMenuButtonCommands()))
        shown = (await alice.update(types.UpdateBotMenuButton)).button
        assert isinstance(shown, types.BotMenuButtonDefault)
        await bot(functions.bots.SetBotMenuButtonRequest(mine, types.BotMenuButtonDefault()))
        assert (await alice.update(types.UpdateBotMenuButton)).button.text == "Open"
        assert not [update for update in bob.pushed() if isinstance(update, types.UpdateBotMenuButton)]


async def test_menu_buttons_that_are_refused() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, LINK_BOT) as bot,
    ):

        def setting(text: str, url: str, user: Any = None) -> Any:
            named = types.InputUserEmpty() if user is None else user
            return functions.bots.SetBotMenuButtonRequest(named, types.BotMenuButton(text, url))

        assert await bot.refused(setting("", APP)) == "400 BUTTON_TEXT_INVALID"
        assert await bot.refused(setting("Text", "http://plain.example")) == "400 BUTTON_URL_INVALID"
        assert await alice.refused(setting("Text", APP)) == "400 USER_BOT_REQUIRED"
        nobody = setting("Text", APP, types.InputUser(ALICE, 1))
        assert await bot.refused(nobody) == "400 USER_ID_INVALID"
        sandbox.assumptions.flip("a_menu_button_of_an_unknown_user_is_user_id_invalid")
        assert await bot.refused(nobody) == "400 PEER_ID_INVALID"


async def test_popular_apps_come_in_pages() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        first = await alice(functions.bots.GetPopularAppBotsRequest("", 1))
        second = await alice(functions.bots.GetPopularAppBotsRequest(first.next_offset, 1))
        third = await alice(functions.bots.GetPopularAppBotsRequest(second.next_offset, 1))
    names = [user.username for page in (first, second, third) for user in page.users]
    assert names == ["demo_bot", "restricted_bot", "metapro_demo_bot"]
    assert third.next_offset is None


# Joining


async def test_joining_what_nobody_guards() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, DORA) as dora:
        joined = await dora(join(dora, FORUM))
        assert isinstance(joined, types.messages.ChatInviteJoinResultOk)
        assert [chat.left for chat in joined.updates.chats] == [False]
        assert await dora.refused(join(dora, FORUM)) == "400 USER_ALREADY_PARTICIPANT"
        club = await dora(functions.messages.ImportChatInviteRequest("PrivateClubInvite"))
        assert [chat.id for chat in club.updates.chats] == [CLUB]


async def test_invites() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        check, use = functions.messages.CheckChatInviteRequest, functions.messages.ImportChatInviteRequest
        shown = await alice(check("GuardedChannelInvite"))
        assert (shown.title, shown.request_needed) == ("Guarded channel", True)
        assert (await bob(check("PrivateClubInvite"))).chat.id == CLUB
        assert await bob.refused(use("PrivateClubInvite")) == "400 USER_ALREADY_PARTICIPANT"
        for request in (check, use):
            assert await alice.refused(request("")) == "400 INVITE_HASH_EMPTY"
            assert await alice.refused(request("Other")) == "400 INVITE_HASH_EXPIRED"
        assert await alice.refused(join(alice, CLUB)) == "400 CHANNEL_PRIVATE"
        wrong = functions.channels.JoinChannelRequest(types.InputChannel(FORUM, 1))
        assert await alice.refused(wrong) == "400 CHANNEL_INVALID"


@pytest.mark.parametrize("by_invite", [False, True])
async def test_a_guard_that_is_away_shows_its_app(by_invite: bool) -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        invite = functions.messages.ImportChatInviteRequest("GuardedChannelInvite")
        asked = await alice(invite if by_invite else join(alice))
        assert isinstance(asked, types.messages.ChatInviteJoinResultWebView)
        assert (asked.bot_id, [user.id for user in asked.users]) == (GUARD_BOT, [GUARD_BOT])
        view = await alice(functions.messages.RequestChatJoinWebViewRequest(asked.query_id, "android"))
        data = init_data(view.url)
        assert view.query_id is None
        assert view.url.startswith("https://guard.example/join#")
        assert data["chat_join_request_query_id"] == str(asked.query_id)
        assert set(data) == {"user", "chat_join_request_query_id", "auth_date", "signature", "hash"}
        sandbox.assumptions.flip("join_guard_learns_the_user")
        again = await alice(functions.messages.RequestChatJoinWebViewRequest(asked.query_id, "android"))
        assert "user" not in init_data(again.url)


async def _guard_asked(alice: Client, guard: Client) -> tuple[asyncio.Task[Any], Any]:
    joining = asyncio.create_task(alice.refused(join(alice)))
    return joining, await guard.update(types.UpdateBotChatInviteRequester)


async def test_a_guard_shows_an_app_and_decides_later() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, GUARD_BOT) as guard,
    ):
        joining = asyncio.create_task(alice(join(alice)))
        request = await guard.update(types.UpdateBotChatInviteRequester)
        assert (request.user_id, request.peer) == (ALICE, types.PeerChannel(GUARDED))
        app = types.JoinChatBotResultWebView("https://guard.example/live")
        assert await guard(decide(request.query_id, app)) is True
        asked = await joining
        view = await alice(functions.messages.RequestChatJoinWebViewRequest(asked.query_id, "ios"))
        assert view.url.startswith("https://guard.example/live#")
        other = types.JoinChatBotResultWebView("https://guard.example/more")
        await guard(decide(asked.query_id, other))
        assert (await alice.update(types.UpdateJoinChatWebViewDecision)).result == other
        await guard(decide(asked.query_id, types.JoinChatBotResultApproved()))
        decision = await alice.update(types.UpdateJoinChatWebViewDecision)
        assert (decision.peer, decision.query_id) == (types.PeerChannel(GUARDED), asked.query_id)
        assert isinstance(decision.result, types.JoinChatBotResultApproved)
        assert ALICE in guarded(sandbox).members
        late = decide(asked.query_id, types.JoinChatBotResultDeclined())
        assert await guard.refused(late) == "400 QUERY_ID_INVALID"
        sandbox.assumptions.flip("a_decided_join_query_is_over")
        assert await guard(late) is True
        assert ALICE in guarded(sandbox).members


async def test_a_guard_that_approves_at_once() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, GUARD_BOT) as guard,
    ):
        joining = asyncio.create_task(alice(join(alice)))
        request = await guard.update(types.UpdateBotChatInviteRequester)
        await guard(decide(request.query_id, types.JoinChatBotResultApproved()))
        assert isinstance(await joining, types.messages.ChatInviteJoinResultOk)
        assert ALICE in guarded(sandbox).members


async def test_a_guard_that_queues() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, GUARD_BOT) as guard,
    ):
        joining, request = await _guard_asked(alice, guard)
        await guard(decide(request.query_id, types.JoinChatBotResultQueued()))
        assert await joining == "400 INVITE_REQUEST_SENT"
        assert guarded(sandbox).requests == {ALICE}


@pytest.mark.parametrize(
    ("flipped", "error"), [(False, "INVITE_REQUEST_DECLINED"), (True, "CHANNEL_PRIVATE")]
)
async def test_a_guard_that_declines(flipped: bool, error: str) -> None:
    name = "a_declined_join_is_invite_request_declined"
    async with (
        Sandbox(flipped=[name] if flipped else []) as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, GUARD_BOT) as guard,
    ):
        joining, request = await _guard_asked(alice, guard)
        await guard(decide(request.query_id, types.JoinChatBotResultDeclined()))
        assert await joining == f"400 {error}"
        assert ALICE not in guarded(sandbox).members


async def test_a_guard_that_is_silent() -> None:
    async with (
        Sandbox(bot_timeout=0.01) as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, GUARD_BOT) as guard,
    ):
        joining, request = await _guard_asked(alice, guard)
        assert await joining == "400 JOIN_GUARD_TIMEOUT"
        late = decide(request.query_id, types.JoinChatBotResultApproved())
        assert await guard.refused(late) == "400 QUERY_ID_INVALID"
        sandbox.assumptions.flip("a_silent_guard_times_out")
        assert await alice.refused(join(alice)) == "400 INVITE_REQUEST_SENT"
        assert guarded(sandbox).requests == {ALICE}


async def test_a_guard_that_is_away_without_an_app() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        guarded(sandbox).guard_url = None
        assert await alice.refused(join(alice)) == "400 INVITE_REQUEST_SENT"
        assert guarded(sandbox).requests == {ALICE}
        sandbox.assumptions.flip("an_absent_guard_queues_requests")
        assert await alice.refused(join(alice)) == "400 JOIN_GUARD_TIMEOUT"


async def test_who_may_decide() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, PLAIN_BOT) as bot,
    ):
        query = (await alice(join(alice))).query_id
        approve = decide(query, types.JoinChatBotResultApproved())
        assert await bot.refused(approve) == "403 BOT_GUARD_NOT_SUPPORTED"
        assert await alice.refused(approve) == "400 USER_BOT_REQUIRED"


async def test_an_unknown_join_query_opens_nothing() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        query = (await alice(join(alice))).query_id
        stolen = functions.messages.RequestChatJoinWebViewRequest(query, "ios")
        assert await bob.refused(stolen) == "400 QUERY_ID_INVALID"
        sandbox.assumptions.flip("unknown_join_query_is_query_id_invalid")
        assert await bob.refused(stolen) == "400 INVITE_HASH_EXPIRED"


async def test_a_bot_and_a_user_a_test_adds() -> None:
    sandbox = Sandbox()
    sandbox.world.add(Bot(99, "added_bot", "Added", "99:token", main_app=APP), User(98, "Zoe", "1234"))
    async with sandbox, signed_in(sandbox, 98) as zoe:
        view = await zoe(functions.messages.RequestMainWebViewRequest(zoe.peer(99), zoe.user(99), "android"))
    assert view.url.startswith(f"{APP}#")
