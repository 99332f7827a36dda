"""From what the caller names to the app that is meant: names, links, messages, starting a bot, bad input."""

from __future__ import annotations

import ast
import asyncio
from pathlib import Path
from typing import Any

import pytest
from telethon import events
from telethon.tl import functions, types

import flows
from flows import (
    AttachmentMenuApp,
    BadInput,
    BotNotFound,
    CannotOpen,
    ChatJoinApp,
    Consent,
    ConsentDeclined,
    DirectLinkApp,
    HiddenLink,
    InlineButtonApp,
    InlineModeApp,
    KeyboardButtonApp,
    MainApp,
    MenuButtonApp,
    Options,
    RpcFailed,
)
from flows.bots import bot_from_user
from launcher.sandbox import MenuButton
from launcher.sandbox.default_world import BOB, DEMO_BOT, FORUM
from launcher.sandbox.mailbox import post
from tests.opened import ALLOW_ALL, Asker, account, client_of

WEB_VIEW, START = "messages.requestWebView", "messages.startBot"


# A bot by its name


async def test_a_bot_with_several_ways_names_them() -> None:
    async with account() as alice:
        for target in ("@demo_bot", "demo_bot", "t.me/demo_bot"):
            error = await alice.refused(BadInput, target)
            assert "main_app, attachment_menu or side_menu, inline_mode" in error.meaning
            assert "via=" in error.remedy
        assert alice.asked == ["contacts.resolveUsername"]


async def test_a_bot_with_one_way_opens_it() -> None:
    async with account() as alice:
        alice.bot.attach_menu = alice.bot.inline_placeholder = None
        assert isinstance((await alice.open("@demo_bot")).app, MainApp)
        alice.cache.forget_bots()
        alice.bot.main_app, alice.bot.inline_placeholder = None, "Search"
        assert isinstance((await alice.open("@demo_bot")).app, InlineModeApp)
        alice.cache.forget_bots()
        assert isinstance(
            (await alice.open("@attach_bot", Consent("installation"), chat="me")).app, AttachmentMenuApp
        )


async def test_a_name_alone_is_no_direct_link() -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, "@demo_bot", via="direct_link")
        assert "t.me/bot/app" in error.remedy


@pytest.mark.parametrize("via", ["mainapp", "", "Menu_Button"])
def test_an_unknown_flow_lists_those_there_are(via: str) -> None:
    with pytest.raises(BadInput) as caught:
        Options(via=via)
    assert all(flow in caught.value.remedy for flow in flows.FLOWS)


async def test_a_name_that_nobody_has_or_can_have() -> None:
    async with account() as alice:
        assert (await alice.refused(BotNotFound, "@nobody_there_bot")).name == "USERNAME_NOT_OCCUPIED"
        assert (await alice.refused(BotNotFound, "@x")).name == "USERNAME_INVALID"
        assert "not a bot" in (await alice.refused(CannotOpen, "@demo_news")).meaning


def test_a_min_user_is_no_bot_to_open() -> None:
    cache = flows.Cache()
    user = types.User(7, access_hash=5, bot=True, min=True, username="seen_bot")
    with pytest.raises(CannotOpen, match="only seen in passing"):
        bot_from_user(user, cache, "seen_bot")
    assert cache == flows.Cache()


async def test_a_bot_is_known_by_any_of_its_names() -> None:
    cache = flows.Cache()
    names = [types.Username("old_bot"), types.Username("new_bot", active=True)]
    user = types.User(7, access_hash=5, bot=True, usernames=names)
    assert bot_from_user(user, cache, "?").username == "new_bot"


# Links


@pytest.mark.parametrize(
    "target", ["", "https://example.com/x", "t.me//x", "https://t.me:8080/demo_bot/app", "two words", "📎"]
)
async def test_what_is_no_link_is_refused(target: str) -> None:
    async with account() as alice:
        for given in (target, HiddenLink(target)):
            error = await alice.refused(BadInput, given)
            assert "not a link to Telegram" in error.meaning
            assert target == "" or target not in str(error)
        assert alice.asked == []


@pytest.mark.parametrize(
    "target",
    ["https://t.me/$slug", "https://t.me/demo_bot?game=chess", "https://t.me/+123456", "https://t.me/addstickers/x",
     "tg://unknown?x=1", "tg://oauth?token=secret"],
)  # fmt: skip
async def test_a_link_of_another_kind_says_what_to_give(target: str) -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, target)
        assert "opens no Mini App" in error.meaning
        assert "t.me/bot/app" in error.remedy
        assert "secret" not in str(error)
        assert alice.asked == []


@pytest.mark.parametrize("value", ["x" * 513, "sp ace", "ü", "a=b", "a+b", "x\n"])
async def test_a_wrong_start_parameter_is_refused_before_anything_is_sent(value: str) -> None:
    async with account() as alice:
        await alice.refused(BadInput, "https://t.me/demo_bot/app", start_param=value)
        await alice.refused(BadInput, "@demo_bot", via="main_app", start_param=value)
        await alice.refused(BadInput, "@demo_bot", start=value)
        assert alice.asked == []


