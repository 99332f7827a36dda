"""W: does the app see the wallet, does it have the right text signed, and how does it take a no?

In the browser the app itself is watched, with a wallet of its own for each page: in front of it, and, in the
steps with `walletconnect` in their id, at a relay. An app need have one of the two ways: the steps of the
other are skipped. What would write is intercepted there: a signature is asked for and given, and reaches
Metapro only in `W3`, which is opt-in.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from launcher.metapro.app_page import complaint, complaints, page_errors, settled, tap, text_of, until_text
from launcher.metapro.drive import Drive, Shown
from launcher.metapro.errors import TOO_MANY, MetaproRefused
from launcher.metapro.message import read_message, recover, sign_in_message
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Skip, Step
from launcher.metapro.steps.connecting import (
    Way,
    asked,
    by_walletconnect,
    injected,
    shows,
    time_for,
    until_asked,
)
from launcher.metapro.wallet_log import Decision, WalletRequest

__all__ = ["STEPS"]

SIGN = "personal_sign"
_CAIP_10 = re.compile(r"eip155(:|%3a)\d+(:|%3a)", re.IGNORECASE)
"""How WalletConnect writes an account, before the address."""


# Connecting


async def shown_account(drive: Drive) -> Found:
    """The app asks for the account and shows it, with the chain that the wallet is on."""
    async with injected(drive) as shown:
        chain = shown.wallet.chain_id
        asked_for = [request.method for request in shown.wallet.requests]
    if "eth_chainId" not in asked_for:
        return Found("the app shows the account", None, ("the app does not ask for the chain",))
    return Found(f"the app shows the account, and asked for the chain ({chain})")


async def session(drive: Drive) -> Found:
    """The app opens a link that invites a wallet, takes the session that follows, and shows its account."""
    async with by_walletconnect(drive):
        return Found("the app opens a WalletConnect link, and shows the account of the session")


# Signing


async def signature(drive: Drive) -> Found:
    """The driver's own wallet: a hash, the five lines, and a signature that leads back to the wallet."""
    hash = await drive.client.signature_hash(drive.wallet.address)
    text = sign_in_message(drive.wallet.address, hash)
    signed = await drive.wallet.answer(SIGN, [text, drive.wallet.address])
    drive.redaction.add(signed, hash)
    _check(drive.wallet.requests[-1], {hash})
    drive.signed = (hash, signed)
    return Found(f"{len(text.encode())} bytes signed, signer recovered", 200)


async def app_signature(way: Way, drive: Drive) -> Found:
    """What the app has signed is the documented text, byte for byte, with the hash that it was given."""
    async with way(drive) as shown:
        request = await _have_signed(drive, shown)
        issued = [await sent.answer() for sent in shown.watch.to("users") if "signature/hash" in sent.path]
    hashes = {one.get("hash") for one in issued if isinstance(one, dict)}
    drive.redaction.add(*hashes)
    _check(request, hashes)
    return Found(f"{len(request.data)} bytes as documented, signer recovered")


async def _have_signed(drive: Drive, shown: Shown) -> WalletRequest:
    if not await tap(shown, drive.screen.sign, drive.screen.seconds):
        raise Skip(
            "there is nothing on the page to have something signed with",
            "Name it: the driver's `Screen.sign`.",
        )
    if not await until_asked(drive, shown, SIGN):
        raise Failed("the app does not ask the wallet for a signature")
    await drive.until(lambda: asked(shown, SIGN)[0].decision not in (Decision.ASKED, Decision.ALLOWED))
    request = asked(shown, SIGN)[0]
    drive.redaction.add(request.result.get_secret_value() if request.result else None)
    return request


def _check(request: WalletRequest, hashes: set[str | None]) -> None:
    """The documented text for this wallet, with a hash that was issued, signed by this wallet. What was to be
    signed instead is told, as its log has it."""
    if request.message is None or request.result is None:
        raise Failed("the app had something signed that is no text")
    try:
        wallet, hash = read_message(request.message)
        signer = recover(request.message, request.result.get_secret_value())
    except ValueError as why:
        raise Failed(f"the signed text: {why}: {request.message!r}") from None
    if wallet != request.address:
        raise Failed(f"the signed text names another wallet: {request.message!r}")
    if hash not in hashes:
        raise Failed("the signed text has another hash than Metapro issued")
    if signer != request.address:
        raise Failed("the signature does not lead back to the wallet")


async def attach(drive: Drive) -> Found:
    """The wallet belongs to the account afterwards. It writes: `merge` may join accounts."""
    assert drive.signed is not None
    hash, signed = drive.signed
    try:
        attached = await drive.client.attach_wallet(drive.wallet.address, signed, hash)
    except MetaproRefused as refusal:
        if refusal.status == TOO_MANY:
            raise
        raise Failed(refusal.meaning, status=refusal.status, layer=Layer.METAPRO_AUTH) from None
    drive.learn_person(attached.account)
    if drive.wallet.address not in {address.wallet.lower() for address in attached.account.addresses}:
        raise Failed("after new-address the account does not have the wallet", status=attached.status)
    return Found("the account has the wallet", attached.status)


# Refusing


async def rejected(way: Way, drive: Drive) -> Found:
    """The person says no (4001): the app says so, and asks again when asked to."""
    async with way(drive) as shown:
        before = await complaints(shown, drive.screen)
        shown.wallet.refuse_next(SIGN)
        await _have_signed(drive, shown)
        told = await complaint(shown, drive.screen, before)
        _sound(shown)
        if not told:
            raise Failed("the app says nothing about a refused signature")
        if not await tap(shown, drive.screen.sign, drive.screen.seconds) or not await until_asked(
            drive, shown, SIGN, times=2
        ):
            raise Failed("after a refusal the app does not ask again")
        await settled(shown)
        for request in asked(shown, SIGN):
            drive.redaction.add(request.result.get_secret_value() if request.result else None)
    return Found(f"tells: {told}; asks again")


