"""Opening as a whole: the parameters of every flow on the wire, the number of requests, second attempts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from telethon import events
from telethon.tl import types

from flows import (
    DARK,
    FLOWS,
    AppNotFound,
    BadInput,
    Blocked,
    BotNotFound,
    CannotOpen,
    Consent,
    ConsentDeclined,
    HiddenLink,
    OpenMode,
    OpenParameters,
    Options,
    RpcFailed,
    WrongContext,
)
from launcher.sandbox import App, Fail, MenuButton
from launcher.sandbox.default_world import BOB, CHANNEL, DEMO_BOT, FORUM, GROUP
from launcher.sandbox.mailbox import post
from tests.opened import ALLOW_ALL, Account, Asker, account

WEB_VIEW, SIMPLE = "messages.requestWebView", "messages.requestSimpleWebView"
NOTES = "https://t.me/demo_bot/notes"
BOT = {"target": "@demo_bot"}

# How each flow is opened, with which request, and the parameters that belong to the flow itself.
OPENED: dict[str, tuple[dict[str, Any], str, dict[str, Any]]] = {
    "keyboard_button": (BOT, SIMPLE, {"url": "https://demo.example/order"}),
    "inline_button": (BOT, WEB_VIEW, {"url": "https://demo.example/button"}),
    "menu_button": (BOT, WEB_VIEW, {"url": "https://demo.example/menu", "from_bot_menu": True}),
    "attachment_menu": (BOT, WEB_VIEW, {}),
    "side_menu": (BOT, SIMPLE, {"from_side_menu": True}),
    "inline_mode": (BOT, SIMPLE, {"url": "https://demo.example/picker", "from_switch_webview": True}),
    "direct_link": ({"target": NOTES}, "messages.requestAppWebView", {}),
    "main_app": (BOT, "messages.requestMainWebView", {}),
    "chat_join": ({"target": "@demo_guarded"}, "messages.requestChatJoinWebView", {}),
}
# Who and where: what the tests of the single flows look at.
NAMES = {"bot", "peer", "app", "query_id"}
PLACED = {"silent": True, "reply_to": 1, "send_as": "me"}
ON_THE_WIRE = {
    "silent": True,
    "reply_to": types.InputReplyToMessage(reply_to_msg_id=1),
    "send_as": types.InputPeerSelf(),
}
# What else each flow's request can carry: options and their parameters.
CARRIED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "keyboard_button": ({}, {}),
    "inline_button": (PLACED, ON_THE_WIRE),
    "menu_button": (PLACED, ON_THE_WIRE),
    "attachment_menu": ({**PLACED, "start_param": "a-1"}, {**ON_THE_WIRE, "start_param": "a-1"}),
    "side_menu": ({"start_param": "s-1"}, {"start_param": "s-1"}),
    "inline_mode": ({}, {}),
    "direct_link": ({"start_param": "d-1"}, {"start_param": "d-1", "write_allowed": True}),
    "main_app": ({"start_param": "m-1"}, {"start_param": "m-1"}),
    "chat_join": ({}, {}),
}
WARM = {
    "menu_button": ["messages.requestWebView"],
    "attachment_menu": ["messages.requestWebView"],
    "side_menu": ["messages.requestSimpleWebView"],
    "main_app": ["messages.requestMainWebView"],
}


async def open_flow(alice: Account, flow: str, *args: Any, **options: Any) -> Any:
    named, _, _ = OPENED[flow]
    via = None if flow == "direct_link" else flow
    return await alice.open(named["target"], *args, via=via, **options)


def own(sent: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in NAMES}


def test_every_flow_is_in_the_tables() -> None:
    assert set(OPENED) == set(CARRIED) == set(FLOWS)
    assert [flow.method for flow in FLOWS.values()] == [OPENED[name][1] for name in FLOWS]


@pytest.mark.parametrize("flow", FLOWS)
async def test_what_was_not_asked_for_is_absent_on_the_wire(flow: str) -> None:
    _, method, fixed = OPENED[flow]
    async with account() as alice:
        opened = await open_flow(alice, flow)
        assert own(alice.sent(method)) == {"platform": "android", **fixed}
    assert opened.app.flow == flow
    assert opened.app.method == method
    assert (opened.web_view.query_id is not None) is (method == WEB_VIEW)


@pytest.mark.parametrize("flow", FLOWS)
async def test_every_parameter_of_a_flow_arrives(flow: str) -> None:
    _, method, fixed = OPENED[flow]
    options, carried = CARRIED[flow]
    common = {"platform": "tdesktop", "theme_params": types.DataJSON(DARK.to_json())}
    async with account() as alice:
        for mode in OpenMode:
            parameters = OpenParameters(platform="tdesktop", mode=mode, theme=DARK)
            await open_flow(alice, flow, Consent("write_access"), parameters, **options)
            wish = {} if mode is OpenMode.FULLSIZE or flow == "chat_join" else {mode.value: True}
            assert own(alice.sent(method)) == {**common, **fixed, **carried, **wish}


@pytest.mark.parametrize("silent", [False, None])
async def test_not_silent_is_absent(silent: bool | None) -> None:
    async with account() as alice:
        await open_flow(alice, "menu_button", silent=silent)
        assert "silent" not in alice.sent(WEB_VIEW)


async def test_an_empty_start_parameter_is_absent() -> None:
    async with account() as alice:
        for target in ("https://t.me/demo_bot?startapp=", "https://t.me/demo_bot/app?startapp"):
            opened = await alice.open(target, start_param="")
            assert "start_param" not in alice.sent(opened.app.method)
        for flow in ("attachment_menu", "side_menu", "main_app"):
            opened = await open_flow(alice, flow, start_param="")
            assert "start_param" not in alice.sent(opened.app.method)


@pytest.mark.parametrize("flow", WARM)
async def test_a_warm_flow_takes_one_request(flow: str) -> None:
    async with account() as alice:
        await open_flow(alice, flow)
        alice.forget_calls()
        await open_flow(alice, flow)
        assert alice.asked == WARM[flow]


async def test_a_warm_attachment_menu_takes_one_request_in_any_chat() -> None:
    async with account() as alice:
        for chat in ("@bob_builds", "@demo_forum", "@demo_news", "@plain_bot"):
            await alice.open("@demo_bot", via="attachment_menu", chat=chat)
            alice.forget_calls()
            await alice.open("@demo_bot", via="attachment_menu", chat=chat)
            assert alice.asked == [WEB_VIEW]


@pytest.mark.parametrize("text", ["Press a key", "Press a button"])
async def test_a_button_in_hand_takes_one_request(text: str) -> None:
    async with account() as alice:
        message = await alice.message(text=text)
        await alice.open(message)
        alice.forget_calls()
        opened = await alice.open(message)
        assert alice.asked == [opened.app.method]


async def test_an_app_in_hand_takes_one_request() -> None:
    async with account() as alice:
        for flow in FLOWS:
            opened = await open_flow(alice, flow)
            alice.forget_calls()
            assert (await alice.open(opened.app)).app == replace(opened.app)
            assert alice.asked == [opened.app.method]


@pytest.mark.parametrize(
    "flow", sorted(name for name, (options, _) in CARRIED.items() if "silent" not in options)
)
async def test_what_a_flow_cannot_carry_is_refused_and_not_dropped(flow: str) -> None:
    async with account() as alice:
        for name, value in {**PLACED, "topic": 2}.items():
            with pytest.raises(BadInput, match=f"cannot carry {name}="):
                await open_flow(alice, flow, **{name: value})
        assert OPENED[flow][1] not in alice.asked


# First launch, blocked bots


async def test_the_first_launch_of_a_bot_is_asked_once() -> None:
    async with account() as alice:
        asker = Asker()
        await alice.open("@demo_bot", asker, via="menu_button")
        await alice.open("@demo_bot", asker, via="main_app")
        assert asker.questions == [{"first_launch"}]


@pytest.mark.parametrize("flow", sorted(set(FLOWS) - {"direct_link"}))
async def test_a_declined_first_launch_requests_nothing(flow: str) -> None:
    async with account() as alice:
        with pytest.raises(ConsentDeclined) as caught:
            await open_flow(alice, flow, Consent(first_launch="decline"))
        assert caught.value.question == "first_launch"
        assert OPENED[flow][1] not in alice.asked
        assert alice.cache.confirmed == set()


async def test_a_launch_that_failed_was_no_first_launch() -> None:
    async with account() as alice:
        alice.sandbox.faults.on("messages.requestMainWebView", Fail(400, "START_PARAM_INVALID"))
        await alice.refused(RpcFailed, "https://t.me/demo_bot?startapp")
        assert alice.cache.confirmed == set()


async def test_a_blocked_bot_stays_blocked_unless_unblocking_is_allowed() -> None:
    async with account() as alice:
        me = alice.sandbox.world.user("alice")
        me.blocked.add(DEMO_BOT)
        error = await alice.refused(Blocked, "@demo_bot", via="menu_button")
        assert "unblock" in error.remedy.lower()
        assert me.blocked == {DEMO_BOT}
        assert alice.asked.count(WEB_VIEW) == 1
        alice.forget_calls()
        await alice.open("@demo_bot", Consent("unblock"), via="menu_button")
        assert alice.asked == [WEB_VIEW, "contacts.unblock", WEB_VIEW]
        assert me.blocked == set()


# Once more, with nothing remembered


def make_stale(alice: Account) -> None:
    bot = alice.cache.bots[DEMO_BOT]
    alice.cache.bots[DEMO_BOT] = replace(bot, access_hash=bot.access_hash ^ 1)


@pytest.mark.parametrize("flow", sorted(set(FLOWS) - {"chat_join"}))
async def test_a_stale_access_hash_is_resolved_once_more(flow: str) -> None:
    async with account() as alice:
        await open_flow(alice, flow)
        make_stale(alice)
        alice.forget_calls()
        await open_flow(alice, flow)
        assert alice.asked.count("contacts.resolveUsername") == 1
        assert alice.cache.bots[DEMO_BOT].access_hash == alice.hash_of(DEMO_BOT)


@pytest.mark.parametrize("text", ["Press a key", "Press a button", "Here is a link"])
async def test_a_stale_access_hash_behind_a_message_is_looked_up_once_more(text: str) -> None:
    async with account() as alice:
        message = await alice.message(text=text)
        await alice.open(message, Consent("hidden_link"))
        make_stale(alice)
        await alice.open(message, Consent("hidden_link"))
        assert alice.cache.bots[DEMO_BOT].access_hash == alice.hash_of(DEMO_BOT)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("@demo_bot", {"via": "attachment_menu", "chat": "bob_builds"}),
        ("https://t.me/bob_builds?attach=demo_bot", {}),
    ],
)
async def test_a_stale_access_hash_of_the_chat_is_resolved_once_more(
    target: str, options: dict[str, Any]
) -> None:
    async with account() as alice:
        alice.cache.kinds[BOB] = "pm"
        stale = types.User(BOB, access_hash=alice.hash_of(BOB) ^ 1, username="bob_builds")
        found = types.contacts.ResolvedPeer(types.PeerUser(BOB), [], [stale])
        alice.client.session.process_entities(found)
        await alice.open(target, **options)
        assert alice.asked.count(WEB_VIEW) == 2
        assert alice.sent(WEB_VIEW)["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))


@pytest.mark.parametrize("name", ["BOT_INVALID", "PEER_ID_INVALID", "URL_INVALID", "BOT_WEBVIEW_DISABLED"])
async def test_a_second_refusal_reaches_the_caller(name: str) -> None:
    async with account() as alice:
        alice.sandbox.faults.on(WEB_VIEW, Fail(400, name), times=None)
        error = await alice.refused(RpcFailed, "@demo_bot", via="menu_button")
        assert error.name == name
        assert alice.asked.count(WEB_VIEW) == 2


async def test_other_errors_are_not_tried_again_and_forget_nothing() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="menu_button")
        bots = dict(alice.cache.bots)
        alice.forget_calls()
        alice.sandbox.faults.on(WEB_VIEW, Fail(403, "CHAT_WRITE_FORBIDDEN"))
        await alice.refused(WrongContext, "@demo_bot", via="menu_button")
        assert alice.asked == [WEB_VIEW]
        await alice.refused(BotNotFound, "@nobody_there_bot")
        assert alice.cache.bots == bots


async def test_an_app_in_hand_is_not_found_again() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="menu_button")
        alice.bot.menu_button = None
        alice.forget_calls()
        await alice.refused(RpcFailed, opened.app)
        assert alice.asked == [WEB_VIEW]


async def test_a_changed_menu_button_is_fetched_once_more() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="menu_button")
        alice.bot.menu_button = MenuButton("Menu", "https://demo.example/moved")
        alice.forget_calls()
        await alice.open("@demo_bot", via="menu_button")
        assert alice.sent(WEB_VIEW)["url"] == "https://demo.example/moved"
        assert alice.asked == [WEB_VIEW, "contacts.resolveUsername", "users.getFullUser", WEB_VIEW]


def move_button(alice: Account, message_id: int) -> None:
    """The bot edits its message, and this client is not told."""
    markup = types.ReplyInlineMarkup(
        [types.KeyboardInlineButtonRow(
            [types.KeyboardInlineButton("Open", types.InlineButtonTypeWebView("https://demo.example/moved"))]
        )]
    )  # fmt: skip
    alice.sandbox.world.boxes[alice.id].messages[message_id].markup = markup
    alice.bot.webview_buttons = {"https://demo.example/moved"}


async def test_a_changed_button_is_fetched_once_more() -> None:
    async with account() as alice:
        message = await alice.message()
        await alice.open(message)
        move_button(alice, message.id)
        alice.forget_calls()
        await alice.open(message)
        assert alice.sent(WEB_VIEW)["url"] == "https://demo.example/moved"
        assert alice.asked == [WEB_VIEW, "messages.getMessages", "users.getUsers", WEB_VIEW]


async def test_a_button_of_a_deleted_message_is_refused() -> None:
    async with account() as alice:
        message = await alice.message()
        del alice.sandbox.world.boxes[alice.id].messages[message.id]
        alice.bot.webview_buttons.clear()
        assert (await alice.refused(RpcFailed, message)).name == "URL_INVALID"


async def test_a_bot_is_not_started_twice() -> None:
    async with account() as alice:
        for target, options in (("@demo_bot", {"start": "x"}), ("https://t.me/demo_bot?start=x", {})):
            alice.forget_calls()
            alice.sandbox.faults.on(WEB_VIEW, Fail(400, "URL_INVALID"))
            await alice.refused(RpcFailed, target, **options)
            assert alice.asked.count("messages.startBot") == 1


# A min user's hash


async def test_the_hash_of_a_min_bot_is_never_used() -> None:
    async with account() as alice:
        stranger = alice.sandbox.world.bot("link_bot")
        seen = alice.client.loop.create_future()

        async def see(event: Any) -> None:
            seen.set_result(event.message)

        forum = await alice.client.get_input_entity("demo_forum")
        alice.client.add_event_handler(see, events.NewMessage(chats=forum))
        markup = types.ReplyInlineMarkup(
            [types.KeyboardInlineButtonRow(
                [types.KeyboardInlineButton("Open", types.InlineButtonTypeWebView("https://link.example/"))]
            )]
        )  # fmt: skip
        post(alice.sandbox, stranger.id, FORUM, "Open me", markup=markup)
        message = await asyncio.wait_for(seen, 60)
        alice.forget_calls()
        error = await alice.refused(CannotOpen, message)
        assert "has not met" in error.meaning
        assert alice.asked == ["users.getUsers"]
        assert alice.sent("users.getUsers")["id"] == [types.InputUser(stranger.id, 0)]


# Nothing secret in what is printed


async def test_what_is_printed_holds_no_address_and_no_access_hash() -> None:
    async with account() as alice:
        printed: list[str] = []
        for flow in FLOWS:
            opened = await open_flow(alice, flow, ALLOW_ALL, chat=None)
            printed += [repr(opened), str(opened), repr(opened.app), str(opened.app), repr(opened.web_view)]
        printed += [repr(alice.cache), str(alice.cache), repr(Options(chat=opened.app.bot.input_peer))]
        printed.append(repr(HiddenLink("https://demo.example/#tgWebAppData=secret")))
        alice.bot.menu_button = MenuButton("Menu", "https://demo.example/?secret")
        alice.sandbox.faults.on(WEB_VIEW, Fail(400, "URL_INVALID"), times=None)
        printed.append(str(await alice.refused(RpcFailed, "@demo_bot", via="menu_button")))
        secrets = [str(alice.hash_of(peer)) for peer in (DEMO_BOT, GROUP, CHANNEL, alice.id)]
        secrets += [str(app.access_hash) for app in alice.cache.apps.values()]
        secrets += ["tgWebApp", "secret", "/order", "/menu", "/button", "/picker", "access_hash"]
        assert {secret for secret in secrets for text in printed if secret in text} == set()


# Bad input


async def test_a_target_of_another_type_is_refused() -> None:
    async with account() as alice:
        for target in (None, 17, b"@demo_bot", alice.client):
            await alice.refused(BadInput, target)
        assert alice.asked == []


async def test_options_beside_an_app_value_are_refused() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="main_app")
        alice.forget_calls()
        await alice.refused(BadInput, opened.app, start_param="late")
        assert alice.asked == []


async def test_an_unknown_app_value_error_names_the_app() -> None:
    async with account() as alice:
        error = await alice.refused(AppNotFound, "https://t.me/demo_bot/missing")
        assert error.method == "messages.getBotApp"


@pytest.mark.parametrize("target", ["t.me/attach_bot/app", "t.me/attach_bot?startapp"])
async def test_a_link_offers_to_install_its_bot(target: str) -> None:
    async with account() as alice:
        bot = alice.sandbox.world.bot("attach_bot")
        bot.main_app, bot.apps["app"] = (
            "https://attach.example/",
            App("app", "App", "https://attach.example/app"),
        )
        await alice.open(target)
        assert bot.id not in alice.sandbox.world.user("alice").attach_menu
        await alice.open(target, Consent(installation=lambda _: False))
        assert bot.id not in alice.sandbox.world.user("alice").attach_menu
        await alice.open(target, Consent("installation"))
        assert bot.id in alice.sandbox.world.user("alice").attach_menu
        assert "messages.toggleBotInAttachMenu" in alice.asked


async def test_an_offered_installation_is_part_of_the_one_question() -> None:
    async with account() as alice:
        bot = alice.sandbox.world.bot("attach_bot")
        bot.apps["app"] = App(
            "app", "App", "https://attach.example/app", active=False, request_write_access=True
        )
        asker = Asker()
        opened = await alice.open("t.me/attach_bot/app", Consent(otherwise=asker))
        assert asker.questions == [{"first_launch", "inactive_app", "write_access", "installation"}]
        assert bot.id in alice.sandbox.world.user("alice").attach_menu
        assert opened.app.write_allowed  # type: ignore[union-attr]
