"""The sample app that does what Metapro's does, in real Chromium against the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from eth_account import Account as Key
from eth_account.messages import encode_defunct

from flows import OpenParameters
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.sandbox.metapro import MetaproStandIn, Switches
from launcher.sandbox.site import Site
from tests.browsers import SECONDS, browser
from tests.running import CALM, launching
from tests.test_hosted import shown

__all__ = ["browser"]

pytestmark = pytest.mark.asyncio(loop_scope="session")

APP = "https://t.me/metapro_demo_bot/app"
KEY = Key.from_key("0x" + "11" * 32)
WALLET = KEY.address.lower()

PROVIDER = """
const listeners = {};
const provider = {
  request: async ({ method, params }) => {
    if (method === 'personal_sign') {
      const signed = await window.signIt(params[0]);
      if (!signed) throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
      return signed;
    }
    return { eth_requestAccounts: [address], eth_accounts: [address], eth_chainId: '0x38' }[method];
  },
  on: (name, listener) => { listeners[name] = listener; },
};
window.happen = (name, value) => listeners[name](value);
"""
_ANNOUNCED = "new CustomEvent('eip6963:announceProvider', { detail: { info: {}, provider } })"
ANNOUNCE = f"address => {{ {PROVIDER} window.dispatchEvent({_ANNOUNCED}); }}"
INJECT = f"address => {{ {PROVIDER} window.ethereum = provider; }}"


@asynccontextmanager
async def metapro(browser: Browser) -> AsyncIterator[tuple[Launcher, MetaproStandIn]]:
    async with (
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
        MetaproStandIn(sandbox) as stand_in,
        Site(sandbox, metapro=stand_in),
    ):
        yield launcher, stand_in


@asynccontextmanager
async def settled(launcher: Launcher, target: str = APP, **options: Any) -> AsyncIterator[MiniApp]:
    options.setdefault("parameters", OpenParameters("android"))
    async with shown(launcher, target, **options) as app:
        await rested(app)
        yield app


async def rested(app: MiniApp) -> None:
    await app.frame.locator("html[data-settled]").wait_for()


async def press(app: MiniApp, button: str) -> None:
    await app.frame.click(f"#{button}")
    await rested(app)


async def text(app: MiniApp, selector: str) -> str:
    shown: str = await app.frame.locator(selector).inner_text()
    return shown


async def state(app: MiniApp) -> str | None:
    return await app.frame.locator("html").get_attribute("data-state")


async def lines(app: MiniApp, selector: str) -> list[str]:
    return await app.frame.locator(f"{selector} li").all_inner_texts()


def asked(stand_in: MetaproStandIn, endpoint: str) -> list[int]:
    """The statuses that a call was answered with."""
    return [request.status for request in stand_in.log if request.endpoint == endpoint]


async def test_it_logs_in_and_shows_what_it_is_told(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        async with settled(launcher, f"{APP}?startapp=FRIEND42") as app:
            account = stand_in.accounts.of_telegram(1001)
            assert account is not None
            assert await text(app, "#metapro-id") == account.user_id
            assert account.invited_by == "FRIEND42"
            assert await text(app, "#name") == "Alice Liddell"
            assert (await lines(app, "#leaderboard"))[0] == "ada 4800"
            assert await text(app, "#place") == "12 players"
            assert (await state(app), await lines(app, "#error")) == ("in", [])
            assert await text(app, "#model") == stand_in.label
            sent = [event.name for event in app.events if event.direction == "outgoing"]
            assert {"web_app_expand", "web_app_setup_swipe_behavior", "web_app_ready"} <= set(sent)
            assert app.init_data is not None
            page = await app.page.content()
            secrets = [app.init_data.hash, stand_in.ids["leaderboard_key"], *stand_in.accounts.tokens]
            assert [secret for secret in secrets if secret in page] == []
        login = next(request for request in stand_in.log if request.endpoint == "telegram_login")
        assert login.body["telegramSimpleData"]["username"] == "alice"
        assert "authorization" not in login.headers


async def test_only_phones_pass_the_gate(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        for platform in ("tdesktop", "weba", "ios", "android_x"):
            async with settled(launcher, parameters=OpenParameters(platform)) as app:
                gated = platform in ("tdesktop", "weba")
                assert await state(app) == ("gated" if gated else "in")
                assert await app.frame.locator("#gate").is_visible() is gated
                assert await app.frame.locator("#app").is_visible() is not gated
                assert bool(stand_in.log) is not gated
                assert not gated or platform in await text(app, "#gate")


async def test_without_an_identity_it_says_so_and_shows_the_leaderboard(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        options = {"via": "keyboard_button", "start": "", "parameters": OpenParameters("ios")}
        async with settled(launcher, "@metapro_demo_bot", **options) as app:
            assert await state(app) == "anonymous"
            assert "not told by whom" in await text(app, "#error")
            assert len(await lines(app, "#leaderboard")) == 5
            assert asked(stand_in, "telegram_login") == []


async def test_a_wallet_that_announces_itself_is_connected_and_attached(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        async with settled(launcher) as app:
            await press(app, "connect")
            assert "there is no wallet" in await text(app, "#error")
            signed: list[str] = []

            def sign(message: str) -> str:
                signed.append(message)
                proof: bytes = KEY.sign_message(encode_defunct(text=message)).signature
                return f"0x{bytes(proof).hex()}"

            await app.page.expose_function("signIt", sign)
            await app.page.evaluate(ANNOUNCE, KEY.address)
            await press(app, "connect")
            assert (await text(app, "#wallet"), await text(app, "#chain")) == (WALLET, "chain 56")
            assert await lines(app, "#assets") == ["Captain × 1", "Navigator × 1", "Harbour card × 1"]  # noqa: RUF001
            await press(app, "attach")
            assert (await lines(app, "#error"), len(signed)) == ([], 1)
            assert signed[0].split("\n")[2] == WALLET
            assert await text(app, "#attached") == f"attached: {WALLET}"
            account = stand_in.accounts.of_telegram(1001)
            assert account is not None
            assert list(account.wallets) == [WALLET]
            await app.page.evaluate("happen('chainChanged', '0x89')")
            assert await text(app, "#chain") == "chain 137"
            await app.page.evaluate("happen('disconnect')")
            assert await text(app, "#wallet") == "none"
            assert "disconnected" in await text(app, "#error")


async def test_a_refused_signature_is_told_and_tried_again(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        async with settled(launcher) as app:
            answers = [None, "0x00"]
            await app.page.expose_function("signIt", lambda _: answers.pop(0))
            await app.page.evaluate(INJECT, KEY.address)
            await press(app, "connect")
            await press(app, "attach")
            assert "User rejected" in await text(app, "#error")
            await press(app, "attach")
            assert "the signature is not valid (401)" in await text(app, "#error")
            # 401 was answered to the signature, not to the token: one new login, one more try, no loop
            assert asked(stand_in, "new_address") == [401, 401]
            assert asked(stand_in, "telegram_login") == [201, 201]


async def test_a_token_that_ran_out_is_renewed_once(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        async with settled(launcher) as app:
            first = await text(app, "#metapro-id")
            stand_in.accounts.tokens.clear()
            await press(app, "refresh")
            assert (await text(app, "#metapro-id"), await lines(app, "#error")) == (first, [])
            assert asked(stand_in, "me") == [401, 200]
            stand_in.switches.token_lifetime = 0
            await press(app, "refresh")
            assert "Unauthorized (401)" in await text(app, "#error")
            assert asked(stand_in, "me") == [401, 200, 401, 401]
            assert asked(stand_in, "telegram_login") == [201, 201, 201]


async def test_it_asks_for_itself_every_four_minutes(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        async with settled(launcher, "@metapro_demo_bot", via="main_app") as app:
            await app.page.clock.install()
            await app.page.reload()
            await rested(app)
            assert asked(stand_in, "me") == []
            async with app.page.expect_response("**/me"):
                await app.page.clock.run_for(240_000)
            assert asked(stand_in, "me") == [200]


async def test_a_service_that_is_down_is_told_and_the_others_go_on(browser: Browser) -> None:
    """From the beginning, and later."""
    outages = {
        "bad_gateway": "refused without a reason (502)",
        "refused": "cannot be reached",
        "unavailable": "Service Unavailable (503)",
        "empty": "the answer cannot be read",
    }
    async with metapro(browser) as (launcher, stand_in):
        stand_in.switches = Switches.model_validate({"outages": {"leaderboard": "bad_gateway"}})
        async with settled(launcher) as app:
            assert (await state(app), await text(app, "#name")) == ("in", "Alice Liddell")
            for outage, told in outages.items():
                stand_in.switches = Switches.model_validate({"outages": {"leaderboard": outage}})
                if outage != "bad_gateway":
                    await press(app, "refresh")
                assert await lines(app, "#error") == [f"leaderboard: {told}"]
                assert (await state(app), await text(app, "#name")) == ("in", "Alice Liddell")
                stand_in.switches.outages = {}
                await press(app, "refresh")
                assert await lines(app, "#error") == []
                assert len(await lines(app, "#leaderboard")) == 5


@pytest.mark.slow
async def test_what_metapro_refuses_is_told_in_any_shape(browser: Browser) -> None:
    async with metapro(browser) as (launcher, stand_in):
        for shape in ("nest", "messages", "message_list"):
            stand_in.switches = Switches.model_validate({"errors": shape, "bot_name_form": "at"})
            async with settled(launcher) as app:
                told = ["login: telegramBotName has not the right form (400)"]
                assert (shape, await lines(app, "#error")) == (shape, told)
                assert (await state(app), await text(app, "#name")) == ("out", "Not signed in")
        stand_in.switches = Switches(leaderboard_reads="key")
        async with settled(launcher) as app:
            assert await lines(app, "#error") == ["leaderboard: leaderboardApiKey is not valid (401)"]
        stand_in.switches.page_has_leaderboard_key = True
        async with settled(launcher) as app:
            assert await lines(app, "#error") == []


async def test_without_a_stand_in_it_says_so(browser: Browser) -> None:
    async with (
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
        Site(sandbox) as site,
    ):
        async with httpx.AsyncClient(verify=False) as http:
            assert (await http.get(site.url("metapro/config.json"))).status_code == 404
        async with settled(launcher) as app:
            assert "There is no stand-in of Metapro" in await text(app, "#error")
