"""Web views of the sandbox, asked for by an unpatched client: each method, each error, each assumption."""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from telethon.tl import functions, types

from launcher.sandbox.default_world import (
    ALICE,
    ATTACH_BOT,
    BOB,
    CHANNEL,
    CLUB,
    DEMO_BOT,
    DORA,
    FORUM,
    GROUP,
    PLAIN_BOT,
    RESTRICTED_BOT,
    SIDE_BOT,
)
from launcher.sandbox.server import Sandbox
from launcher.sandbox.world import App
from tests.telethon_clients import Client, Clock, fragment, init_data, signed_in

MENU, BUTTON, KEY = (f"https://demo.example/{page}" for page in ("menu", "button", "order"))


def web_view(client: Client, peer: int = DEMO_BOT, bot: int = DEMO_BOT, **more: Any) -> Any:
    return functions.messages.RequestWebViewRequest(
        peer=client.peer(peer), bot=client.user(bot), **{"platform": "android", **more}
    )


def simple(client: Client, bot: int = DEMO_BOT, **more: Any) -> Any:
    return functions.messages.RequestSimpleWebViewRequest(
        bot=client.user(bot), **{"platform": "android", **more}
    )


def app_view(client: Client, app: Any = "app", peer: int = DEMO_BOT, **more: Any) -> Any:
    return functions.messages.RequestAppWebViewRequest(
        **{
            "peer": client.peer(peer),
            "app": short_name(client, app) if isinstance(app, str) else app,
            "platform": "android",
            **more,
        }
    )


def main_view(client: Client, bot: int = DEMO_BOT, **more: Any) -> Any:
    return functions.messages.RequestMainWebViewRequest(
        **{"peer": client.peer(bot), "bot": client.user(bot), "platform": "android", **more}
    )


def prolong(client: Client, query_id: int, peer: int = DEMO_BOT, bot: int = DEMO_BOT, **more: Any) -> Any:
    return functions.messages.ProlongWebViewRequest(client.peer(peer), client.user(bot), query_id, **more)


def get_app(client: Client, name: str = "app", hash: int = 0, bot: int = DEMO_BOT) -> Any:
    return functions.messages.GetBotAppRequest(short_name(client, name, bot), hash)


def short_name(client: Client, name: str, bot: int = DEMO_BOT) -> Any:
    return types.InputBotAppShortName(client.user(bot), name)


def send_data(client: Client, data: str = "data", bot: int = DEMO_BOT, random_id: int | None = None) -> Any:
    return functions.messages.SendWebViewDataRequest(client.user(bot), "Order", data, random_id)


def answer(query_id: str, text: str = "Answer", **more: Any) -> Any:
    message = types.InputBotInlineMessageText(text, **more)
    result = types.InputBotInlineResult("1", "article", message)
    return functions.messages.SendWebViewResultMessageRequest(query_id, result)


def toggle(client: Client, bot: int = ATTACH_BOT, enabled: bool = True, write: bool | None = None) -> Any:
    return functions.messages.ToggleBotInAttachMenuRequest(client.user(bot), enabled, write_allowed=write)


def says(url: str, name: str) -> Any:
    return json.loads(init_data(url)[name])


# Inline buttons and menu buttons


@pytest.mark.parametrize("launch", [{"url": BUTTON}, {"url": MENU, "from_bot_menu": True}])
async def test_a_button_opens_with_a_query_and_the_user(launch: dict[str, Any]) -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, **launch))
        data = init_data(view.url)
    assert view.query_id
    assert str(view.query_id) != data["query_id"]
    assert view.url.startswith(f"{launch['url']}#tgWebAppData=")
    assert set(data) == {"query_id", "user", "auth_date", "signature", "hash"}
    assert json.loads(data["user"]) == {
        "id": ALICE,
        "first_name": "Alice",
        "last_name": "Liddell",
        "username": "alice",
        "language_code": "en",
        "added_to_attachment_menu": True,
    }


async def test_init_data_is_signed_with_the_token_of_the_bot() -> None:
    async with Sandbox(clock=Clock(1_800_000_000.9)) as sandbox, signed_in(sandbox, ALICE) as alice:
        data = init_data((await alice(web_view(alice, url=BUTTON))).url)
        token = sandbox.world.bot(DEMO_BOT).token
    digest = data.pop("hash")
    lines = "\n".join(sorted(f"{name}={value}" for name, value in data.items()))
    secret = hmac.digest(b"WebAppData", token.encode(), hashlib.sha256)
    assert hmac.digest(secret, lines.encode(), hashlib.sha256).hex() == digest
    assert data["auth_date"] == "1800000000"