async def test_the_start_parameters_of_links_are_checked_too() -> None:
    async with account() as alice:
        for target in ("t.me/demo_bot/app?startapp=a.b", "t.me/demo_bot/app?startapp=" + "x" * 513):
            for given in (target, HiddenLink(target)):
                assert "start parameter" in (await alice.refused(BadInput, given)).meaning
        await alice.refused(BadInput, "@demo_bot", start="x" * 65)
        assert alice.asked == []


@pytest.mark.parametrize(
    "flow", ["keyboard_button", "inline_button", "menu_button", "inline_mode", "chat_join"]
)
async def test_a_start_parameter_that_cannot_be_carried_names_the_right_calls(flow: str) -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, "@demo_bot", via=flow, start_param="x")
        assert flows.FLOWS[flow].method in error.meaning
        assert "messages.requestAppWebView" in error.remedy
        assert "messages.requestMainWebView" in error.remedy
        assert 'start="' in error.remedy
        assert alice.asked == []


async def test_a_start_parameter_for_a_button_of_a_message_is_refused_before_the_request() -> None:
    async with account() as alice:
        message = await alice.message()
        await alice.refused(BadInput, message, start_param="x")
        assert WEB_VIEW not in alice.asked
        await alice.open(
            await alice.message(text="Here is a link"), Consent("hidden_link"), start_param="hidden"
        )
        assert alice.sent("messages.requestAppWebView")["start_param"] == "hidden"


async def test_a_link_to_a_message_opens_its_button() -> None:
    async with account() as alice:
        forum: Any = alice.sandbox.world.boxes[FORUM]
        link = types.InlineButtonTypeUrl("https://t.me/demo_bot/app?startapp=forum")
        markup = types.ReplyInlineMarkup(
            [types.KeyboardInlineButtonRow([types.KeyboardInlineButton("Open", link)])]
        )
        forum.messages[4].markup = markup
        opened = await alice.open("https://t.me/demo_forum/4", Consent("hidden_link"))
        assert isinstance(opened.app, DirectLinkApp)
        assert alice.sent("messages.requestAppWebView")["peer"] == types.InputPeerChannel(
            FORUM, alice.hash_of(FORUM)
        )
        await alice.open(f"https://t.me/c/{FORUM}/4", Consent("hidden_link"))
        error = await alice.refused(CannotOpen, "https://t.me/demo_forum/99")
        assert "no message 99" in error.meaning


@pytest.mark.parametrize(
    "url",
    ["https://t.me/+GuardedChannelInvite", "https://t.me/demo_bot?start=x", "https://t.me/demo_forum/4"],
)
async def test_a_hidden_link_that_acts_at_once_asks_first(url: str) -> None:
    async with account() as alice:
        assert (await alice.refused(ConsentDeclined, HiddenLink(url))).question == "hidden_link"
        assert alice.asked == []


async def test_a_hidden_invitation_is_followed_with_consent() -> None:
    async with account() as alice:
        opened = await alice.open(HiddenLink("https://t.me/+GuardedChannelInvite"), Consent("hidden_link"))
        assert isinstance(opened.app, ChatJoinApp)


@pytest.mark.parametrize(
    ("target", "via"),
    [
        ("https://t.me/demo_bot/app", "main_app"),
        ("https://t.me/demo_bot?startapp", "attachment_menu"),
        ("https://t.me/demo_bot?startattach", "menu_button"),
        ("https://t.me/+GuardedChannelInvite", "direct_link"),
    ],
)
async def test_a_link_that_is_of_another_flow_than_named_is_refused(target: str, via: str) -> None:
    async with account() as alice:
        for given in (target, HiddenLink(target)):
            assert via in (await alice.refused(BadInput, given, Asker(), via=via)).meaning
        assert alice.asked == []


# Chats


async def test_a_chat_can_be_named_in_many_ways() -> None:
    async with account() as alice:
        bob = types.InputPeerUser(BOB, alice.hash_of(BOB))
        entity = await alice.client.get_entity("bob_builds")
        for chat in ("@bob_builds", "bob_builds", "+9996622222", BOB, bob, entity, types.PeerUser(BOB)):
            await alice.open("https://t.me/demo_bot/app", chat=chat)
            assert alice.sent("messages.requestAppWebView")["peer"] == bob


@pytest.mark.parametrize("chat", ["@nobody_there", 4242, types.PeerChannel(4242), 3.5, b"x"])
async def test_a_chat_that_is_not_known_is_refused(chat: Any) -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "https://t.me/demo_bot/app", chat=chat)
        assert "knows no chat" in error.meaning


# Starting a bot


async def test_starting_a_bot_brings_its_button() -> None:
    async with account("dora") as dora:
        opened = await dora.open("@demo_bot", start="payload")
        assert isinstance(opened.app, InlineButtonApp)
        assert dora.asked == ["contacts.resolveUsername", START, WEB_VIEW]
        sent = dora.sent(START)
        assert sent["start_param"] == "payload"
        assert sent["peer"] == types.InputPeerUser(DEMO_BOT, dora.hash_of(DEMO_BOT))
        assert dora.sent(WEB_VIEW)["url"] == "https://demo.example/button"


