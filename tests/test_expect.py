"""What a test says of a live app: in real Chromium, with a page that does as it is told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import pytest

from flows import DARK, BadInput, OpenMode, OpenParameters
from launcher import expect
from launcher.expectations import Expectation, Unmet
from launcher.hosts.browser import Browser
from launcher.mini_app import CloseReason, MiniApp
from tests.browsers import SECONDS, browser
from tests.pages import Pages, app
from tests.running import CALM, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

LATE = 0.0
"""A timeout: what does not hold now does not hold."""


@asynccontextmanager
async def opened(
    browser: Browser, flow: str = "main_app", parameters: OpenParameters | None = None
) -> AsyncIterator[MiniApp]:
    """An app whose page posts whatever a test lets it, and is ready."""
    async with (
        Pages({"/": app("post('web_app_ready');")}) as pages,
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        bot = sandbox.world.bot("demo_bot")
        bot.main_app = pages.url()
        keyboard = next(
            button
            for message in sandbox.world.boxes[1001].messages.values()
            for row in getattr(message.markup, "rows", ())
            for button in row.buttons
            if button.text == "Order"
        )
        keyboard.type.url = pages.url()
        bot.webview_buttons.add(pages.url())
        async with launcher.open("@demo_bot", via=flow, host="browser", parameters=parameters) as live:
            await expect(live, timeout=SECONDS).to_be_ready()
            yield live


async def post(live: MiniApp, name: str, data: str = "{}") -> None:
    await live.page.evaluate(f"post('{name}', {data})")


Assertion = Callable[[Expectation], Awaitable[None]]

STEPS: list[tuple[str, str, Assertion, Assertion, Assertion, str]] = [
    (
        "web_app_setup_main_button",
        "{is_visible: true, text: 'Pay 5', color: '#11aa22', is_progress_visible: true}",
        lambda it: it.to_have_main_button(re.compile(r"^Pay \d$"), color="#11aa22", progress=True),
        lambda it: it.not_to_have_main_button("Pay 5"),
        lambda it: it.to_have_main_button("Pay", active=True, timeout=LATE),
        "main button with text 'Pay', is_visible True, is_active True.\nInstead: the main button 'Pay 5' is "
        "visible, active, in progress, color #11aa22.",
    ),
    (
        "web_app_setup_secondary_button",
        "{is_visible: true, text: 'Back', is_active: false, position: 'top'}",
        lambda it: it.to_have_secondary_button("Back", active=False, position="top"),
        lambda it: it.not_to_have_secondary_button(position="top"),
        lambda it: it.to_have_secondary_button(visible=False, timeout=LATE),
        "Instead: the secondary button 'Back' is visible, inactive.",
    ),
    (
        "web_app_setup_back_button",
        "{is_visible: true}",
        lambda it: it.to_have_back_button(),
        lambda it: it.not_to_have_back_button(timeout=LATE),
        lambda it: it.to_have_settings_button(timeout=LATE),
        "to have a settings button with is_visible True.\nInstead: the settings button '' is hidden",
    ),
    (
        "web_app_setup_settings_button",
        "{is_visible: true}",
        lambda it: it.to_have_settings_button(),
        lambda it: it.not_to_have_settings_button(timeout=LATE),
        lambda it: it.not_to_have_settings_button(timeout=LATE),
        "app of @demo_bot not to have a settings button",
    ),
    (
        "web_app_open_popup",
        "{title: 'Sure?', message: 'It costs 5', buttons: [{id: 'yes', type: 'default', text: 'Pay'}, "
        "{type: 'cancel'}]}",
        lambda it: it.to_have_popup(re.compile("costs"), title="Sure?", buttons=["Pay", ""]),
        lambda it: it.not_to_have_popup("It costs 5", timeout=LATE),
        lambda it: it.to_have_popup(buttons=["yes"], timeout=LATE),
        "there is a popup with message 'It costs 5', title 'Sure?', buttons ['yes', 'cancel']",
    ),
    (
        "web_app_request_fullscreen",
        "{}",
        lambda it: it.to_be_fullscreen(),
        lambda it: it.not_to_be_fullscreen(timeout=LATE),
        lambda it: it.not_to_be_fullscreen(timeout=LATE),
        "not to be fullscreen",
    ),
    (
        "web_app_trigger_haptic_feedback",
        "{type: 'impact', impact_style: 'soft'}",
        lambda it: it.to_have_event(
            "web_app_trigger_haptic_feedback", lambda data: data["impact_style"] == "soft"
        ),
        lambda it: it.not_to_have_event(re.compile("haptic")),
        lambda it: it.to_have_event("web_app_close", timeout=LATE),
        "to have the event 'web_app_close' from the page.\nInstead: none of the",
    ),
]


async def test_what_a_page_shows_is_waited_for_compared_and_told(browser: Browser) -> None:
    """Each is awaited before the page does it, then true, and its opposite and a near miss are not."""
    async with opened(browser, parameters=OpenParameters(mode=OpenMode.COMPACT)) as live:
        sees = expect(live, timeout=SECONDS)
        await sees.not_to_be_expanded()
        live.device.settings_button.is_visible = False
        for name, data, holds, opposite, misses, text in STEPS:
            waiting = asyncio.ensure_future(holds(sees))
            await asyncio.sleep(0)
            assert not waiting.done(), name
            await post(live, name, data)
            await waiting
            with pytest.raises(Unmet):
                await opposite(expect(live, timeout=LATE))
            with pytest.raises(Unmet) as failure:
                await misses(sees)
            assert text in str(failure.value)
            assert f"↑ {name}" in str(failure.value)
        gone = asyncio.ensure_future(sees.not_to_have_popup())
        await asyncio.sleep(0)
        assert not gone.done()
        await live.popup.press("yes")
        await gone
        await sees.to_have_event(
            "popup_closed", lambda data: data["button_id"] == "yes", direction="incoming"
        )
        await sees.not_to_have_event("popup_closed")
        await sees.not_to_have_event("web_app_open_popup", lambda data: data["nothing"])
        await post(live, "web_app_expand")
        await sees.to_be_expanded()


async def test_a_theme_is_compared_as_the_page_sees_it(browser: Browser) -> None:
    async with opened(browser, parameters=OpenParameters(theme=DARK)) as live:
        await expect(live).to_have_theme("dark")
        await expect(live).to_have_theme(DARK)
        await expect(live).not_to_have_theme("light")
        with pytest.raises(Unmet, match=r"the theme light\.\nInstead: it is dark"):
            await expect(live).to_have_theme("light", timeout=LATE)
        light = asyncio.ensure_future(expect(live, timeout=SECONDS).to_have_theme({"bg_color": "#ffffff"}))
        live.live.react(live.live.bridge.set_theme({"bg_color": "#ffffff"}))  # type: ignore[union-attr]
        await light
        await expect(live).to_have_theme("light")


async def test_data_and_the_end_are_waited_for(browser: Browser) -> None:
    async with opened(browser, "keyboard_button") as live:
        sees = expect(live, timeout=SECONDS)
        await sees.not_to_be_closed()
        await sees.not_to_have_sent_data()
        ends = asyncio.gather(
            sees.to_be_closed("data_sent"), sees.to_have_sent_data(re.compile("tea")), sees.to_be_closed()
        )
        await post(live, "web_app_data_send", "{data: 'two teas'}")
        await ends
        await sees.to_be_closed(CloseReason.DATA_SENT)
        await sees.not_to_be_closed("app")
        await sees.to_have_sent_data("two teas")
        with pytest.raises(Unmet, match=r"sent data 'tea'.\nInstead: it has sent 'two teas'.\nit is closed"):
            await expect(live, timeout=3600).to_have_sent_data("tea")  # it is over: nobody waits an hour
        with pytest.raises(BadInput, match=r"'sold' is no reason.*Use one of app, data_sent"):
            await sees.to_be_closed("sold")


async def test_a_failure_tells_no_secret(browser: Browser) -> None:
    async with opened(browser) as live:
        launch = parse_qs(live.web_view.url.partition("#")[2])["tgWebAppData"][0]
        proof = parse_qs(launch)["hash"][0]
        await post(live, "web_app_open_popup", f"{{message: '{proof}', buttons: [{{type: 'ok'}}]}}")
        await post(live, "web_app_device_storage_save_key", "{req_id: '1', key: 'pin', value: 'my-pin-code'}")
        await expect(live, timeout=SECONDS).to_have_event("web_app_device_storage_save_key")
        with pytest.raises(Unmet) as failure:
            await expect(live).to_have_popup("Hello", timeout=LATE)
        assert "with message '***'" in str(failure.value)
        assert proof not in str(failure.value)
        assert "web_app_device_storage_save_key" in str(failure.value)
        assert "my-pin-code" not in str(failure.value)


async def test_without_a_page_the_end_can_be_expected_and_nothing_of_the_page() -> None:
    async with launching() as (launcher, _):
        async with launcher.open("@demo_bot", via="keyboard_button") as live:
            with pytest.raises(BadInput, match="is not shown"):
                await expect(live).to_have_popup()
            with pytest.raises(Unmet, match=r"closed.\nInstead: it is open.\nWaited 0 s."):
                await expect(live).to_be_closed(timeout=LATE)
            await live.send_data("soup")
            await expect(live).to_have_sent_data("soup")
        await expect(live).to_be_closed("data_sent")