async def test_what_the_fragment_tells_beside_init_data() -> None:
    theme = '{"bg_color": "#ffffff"}'
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        request = web_view(alice, url=BUTTON, platform="ios", theme_params=types.DataJSON(theme))
        said = fragment((await alice(request)).url)
    del said["tgWebAppData"]
    assert json.loads(said.pop("tgWebAppDefaultColors"))["bg_dark_color"] == "#101418"
    assert said == {
        "tgWebAppVersion": "9.6",
        "tgWebAppPlatform": "ios",
        "tgWebAppBotInline": "1",
        "tgWebAppShowSettings": "1",
        "tgWebAppThemeParams": theme,
    }


@pytest.mark.parametrize(
    ("of_bot", "wish", "shown"),
    [
        ({}, {}, (True, False)),
        ({}, {"compact": True}, (False, False)),
        ({}, {"fullscreen": True}, (True, True)),
        ({"fullsize": False}, {}, (False, False)),
        ({"fullscreen": True}, {}, (True, True)),
        ({"fullscreen": True}, {"compact": True}, (False, False)),
    ],
)
async def test_the_display_mode(
    of_bot: dict[str, bool], wish: dict[str, bool], shown: tuple[bool, bool]
) -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        for name, value in of_bot.items():
            setattr(sandbox.world.bot(DEMO_BOT), name, value)
        view = await alice(app_view(alice, **wish))
    assert (view.fullsize, view.fullscreen) == shown
    assert ("tgWebAppFullscreen" in fragment(view.url)) is shown[1]
    assert view.same_origin is False


async def test_same_origin_is_the_bots() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        sandbox.world.bot(DEMO_BOT).same_origin = True
        assert (await alice(main_view(alice))).same_origin is True


async def test_a_menu_button_of_one_user_goes_before_the_common_one() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        own = types.BotMenuButton("Own", "https://demo.example/own")
        await bot(functions.bots.SetBotMenuButtonRequest(bot.user(ALICE), own))
        assert await alice.refused(web_view(alice, url=MENU, from_bot_menu=True)) == "400 URL_INVALID"
        await alice(web_view(alice, url=own.url, from_bot_menu=True))


# The attachment menu


async def test_the_attachment_menu_tells_the_chat_partner() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, BOB, start_param="a-1"))
    assert view.query_id
    assert urlsplit(view.url).query == "tgWebAppStartParam=a-1"
    assert init_data(view.url)["start_param"] == "a-1"
    assert says(view.url, "receiver") == {
        "id": BOB,
        "first_name": "Bob",
        "last_name": "",
        "username": "bob_builds",
    }


async def test_the_attachment_menu_in_the_chat_with_a_bot() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert says((await alice(web_view(alice))).url, "receiver")["is_bot"] is True


async def test_the_attachment_menu_in_chats() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        in_group = says((await alice(web_view(alice, GROUP))).url, "chat")
        in_forum = says((await alice(web_view(alice, FORUM))).url, "chat")
        in_channel = says((await alice(web_view(alice, CHANNEL))).url, "chat")
    assert in_group == {"id": -GROUP, "type": "group", "title": "Demo group"}
    assert in_forum["id"] == -1_000_000_000_000 - FORUM
    assert (in_forum["type"], in_forum["username"]) == ("supergroup", "demo_forum")
    assert in_channel["type"] == "channel"


async def test_slow_mode_is_told_in_seconds() -> None:
    clock = Clock()
    async with Sandbox(clock=clock) as sandbox, signed_in(sandbox, ALICE) as alice:
        forum = sandbox.world[FORUM]
        forum.slow_mode = 30  # type: ignore[union-attr]
        await alice(functions.messages.SendMessageRequest(alice.peer(FORUM), "Now I wait"))
        clock.forward(10)
        waiting = init_data((await alice(web_view(alice, FORUM))).url)
        clock.forward(100)
        ready = init_data((await alice(web_view(alice, FORUM))).url)
    assert waiting["can_send_after"] == "20"
    assert ready["can_send_after"] == "0"


async def test_the_installed_bots_and_their_hash() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        everything = await alice(functions.messages.GetAttachMenuBotsRequest(0))
        again = await alice(functions.messages.GetAttachMenuBotsRequest(everything.hash))
        await alice(toggle(alice))
        more = await alice(functions.messages.GetAttachMenuBotsRequest(everything.hash))
    assert [bot.bot_id for bot in everything.bots] == [DEMO_BOT]
    assert [user.id for user in everything.users] == [DEMO_BOT]
    assert len(everything.bots[0].peer_types) == 5
    assert isinstance(again, types.AttachMenuBotsNotModified)
    assert {bot.bot_id for bot in more.bots} == {DEMO_BOT, ATTACH_BOT}