async def test_a_start_link_starts_the_bot() -> None:
    async with account("dora") as dora:
        await dora.open("https://t.me/demo_bot?start=from-a-link")
        assert dora.sent(START)["start_param"] == "from-a-link"
        await dora.open("https://t.me/demo_bot?start=from-a-link", start="mine")
        assert dora.sent(START)["start_param"] == "mine"


async def test_a_bot_is_started_without_payload_by_a_message() -> None:
    async with account("dora") as dora:
        for target, start in (("@demo_bot", ""), ("https://t.me/demo_bot?start=", None)):
            dora.forget_calls()
            await dora.open(target, start=start)
            assert START not in dora.asked
            assert dora.sent("messages.sendMessage")["message"] == "/start"


def keyboard(text: str) -> Any:
    button = types.KeyboardButton(text, types.ButtonTypeSimpleWebView("https://demo.example/order"))
    return types.ReplyKeyboardMarkup([types.KeyboardButtonRow([button])])


async def test_the_button_of_a_bot_that_is_there_is_waited_for() -> None:
    """The first answer has no button, the second another one, the third the one that is meant."""
    async with account("dora") as dora, client_of(dora.sandbox, "demo_bot") as bot:

        async def answer(event: Any) -> None:
            await event.respond(f"You said {event.raw_text}")
            for text in ("Other", "Order"):
                request = functions.messages.SendMessageRequest(
                    await event.get_input_chat(), text, reply_markup=keyboard(text)
                )
                await bot(request)

        bot.add_event_handler(answer, events.NewMessage(pattern="/start payload"))
        await bot(functions.updates.GetStateRequest())
        opened = await dora.open("@demo_bot", via="keyboard_button", start="payload", button="Order")
        assert isinstance(opened.app, KeyboardButtonApp)
        assert opened.app.button_text == "Order"


async def test_a_bot_that_sends_no_button_is_not_waited_for_for_ever() -> None:
    async with asyncio.timeout(60), account("dora") as dora:
        for target, via in (("@plain_bot", None), ("@demo_bot", "keyboard_button")):
            error = await dora.refused(CannotOpen, target, start="x", start_wait=0.05, via=via)
            assert "within 0.05 s" in error.meaning
        assert dora.client.list_event_handlers() == []


async def test_what_telegram_refuses_at_the_start_is_said() -> None:
    async with account("dora") as dora:
        error = await dora.refused(RpcFailed, "@demo_bot", start="x", chat="@bob_builds")
        assert error.name == "PEER_ID_INVALID"
        assert error.method == START
        assert dora.client.list_event_handlers() == []


# Menu buttons of bots without another way


async def test_a_bot_without_anything_is_asked_for_its_menu_button() -> None:
    async with account() as alice:
        alice.sandbox.world.bot("plain_bot").menu_button = MenuButton("Open", "https://plain.example/")
        asker = Asker()
        assert isinstance((await alice.open("@plain_bot", asker)).app, MenuButtonApp)
        assert asker.questions == [{"first_launch"}]


# Every refusal


def test_every_refusal_says_what_happened_and_what_to_do() -> None:
    """Both sentences of every CannotOpen and BadInput in the package end as sentences do."""
    said = 0
    for file in Path(flows.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("BadInput", "CannotOpen", "cls"):
                if file.name not in ("errors.py",) and ast.unparse(node.func) == "cls":
                    continue
                assert len(node.args) == 2, ast.unparse(node)
                for sentence in map(ending, node.args):
                    assert sentence is None or sentence.endswith((".", "?")), ast.unparse(node)
                said += 1
    assert said > 30


def ending(text: ast.expr) -> str | None:
    """The end of a sentence in the source, or None where it is not written out there."""
    match text:
        case ast.Constant(value=str(value)):
            return value
        case ast.JoinedStr(values=[*_, ast.Constant(value=str(value))]):
            return value
    return None


async def test_a_button_is_looked_for_in_its_topic_only() -> None:
    async with account() as alice:
        for topic, param in ((2, "apps"), (3, "gossip")):
            link = types.InlineButtonTypeUrl(f"https://t.me/demo_bot/app?startapp={param}")
            row = types.KeyboardInlineButtonRow([types.KeyboardInlineButton("Open", link)])
            keyboard = types.ReplyInlineMarkup([row])
            post(alice.sandbox, DEMO_BOT, FORUM, "Here", markup=keyboard, topic=topic)
        for topic, param in ((2, "apps"), (3, "gossip")):
            opened = await alice.open("@demo_bot", ALLOW_ALL, chat="@demo_forum", button="Open", topic=topic)
            assert opened.app.start_param == param  # type: ignore[union-attr]


async def test_the_buttons_that_are_there_are_named_when_one_is_not() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "@demo_bot", button="NoSuch")
        assert "'NoSuch'" in str(error)
        assert "'Order'" in str(error)


@pytest.mark.parametrize("link", ["t.me/demo_bot?startapp=***", "t.me/demo_bot?startattach=a%20b"])
async def test_a_typed_links_bad_start_parameter_is_refused_before_anything_is_sent(link: str) -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, link)
        assert "The link's start" in str(error)
        assert alice.asked == []
