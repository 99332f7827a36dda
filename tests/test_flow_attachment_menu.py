"""The attachment menu over the wire: the list and its hash, installing, kinds of chats, links."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from telethon.tl import types

from flows import (
    AttachmentMenuApp,
    BadInput,
    BotNotFound,
    Cache,
    CannotOpen,
    Consent,
    ConsentDeclined,
    RpcFailed,
    prolong,
)
from launcher.sandbox import AttachMenu, Fail
from launcher.sandbox.default_world import ATTACH_BOT, BOB, CHANNEL, DEMO_BOT, FORUM, GROUP
from tests.opened import Asker, account

REQUEST, LIST, ONE = "messages.requestWebView", "messages.getAttachMenuBots", "messages.getAttachMenuBot"
TOGGLE = "messages.toggleBotInAttachMenu"
INSTALL = Consent("installation")
CHATS = {
    "same_bot_pm": "@demo_bot",
    "bot_pm": "@plain_bot",
    "pm": "@bob_builds",
    "chat": -GROUP,
    "broadcast": "@demo_news",
}


async def test_an_installed_entry_is_found_in_the_list() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="attachment_menu", chat="@bob_builds")
        assert isinstance(opened.app, AttachmentMenuApp)
        assert [method for method in alice.asked if method in (LIST, ONE)] == [LIST]
        assert alice.sent(LIST)["hash"] == 0
        sent = alice.sent(REQUEST)
        assert sent["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))
        assert "url" not in sent
        assert "from_bot_menu" not in sent
        assert opened.web_view.init_data is not None
        assert opened.web_view.init_data.receiver is not None


async def test_the_list_is_compared_by_its_hash_in_every_run() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="attachment_menu")
        known = alice.cache.attach_menu_hash
        alice.cache = Cache.from_json(json.loads(json.dumps(alice.cache.to_json())))
        alice.forget_calls()
        await alice.open("@demo_bot", via="attachment_menu")
        assert alice.asked == [LIST, REQUEST]
        assert alice.sent(LIST)["hash"] == known != 0
        assert DEMO_BOT in alice.cache.attach_menu


async def test_a_changed_list_replaces_the_remembered_one() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="attachment_menu")
        menu = alice.bot.attach_menu
        assert menu is not None
        menu.peer_types = {"pm"}
        alice.cache.forget_attach_menu()
        await alice.refused(CannotOpen, "@demo_bot", via="attachment_menu")
        await alice.open("@demo_bot", via="attachment_menu", chat="@bob_builds")


async def test_an_error_of_the_launch_lets_the_list_be_looked_at_again() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="attachment_menu")
        alice.sandbox.world.user("alice").attach_menu.clear()
        alice.forget_calls()
        await alice.refused(ConsentDeclined, "@demo_bot", via="attachment_menu")
        assert alice.asked == [REQUEST, "contacts.resolveUsername", LIST, ONE]


async def test_any_error_makes_the_list_doubtful() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="attachment_menu")
        alice.sandbox.faults.on(REQUEST, Fail(403, "CHAT_WRITE_FORBIDDEN"))
        await alice.refused(RpcFailed, "@demo_bot", via="attachment_menu")
        alice.forget_calls()
        await alice.open("@demo_bot", via="attachment_menu")
        assert alice.asked == [LIST, REQUEST]


# Installing


async def test_an_inactive_entry_is_installed_with_consent() -> None:
    async with account() as alice:
        await alice.open("@attach_bot", INSTALL, via="attachment_menu", chat="@bob_builds")
        steps = {LIST, ONE, TOGGLE, REQUEST}
        assert [method for method in alice.asked if method in steps] == [LIST, ONE, TOGGLE, REQUEST]
        sent = alice.sent(TOGGLE)
        assert sent["enabled"] is True
        assert "write_allowed" not in sent
        me = alice.sandbox.world.user("alice")
        assert ATTACH_BOT in me.attach_menu
        assert ATTACH_BOT not in me.writes_allowed
        alice.forget_calls()
        await alice.open("@attach_bot", chat="@bob_builds")
        assert alice.asked == [LIST, REQUEST]


async def test_write_access_is_asked_with_the_installation() -> None:
    async with account() as alice:
        asker = Asker()
        await alice.open("@attach_bot", asker, chat="@bob_builds")
        assert {"installation", "write_access"} in asker.questions
        assert alice.sent(TOGGLE)["write_allowed"] is True
        assert ATTACH_BOT in alice.sandbox.world.user("alice").writes_allowed


async def test_write_access_is_not_asked_for_a_bot_that_does_not_want_it() -> None:
    async with account() as alice:
        menu = alice.sandbox.world.bot(ATTACH_BOT).attach_menu
        assert menu is not None
        menu.request_write_access = False
        asker = Asker()
        await alice.open("@attach_bot", asker, chat="@bob_builds")
        assert {"installation"} in asker.questions
        assert "write_allowed" not in alice.sent(TOGGLE)


@pytest.mark.parametrize("consent", [None, Consent("write_access")])
async def test_declined_nothing_is_installed(consent: Consent | None) -> None:
    async with account() as alice:
        error = await alice.refused(ConsentDeclined, "@attach_bot", consent, chat="@bob_builds")
        assert error.question == "installation"
        assert TOGGLE not in alice.asked
        assert REQUEST not in alice.asked
        assert ATTACH_BOT not in alice.sandbox.world.user("alice").attach_menu


async def test_a_chat_of_another_kind_after_installing_is_told_so() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "@attach_bot", INSTALL, chat="@plain_bot")
        assert "now installed" in error.meaning
        assert "broadcast, chat, pm" in error.remedy
        assert TOGGLE in alice.asked
        assert REQUEST not in alice.asked


# Kinds of chats


def kinds() -> Iterator[tuple[str, Any]]:
    yield from CHATS.items()
    yield "chat", "@demo_forum"


async def test_the_chat_has_to_be_of_a_kind_the_entry_is_for() -> None:
    async with account() as alice:
        menu = alice.bot.attach_menu
        assert menu is not None
        for allowed in CHATS:
            menu.peer_types = {allowed}  # type: ignore[arg-type]
            for kind, chat in kinds():
                alice.cache.forget_attach_menu()
                alice.forget_calls()
                if kind == allowed:
                    await alice.open("@demo_bot", via="attachment_menu", chat=chat)
                else:
                    error = await alice.refused(CannotOpen, "@demo_bot", via="attachment_menu", chat=chat)
                    assert error.remedy.endswith(f": {allowed}.")
                assert (REQUEST in alice.asked) is (kind == allowed)


async def test_saved_messages_are_a_private_chat_and_no_chat_is_none() -> None:
    async with account() as alice:
        menu = alice.bot.attach_menu
        assert menu is not None
        menu.peer_types = {"pm"}
        await alice.open("@demo_bot", via="attachment_menu", chat="me")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerSelf()
        error = await alice.refused(
            CannotOpen, "@demo_bot", via="attachment_menu", chat=types.InputPeerEmpty()
        )
        assert error.meaning == "No chat is open."


@pytest.mark.parametrize(
    ("choose", "usable"),
    [
        ("users", {"pm"}),
        ("bots", {"bot_pm"}),
        ("groups+channels", {"chat", "broadcast"}),
        ("users+cats", {"pm"}),
        ("cats", {"same_bot_pm", "bot_pm", "pm", "chat", "broadcast"}),
    ],
)
async def test_choose_narrows_the_kinds_of_chats(choose: str, usable: set[str]) -> None:
    link = f"https://t.me/demo_bot?startattach=1&choose={choose}"
    async with account() as alice:
        for kind, chat in kinds():
            alice.forget_calls()
            if kind in usable:
                await alice.open(link, chat=chat)
                assert alice.sent(REQUEST)["start_param"] == "1"
            else:
                await alice.refused(CannotOpen, link, chat=chat)
                assert REQUEST not in alice.asked


async def test_choosing_what_the_entry_is_not_for_leaves_all_of_its_kinds() -> None:
    async with account() as alice:
        menu = alice.bot.attach_menu
        assert menu is not None
        menu.peer_types = {"chat"}
        await alice.open("https://t.me/demo_bot?startattach&choose=users", chat=-GROUP)
        await alice.refused(CannotOpen, "https://t.me/demo_bot?startattach&choose=users", chat="@bob_builds")


# Links


async def test_a_link_opens_in_the_current_chat_or_else_with_the_bot() -> None:
    async with account() as alice:
        await alice.open("https://t.me/demo_bot?startattach=abc")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
        assert alice.sent(REQUEST)["start_param"] == "abc"
        await alice.open("tg://resolve?domain=demo_bot&startattach", chat="@demo_news")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerChannel(CHANNEL, alice.hash_of(CHANNEL))
        assert "start_param" not in alice.sent(REQUEST)


@pytest.mark.parametrize("place", ["bob_builds?", "+9996622222?"])
async def test_a_link_may_name_the_chat(place: str) -> None:
    async with account() as alice:
        link = f"https://t.me/{place}attach=demo_bot&startattach=p"
        await alice.open(link)
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))
        assert alice.sent(REQUEST)["start_param"] == "p"
        await alice.open(link, chat="@demo_news")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerChannel(CHANNEL, alice.hash_of(CHANNEL))


async def test_a_phone_number_of_nobody_is_refused() -> None:
    async with account() as alice:
        error = await alice.refused(RpcFailed, "https://t.me/+1234567?attach=demo_bot")
        assert error.name == "PHONE_NOT_OCCUPIED"


async def test_a_link_of_a_bot_without_entry_is_refused() -> None:
    async with account() as alice:
        assert (
            "offers nothing"
            in (await alice.refused(CannotOpen, "https://t.me/plain_bot?startattach")).meaning
        )
        assert "no entry" in (await alice.refused(CannotOpen, "https://t.me/side_bot?startattach")).meaning
        await alice.refused(BotNotFound, "https://t.me/bob_builds?attach=nobody_there")


async def test_an_entry_that_was_missing_is_looked_for_again() -> None:
    async with account() as alice:
        await alice.refused(CannotOpen, "https://t.me/plain_bot?startattach")
        alice.sandbox.world.bot("plain_bot").attach_menu = AttachMenu("Plain", "https://plain.example/")
        await alice.open("https://t.me/plain_bot?startattach", INSTALL)


@pytest.mark.parametrize(
    "link", ["t.me/demo_bot?startattach=", "t.me/bob_builds?attach=demo_bot&startattach="]
)
async def test_a_start_parameter_that_is_too_long_is_not_sent(link: str) -> None:
    async with account() as alice:
        await alice.refused(BadInput, link + "x" * 513)
        assert alice.asked == []
        await alice.open(link + "x" * 512)
        assert alice.sent(REQUEST)["start_param"] == "x" * 512


# Topics


async def test_a_topic_is_told_with_the_request_and_with_every_prolong() -> None:
    async with account() as alice:
        opened = await alice.open(
            "@demo_bot",
            via="attachment_menu",
            chat="@demo_forum",
            topic=2,
            send_as="@demo_news",
            silent=True,
        )
        place = {
            "peer": types.InputPeerChannel(FORUM, alice.hash_of(FORUM)),
            "reply_to": types.InputReplyToMessage(reply_to_msg_id=2, top_msg_id=2),
            "send_as": types.InputPeerChannel(CHANNEL, alice.hash_of(CHANNEL)),
            "silent": True,
        }
        sent = alice.sent(REQUEST)
        assert {name: sent[name] for name in place} == place
        query_id = opened.web_view.query_id
        assert query_id is not None
        await prolong(alice.client, opened.app.bot, opened.app.context, query_id)
        sent = alice.sent("messages.prolongWebView")
        assert {name: sent[name] for name in place} == place


async def test_a_reply_in_a_topic_names_both() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="attachment_menu", chat="@demo_forum", topic=2, reply_to=4)
        assert alice.sent(REQUEST)["reply_to"] == types.InputReplyToMessage(reply_to_msg_id=4, top_msg_id=2)


async def test_a_topic_that_is_not_there_is_refused() -> None:
    async with account() as alice:
        error = await alice.refused(
            RpcFailed, "@demo_bot", via="attachment_menu", chat="@demo_forum", topic=77
        )
        assert error.name == "MSG_ID_INVALID"
        assert alice.asked.count(REQUEST) == 1