async def test_one_bots_offer() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        shown = await alice(functions.messages.GetAttachMenuBotRequest(alice.user(SIDE_BOT)))
    assert (shown.bot.inactive, shown.bot.show_in_attach_menu, shown.bot.show_in_side_menu) == (
        True,
        False,
        True,
    )
    assert shown.bot.side_menu_disclaimer_needed
    assert [user.id for user in shown.users] == [SIDE_BOT]


async def test_installing_and_removing_is_told_to_the_other_clients() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, ALICE) as other,
    ):
        alices = sandbox.world.user(ALICE)
        assert await alice(toggle(alice)) is True
        await other.update(types.UpdateAttachMenuBots)
        assert ATTACH_BOT in alices.attach_menu
        await alice(toggle(alice, enabled=False))
        await other.update(types.UpdateAttachMenuBots)
        assert ATTACH_BOT not in alices.attach_menu
        assert alices.writes_allowed == set()
        assert alice.pushed() == []


async def test_installing_with_write_access_posts_why() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, ATTACH_BOT) as bot,
    ):
        await alice(toggle(alice, write=True))
        for told in (alice, bot):
            posted = await told.update(types.UpdateNewMessage)
            assert posted.message.action.attach_menu is True
        assert sandbox.world.user(ALICE).writes_allowed == {ATTACH_BOT}


# Simple web views


async def test_a_keyboard_button_identifies_nobody() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(simple(alice, url=KEY))
    assert view.query_id is None
    assert "tgWebAppData" not in fragment(view.url)
    assert view.url.startswith(f"{KEY}#tgWebAppVersion=")


async def test_the_side_menu_identifies_the_user() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(simple(alice, from_side_menu=True, start_param="old"))
    assert view.query_id is None
    assert set(init_data(view.url)) == {"user", "start_param", "auth_date", "signature", "hash"}
    assert view.url.startswith("https://demo.example/attach?tgWebAppStartParam=old#")


async def test_inline_mode_identifies_nobody() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        results = await alice(
            functions.messages.GetInlineBotResultsRequest(
                alice.user(DEMO_BOT), types.InputPeerEmpty(), "query", ""
            )
        )
        button = results.switch_webview
        view = await alice(simple(alice, url=button.url, from_switch_webview=True))
    assert fragment(view.url)["tgWebAppBotInline"] == "1"
    assert "tgWebAppData" not in fragment(view.url)


# Direct links and main apps


async def test_a_direct_link_from_app_to_url() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        found = await alice(get_app(alice))
        by_id = types.InputBotAppID(found.app.id, found.app.access_hash)
        views = [await alice(app_view(alice, app, start_param="x")) for app in (by_id, "APP")]
    assert (found.app.short_name, found.inactive, found.request_write_access) == ("app", False, False)
    for view in views:
        assert view.query_id is None
        data = init_data(view.url)
        assert set(data) == {
            "user", "chat_type", "chat_instance", "start_param", "auth_date", "signature", "hash",
        }  # fmt: skip
        assert (data["chat_type"], data["start_param"]) == ("sender", "x")
        assert urlsplit(view.url).query == "tgWebAppStartParam=x"


async def test_the_kind_of_chat_of_a_direct_link() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        seen = {}
        for peer in (DEMO_BOT, BOB, GROUP, FORUM, CHANNEL):
            seen[peer] = init_data((await alice(app_view(alice, peer=peer))).url)
        same = init_data((await bob(app_view(bob, peer=ALICE))).url)
    kinds = [data["chat_type"] for data in seen.values()]
    assert kinds == ["sender", "private", "group", "supergroup", "channel"]
    assert len({data["chat_instance"] for data in seen.values()}) == 5
    assert same["chat_instance"] == seen[BOB]["chat_instance"]
    assert all(-(2**63) <= int(data["chat_instance"]) < 2**63 for data in seen.values())


async def test_an_app_that_has_not_changed_is_not_sent_again() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        first = await alice(get_app(alice))
        same = await alice(get_app(alice, hash=first.app.hash))
        sandbox.world.bot(DEMO_BOT).apps["app"].hash += 1
        changed = await alice(get_app(alice, hash=first.app.hash))
    assert isinstance(same.app, types.BotAppNotModified)
    assert changed.app.hash != first.app.hash


