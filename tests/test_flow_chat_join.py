"""Chat-join apps over the wire."""

from __future__ import annotations

from typing import Any

import pytest
from telethon import events
from telethon.tl import functions, types

from flows import BadInput, CannotOpen, ChatJoinApp, RpcFailed
from launcher.sandbox.default_world import GUARD_BOT, GUARDED
from tests.opened import account, client_of

REQUEST = "messages.requestChatJoinWebView"
INVITE = "https://t.me/+GuardedChannelInvite"


@pytest.mark.parametrize(
    ("target", "options", "join"),
    [
        (INVITE, {}, "messages.importChatInvite"),
        ("tg://join?invite=GuardedChannelInvite", {}, "messages.importChatInvite"),
        ("@demo_guarded", {"via": "chat_join"}, "channels.joinChannel"),
        ("https://t.me/demo_guarded", {"via": "chat_join"}, "channels.joinChannel"),
    ],
)
async def test_joining_a_guarded_chat_opens_the_guards_app(
    target: str, options: dict[str, Any], join: str
) -> None:
    async with account() as alice:
        opened = await alice.open(target, **options)
        assert isinstance(opened.app, ChatJoinApp)
        assert opened.app.bot.id == GUARD_BOT
        assert alice.asked[-2:] == [join, REQUEST]
        assert alice.sent(REQUEST) == {"query_id": opened.app.query_id, "platform": "android"}
        assert opened.web_view.query_id is None
        assert opened.web_view.init_data is not None
        assert opened.web_view.init_data.chat_join_request_query_id == str(opened.app.query_id)


async def test_a_guard_that_is_there_shows_its_own_app() -> None:
    async with account() as alice, client_of(alice.sandbox, "guard_bot") as guard:

        async def show(update: Any) -> None:
            word = types.JoinChatBotResultWebView("https://guard.example/live")
            await guard(functions.bots.SetJoinChatResultsRequest(update.query_id, word))

        guard.add_event_handler(show, events.Raw(types.UpdateBotChatInviteRequester))
        await guard(functions.updates.GetStateRequest())
        opened = await alice.open(INVITE)
        assert opened.web_view.origin == "https://guard.example"
        assert opened.web_view.url.startswith("https://guard.example/live#")


async def test_a_chat_without_guard_is_joined_at_once() -> None:
    async with account() as alice:
        error = await alice.refused(CannotOpen, "https://t.me/+PrivateClubInvite")
        assert "joined at once" in error.meaning
        assert REQUEST not in alice.asked


async def test_a_start_parameter_is_refused_before_joining() -> None:
    async with account() as alice:
        for target, options in ((INVITE, {}), ("@demo_guarded", {"via": "chat_join"})):
            error = await alice.refused(BadInput, target, start_param="x", **options)
            assert REQUEST in error.meaning
        assert alice.asked == []


@pytest.mark.parametrize("target", ["@bob_builds", "@demo_bot"])
async def test_only_channels_and_groups_can_be_joined(target: str) -> None:
    async with account() as alice:
        error = await alice.refused(BadInput, target, via="chat_join")
        assert "channels and supergroups" in error.meaning


async def test_what_telegram_refuses_says_why() -> None:
    async with account() as alice:
        error = await alice.refused(RpcFailed, "https://t.me/+NobodyKnowsThis")
        assert error.name == "INVITE_HASH_EXPIRED"
        channel: Any = alice.sandbox.world[GUARDED]
        channel.members.add(alice.id)
        assert (await alice.refused(RpcFailed, INVITE)).name == "USER_ALREADY_PARTICIPANT"
        await alice.refused(CannotOpen, "@nobody_there", via="chat_join")
