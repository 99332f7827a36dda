"""A wallet in front of a page, as an in-wallet browser puts it there: `window.ethereum`, connected already.

    Hosting("browser", prepare=partial(inject, wallet))

`injected.js` runs before the page's scripts and is the provider; what it is asked comes by a binding and is
answered by the `Wallet`, whose changes are told to the page before the owner's call returns. A document that
is loaded later begins with the wallet as it is then.

Only the app is served: the page's main frame, or the app's frame in a web client's page, and frames of the
same origin in it. Any other frame sees a provider without an account, and is refused. What a page asks is
bounded in length, in number at once and by time; what is over is refused (-32005), and the page goes on.

Documentation: EIP-1193, EIP-6963. The wallet announces itself as Metapro's: `one.metapro.wallet` is its name
in the public registry of wallets. That the real one announces itself at all is not documented (there it has
no rdns), so `ProviderInfo` is an argument.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any

from playwright.async_api import BrowserContext, Error, Frame

from flows.errors import BadInput
from launcher.hosts.launch_secrets import origin_of
from launcher.hosts.observations import Meter
from launcher.hosts.profiles import PLATFORMS
from launcher.metapro.eip1193 import BAD_PARAMS, LIMIT_EXCEEDED, UNAUTHORIZED, WalletRefused
from launcher.metapro.wallet import Wallet

__all__ = ["ProviderInfo", "inject"]

CHARACTERS = 2**20
"""The longest request."""
OPEN = 64
"""Requests of one document that may be open at once."""
RATE = (500.0, 100.0)
_TOLD = 5.0
"""Seconds for a frame to hear of a change; one that hangs is not waited for."""
_SCRIPT = files("launcher.metapro").joinpath("injected.js").read_text("utf-8")
_TELL = "([hook, name, payload]) => window[hook] && window[hook].tell(name, payload)"
_WEB_CLIENTS = [origin_of(profile.frame.url) for profile in PLATFORMS.values() if profile.frame]
_ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 96 96'%3E"
    "%3Crect width='96' height='96' rx='20' fill='%23333'/%3E"
    "%3Ccircle cx='66' cy='50' r='10' fill='%23fff'/%3E%3C/svg%3E"
)


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """How the wallet announces itself (EIP-6963). `icon` is a data URI."""

    name: str = "Metapro Wallet"
    rdns: str = "one.metapro.wallet"
    icon: str = _ICON


async def inject(
    wallet: Wallet,
    context: BrowserContext,
    *,
    info: ProviderInfo | None = None,
    ref_code: str | None = None,
    rate: tuple[float, float] = RATE,
) -> None:
    """Put the wallet before every page of a context that has none yet; until the context is closed.

    `ref_code` is what a wallet takes from the link that opened the app: `window.metapro.queryParams.refCode`.
    `rate` is how many requests the page may make: at once, and more per second. Raises BadInput for a wallet
    that is before a page already: each launch has a wallet of its own.
    """
    if wallet.injected:
        raise BadInput(
            "The wallet is before another page already.", "Make a Wallet for each launch, or close the first."
        )
    wallet.injected = True
    await _Front(wallet, context, rate).lay(info or ProviderInfo(), ref_code)


class _Front:
    """What is between one wallet and one context."""

    def __init__(self, wallet: Wallet, context: BrowserContext, rate: tuple[float, float]) -> None:
        self._wallet = wallet
        self._context = context
        self._meter = Meter(rate)
        self._hook = f"w{uuid.uuid4().hex}"
        self._state: Any = None
        self._unlisten = wallet.listen(self._tell)
        context.on("close", lambda _: self._closed())

    def _closed(self) -> None:
        self._unlisten()
        self._wallet.injected = False

    async def lay(self, info: ProviderInfo, ref_code: str | None) -> None:
        binding = f"w{uuid.uuid4().hex}"
        options = {
            "binding": binding,
            "hook": self._hook,
            "info": {"uuid": str(uuid.uuid4()), **asdict(info)},
            "refCode": ref_code,
            "webClients": _WEB_CLIENTS,
            "characters": CHARACTERS,
            "open": OPEN,
        }
        await self._context.expose_binding(binding, self._take)
        await self._context.add_init_script(f"({_SCRIPT})({json.dumps(options | self._seen())})")

    def _seen(self) -> dict[str, Any]:
        return {"accounts": self._wallet.accounts, "chainId": hex(self._wallet.chain_id)}

    async def _take(self, source: dict[str, Any], text: str) -> str:
        """A request of a document, and its answer: JSON of `result` or of `error`."""
        try:
            method, params = self._read(source["frame"], text)
            return json.dumps({"result": await self._wallet.answer(method, params)})
        except WalletRefused as refusal:
            return json.dumps({"error": refusal.error})

    def _read(self, frame: Frame, text: str) -> tuple[str, list[Any]]:
        if not self._serves(frame):
            raise WalletRefused(UNAUTHORIZED, "The wallet serves the app itself, and no other site in it.")
        if len(text) > CHARACTERS or not self._meter.allows():
            raise WalletRefused(LIMIT_EXCEEDED, "Too much is asked of the wallet.")
        try:
            method, params = json.loads(text)
        except (ValueError, RecursionError):
            raise WalletRefused(BAD_PARAMS, "The request cannot be read.") from None
        return method, params

    def _serves(self, frame: Frame) -> bool:
        """Whether the frame is the app, or a part of it from the same origin."""
        if self._context.pages[:1] != [frame.page]:
            return False
        top = frame.page.main_frame
        if origin_of(top.url) not in _WEB_CLIENTS:
            return frame is top or origin_of(frame.url) == origin_of(top.url)
        around = frame
        while around.parent_frame is not None and around.parent_frame is not top:
            around = around.parent_frame
        return frame is not top and (around is frame or origin_of(frame.url) == origin_of(around.url))

    async def _tell(self, name: str, payload: Any) -> None:
        """The documents that are there hear of the change, and those to come begin with it."""
        await self._renew()
        for page in self._context.pages[:1]:
            for frame in page.frames:
                if self._serves(frame):
                    await self._tell_frame(frame, name, payload)

    async def _tell_frame(self, frame: Frame, name: str, payload: Any) -> None:
        with suppress(Error, TimeoutError):
            async with asyncio.timeout(_TOLD):
                await frame.evaluate(_TELL, [self._hook, name, payload])

    async def _renew(self) -> None:
        """The new state is laid before the old one is taken away: no document is without."""
        was, hook = self._state, json.dumps(self._hook)
        script = f"window[{hook}] && window[{hook}].resume({json.dumps(self._seen())})"
        with suppress(Error):  # the context is gone
            self._state = await self._context.add_init_script(script)
            if was is not None:
                await was.close()