async def test_an_inactive_app_is_active_once_it_was_opened() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        assert (await alice(get_app(alice, "closed"))).inactive
        await alice(app_view(alice, "closed"))
        assert not (await alice(get_app(alice, "closed"))).inactive
        assert (await bob(get_app(bob, "closed"))).inactive


async def test_write_access_for_an_app_is_posted_with_the_app() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        assert (await alice(get_app(alice, "notes"))).request_write_access
        assert await alice(functions.bots.CanSendMessageRequest(alice.user(DEMO_BOT))) is False
        view = await alice(app_view(alice, "notes", write_allowed=True))
        posted = await bot.update(types.UpdateNewMessage)
        assert posted.message.action.app.short_name == "notes"
        assert await alice(functions.bots.CanSendMessageRequest(alice.user(DEMO_BOT))) is True
    assert says(view.url, "user")["allows_write_to_pm"] is True


async def test_the_main_app_needs_no_chat() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(main_view(alice, peer=types.InputPeerEmpty()))
        linked = await alice(main_view(alice, start_param="x"))
    assert view.query_id is None
    assert set(init_data(view.url)) == {"user", "auth_date", "signature", "hash"}
    assert init_data(linked.url)["start_param"] == "x"
    assert init_data(linked.url)["chat_type"] == "sender"


# Prolonging and answering


async def test_a_query_lives_until_its_grace_is_over() -> None:
    clock = Clock()
    async with Sandbox(clock=clock) as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, url=BUTTON))
        for _ in range(3):
            clock.forward(70)
            assert await alice(prolong(alice, view.query_id)) is True
        clock.forward(70.5)
        assert await alice.refused(prolong(alice, view.query_id)) == "400 QUERY_ID_INVALID"


async def test_the_lifetime_is_an_argument() -> None:
    clock = Clock()
    sandbox = Sandbox(clock=clock, query_lifetime=1, query_grace=0.5)
    async with sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, url=BUTTON))
        clock.forward(1.5)
        await alice(prolong(alice, view.query_id))
        clock.forward(1.6)
        assert await alice.refused(prolong(alice, view.query_id)) == "400 QUERY_ID_INVALID"


async def test_nobody_prolongs_the_query_of_another() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        view = await alice(web_view(alice, url=BUTTON))
        assert await bob.refused(prolong(bob, view.query_id)) == "400 QUERY_ID_INVALID"


async def test_an_answer_is_posted_for_the_user_and_ends_the_query() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        view = await alice(web_view(alice, url=BUTTON, silent=True))
        text = init_data(view.url)["query_id"]
        keyboard = types.ReplyInlineMarkup(
            [
                types.KeyboardInlineButtonRow(
                    [types.KeyboardInlineButton("Go", types.InlineButtonTypeUrl("https://demo.example"))]
                )
            ]
        )
        sent = await bot(answer(text, reply_markup=keyboard))
        posted = (await alice.update(types.UpdateNewMessage)).message
        assert (await alice.update(types.UpdateWebViewResultSent)).query_id == view.query_id
        assert (posted.message, posted.out, posted.via_bot_id, posted.silent) == (
            "Answer", True, DEMO_BOT, True,
        )  # fmt: skip
        assert isinstance(sent.msg_id, types.InputBotInlineMessageID64)
        assert await alice.refused(prolong(alice, view.query_id)) == "400 QUERY_ID_INVALID"
        assert await bot.refused(answer(text)) == "400 QUERY_ID_INVALID"


async def test_a_button_of_an_answer_can_be_opened() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        text = init_data((await alice(web_view(alice, url=BUTTON))).url)["query_id"]
        button = types.KeyboardInlineButton(
            "More", types.InlineButtonTypeWebView("https://demo.example/more")
        )
        keyboard = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
        await bot(answer(text, reply_markup=keyboard))
        assert (await alice(web_view(alice, url=button.type.url))).query_id


async def test_an_answer_in_a_topic_as_a_channel() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        topic = types.InputReplyToMessage(4, top_msg_id=2)
        context = {"reply_to": topic, "send_as": alice.peer(CHANNEL)}
        view = await alice(web_view(alice, FORUM, **context))
        await alice(prolong(alice, view.query_id, FORUM, **context))
        sent = await bot(answer(init_data(view.url)["query_id"]))
        posted = (await alice.update(types.UpdateNewChannelMessage)).message
    assert posted.from_id == types.PeerChannel(CHANNEL)
    assert (posted.reply_to.reply_to_msg_id, posted.reply_to.reply_to_top_id) == (4, 2)
    assert sent.msg_id is None


