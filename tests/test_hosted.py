"""Live apps in real Chromium, end to end: a page, its client, the account, the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from flows import BadInput, Consent, OpenParameters
from launcher.hosting import Hosting
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.page_events import NotSeen
from launcher.sandbox import Sandbox
from tests.browsers import SECONDS, browser
from tests.pages import Pages, app
from tests.running import CALM, bot_client, data_received, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

SHOWN = """
const seen = [];
const receive = (name, data) => { seen.push([name, data]); document.title = name; };
window.Telegram = { WebView: { receiveEvent: receive } };
window.addEventListener('message', event => {
  if (typeof event.data !== 'string') return;
  const { eventType, eventData } = JSON.parse(event.data);
  if (eventType) receive(eventType, eventData);
});
window.answered = name => new Promise(resolve => {
  const look = () => {
    const found = seen.find(([seen]) => seen === name);
    found ? resolve(found[1]) : setTimeout(look, 5);
  };
  look();
});
post('web_app_ready');
"""


@asynccontextmanager
async def showing(browser: Browser) -> AsyncIterator[tuple[Launcher, Sandbox, str]]:
    """A launcher in a sandbox whose demo bot's apps are pages of ours."""
    async with (
        Pages({"/": app(SHOWN)}) as pages,
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        url = pages.url("/")
        bot = sandbox.world.bot("demo_bot")
        bot.main_app = url
        bot.apps["app"].url = url
        assert bot.menu_button
        bot.menu_button.url = url
        for message in sandbox.world.boxes[1001].messages.values():
            for row in getattr(message.markup, "rows", ()):
                for button in row.buttons:
                    if hasattr(button.type, "url") and "t.me" not in button.type.url:
                        button.type.url = url
        bot.webview_buttons.add(url)
        yield launcher, sandbox, url


@asynccontextmanager
async def shown(launcher: Launcher, target: str, **options: Any) -> AsyncIterator[MiniApp]:
    async with launcher.open(target, **{"host": "browser"} | options) as opened:
        async with asyncio.timeout(SECONDS):
            await opened.ready()
        yield opened


@pytest.mark.parametrize("platform", ["android", "weba"])
async def test_a_page_hears_what_it_asks(browser: Browser, platform: str) -> None:
    async with showing(browser) as (launcher, _, _):
        parameters = OpenParameters(platform=platform)
        async with shown(launcher, "@demo_bot", via="main_app", parameters=parameters) as live:
            await live.frame.evaluate("post('web_app_request_theme')")
            theme = await live.frame.evaluate("answered('theme_changed')")
            assert theme["theme_params"]["bg_color"] == "#ffffff"
            assert "web_app_request_theme" in [event.name for event in live.events]


async def test_a_script_presses_the_main_button(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app") as live:
            with pytest.raises(BadInput, match="hidden"):
                await live.main_button.press()
            async with live.expect("web_app_setup_main_button", timeout=SECONDS):
                await live.page.evaluate(
                    "post('web_app_setup_main_button', {is_visible: true, is_active: true, text: 'Pay'})"
                )
            assert live.main_button.text == "Pay"
            await live.main_button.press()
            await live.page.evaluate("answered('main_button_pressed')")


async def test_a_script_answers_the_popup(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app") as live:
            async with live.expect("web_app_open_popup", timeout=SECONDS) as popup:
                await live.page.evaluate(
                    "post('web_app_open_popup', {message: 'Sure?', buttons: [{id: 'yes', type: 'ok'}]})"
                )
            assert popup.data["message"] == "Sure?"
            await live.popup.press("yes")
            assert await live.page.evaluate("answered('popup_closed')") == {"button_id": "yes"}


async def test_an_event_that_does_not_come_is_missed_with_what_came(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app") as live:
            with pytest.raises(NotSeen, match=r"web_app_close within 0.2 s; it sent web_app_request_theme"):
                async with live.expect("web_app_close", timeout=0.2):
                    await live.page.evaluate("post('web_app_request_theme')")


async def test_the_pages_data_reaches_the_bot_once(browser: Browser) -> None:
    async with showing(browser) as (launcher, sandbox, _):
        async with shown(launcher, "@demo_bot", via="keyboard_button") as live:
            await live.page.evaluate(
                "for (let n = 0; n < 100; n++) post('web_app_data_send', {data: 'n' + n})"
            )
            assert await live.closed() is CloseReason.DATA_SENT
        assert data_received(sandbox) == ["n0"]


@pytest.mark.parametrize(("allow", "status"), [((), "cancelled"), (("phone",), "sent")])
async def test_the_phone_number_is_shared_by_consent_only(
    browser: Browser, allow: tuple[str, ...], status: str
) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app", consent=Consent(*allow)) as live:
            await live.page.evaluate("post('web_app_request_phone')")
            assert await live.page.evaluate("answered('phone_requested')") == {"status": status}


async def test_cloud_storage_outlives_a_launch(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        for method, params, result in (
            ("saveStorageValue", "{key: 'a', value: 'b'}", True),
            ("getStorageValues", "{keys: ['a']}", {"a": "b"}),
        ):
            async with shown(launcher, "@demo_bot", via="main_app") as live:
                await live.page.evaluate(
                    "post('web_app_invoke_custom_method', "
                    f"{{req_id: '1', method: '{method}', params: {params}}})"
                )
                answer = await live.page.evaluate("answered('custom_method_invoked')")
                assert answer == {"req_id": "1", "result": result}


async def test_a_link_in_the_page_opens_another_app(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app", consent=Consent("hidden_link")) as live:
            await live.page.evaluate("post('web_app_open_tg_link', {path_full: '/demo_bot/app?startapp=x'})")
            async with asyncio.timeout(SECONDS):
                second = await live.next_app()
                await second.ready()
            assert second.flow == "direct_link"
            assert second.init_data is not None
            assert second.init_data.start_param == "x"
            assert second.page is not live.page
            await second.page.evaluate("post('web_app_request_theme')")
            await second.page.evaluate("answered('theme_changed')")
            assert "web_app_request_theme" not in [event.name for event in live.events]
            await second.page.evaluate("post('web_app_close', {return_back: true})")
            assert await second.closed() is CloseReason.APP
            assert (second.returns, live.is_closed) == (True, False)


async def test_a_bots_answer_closes_a_shown_app(browser: Browser) -> None:
    from tests.test_launcher import answer_query

    async with showing(browser) as (launcher, sandbox, _):
        async with shown(launcher, "@demo_bot", via="menu_button") as live:
            await answer_query(sandbox, live)
            assert await live.closed() is CloseReason.RESULT_SENT
            async with bot_client(sandbox) as bot:
                assert await bot.get_me()


async def test_a_closed_page_is_the_end_of_the_app(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app") as live:
            await live.page.close()
            assert await live.closed() is CloseReason.APP


async def test_a_screenshot_is_a_picture(browser: Browser, tmp_path: Path) -> None:
    async with showing(browser) as (launcher, _, _):
        async with shown(launcher, "@demo_bot", via="main_app") as live:
            await live.screenshot(tmp_path / "page.png")
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")


async def test_a_given_browser_serves_several_launchers_and_stays(browser: Browser) -> None:
    """A launcher that is left takes its pages with it, those that links have opened too."""
    before = len(browser.playwright.contexts)
    async with showing(browser) as (one, _, _), showing(browser) as (other, _, _):
        consent = Consent("hidden_link")
        async with (
            shown(one, "@demo_bot", via="main_app", consent=consent) as live,
            shown(other, "@demo_bot", via="main_app"),
        ):
            await live.page.evaluate("post('web_app_open_tg_link', {path_full: '/demo_bot/app'})")
            second = await live.next_app()
            await second.ready()
            assert len(browser.playwright.contexts) == before + 3
    assert len(browser.playwright.contexts) == before
    assert second.page.is_closed()


async def test_an_app_without_a_page_says_so() -> None:
    async with launching() as (launcher, _):
        async with launcher.open("t.me/demo_bot/app") as live:
            with pytest.raises(BadInput, match="not shown"):
                _ = live.page


async def test_the_http_host_looks_at_the_page(browser: Browser) -> None:
    async with showing(browser) as (launcher, _, _):
        async with launcher.open("@demo_bot", via="main_app", host="http") as live:
            assert live.http is not None
            assert live.http.status == 200


async def test_hosting_has_plain_defaults() -> None:
    assert Hosting("browser").choices.chat(None) is None
