"""An app that connects a wallet as Metapro's does: a page with @walletconnect/universal-provider.

The package is as npm has it. The page opens the wallet by `web_app_open_link`, with the `wc:` link not
escaped inside the wallet's. What the provider tells it is in `heard`; `until(name)` is the data of the first
such event, now or later.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Route

from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.metapro import Wallet
from launcher.metapro.walletconnect import WalletConnect, WalletSession
from launcher.mini_app import MiniApp
from launcher.sandbox.relay import Relay
from tests.browsers import SECONDS
from tests.npm import installed
from tests.pages import Answer, Pages, app
from tests.running import CALM, launching

__all__ = ["EIP155", "NEWEST", "OLDER", "WALLET_LINK", "Page", "Stand", "attest", "standing"]

NEWEST = "@walletconnect/universal-provider@2.23.9"
"""Requires nothing, and proposes by the relay's own method for it."""
OLDER = "@walletconnect/universal-provider@2.17.2"
"""Sends what is required as required, and proposes by publishing."""
WALLET_LINK = "https://metapro.one/app/wc?uri="
EIP155 = {
    "chains": ["eip155:56", "eip155:1"],
    "methods": [
        "eth_sendTransaction",
        "eth_signTransaction",
        "eth_sign",
        "personal_sign",
        "eth_signTypedData",
    ],
    "events": ["chainChanged", "accountsChanged"],
}
"""What Metapro's Mini App asks for."""

PAGE = """
const heard = [], waiting = [];
const hear = (name, data) => { heard.push([name, data]); waiting.splice(0).forEach(look => look()); };
const until = name => new Promise(resolve => {
  const look = () => {
    const found = heard.find(([seen]) => seen === name);
    found ? resolve(found[1]) : waiting.push(look);
  };
  look();
});
const EVENTS = ['accountsChanged', 'chainChanged', 'session_update', 'session_delete', 'disconnect'];
const start = async relayUrl => {
  const { UniversalProvider } = window['@walletconnect/universal-provider'];
  window.provider = await UniversalProvider.init({
    relayUrl, projectId: 'tests', telemetryEnabled: false, logger: 'silent',
    metadata: { name: 'app', description: 'an app', url: location.origin, icons: [] },
  });
  provider.on('display_uri', uri => post('web_app_open_link', { url: 'WALLET_LINK' + uri }));
  for (const name of EVENTS) provider.on(name, data => hear(name, data));
  provider.on('session_update', ({ params }) => { window.stored = params.namespaces.eip155.accounts[0]; });
};
const outcome = promise => promise.then(result => ({ result }), ({ code, message }) => ({ code, message }));
const connect = namespaces => {
  window.connecting = outcome(provider.connect({ namespaces }).then(() => provider.enable()));
};
const authenticate = () => {
  window.connecting = outcome(provider.authenticate({
    chains: ['eip155:56'], methods: ['personal_sign'], domain: 'app', uri: location.origin, nonce: '1',
  }).then(({ session }) => session.namespaces.eip155.accounts));
};
const request = (method, params, chain) => outcome(provider.request({ method, params }, chain));
const raw = async (topic, method, params) => {
  const { crypto, relayer } = provider.client.core, id = Date.now() * 1000;
  const answered = new Promise(resolve => relayer.on('relayer_message', async event => {
    const said = event.topic === topic ? await crypto.decode(topic, event.message) : {};
    if (said?.id === id && !said.method) resolve(said.error ? said.error.code : said.result);
  }));
  const message = await crypto.encode(topic, { id, jsonrpc: '2.0', method, params });
  await relayer.publish(topic, message, { ttl: 300, tag: 9999 });
  return answered;
};
post('web_app_ready');
""".replace("WALLET_LINK", WALLET_LINK)

ATTESTING = """<script>
const part = value => btoa(JSON.stringify(value)).replace(/=/g, '');
const id = new URL(location).searchParams.get('id');
const attestation = [part({ alg: 'ES256' }), part({ id }), 'AA'].join('.');
parent.postMessage(JSON.stringify({ type: 'verify_attestation', attestation }), '*');
</script>"""


async def attest(route: Route) -> None:
    """Be the server that tells wallets where a page is from: without it the client waits for five seconds
    before each request."""
    await route.fulfill(body=ATTESTING, content_type="text/html")


class Page:
    """The app, its relay and its wallet."""

    def __init__(self, live: MiniApp, relay: Relay, wallet: Wallet, connect: WalletConnect) -> None:
        self.live, self.relay, self.wallet, self.connect = live, relay, wallet, connect

    async def run(self, script: str, *values: Any) -> Any:
        """What a function of the page gives: `run("request", "eth_chainId", [])`."""
        return await self.live.frame.evaluate(f"values => {script}(...values)", values)

    async def link(self, **changes: Any) -> str:
        """The link that the page opens when it wants a wallet."""
        return await self.opened("connect", {"eip155": EIP155 | changes})

    async def opened(self, script: str, *values: Any) -> str:
        """The link that the page opens when a function of it runs."""
        async with self.live.expect("web_app_open_link", timeout=SECONDS) as opened:
            await self.run(script, *values)
        url: str = opened.data["url"]
        return url

    async def connected(self) -> WalletSession:
        session = await self.connect.pair(await self.link())
        assert await self.live.frame.evaluate("connecting") == {"result": [self.wallet.address]}
        return session


class Stand:
    """A launcher in a sandbox whose main app is the page, with one of the packages."""

    def __init__(self, launcher: Launcher, pages: Pages, cache: pytest.Cache) -> None:
        self._launcher, self._pages, self._cache = launcher, pages, cache

    @asynccontextmanager
    async def page(
        self,
        wallet: Wallet | None = None,
        package: str = NEWEST,
        relay: Relay | None = None,
        clock: bool = False,
        **options: Any,
    ) -> AsyncIterator[Page]:
        """The page in a launch of its own, at a relay of its own, with a wallet there; with a `clock`, the
        page's time is Playwright's."""
        file = installed(self._cache, package) / "@walletconnect/universal-provider/dist/index.umd.js"
        self._pages.pages["/provider.js"] = Answer(
            file.read_bytes(), headers={"Content-Type": "text/javascript"}
        )
        wallet = wallet or Wallet()
        async with (
            asyncio.timeout(SECONDS),
            relay or Relay() as relay,
            self._launcher.open("@demo_bot", via="main_app", host="browser") as live,
            WalletConnect(wallet, project_id="tests", relay_url=relay.url, **options) as connect,
        ):
            await live.ready()
            await live.page.context.route("https://verify.walletconnect.org/**", attest)
            if clock:
                await live.page.clock.install()
            page = Page(live, relay, wallet, connect)
            await page.run("start", relay.url)
            yield page


@asynccontextmanager
async def standing(browser: Browser, cache: pytest.Cache) -> AsyncIterator[Stand]:
    body = '<script src="/provider.js"></script>'
    async with (
        Pages({"/": app(PAGE, body)}) as pages,
        launching(CALM, seconds=20 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        sandbox.world.bot("demo_bot").main_app = pages.url("/")
        yield Stand(launcher, pages, cache)