async def test_an_expired_query_is_not_answered() -> None:
    clock = Clock()
    async with (
        Sandbox(clock=clock) as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        view = await alice(web_view(alice, url=BUTTON))
        clock.forward(71)
        assert await bot.refused(answer(init_data(view.url)["query_id"])) == "400 QUERY_ID_INVALID"


async def test_answers_of_others_are_refused() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, PLAIN_BOT) as bot,
    ):
        text = init_data((await alice(web_view(alice, url=BUTTON))).url)["query_id"]
        assert await bot.refused(answer(text)) == "400 QUERY_ID_INVALID"
        assert await alice.refused(answer(text)) == "400 USER_BOT_REQUIRED"


# Data of keyboard-button apps


async def test_data_reaches_the_bot_once() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        first = await alice(send_data(alice, "Ünïcode", random_id=7))
        again = await alice(send_data(alice, "Ünïcode", random_id=7))
        await alice(send_data(alice, "second", random_id=8))
        got = [(await bot.update(types.UpdateNewMessage)).message.action for _ in range(2)]
        assert not [update for update in bot.pushed() if isinstance(update, types.UpdateNewMessage)]
    assert [(action.text, action.data) for action in got] == [("Order", "Ünïcode"), ("Order", "second")]
    mine = [update.message for update in first.updates if isinstance(update, types.UpdateNewMessage)]
    assert [message.action.text for message in mine] == ["Order"]
    assert isinstance(mine[0].action, types.MessageActionWebViewDataSent)
    assert mine[0].id in {getattr(update, "id", None) for update in again.updates}


# Errors


Request = Callable[[Client], Any]


def _reply(message: int, topic: int | None = None) -> Any:
    return types.InputReplyToMessage(message, top_msg_id=topic)


NO_THEME = types.DataJSON("{")

REFUSED: dict[str, tuple[Request, str]] = {
    "a user": (lambda c: web_view(c, bot=BOB, url=BUTTON), "BOT_INVALID"),
    "a button elsewhere": (lambda c: web_view(c, BOB, url=BUTTON), "BOT_WEBVIEW_DISABLED"),
    "the menu elsewhere": (
        lambda c: web_view(c, GROUP, url=MENU, from_bot_menu=True),
        "BOT_WEBVIEW_DISABLED",
    ),
    "a url nobody issued": (lambda c: web_view(c, url="https://demo.example/other"), "URL_INVALID"),
    "a button's url for the menu": (lambda c: web_view(c, url=BUTTON, from_bot_menu=True), "URL_INVALID"),
    "the menu's url for a button": (lambda c: web_view(c, url=MENU), "URL_INVALID"),
    "a menu without url": (lambda c: web_view(c, from_bot_menu=True), "URL_INVALID"),
    "a bot without menu": (
        lambda c: web_view(c, PLAIN_BOT, PLAIN_BOT, url=MENU, from_bot_menu=True),
        "URL_INVALID",
    ),
    "a broken theme": (lambda c: web_view(c, url=BUTTON, theme_params=NO_THEME), "THEME_PARAMS_INVALID"),
    "a theme of no object": (
        lambda c: web_view(c, url=BUTTON, theme_params=types.DataJSON("[]")),
        "THEME_PARAMS_INVALID",
    ),
    "somebody to send as": (
        lambda c: web_view(c, url=BUTTON, send_as=c.peer(BOB)),
        "SEND_AS_PEER_INVALID",
    ),
    "an unknown reply": (lambda c: web_view(c, url=BUTTON, reply_to=_reply(999)), "MSG_ID_INVALID"),
    "a reply of another chat": (lambda c: web_view(c, GROUP, reply_to=_reply(2)), "MSG_ID_INVALID"),
    "an unknown topic": (lambda c: web_view(c, FORUM, reply_to=_reply(4, 99)), "MSG_ID_INVALID"),
    "a reply to a story": (
        lambda c: web_view(c, url=BUTTON, reply_to=types.InputReplyToStory(c.peer(BOB), 1)),
        "MSG_ID_INVALID",
    ),
    "a wrong hash": (
        lambda c: functions.messages.RequestWebViewRequest(
            types.InputPeerUser(DEMO_BOT, 1), c.user(DEMO_BOT), "ios", url=BUTTON
        ),
        "PEER_ID_INVALID",
    ),
    "no attachment menu": (lambda c: web_view(c, BOB, PLAIN_BOT), "BOT_INVALID"),
    "a side menu as attachment": (lambda c: web_view(c, BOB, SIDE_BOT), "BOT_INVALID"),
    "a simple user": (lambda c: simple(c, BOB, url=KEY), "BOT_INVALID"),
    "a simple url": (lambda c: simple(c, url="https://demo.example/other"), "URL_INVALID"),
    "a simple nothing": (lambda c: simple(c), "URL_INVALID"),
    "a switch nobody showed": (
        lambda c: simple(c, url="https://demo.example/picker", from_switch_webview=True),
        "URL_INVALID",
    ),
    "no side menu": (lambda c: simple(c, PLAIN_BOT, from_side_menu=True), "BOT_INVALID"),
    "app of a user": (lambda c: get_app(c, bot=BOB), "BOT_APP_BOT_INVALID"),
    "app of no name": (lambda c: get_app(c, "a b"), "BOT_APP_SHORTNAME_INVALID"),
    "app of an unknown name": (lambda c: get_app(c, "nothing"), "BOT_APP_INVALID"),
    "view of a user": (lambda c: app_view(c, short_name(c, "app", BOB)), "BOT_APP_BOT_INVALID"),
    "view of no name": (lambda c: app_view(c, ""), "BOT_APP_SHORTNAME_INVALID"),
    "view of an unknown name": (lambda c: app_view(c, "nothing"), "BOT_APP_INVALID"),
    "view of an unknown id": (lambda c: app_view(c, types.InputBotAppID(1, 1)), "BOT_APP_INVALID"),
    "view with a broken theme": (lambda c: app_view(c, theme_params=NO_THEME), "THEME_PARAMS_INVALID"),
    "main app of a user": (lambda c: main_view(c, BOB), "BOT_INVALID"),
    "no main app": (lambda c: main_view(c, PLAIN_BOT), "BOT_INVALID"),
    "prolonging nothing": (lambda c: prolong(c, 1), "QUERY_ID_INVALID"),
    "prolonging with a user": (lambda c: prolong(c, 1, bot=BOB), "BOT_INVALID"),
    "data to a user": (lambda c: send_data(c, bot=BOB), "BOT_INVALID"),
    "an offer of a user": (
        lambda c: functions.messages.GetAttachMenuBotRequest(c.user(BOB)),
        "BOT_INVALID",
    ),
    "an offer of none": (
        lambda c: functions.messages.GetAttachMenuBotRequest(c.user(PLAIN_BOT)),
        "BOT_INVALID",
    ),
    "installing none": (lambda c: toggle(c, PLAIN_BOT), "BOT_INVALID"),
    "may a user write": (lambda c: functions.bots.CanSendMessageRequest(c.user(BOB)), "BOT_INVALID"),
    "let a user write": (lambda c: functions.bots.AllowSendMessageRequest(c.user(BOB)), "BOT_INVALID"),
}


