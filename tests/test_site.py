"""The sample Mini App: who is led to it, how it is served, and what it shows in a real browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from flows import DARK, FLOWS, LIGHT, Consent, OpenParameters
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.sandbox import Sandbox
from launcher.sandbox import site as sample
from launcher.sandbox.site import Site
from tests.browsers import SECONDS, browser
from tests.running import CALM, data_received, launching
from tests.test_hosted import shown

__all__ = ["browser"]

in_a_browser = pytest.mark.asyncio(loop_scope="session")
LAUNCHES: dict[str, tuple[str, dict[str, Any]]] = {
    "keyboard_button": ("@demo_bot", {"via": "keyboard_button"}),
    "inline_button": ("@demo_bot", {"via": "inline_button"}),
    "menu_button": ("@demo_bot", {"via": "menu_button"}),
    "attachment_menu": ("https://t.me/bob_builds?attach=demo_bot", {}),
    "side_menu": ("@demo_bot", {"via": "side_menu"}),
    "inline_mode": ("@demo_bot", {"via": "inline_mode", "chat": "@bob_builds", "query": "open"}),
    "direct_link": ("https://t.me/demo_bot/app", {}),
    "main_app": ("@demo_bot", {"via": "main_app"}),
    "chat_join": ("https://t.me/+GuardedChannelInvite", {}),
}


@asynccontextmanager
async def site(browser: Browser | None = None) -> AsyncIterator[tuple[Launcher, Sandbox, Site]]:
    async with (
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
        Site(sandbox) as served,
    ):
        yield launcher, sandbox, served


@asynccontextmanager
async def settled(launcher: Launcher, flow: str, **options: Any) -> AsyncIterator[MiniApp]:
    """An app on screen whose page has been answered."""
    target, given = LAUNCHES[flow]
    async with shown(launcher, target, **given | options) as app:
        await app.frame.locator("html[data-settled]").wait_for()
        yield app


async def text(app: MiniApp, selector: str) -> str:
    return await app.frame.locator(selector).inner_text()


def test_there_is_a_page_for_every_flow() -> None:
    assert set(sample.FLOWS) == set(FLOWS)


@pytest.mark.parametrize("flow", LAUNCHES)
async def test_every_way_leads_to_the_site(flow: str) -> None:
    target, options = LAUNCHES[flow]
    page = "attachment_menu" if flow == "side_menu" else flow  # a bot has one address for both
    async with site() as (launcher, _, served):
        async with launcher.open(target, **options) as app:
            assert app.flow == flow
            assert app.url.partition("#")[0].partition("?")[0] == served.url(page)


async def test_links_to_telegram_stay_links() -> None:
    async with Sandbox() as sandbox, Site(sandbox):
        menu = sandbox.world.bot("link_bot").menu_button
        assert menu is not None
        assert menu.url == "https://t.me/demo_bot/app?startapp=menu"


async def test_only_its_own_pages_are_served() -> None:
    async with Site() as served, httpx.AsyncClient() as client:
        assert served.url("main_app").startswith("http://127.0.0.1:")
        page = await client.get(served.url("main_app"), params={"tgWebAppStartParam": "x"})
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        for name, kind in (("style.css", "text/css"), ("app.js", "text/javascript")):
            file = await client.get(served.url(name))
            assert (file.status_code, file.headers["content-type"]) == (200, f"{kind}; charset=utf-8")
        for path in ("", "nothing", "../site.py", "..%2fsite.py", "sample_app/app.js", "index.htm"):
            assert (await client.get(served.url(path))).status_code == 404
        assert (await client.post(served.url("main_app"))).status_code == 405
        head = await client.head(served.url("main_app"))
        assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(("platform", "transport"), [("ios", "native"), ("weba", "iframe")])
@in_a_browser
async def test_the_page_shows_what_it_was_told(browser: Browser, platform: str, transport: str) -> None:
    async with site(browser) as (launcher, _, _):
        parameters = OpenParameters(platform, theme=DARK)
        async with settled(launcher, "main_app", start_param="hello", parameters=parameters) as app:
            facts = (await text(app, "#facts")).split("\n")
            told = dict(zip(facts[::2], facts[1::2], strict=True))
            assert told["Platform"] == platform
            assert told["Transport"] == transport
            assert told["Start param"] == "hello"
            assert (told["Theme"], told["Colours"]) == ("dark", "15")
            assert told["Version"] == app.launch_params.version
            assert told["Viewport"] == f"{app.device.width:g} × {app.device.height:g}"  # noqa: RUF001
            assert await text(app, "#name") == "Opened by Alice Liddell"
            log = await text(app, "#log")
            assert log.index("web_app_request_theme") < log.index("theme_changed")
            assert app.init_data is not None
            page = await app.frame.locator("body").inner_html()
            assert app.init_data.hash not in page
            assert app.init_data.raw not in page


@in_a_browser
async def test_a_page_that_is_not_told_says_so(browser: Browser) -> None:
    async with site(browser) as (launcher, _, _):
        async with settled(launcher, "keyboard_button") as app:
            assert await text(app, "#name") == "Opened by somebody"


@in_a_browser
async def test_the_page_changes_its_colours_with_the_client(browser: Browser) -> None:
    async with site(browser) as (launcher, _, _):
        async with settled(launcher, "main_app", parameters=OpenParameters(theme=LIGHT)) as app:
            await app.emit("theme_changed", {"theme_params": {"bg_color": "#000000", "text_color": "bad"}})
            await app.frame.locator("html[data-scheme=dark]").wait_for()
            assert await app.frame.locator("#theme li").count() == 1


@in_a_browser
async def test_its_buttons_speak_to_the_client(browser: Browser) -> None:
    async with site(browser) as (launcher, _, _):
        consent = Consent("phone", "write_access")
        async with settled(launcher, "main_app", consent=consent) as app:
            assert app.main_button.text == "Order now"
            for button, answer in (
                ("phone", '{"status":"sent"}'),
                ("write_access", '{"status":"allowed"}'),
                ("save", '"result":true'),
                ("read", '"text":"Two teas, please"'),
            ):
                await app.frame.click(f"#{button}")
                await app.frame.locator("#log", has_text=answer).wait_for()
            async with app.expect("web_app_open_popup", timeout=SECONDS) as popup:
                await app.frame.click("#popup")
            assert popup.data["title"] == "Sample"
            await app.popup.press("yes")
            await app.frame.locator("#log", has_text='{"button_id":"yes"}').wait_for()
            async with app.expect("web_app_trigger_haptic_feedback", timeout=SECONDS):
                await app.frame.click("#haptic")
            async with app.expect("web_app_trigger_haptic_feedback", timeout=SECONDS):
                await app.main_button.press()
            hidden = app.expect(
                "web_app_setup_main_button", timeout=SECONDS, where=lambda data: not data["is_visible"]
            )
            async with hidden:
                await app.frame.click("#main_button")
            await app.frame.click("#close")
            assert await app.closed() == "app"


@in_a_browser
async def test_its_data_reaches_the_bot(browser: Browser) -> None:
    async with site(browser) as (launcher, sandbox, _):
        async with settled(launcher, "keyboard_button") as app:
            await app.frame.fill("#text", "one coffee")
            await app.frame.click("#send_data")
            assert await app.closed() == "data_sent"
        assert data_received(sandbox) == ["one coffee"]
