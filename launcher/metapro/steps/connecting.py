"""How an app comes to a wallet: to one in front of its page, or by WalletConnect.

In an in-wallet browser the wallet is `window.ethereum`. Inside Telegram there is none, and Metapro's own app
opens a link that invites a wallet: a `wc:` link inside a wallet's. The driver's wallet takes it up at the
relay. Either way the page cannot write: what it sends a signature to is down for it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from launcher.metapro.app_page import complaints, settled, tap, text_of, until_text
from launcher.metapro.drive import WRITES, Drive, Shown
from launcher.metapro.faults import FAULTS
from launcher.metapro.step import Failed, Skip
from launcher.metapro.until import GLANCE
from launcher.metapro.wallet_log import WalletRequest

__all__ = ["Way", "asked", "by_walletconnect", "injected", "shows", "time_for", "until_asked"]

Way: TypeAlias = Callable[[Drive], AbstractAsyncContextManager[Shown]]
"""A page of the app that has its wallet."""
_CONNECTING = ("eth_accounts", "eth_requestAccounts")
_LINKS = {"web_app_open_link": "url", "web_app_open_tg_link": "path_full"}
_INVITING = re.compile(r"(^|[=/])wc(:|%3a)", re.IGNORECASE)
_KEYS = re.compile(r"[0-9a-fA-F]{64}")
"""What is secret in such a link: its topic and its key."""
_RELAYED = 10.0
"""Seconds more for what goes over a relay: apps' libraries wait for five before each request when the server
that attests where a page is from cannot be reached."""
_SECOND_THOUGHTS = 3.0
"""Seconds for an app that has told something to go on all the same."""


@asynccontextmanager
async def injected(drive: Drive) -> AsyncIterator[Shown]:
    """With the wallet in front of it. Skipped with an app that invites one by WalletConnect instead."""
    async with drive.another() as shown:
        before = await _ready(drive, shown)
        if not _asks(shown):
            await tap(shown, drive.screen.connect, drive.screen.seconds)
            told = await _until(drive, shown, before, lambda: _asks_or_invites(drive, shown))
            _may_go_on(drive, shown, _asks(shown), "does not ask the wallet for its account", told)
        if not await until_text(shown, shows(shown.wallet.address), drive.screen.seconds):
            await tap(shown, drive.screen.connect, drive.screen.seconds)
            seen = await until_text(shown, shows(shown.wallet.address), drive.screen.seconds)
            _may_go_on(drive, shown, seen, "does not show the connected account")
        yield shown


def _asks(shown: Shown) -> bool:
    return bool(asked(shown, *_CONNECTING))


async def _asks_or_invites(drive: Drive, shown: Shown) -> bool:
    return _asks(shown) or bool(_links(drive, shown))


async def _invites(drive: Drive, shown: Shown) -> bool:
    return bool(_links(drive, shown))


async def _shows_account(shown: Shown) -> bool:
    return shows(shown.wallet.address)(await text_of(shown))


def _may_go_on(drive: Drive, shown: Shown, well: bool, what: str, told: str = "") -> None:
    if well:
        return
    if _links(drive, shown):
        raise Skip(
            "the app does not use the wallet in front of its page: it connects by WalletConnect",
            "Look at W1.walletconnect." if drive.settings.relay_project else "Set METAPRO_RELAY_PROJECT.",
        )
    raise Failed(f"the app {what}, and opens no WalletConnect link{_telling(told)}")


@asynccontextmanager
async def by_walletconnect(drive: Drive) -> AsyncIterator[Shown]:
    """With no wallet in front of it, and a session with the driver's. Skipped with an app that opens no
    link."""
    from launcher.metapro.walletconnect import WalletConnect

    project = drive.settings.relay_project
    assert project is not None
    async with drive.another(injected=False) as shown:
        before = await _ready(drive, shown)
        link = await _invitation(drive, shown, before)
        async with WalletConnect(
            shown.wallet,
            project_id=project.get_secret_value(),
            relay_url=drive.settings.relay_url,
            timeout=drive.settings.timeout,
        ) as connect:
            session = await connect.pair(link)
            drive.keep_secret(shown, session.topic)
            told = await _until(drive, shown, before, lambda: _shows_account(shown))
            if not await _shows_account(shown):
                raise Failed(f"the app takes the session, and does not show its account{_telling(told)}")
            yield shown


async def _ready(drive: Drive, shown: Shown) -> list[str]:
    """What the page tells of problems before anything is done."""
    await drive.fail_calls(shown, FAULTS["503 in JSON"], *WRITES)
    await settled(shown)
    return await complaints(shown, drive.screen)


async def _invitation(drive: Drive, shown: Shown, before: list[str]) -> str:
    """The link by which the app invites a wallet, tapped for if need be."""
    told = ""
    if not _links(drive, shown):
        if not await tap(shown, drive.screen.connect, drive.screen.seconds):
            raise Skip(
                "there is nothing on the page to connect a wallet with",
                "Name it: the driver's `Screen.connect`.",
            )
        told = await _until(drive, shown, before, lambda: _invites(drive, shown))
    if links := _links(drive, shown):
        return links[-1]
    raise Skip(f"the app opens no WalletConnect link{_telling(told)}")


async def _until(drive: Drive, shown: Shown, before: list[str], wanted: Callable[[], Awaitable[bool]]) -> str:
    """Until it is so, the time is up, or the app has told something new and had its time for second thoughts.
    Returns what it told."""
    now = asyncio.get_running_loop().time
    told = ""
    deadline = now() + drive.screen.seconds + _RELAYED
    while not await wanted() and now() < deadline:
        if not told and (
            new := [text for text in await complaints(shown, drive.screen) if text not in before]
        ):
            told, deadline = new[0], min(deadline, now() + _SECOND_THOUGHTS)
        await asyncio.sleep(GLANCE)
    return told


def _telling(told: str) -> str:
    return f"; it tells: {told}" if told else ""


# Links


def _links(drive: Drive, shown: Shown) -> list[str]:
    """The links with which the page has invited wallets so far, the latest last. What they tell is secret
    from now on."""
    events = [event for event in shown.app.events if event.direction == "outgoing" and event.name in _LINKS]
    data = [(event.data, _LINKS[event.name]) for event in events]
    links = [one[name] for one, name in data if isinstance(one, dict) and isinstance(one.get(name), str)]
    found = [link for link in links if _INVITING.search(link)]
    for link in found:
        drive.keep_secret(shown, *_KEYS.findall(link))
    return found


# What the app asks


def asked(shown: Shown, *methods: str) -> list[WalletRequest]:
    return [request for request in shown.wallet.requests if request.method in methods]


async def until_asked(drive: Drive, shown: Shown, *methods: str, times: int = 1) -> bool:
    return await drive.until(lambda: len(asked(shown, *methods)) >= times, time_for(drive, shown))


def time_for(drive: Drive, shown: Shown) -> float:
    """How long the app may take for what it does with its wallet, in seconds."""
    return drive.screen.seconds + (0.0 if shown.wallet.injected else _RELAYED)


def shows(address: str) -> Callable[[str], bool]:
    """Whether a text has the address, whole or with its middle left out."""
    return lambda text: (
        address in text.lower() or (address[:6] in text.lower() and address[-4:] in text.lower())
    )