@pytest.mark.parametrize(("request_", "error"), REFUSED.values(), ids=REFUSED.keys())
async def test_refusals(request_: Request, error: str) -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert await alice.refused(request_(alice)) == f"400 {error}"


async def test_refusals_that_need_another_world() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, BOB) as bob:
        bobs = sandbox.world.user(BOB)
        bobs.attach_menu.add(DEMO_BOT)
        assert await bob.refused(web_view(bob, CHANNEL)) == "403 CHAT_WRITE_FORBIDDEN"
        bobs.blocked.add(DEMO_BOT)
        assert await bob.refused(web_view(bob, url=BUTTON)) == "400 YOU_BLOCKED_USER"
        sandbox.world[CLUB].members.clear()  # type: ignore[union-attr]
        bobs.blocked.clear()
        assert await bob.refused(web_view(bob, CLUB)) == "403 CHAT_WRITE_FORBIDDEN"


async def test_people_and_bots_that_cannot_be_written_to() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        bob = sandbox.world.user(BOB)
        bob.premium_only = True
        assert await alice.refused(web_view(alice, BOB)) == "403 PRIVACY_PREMIUM_REQUIRED"
        sandbox.world.user(ALICE).premium = True
        await alice(web_view(alice, BOB))
        bob.deleted = True
        assert await alice.refused(web_view(alice, BOB)) == "400 INPUT_USER_DEACTIVATED"
        sandbox.world.bot(DEMO_BOT).deleted = True
        assert await alice.refused(web_view(alice, url=BUTTON)) == "400 INPUT_USER_DEACTIVATED"


async def test_an_app_of_a_restricted_bot() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        sandbox.world.bot(DEMO_BOT).restricted_for.add(ALICE)
        assert await alice.refused(app_view(alice)) == "400 BOT_APP_BOT_INVALID"
        sandbox.assumptions.flip("restricted_bots_open_no_web_views")
        await alice(app_view(alice))


