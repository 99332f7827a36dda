"""What pages ask of the account and of other apps, in real Chromium: how it ends, and what the app becomes.

One launcher for most tests of this module; those that lose the account or leave the launcher have their own.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flows import DARK, AccountLost, Consent, OpenMode, OpenParameters, Prompt, WebView
from launcher.bridge.device import Device
from launcher.effects import Choices
from launcher.hosting import Hosting, hosted
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.live_page import Failure
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox import Fail, Sandbox
from tests.browsers import SECONDS, browser
from tests.pages import HEARING, Pages, app
from tests.running import calls_of, data_received, in_own_task, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

KEYS = {"req_id": "1", "method": "getStorageKeys", "params": {}}
LINK = {"path_full": "/demo_bot/app"}
LINKING = """
  const link = document.getElementById('link');
  if (link) link.onclick = () => post('web_app_open_link', {url: 'ton://clicked'});
  post('web_app_ready');
"""
PAGE = app(HEARING + LINKING, '<button id="link">Open</button>')


@dataclass(frozen=True, slots=True)
class Scene:
    launcher: Launcher
    sandbox: Sandbox
    pages: Pages

    @asynccontextmanager
    async def shown(
        self, via: str = "main_app", platform: str = "android", consent: Consent | None = None, **hosting: Any
    ) -> AsyncIterator[MiniApp]:
        async with asyncio.timeout(SECONDS):
            async with self.launcher.open(
                "@demo_bot",
                via=via,
                parameters=OpenParameters(platform=platform),
                consent=consent or Consent("hidden_link"),
                hosting=Hosting("browser", **hosting),
            ) as live:
                await live.ready()
                yield live


@asynccontextmanager
async def setting(browser: Browser) -> AsyncIterator[Scene]:
    async with (
        Pages({"/": PAGE, "/linked": PAGE}) as pages,
        launching(seconds=20 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        sandbox.world.app_config["web_app_allowed_protocols"] = ["https", "ton"]
        bot = sandbox.world.bot("demo_bot")
        bot.main_app, bot.apps["app"].url = pages.url("/"), pages.url("/linked")
        for message in sandbox.world.boxes[1001].messages.values():
            for row in getattr(message.markup, "rows", ()):
                for button in row.buttons:
                    if hasattr(button.type, "url") and "t.me" not in button.type.url:
                        button.type.url = pages.url("/")
        bot.webview_buttons.add(pages.url("/"))
        yield Scene(launcher, sandbox, pages)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(browser: Browser) -> AsyncIterator[Scene]:
    async with in_own_task(setting(browser)) as scene:
        yield scene


async def ask(live: MiniApp, name: str, data: Any = None) -> None:
    await live.frame.evaluate("([name, data]) => post(name, data ?? undefined)", [name, data])


async def heard(live: MiniApp, name: str) -> Any:
    """The data of the next event of this name that the page gets."""
    return await live.frame.evaluate("name => take(name)", name)


async def still_heard(live: MiniApp) -> None:
    await ask(live, "web_app_request_theme")
    assert await heard(live, "theme_changed")
    assert not live.is_closed


def next_failure(live: MiniApp) -> asyncio.Future[Failure]:
    assert live.live is not None
    failed: asyncio.Future[Failure] = asyncio.get_running_loop().create_future()
    live.live.on_failure = failed.set_result
    return failed


# The account


async def test_a_page_can_learn_that_the_account_is_lost(browser: Browser) -> None:
    async with setting(browser) as scene, scene.shown() as live:
        scene.sandbox.faults.on("bots.invokeWebViewCustomMethod", Fail(401, "SESSION_REVOKED"))
        await ask(live, "web_app_invoke_custom_method", KEYS)
        assert await live.closed() is CloseReason.ACCOUNT_LOST
        with pytest.raises(AccountLost):
            async with scene.launcher.open("t.me/demo_bot/app"):
                raise AssertionError("opened")


async def test_what_fails_in_passing_is_repeated_as_the_same(scene: Scene) -> None:
    asked: list[Prompt] = []

    def agree(prompt: Prompt) -> bool:
        asked.append(prompt)
        return True

    async with scene.shown(consent=Consent(phone=agree)) as live:
        scene.sandbox.log.clear()
        scene.sandbox.faults.on("messages.sendMedia", Fail(500, "INTERNAL"))
        await ask(live, "web_app_request_phone")
        assert await heard(live, "phone_requested") == {"status": "sent"}
    sent = [call.parameters["random_id"] for call in scene.sandbox.log if call.method == "messages.sendMedia"]
    assert (len(sent), len(set(sent)), len(asked)) == (2, 1, 1)


async def test_a_server_in_trouble_is_asked_again(scene: Scene) -> None:
    async with scene.shown() as live:
        scene.sandbox.faults.on("bots.invokeWebViewCustomMethod", Fail(500, "INTERNAL"))
        await ask(live, "web_app_invoke_custom_method", KEYS)
        assert await heard(live, "custom_method_invoked") == {"req_id": "1", "result": []}


async def test_why_nothing_was_paid_is_kept(scene: Scene) -> None:
    async with scene.shown() as live:
        failed = next_failure(live)
        await ask(live, "web_app_open_invoice", {"slug": "demo-card"})
        assert await heard(live, "invoice_closed") == {"slug": "demo-card", "status": "cancelled"}
        assert (await failed).name == "web_app_open_invoice"
        assert "needs a card" in live.failures[-1].why


async def test_the_servers_refusal_is_kept(scene: Scene) -> None:
    async with scene.shown() as live:
        failed = next_failure(live)
        scene.sandbox.faults.on("bots.canSendMessage", Fail(400, "BOT_INVALID"))
        await ask(live, "web_app_request_write_access")
        assert await heard(live, "write_access_requested") == {"status": "cancelled"}
        assert "BOT_INVALID" in (await failed).why


# The end


async def test_data_that_was_refused_leaves_the_app_open(scene: Scene) -> None:
    before = len(data_received(scene.sandbox))
    async with scene.shown("keyboard_button") as live:
        failed = next_failure(live)
        scene.sandbox.faults.on("messages.sendWebViewData", Fail(400, "BOT_INVALID"))
        await ask(live, "web_app_data_send", {"data": "first"})
        assert (await failed).name == "web_app_data_send"
        await still_heard(live)
        await ask(live, "web_app_data_send", {"data": "second"})
        assert await live.closed() is CloseReason.DATA_SENT
    assert data_received(scene.sandbox)[before:] == ["second"]


async def test_closing_the_list_of_chats_sends_nothing(scene: Scene) -> None:
    query = {"query": "cats", "chat_types": ["users", "groups"]}
    async with scene.shown() as live:
        failed = next_failure(live)
        scene.sandbox.log.clear()
        await ask(live, "web_app_switch_inline_query", query)
        assert (await failed).why == "No chat was chosen."
        assert calls_of(scene.sandbox, "messages.getInlineBotResults") == []
        await still_heard(live)


async def test_a_chat_may_be_chosen_later(scene: Scene) -> None:
    async def choose(_: Any) -> str:
        return "@bob_builds"

    query = {"query": "cats", "chat_types": ["users"]}
    async with scene.shown(choices=Choices(chat=choose)) as live:
        await ask(live, "web_app_switch_inline_query", query)
        assert await live.closed() is CloseReason.SWITCHED_INLINE


# Links


async def test_links_have_the_protocols_that_telegram_allows(scene: Scene) -> None:
    scene.sandbox.log.clear()
    for allowed in (True, True, False):
        async with scene.shown() as live:
            url = "ton://transfer/x" if allowed else "http://example.org/"
            await ask(live, "web_app_open_link", {"url": url})
            await still_heard(live)
            assert list(live.device.links) == ([url] if allowed else [])
    assert len(calls_of(scene.sandbox, "help.getAppConfig")) <= 1


async def test_a_linked_app_has_its_own_phone_and_no_recordings(browser: Browser, tmp_path: Path) -> None:
    har, phone = tmp_path / "page.har", Device()
    async with setting(browser) as scene:
        async with scene.shown(device=phone, har=har) as live:
            await ask(live, "web_app_open_tg_link", LINK)
            second = await live.next_app()
            await second.ready()
            assert live.device is phone
            assert second.device is not phone
            assert second.page.url.startswith(scene.pages.url("/linked"))
    asked = {entry["request"]["url"] for entry in json.loads(har.read_text())["log"]["entries"]}
    assert any(url.startswith(scene.pages.url("/#")) or url == scene.pages.url("/") for url in asked)
    assert not any("/linked" in url for url in asked)


@pytest.mark.parametrize("returns", [True, False])
async def test_a_linked_app_may_bring_its_opener_back(scene: Scene, returns: bool) -> None:
    async with scene.shown(platform="weba") as live:
        await live.frame.evaluate("void (window.first = take('visibility_changed'))")
        await ask(live, "web_app_open_tg_link", LINK)
        assert await live.frame.evaluate("first") == {"is_visible": False}
        second = await live.next_app()
        await second.ready()
        await ask(second, "web_app_close", {"return_back": returns})
        assert await second.closed() is CloseReason.APP
        if returns:
            assert await heard(live, "visibility_changed") == {"is_visible": True}
        told = [event.data for event in live.events if event.name == "visibility_changed"]
        assert told == [{"is_visible": False}, {"is_visible": True}][: 1 + returns]
        assert live.device.is_visible is returns


async def test_a_link_that_leads_nowhere_minimises_nothing(scene: Scene) -> None:
    async with scene.shown(platform="weba") as live:
        failed = next_failure(live)
        await ask(live, "web_app_open_tg_link", {"path_full": "/nobody_is_here_bot/app"})
        await failed
        assert live.device.is_visible


async def test_a_second_link_meanwhile_is_dropped_and_kept(scene: Scene) -> None:
    async with scene.shown() as live:
        failed = next_failure(live)
        await live.page.evaluate(
            "link => { for (let i = 0; i < 2; i++) post('web_app_open_tg_link', link) }", LINK
        )
        assert (await failed).why == "Another link is being followed."
        second = await live.next_app()
        await second.close()
        assert live.opened.empty()


# Clicks


async def test_a_click_in_the_page_is_a_click(scene: Scene) -> None:
    """iOS opens a link only after a click; what a script makes up is none."""
    async with scene.shown(platform="ios", paced=True) as live:
        await live.page.evaluate(
            "link.dispatchEvent(new PointerEvent('pointerdown', {bubbles: true})); link.click()"
        )
        await still_heard(live)
        assert list(live.device.links) == []
        await live.page.click("#link")
        await still_heard(live)
        assert list(live.device.links) == ["ton://clicked"]


# What the launch decides


async def test_the_phone_is_as_telegram_launched_the_app(scene: Scene) -> None:
    """In its colour scheme, and in fullscreen mode or not."""
    parameters = OpenParameters(theme=DARK, mode=OpenMode.FULLSCREEN)
    async with scene.launcher.open(
        "@demo_bot", via="main_app", parameters=parameters, host="browser"
    ) as live:
        await live.ready()
        assert await live.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        assert live.device.is_fullscreen
        assert live.device.theme["bg_color"] == DARK.bg_color
    async with scene.shown() as live:
        assert await live.page.evaluate("matchMedia('(prefers-color-scheme: light)').matches")
        assert not live.device.is_fullscreen


async def test_a_bot_without_inline_mode_takes_no_queries(browser: Browser) -> None:
    async with setting(browser) as scene:
        scene.sandbox.world.bot("demo_bot").inline_placeholder = None
        async with scene.shown() as live:
            await ask(live, "web_app_switch_inline_query", {"query": "cats"})
            await still_heard(live)
            assert [note.why for note in live.bridge.notes] == ["the bot has no inline mode"]


@pytest.mark.parametrize(("version", "heard_of"), [("6.1", False), ("6.2", True)])
async def test_a_faithful_client_knows_what_its_version_knows(
    scene: Scene, version: str, heard_of: bool
) -> None:
    """Popups came with 6.2. The page's address is of another version than the sandbox's."""
    async with asyncio.timeout(SECONDS), scene.launcher.open("@demo_bot", via="main_app") as live:
        url = re.sub("tgWebAppVersion=[^&]*", f"tgWebAppVersion={version}", live.url)
        live.web_view = WebView(url, same_origin=live.web_view.same_origin)
        async with hosted(scene.launcher, live, Hosting("browser", faithful=True)):
            await live.ready()
            await ask(live, "web_app_open_popup", {"message": "Sure?", "buttons": [{"type": "ok"}]})
            await still_heard(live)
            assert (live.popup.shown is not None) is heard_of
            assert [each.name for each in live.unanswered] == ([] if heard_of else ["web_app_open_popup"])


async def test_an_old_client_closes_an_app_that_follows_a_link(scene: Scene) -> None:
    consent = Consent("hidden_link")
    async with (
        asyncio.timeout(SECONDS),
        scene.launcher.open("@demo_bot", via="main_app", consent=consent) as live,
    ):
        url = re.sub("tgWebAppVersion=[^&]*", "tgWebAppVersion=6.9", live.url)
        live.web_view = WebView(url, same_origin=live.web_view.same_origin)
        async with hosted(scene.launcher, live, Hosting("browser", faithful=True)):
            await live.ready()
            await ask(live, "web_app_open_tg_link", LINK)
            assert await live.closed() is CloseReason.APP
            second = await live.next_app()
            assert not second.is_closed
            await second.close()
