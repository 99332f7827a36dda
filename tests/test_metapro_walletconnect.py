"""WalletConnect, the wallet's side, before the client that Mini Apps use: @walletconnect/universal-provider
in real Chromium."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Route

from flows import MiniAppError
from launcher.metapro import Wallet
from launcher.metapro.walletconnect import WalletConnect, WalletSession
from launcher.mini_app import MiniApp
from launcher.sandbox.relay import Relay
from tests.conftest import need
from tests.npm import installed
from tests.pages import Answer, Pages, app
from tests.running import CALM, launching

PACKAGE = "@walletconnect/universal-provider@2.23.9"

PAGE = """
const heard = [];
window.start = async relayUrl => {
  const { UniversalProvider } = window['@walletconnect/universal-provider'];
  window.provider = await UniversalProvider.init({
    relayUrl, projectId: 'tests', telemetryEnabled: false,
    metadata: { name: 'app', description: 'an app', url: location.origin, icons: [] },
  });
  provider.on('display_uri', uri =>
    post('web_app_open_link', { url: 'https://metapro.one/app/wc?uri=' + uri }));
  for (const name of ['accountsChanged', 'chainChanged', 'session_update', 'session_delete', 'disconnect'])
    provider.on(name, data => heard.push([name, data]));
};
window.connect = namespaces => {
  window.connecting = provider.connect(namespaces).then(() => 'connected', error => [error.code, error.message]);
};
post('web_app_ready');
"""
EIP155 = {
    "chains": ["eip155:56", "eip155:1"],
    "methods": ["eth_sendTransaction", "eth_signTransaction", "eth_sign", "personal_sign", "eth_signTypedData"],
    "events": ["chainChanged", "accountsChanged"],
}


async def away(route: Route) -> None:
    """The servers of WalletConnect that prove where a page is from, and count."""
    await route.fulfill(body="", content_type="text/html")


@pytest.fixture
def script(request: pytest.FixtureRequest) -> Answer:
    file = installed(request.config.cache, PACKAGE) / "@walletconnect/universal-provider/dist/index.umd.js"
    return Answer(file.read_bytes(), headers={"Content-Type": "text/javascript"})


@asynccontextmanager
async def showing(script: Answer) -> AsyncIterator[MiniApp]:
    body = '<script src="/provider.js"></script>'
    async with Pages({"/": app(PAGE, body), "/provider.js": script}) as pages:
        async with launching(CALM, seconds=60) as (launcher, sandbox):
            sandbox.world.bot("demo_bot").main_app = pages.url("/")
            async with launcher.open("@demo_bot", via="main_app", host="browser") as live:
                live.page.on("console", lambda m: print("CONSOLE", m.text))
                live.page.on("pageerror", lambda m: print("ERR", m))
                live.page.context.on("request", lambda m: print("REQ", m.url[:150]))
                async with asyncio.timeout(20):
                    await live.ready()
                yield live


async def test_it(script: Answer) -> None:
    import time
    t0 = time.time()
    def at(what): print(round(time.time() - t0, 2), what)
    async with showing(script) as live, Relay() as relay:
        at("shown")
        wallet = Wallet()
        await live.page.evaluate("url => start(url)", relay.url)
        at("started")
        async with WalletConnect(wallet, project_id="tests", relay_url=relay.url) as connect:
            at("wc")
            async with live.expect("web_app_open_link", timeout=15) as opened:
                await live.page.evaluate("names => connect({namespaces: names})", {"eip155": EIP155})
            at("uri")
            session = await connect.pair(opened.data["url"])
            at("paired")
            assert await live.page.evaluate("connecting") == "connected"
            at("connected")
            signature = await live.page.evaluate("account => provider.request({method: 'personal_sign', params: ['0x68656c6c6f', account]})", wallet.address)
            at(signature[:10])
            print([(m.tag, m.ttl, bool(m.attestation)) for m in relay.log])