async def test_an_app_id_with_the_hash_of_another_account() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice, signed_in(sandbox, BOB) as bob:
        app = (await alice(get_app(alice))).app
        stolen = types.InputBotAppID(app.id, app.access_hash)
        assert await bob.refused(app_view(bob, stolen)) == "400 BOT_APP_INVALID"


# Assumptions, both ways


FLIPS: dict[str, tuple[Request, str]] = {
    "platforms_have_a_checked_form": (
        lambda c: web_view(c, url=BUTTON, platform="no platform"),
        "400 PLATFORM_INVALID",
    ),
    "start_parameters_have_a_checked_form": (
        lambda c: app_view(c, start_param="no/param"),
        "400 START_PARAM_INVALID",
    ),
    "every_web_view_checks_its_theme": (
        lambda c: simple(c, url=KEY, theme_params=NO_THEME),
        "400 THEME_PARAMS_INVALID",
    ),
    "restricted_bots_open_no_web_views": (lambda c: main_view(c, RESTRICTED_BOT), "400 BOT_INVALID"),
    "apps_in_menus_open_only_when_installed": (
        lambda c: simple(c, SIDE_BOT, from_side_menu=True),
        "400 BOT_INVALID",
    ),
    "the_main_app_checks_its_peer": (
        lambda c: main_view(c, peer=types.InputPeerUser(BOB, 1)),
        "400 PEER_ID_INVALID",
    ),
    "web_view_data_has_1_to_4096_bytes": (lambda c: send_data(c, "ä" * 2049), "400 DATA_TOO_LONG"),
}


@pytest.mark.parametrize("name", FLIPS)
async def test_an_assumption_that_refuses(name: str) -> None:
    request, error = FLIPS[name]
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert await alice.refused(request(alice)) == error
        sandbox.assumptions.flip(name)
        await alice(request(alice))


async def test_empty_data() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        assert await alice.refused(send_data(alice, "")) == "400 DATA_INVALID"
        await alice(send_data(alice, "x" * 4096))


async def test_assumption_attachment_menu_kind_of_chat() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        await alice(toggle(alice))
        assert await alice.refused(web_view(alice, ATTACH_BOT, ATTACH_BOT)) == "400 BOT_WEBVIEW_DISABLED"
        await alice(web_view(alice, BOB, ATTACH_BOT))
        sandbox.assumptions.flip("the_attachment_menu_checks_the_kind_of_chat")
        await alice(web_view(alice, ATTACH_BOT, ATTACH_BOT))


async def test_assumption_start_parameters_of_buttons() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        request = web_view(alice, url=BUTTON, start_param="x")
        assert "tgWebAppStartParam" not in (await alice(request)).url
        sandbox.assumptions.flip("buttons_ignore_start_parameters")
        view = await alice(request)
        assert init_data(view.url)["start_param"] == "x"
        assert dict(parse_qsl(urlsplit(view.url).query)) == {"tgWebAppStartParam": "x"}


async def test_assumption_prolonging_repeats_bot_and_peer() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, url=BUTTON))
        for other in (prolong(alice, view.query_id, BOB), prolong(alice, view.query_id, bot=PLAIN_BOT)):
            assert await alice.refused(other) == "400 QUERY_ID_INVALID"
        sandbox.assumptions.flip("prolonging_repeats_bot_and_peer")
        assert await alice(prolong(alice, view.query_id, BOB)) is True


