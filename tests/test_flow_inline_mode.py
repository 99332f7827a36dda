"""Inline mode over the wire: the query, the button above its results, the new query at the end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from telethon import events
from telethon.tl import functions, types

from flows import BadInput, CannotOpen, InlineModeApp, Transient, input_peer, switch_inline
from launcher.sandbox import InlineAnswer
from launcher.sandbox.default_world import BOB, DEMO_BOT
from tests.opened import account, client_of

QUERY, REQUEST = "messages.getInlineBotResults", "messages.requestSimpleWebView"


async def test_the_button_above_the_results_opens() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="inline_mode", query="cats", chat="@bob_builds")
        assert isinstance(opened.app, InlineModeApp)
        assert opened.app.button_text == "Open the picker"
        assert alice.asked == ["contacts.resolveUsername"] * 2 + [QUERY, REQUEST]
        asked = alice.sent(QUERY)
        assert (asked["query"], asked["offset"]) == ("cats", "")
        assert asked["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))
        assert alice.sent(REQUEST)["url"] == "https://demo.example/picker"
        assert alice.sent(REQUEST)["from_switch_webview"] is True
        assert opened.web_view.init_data is None
        assert opened.web_view.launch_params.bot_inline is True


async def test_without_a_chat_it_is_the_bots() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="inline_mode")
        assert alice.sent(QUERY)["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
        assert alice.sent(QUERY)["query"] == ""


async def test_a_bot_without_inline_mode_is_refused_without_a_query() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "@plain_bot", via="inline_mode")
        assert "does not take inline queries" in error.meaning
        assert QUERY not in alice.asked


async def test_inline_mode_that_was_missing_is_looked_for_again() -> None:
    async with account() as alice:
        await alice.refused(CannotOpen, "@plain_bot", via="inline_mode")
        bot = alice.sandbox.world.bot("plain_bot")
        bot.inline_placeholder, bot.inline = "Now", alice.bot.inline
        await alice.open("@plain_bot", via="inline_mode")


async def test_results_without_a_button_open_nothing() -> None:
    async with account() as alice:
        alice.bot.inline = InlineAnswer({"a": "A"})
        error = await alice.refused(CannotOpen, "@demo_bot", via="inline_mode")
        assert "no Mini App button" in error.meaning
        assert REQUEST not in alice.asked


async def test_a_bot_of_flesh_and_blood_answers_the_query() -> None:
    async with account() as alice, client_of(alice.sandbox, "demo_bot") as bot:
        alice.bot.inline = None

        async def answer(update: Any) -> None:
            button = types.InlineBotWebView(f"For {update.query}", "https://demo.example/live")
            await bot(
                functions.messages.SetInlineBotResultsRequest(update.query_id, [], 0, switch_webview=button)
            )

        bot.add_event_handler(answer, events.Raw(types.UpdateBotInlineQuery))
        await bot(functions.updates.GetStateRequest())
        opened = await alice.open("@demo_bot", via="inline_mode", query="dogs")
        assert isinstance(opened.app, InlineModeApp)
        assert opened.app.button_text == "For dogs"
        assert alice.sent(REQUEST)["url"] == "https://demo.example/live"


async def test_a_silent_bot_is_a_passing_trouble() -> None:
    async with account() as alice:
        alice.bot.inline = None
        error = await alice.refused(Transient, "@demo_bot", via="inline_mode")
        assert error.name == "BOT_RESPONSE_TIMEOUT"


# The query an app ends with


async def test_a_new_query_is_made_in_the_chat_and_its_result_can_be_sent() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="inline_mode", chat="@bob_builds")
        results = await switch_inline(alice.client, opened.app.bot, "again", opened.app.context.peer)
        asked = alice.sent(QUERY)
        assert (asked["query"], asked["peer"]) == ("again", types.InputPeerUser(BOB, alice.hash_of(BOB)))
        assert asked["bot"] == types.InputUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
        message = await results[0].click()
        assert message.message == "Hello from the demo"
        assert message.peer_id == types.PeerUser(BOB)


@pytest.mark.parametrize(
    ("chat", "word"),
    [
        ("@bob_builds", "users"),
        ("@plain_bot", "bots"),
        ("@demo_bot", "bots"),
        ("@demo_forum", "groups"),
        ("@demo_news", "channels"),
    ],
)
async def test_the_chat_has_to_be_of_the_kinds_the_app_wants(chat: str, word: str) -> None:
    every = {"users", "bots", "groups", "channels"}
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="inline_mode")
        peer = await input_peer(alice.client, chat)
        await switch_inline(alice.client, opened.app.bot, "q", peer, [word])
        assert alice.sent(QUERY)["peer"] == peer
        alice.forget_calls()
        with pytest.raises(CannotOpen, match="another kind"):
            await switch_inline(alice.client, opened.app.bot, "q", peer, every - {word})
        assert QUERY not in alice.asked


async def test_unknown_kinds_and_bots_without_inline_mode_are_refused() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="inline_mode")
        bot, peer = opened.app.bot, opened.app.bot.input_peer
        alice.forget_calls()
        with pytest.raises(BadInput, match="'cats'"):
            await switch_inline(alice.client, bot, "q", peer, ["cats", "users"])
        with pytest.raises(CannotOpen, match="inline queries"):
            await switch_inline(alice.client, replace(bot, inline=False), "q", peer)
        assert alice.asked == []
