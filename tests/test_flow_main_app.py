"""Main Mini Apps over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from telethon.tl import types

from flows import BadInput, CannotOpen, ConsentDeclined, HiddenLink, MainApp
from launcher.sandbox.default_world import BOB, DEMO_BOT
from tests.opened import Asker, account

REQUEST = "messages.requestMainWebView"


@pytest.mark.parametrize(
    ("target", "options"),
    [
        ("@demo_bot", {"via": "main_app"}),
        ("https://t.me/demo_bot", {"via": "main_app"}),
        ("https://t.me/demo_bot?startapp", {}),
        ("tg://resolve?domain=demo_bot&startapp=", {}),
    ],
)
async def test_it_opens_by_name_and_by_link(target: str, options: dict[str, Any]) -> None:
    async with account() as alice:
        opened = await alice.open(target, **options)
        assert isinstance(opened.app, MainApp)
        assert alice.asked == ["contacts.resolveUsername", REQUEST]
        sent = alice.sent(REQUEST)
        assert set(sent) == {"peer", "bot", "platform"}
        assert sent["peer"] == types.InputPeerUser(DEMO_BOT, alice.hash_of(DEMO_BOT))
        assert opened.web_view.query_id is None
        assert opened.web_view.init_data is not None


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("startapp=x-1", {"start_param": "x-1"}),
        ("startapp=x&mode=compact", {"start_param": "x", "compact": True}),
        ("startapp&mode=fullscreen", {"fullscreen": True}),
        ("startapp&mode=tiny", {}),
    ],
)
async def test_the_link_says_parameter_and_mode(link: str, expected: dict[str, Any]) -> None:
    async with account() as alice:
        await alice.open(f"https://t.me/demo_bot?{link}")
        sent = alice.sent(REQUEST)
    assert {
        name: value for name, value in sent.items() if name not in ("peer", "bot", "platform")
    } == expected


async def test_no_chat_may_be_open_or_any_other() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="main_app", chat=types.InputPeerEmpty())
        assert alice.sent(REQUEST)["peer"] == types.InputPeerEmpty()
        await alice.open("https://t.me/demo_bot?startapp", chat="@bob_builds")
        assert alice.sent(REQUEST)["peer"] == types.InputPeerUser(BOB, alice.hash_of(BOB))


@pytest.mark.parametrize("target", ["https://t.me/plain_bot?startapp", "https://t.me/plain_bot?startapp=x"])
async def test_a_bot_without_one_is_refused(target: str) -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, target)
        assert "@plain_bot has no main Mini App" in error.meaning
        assert alice.asked == ["contacts.resolveUsername"]


async def test_one_that_was_missing_is_looked_for_again() -> None:
    async with account() as alice:
        await alice.refused(CannotOpen, "@plain_bot", via="main_app")
        alice.sandbox.world.bot("plain_bot").main_app = "https://plain.example/"
        await alice.open("@plain_bot", via="main_app")


async def test_one_that_was_removed_is_noticed() -> None:
    async with account() as alice:
        await alice.open("@demo_bot", via="main_app")
        alice.bot.main_app = None
        alice.forget_calls()
        await alice.refused(CannotOpen, "@demo_bot", via="main_app")
        assert alice.asked == [REQUEST, "contacts.resolveUsername"]


async def test_a_restricted_bot_is_refused_until_it_is_no_longer() -> None:
    async with account() as alice:
        for _ in range(2):
            assert "restricts" in (await alice.refused(CannotOpen, "@restricted_bot", via="main_app")).meaning
        assert REQUEST not in alice.asked
        alice.sandbox.world.bot("restricted_bot").restricted_for.clear()
        await alice.open("@restricted_bot", via="main_app")


async def test_a_start_parameter_is_given_once() -> None:
    async with account() as alice:
        await alice.open("https://t.me/demo_bot?startapp", start_param="mine")
        assert alice.sent(REQUEST)["start_param"] == "mine"
        await alice.open("https://t.me/demo_bot?startapp=mine", start_param="mine")
        alice.forget_calls()
        await alice.refused(BadInput, "https://t.me/demo_bot?startapp=yours", start_param="mine")
        await alice.refused(BadInput, "https://t.me/demo_bot?startapp=" + "x" * 513)
        assert alice.asked == []


async def test_a_name_of_no_bot_is_refused() -> None:
    async with account() as alice:
        for target in ("https://t.me/bob_builds?startapp", "https://t.me/demo_news?startapp"):
            assert "is not a bot" in (await alice.refused(CannotOpen, target)).meaning


async def test_a_login_request_is_no_app() -> None:
    async with account() as alice:
        for target in ("https://t.me/oauth?startapp=secret", "tg://resolve?domain=oauth&startapp=secret"):
            error = await alice.refused(BadInput, target)
            assert "log in" in error.meaning
            assert "secret" not in str(error)
        assert alice.asked == []


async def test_a_hidden_link_asks_in_the_same_prompt_as_the_first_launch() -> None:
    async with account() as alice:
        hidden = HiddenLink("https://t.me/demo_bot?startapp")
        assert (await alice.refused(ConsentDeclined, hidden)).question == "hidden_link"
        assert REQUEST not in alice.asked
        asker = Asker()
        await alice.open(hidden, asker)
        assert asker.questions == [{"first_launch", "hidden_link"}]