@pytest.mark.parametrize("flipped", [False, True])
async def test_assumption_the_last_prolong_places_the_answer(flipped: bool) -> None:
    name = "the_last_prolong_places_the_answer"
    async with (
        Sandbox(flipped=[name] if flipped else []) as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        view = await alice(web_view(alice, url=BUTTON))
        await alice(prolong(alice, view.query_id, silent=True, reply_to=_reply(2)))
        await bot(answer(init_data(view.url)["query_id"]))
        posted = (await alice.update(types.UpdateNewMessage)).message
    assert posted.silent is not flipped
    assert (posted.reply_to is None) is flipped


async def test_assumption_prolonging_checks_reply_and_author() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        view = await alice(web_view(alice, url=BUTTON))
        wrong_reply = prolong(alice, view.query_id, reply_to=_reply(999))
        wrong_author = prolong(alice, view.query_id, send_as=alice.peer(BOB))
        assert await alice.refused(wrong_reply) == "400 MSG_ID_INVALID"
        assert await alice.refused(wrong_author) == "400 SEND_AS_PEER_INVALID"
        sandbox.assumptions.flip("prolonging_checks_reply_and_author")
        assert await alice(wrong_reply) is True


async def test_assumption_an_app_link_in_an_unknown_chat() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        request = app_view(alice, peer=BOB)
        request.peer = types.InputPeerUser(BOB, 1)
        assert await alice.refused(request) == "400 MSG_ID_INVALID"
        sandbox.assumptions.flip("an_app_link_in_an_unknown_chat_is_msg_id_invalid")
        assert await alice.refused(request) == "400 PEER_ID_INVALID"


async def test_assumption_write_access_nobody_asked_for() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        allowed = sandbox.world.user(ALICE).writes_allowed
        await alice(app_view(alice, "app", write_allowed=True))
        await alice(toggle(alice, SIDE_BOT, write=True))
        assert allowed == set()
        sandbox.assumptions.flip("write_access_nobody_asked_for_is_ignored")
        await alice(app_view(alice, "app", write_allowed=True))
        await alice(toggle(alice, SIDE_BOT, write=True))
        assert allowed == {DEMO_BOT, SIDE_BOT}


async def test_assumption_write_access_is_granted_once() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        request = functions.bots.AllowSendMessageRequest(alice.user(DEMO_BOT))
        first = await alice(request)
        assert [update.message.action.from_request for update in first.updates] == [True]
        assert (await alice(request)).updates == []
        sandbox.assumptions.flip("write_access_is_granted_once")
        assert len((await alice(request)).updates) == 1


async def test_assumption_main_app_from_a_link() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        sandbox.assumptions.flip("main_app_from_a_link_learns_the_kind_of_chat")
        assert "chat_type" not in init_data((await alice(main_view(alice, start_param="x"))).url)


async def test_assumption_ids_of_chats_in_init_data() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        sandbox.assumptions.flip("init_data_names_chats_as_the_bot_api_does")
        assert says((await alice(web_view(alice, FORUM))).url, "chat")["id"] == FORUM


async def test_assumption_a_duplicate_random_id_is_an_error() -> None:
    async with (
        Sandbox(flipped=["duplicate_random_id_is_silent"]) as sandbox,
        signed_in(sandbox, ALICE) as alice,
    ):
        await alice(send_data(alice, random_id=7))
        assert await alice.refused(send_data(alice, random_id=7)) == "500 RANDOM_ID_DUPLICATE"


async def test_assumption_media_in_answers() -> None:
    async with (
        Sandbox() as sandbox,
        signed_in(sandbox, ALICE) as alice,
        signed_in(sandbox, DEMO_BOT) as bot,
    ):
        text = init_data((await alice(web_view(alice, url=BUTTON))).url)["query_id"]
        point = types.InputBotInlineMessageMediaGeo(types.InputGeoPoint(1.0, 2.0))
        result = types.InputBotInlineResult("1", "geo", point, title="A place")
        request = functions.messages.SendWebViewResultMessageRequest(text, result)
        assert await bot.refused(request) == "400 SEND_MESSAGE_TYPE_INVALID"
        sandbox.assumptions.flip("inline_results_post_text")
        await bot(request)
        assert (await alice.update(types.UpdateNewMessage)).message.message == "A place"


async def test_assumption_methods_of_people() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, PLAIN_BOT) as bot:
        request = main_view(bot)
        assert await bot.refused(request) == "400 BOT_METHOD_INVALID"
        sandbox.assumptions.flip("bots_get_bot_method_invalid")
        assert await bot.refused(request) == "400 USER_BOT_INVALID"


async def test_a_premium_user_with_a_photo() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, DORA) as dora:
        user = says((await dora(main_view(dora))).url, "user")
    assert user["is_premium"] is True
    assert user["photo_url"] == "https://photos.example/dora.svg"


async def test_apps_a_test_adds_have_an_id_of_their_own() -> None:
    async with Sandbox() as sandbox, signed_in(sandbox, ALICE) as alice:
        apps = sandbox.world.bot(PLAIN_BOT).apps
        apps["extra"] = App("extra", "Extra", "https://plain.example/extra")
        apps["fixed"] = App("fixed", "Fixed", "https://plain.example/fixed", id=77)
        extra = (await alice(get_app(alice, "extra", bot=PLAIN_BOT))).app
        fixed = (await alice(get_app(alice, "fixed", bot=PLAIN_BOT))).app
        view = await alice(app_view(alice, types.InputBotAppID(extra.id, extra.access_hash)))
    assert fixed.id == 77
    assert view.url.startswith("https://plain.example/extra#")