async def account_switched(way: Way, drive: Drive) -> Found:
    async with way(drive) as shown:
        address = await shown.wallet.switch_account()
        if not await until_text(shown, shows(address), drive.screen.seconds):
            raise Failed("the app goes on with the old account")
        _sound(shown)
    return Found("the app goes on with the new account")


async def account_updated(way: Way, drive: Drive) -> Found:
    """WalletConnect tells of an account as `eip155:56:0x…`: what the app shows and asks for afterwards has to
    be about the address in that."""
    async with way(drive) as shown:
        address = await shown.wallet.switch_account()
        went_on = await until_text(shown, shows(address), time_for(drive, shown))
        if went_on and await tap(shown, drive.screen.sign, drive.screen.seconds):
            went_on = await drive.until(
                lambda: bool(asked(shown, SIGN)) or _names_caip_10(shown), time_for(drive, shown)
            )
        if _names_caip_10(shown) or _CAIP_10.search(await text_of(shown)):
            raise Failed("the app takes the account's name at WalletConnect, eip155:…:0x…, for the wallet")
        if not went_on or any(request.address != address for request in asked(shown, SIGN)):
            raise Failed("the app goes on with the old account")
        _sound(shown)
    return Found("the app goes on with the new account, by its address")


def _names_caip_10(shown: Shown) -> bool:
    return any(
        _CAIP_10.search(text)
        for sent in shown.watch.sent
        if sent.service is not None
        for text in (sent.url, sent.body, *sent.headers.values())
    )


async def chain_switched(way: Way, drive: Drive) -> Found:
    """A chain that no app expects: the app need not work on it, but it must not break."""
    async with way(drive) as shown:
        before = await text_of(shown)
        await shown.wallet.switch_chain(UNEXPECTED)
        noticed = await until_text(shown, lambda text: text != before, 1.0)
        _sound(shown)
        if not await text_of(shown):
            raise Failed("on another chain the page is blank")
    return Found("the app shows the change" if noticed else "the app takes no notice")


async def disconnected(way: Way, drive: Drive) -> Found:
    async with way(drive) as shown:
        old = shows(shown.wallet.address)
        await shown.wallet.disconnect()
        if not await until_text(shown, lambda text: not old(text), drive.screen.seconds):
            raise Failed("the app goes on showing a wallet that is gone")
        _sound(shown)
    return Found("the app lets the account go")


def _sound(shown: Shown) -> None:
    if errors := page_errors(shown):
        raise Failed(f"the page fails with {errors[0]}")


UNEXPECTED = 424_242

ByWay: TypeAlias = Callable[[Way, Drive], Awaitable[Found]]
REFUSALS: tuple[tuple[str, str, ByWay, ByWay], ...] = (
    ("rejected", "refused signature", rejected, rejected),
    ("account", "account switched", account_switched, account_updated),
    ("chain", "unexpected chain", chain_switched, chain_switched),
    ("disconnect", "wallet disconnected", disconnected, disconnected),
)
IN_FRONT = (Need.PAGE, Need.RELAUNCH)
DOCUMENTED = "Let the app have exactly the documented text signed, wallet in lower case."
AT_RELAY = (*IN_FRONT, Need.RELAY, Need.WEBSOCKETS)

STEPS = (
    Step(
        "W1",
        "wallet connect (injected)",
        Layer.WALLET,
        shown_account,
        "Let the app look for window.ethereum or EIP-6963, or say where to tap (`Screen.connect`).",
        needs=IN_FRONT,
        after=("L1.app",),
    ),
    Step(
        "W1.walletconnect",
        "wallet connect (WalletConnect)",
        Layer.WALLET,
        session,
        "Let the app take the session that its link leads to, and show the account in it.",
        needs=AT_RELAY,
        after=("L1.app",),
        assumption="walletconnect",
    ),
    Step(
        "W2",
        "signature",
        Layer.WALLET,
        signature,
        "Compare the signed text with the documented one.",
        after=("C1.users",),
        echoes="L1",
    ),
    Step(
        "W2.app",
        "the app's signature",
        Layer.WALLET,
        partial(app_signature, injected),
        DOCUMENTED,
        needs=IN_FRONT,
        after=("W1",),
    ),
    Step(
        "W2.walletconnect",
        "the app's signature (WalletConnect)",
        Layer.WALLET,
        partial(app_signature, by_walletconnect),
        DOCUMENTED,
        needs=AT_RELAY,
        after=("W1.walletconnect",),
        assumption="walletconnect",
    ),
    Step(
        "W3",
        "wallet attached",
        Layer.WALLET,
        attach,
        "Look at what Metapro says: the hash may be too old by then, the wallet another account's.",
        needs=(Need.WRITES,),
        after=("W2", "K1"),
        assumption="attach-wallet",
    ),
    *(
        Step(
            f"W4.{name}",
            title,
            Layer.WALLET,
            partial(run, injected),
            "Let the app listen to its wallet, and tell the person.",
            needs=IN_FRONT,
            after=("W1",),
            assumption="app-behaviour",
        )
        for name, title, run, _ in REFUSALS
    ),
    *(
        Step(
            f"W4.walletconnect.{name}",
            f"{title} (WalletConnect)",
            Layer.WALLET,
            partial(run, by_walletconnect),
            "Let the app listen to its session's events and updates, and tell the person.",
            needs=AT_RELAY,
            after=("W1.walletconnect",),
            assumption="app-behaviour",
        )
        for name, title, _, run in REFUSALS
    ),
)
