"""Keyboard buttons over the wire."""

from __future__ import annotations

import asyncio
from typing import Any

from telethon import events
from telethon.tl import functions, types

from flows import BadInput, CannotOpen, KeyboardButtonApp, send_data
from launcher.sandbox.default_world import DEMO_BOT
from tests.opened import account, client_of

REQUEST = "messages.requestSimpleWebView"


async def test_the_button_of_a_message_opens_without_identity() -> None:
    async with account() as alice:
        opened = await alice.open(await alice.message(text="Press a key"))
        assert isinstance(opened.app, KeyboardButtonApp)
        assert opened.app.button_text == "Order"
        assert opened.web_view.init_data is None
        assert opened.web_view.query_id is None
        sent = alice.sent(REQUEST)
    assert sent["bot"] == types.InputUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
    assert set(sent) == {"bot", "url", "platform"}


async def test_the_button_is_found_by_text_place_or_row_and_column() -> None:
    async with account() as alice:
        for wanted in ("Order", 0, (0, 0)):
            opened = await alice.open("@demo_bot", via="keyboard_button", button=wanted)
            assert isinstance(opened.app, KeyboardButtonApp)
            assert opened.app.button_text == "Order"


async def test_a_button_without_an_app_is_named() -> None:
    async with account() as alice:
        message = await alice.message(text="Press a key")
        for wanted in ("Help", 1, (0, 1)):
            error = await alice.refused(CannotOpen, message, button=wanted)
            assert "'Help' opens no Mini App" in error.meaning


async def test_a_button_that_is_not_there_lists_those_that_are() -> None:
    async with account() as alice:
        message = await alice.message(text="Press a key")
        for wanted in ("Order ", 2, -1, (1, 0), (0, 2)):
            error = await alice.refused(CannotOpen, message, button=wanted)
            assert repr(wanted) in error.meaning
            assert "'Order', 'Help'" in error.remedy


async def test_it_opens_in_the_chat_with_its_bot_only() -> None:
    async with account() as alice:
        message = await alice.message(text="Press a key")
        error = await alice.refused(CannotOpen, message, chat="@bob_builds")
        assert "private chat" in error.meaning
        assert REQUEST not in alice.asked


async def test_a_start_parameter_cannot_be_carried_and_the_right_calls_are_named() -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, "@demo_bot", via="keyboard_button", start_param="x")
        assert REQUEST in error.meaning
        for method in ("messages.requestAppWebView", "messages.requestMainWebView"):
            assert method in error.remedy
        assert alice.asked == []
        await alice.refused(BadInput, await alice.message(text="Press a key"), start_param="x")
        assert REQUEST not in alice.asked


async def test_several_app_buttons_are_listed() -> None:
    async with account() as alice:
        message = await alice.message(text="Press a key")
        row = alice.sandbox.world.boxes[alice.id].messages[message.id].markup.rows[0]
        row.buttons.append(
            types.KeyboardButton("More", types.ButtonTypeSimpleWebView("https://demo.example/order"))
        )
        message = await alice.message(text="Press a key")
        error = await alice.refused(BadInput, message)
        assert "'Order', 'More'" in error.meaning
        opened = await alice.open(message, button="More")
        assert isinstance(opened.app, KeyboardButtonApp)
        assert opened.app.button_text == "More"


async def test_the_data_goes_to_the_bot_with_the_button() -> None:
    async with account() as alice, client_of(alice.sandbox, "demo_bot") as bot:
        received = alice.client.loop.create_future()

        async def receive(update: Any) -> None:
            received.set_result(update.message.action)

        await bot(functions.updates.GetStateRequest())
        bot.add_event_handler(receive, events.Raw(types.UpdateNewMessage))
        opened = await alice.open("@demo_bot", via="keyboard_button")
        assert isinstance(opened.app, KeyboardButtonApp)
        await send_data(alice.client, opened.app, "one coffee", 7)
        assert await asyncio.wait_for(received, 60) == types.MessageActionWebViewDataSentMe(
            "Order", "one coffee"
        )
        assert alice.sent("messages.sendWebViewData")["random_id"] == 7
