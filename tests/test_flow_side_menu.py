"""The side menu over the wire: installing, the disclaimer, the older reading of links."""

from __future__ import annotations

from typing import Any

import pytest

from flows import CannotOpen, Consent, ConsentDeclined, SideMenuApp
from launcher.sandbox.default_world import SIDE_BOT
from tests.opened import Account, Asker, account

REQUEST, TOGGLE = "messages.requestSimpleWebView", "messages.toggleBotInAttachMenu"


def installed(alice: Account) -> None:
    alice.sandbox.world.user("alice").attach_menu.add(SIDE_BOT)


async def test_an_installed_entry_opens_without_chat_and_address() -> None:
    async with account() as alice:
        opened = await alice.open("@demo_bot", via="side_menu")
        assert isinstance(opened.app, SideMenuApp)
        assert set(alice.sent(REQUEST)) == {"bot", "platform", "from_side_menu"}
        assert opened.web_view.query_id is None
        assert opened.web_view.init_data is not None


async def test_the_name_of_a_bot_that_is_in_the_side_menu_alone_means_that() -> None:
    async with account() as alice:
        opened = await alice.open("@side_bot", Consent("installation", "disclaimer"))
        assert isinstance(opened.app, SideMenuApp)


async def test_the_disclaimer_is_asked_once() -> None:
    async with account() as alice:
        installed(alice)
        asker = Asker()
        for _ in range(2):
            alice.cache.forget_attach_menu()
            await alice.open("@side_bot", asker, via="side_menu")
        assert asker.questions == [{"first_launch"}, {"disclaimer"}]
        assert SIDE_BOT in alice.cache.disclaimed


async def test_a_declined_disclaimer_opens_nothing() -> None:
    async with account() as alice:
        installed(alice)
        error = await alice.refused(ConsentDeclined, "@side_bot", via="side_menu")
        assert error.question == "disclaimer"
        assert REQUEST not in alice.asked
        assert alice.cache.disclaimed == set()


async def test_installing_asks_for_the_disclaimer_too_and_not_again() -> None:
    async with account() as alice:
        asker = Asker()
        await alice.open("@side_bot", asker, via="side_menu")
        await alice.open("@side_bot", asker, via="side_menu")
        assert asker.questions == [{"first_launch"}, {"installation", "disclaimer"}]
        assert alice.asked.count(TOGGLE) == 1
        assert SIDE_BOT in alice.sandbox.world.user("alice").attach_menu


@pytest.mark.parametrize(
    ("allowed", "missing"), [("installation", "disclaimer"), ("disclaimer", "installation")]
)
async def test_installing_needs_both(allowed: str, missing: str) -> None:
    async with account() as alice:
        error = await alice.refused(ConsentDeclined, "@side_bot", Consent(allowed), via="side_menu")
        assert error.question == missing
        assert TOGGLE not in alice.asked


@pytest.mark.parametrize(("target", "said"), [("@plain_bot", "offers nothing"), ("@attach_bot", "no entry")])
async def test_a_bot_without_entry_is_refused(target: str, said: str) -> None:
    async with account() as alice:
        assert said in (await alice.refused(CannotOpen, target, via="side_menu")).meaning
        assert REQUEST not in alice.asked


async def test_a_link_of_the_older_documentation_opens_it_when_asked_to() -> None:
    async with account() as alice:
        opened = await alice.open("https://t.me/demo_bot?startapp=old", via="side_menu")
        assert isinstance(opened.app, SideMenuApp)
        sent: dict[str, Any] = alice.sent(REQUEST)
        assert (sent["from_side_menu"], sent["start_param"]) == (True, "old")
        assert opened.web_view.launch_params.start_param == "old"
