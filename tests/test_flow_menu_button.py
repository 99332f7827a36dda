"""Menu buttons over the wire."""

from __future__ import annotations

import pytest
from telethon.tl import types

from flows import CannotOpen, Consent, ConsentDeclined, DirectLinkApp, MenuButtonApp
from launcher.sandbox import MenuButton
from launcher.sandbox.default_world import DEMO_BOT, LINK_BOT
from tests.opened import Asker, account

REQUEST = "messages.requestWebView"


async def test_the_menu_button_is_looked_up_once() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="menu_button")
        assert isinstance(opened.app, MenuButtonApp)
        assert alice.asked == ["contacts.resolveUsername", "users.getFullUser", REQUEST]
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))


async def test_it_opens_in_the_chat_with_the_bot_whatever_chat_is_named() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="menu_button", chat="@bob_builds")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))


async def test_a_bot_that_offers_nothing_else_opens_its_menu_button() -> None:
    async with account() as alice:
        alice.sandbox.world.bot("plain_bot").menu_button = MenuButton("Open", "https://plain.example/")
        assert isinstance((await alice.open("@plain_bot")).app, MenuButtonApp)


@pytest.mark.parametrize("target", ["@plain_bot", "plain_bot", "https://t.me/plain_bot"])
async def test_a_bot_without_menu_button_is_refused(target: str) -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, target)
        assert "@plain_bot offers no Mini App" in error.meaning


async def test_a_menu_button_that_was_missing_is_looked_for_again() -> None:
    async with account() as alice:
        await alice.refused(CannotOpen, "@plain_bot")
        alice.sandbox.world.bot("plain_bot").menu_button = MenuButton("Open", "https://plain.example/")
        alice.forget_calls()
        await alice.open("@plain_bot")
        assert alice.asked == ["users.getFullUser", REQUEST]


async def test_a_menu_button_that_is_a_link_is_opened_as_that_link() -> None:
    async with account() as alice:
        alice.sandbox.world.bot("link_bot").menu_button = MenuButton(
            "Open", "https://t.me/demo_bot/app?startapp=menu&mode=fullscreen"
        )
        assert (await alice.refused(ConsentDeclined, "@link_bot")).question == "hidden_link"
        asker = Asker()
        opened = await alice.open("@link_bot", asker)
        assert isinstance(opened.app, DirectLinkApp)
        assert asker.questions == [{"first_launch", "hidden_link"}]
        sent = alice.sent("messages.requestAppWebView")
        assert (sent["start_param"], sent["fullscreen"]) == ("menu", True)
        assert REQUEST not in alice.asked


async def test_the_users_own_menu_button_is_seen() -> None:
    async with account() as alice:
        bot = alice.sandbox.world.bot(LINK_BOT)
        bot.menu_buttons[alice.id] = MenuButton("Mine", "https://link.example/mine")
        opened = await alice.open("@link_bot", Consent())
        assert isinstance(opened.app, MenuButtonApp)
