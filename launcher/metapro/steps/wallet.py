"""W: does the app see the wallet, does it have the right text signed, and how does it take a no?

In the browser the app itself is watched, with a wallet of its own in front of each page. What would write is
intercepted there: a signature is asked for and given, and reaches Metapro only in `W3`, which is opt-in.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from launcher.metapro.app_page import complaint, page_errors, settled, tap, text_of, until_text
from launcher.metapro.drive import Drive, Shown
from launcher.metapro.faults import FAULTS
from launcher.metapro.message import read_message, recover, sign_in_message
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Skip, Step
from launcher.metapro.wallet_log import Decision, WalletRequest

__all__ = ["STEPS"]

SIGN = "personal_sign"
WRITES = ("/v2/auth/web3/new-address", "/v2/auth/web3/login", "/auth/login")
"""What the app sends a signature to."""
_CONNECTING = ("eth_accounts", "eth_requestAccounts")


# Connecting


async def injected(drive: Drive) -> Found:
    """The app asks for the account and shows it, with the chain that the wallet is on."""
    async with _connected(drive) as shown:
        chain = shown.wallet.chain_id
        asked = [request.method for request in shown.wallet.requests]
    if "eth_chainId" not in asked:
        return Found("the app shows the account", None, ("the app does not ask for the chain",))
    return Found(f"the app shows the account, and asked for the chain ({chain})")


@asynccontextmanager
async def _connected(drive: Drive) -> AsyncIterator[Shown]:
    """A page of the app that has its wallet, and cannot write."""
    async with drive.another() as shown:
        await drive.fail_calls(shown, FAULTS["503 in JSON"], *WRITES)
        await settled(shown)
        if not _asked(shown, *_CONNECTING):
            await tap(shown, drive.screen.connect, drive.screen.seconds)
        if not await _until_asked(drive, shown, *_CONNECTING):
            raise Failed("the app does not ask the wallet for its account")
        if not await until_text(shown, _shows(shown.wallet.address), drive.screen.seconds):
            await tap(shown, drive.screen.connect, drive.screen.seconds)
            if not await until_text(shown, _shows(shown.wallet.address), drive.screen.seconds):
                raise Failed("the app does not show the connected account")
        yield shown


def _shows(address: str) -> Callable[[str], bool]:
    """Whether a text has the address, whole or with its middle left out."""
    return lambda text: (
        address in text.lower() or (address[:6] in text.lower() and address[-4:] in text.lower())
    )


def _asked(shown: Shown, *methods: str) -> list[WalletRequest]:
    return [request for request in shown.wallet.requests if request.method in methods]


async def _until_asked(drive: Drive, shown: Shown, *methods: str, times: int = 1) -> bool:
    return await drive.until(lambda: len(_asked(shown, *methods)) >= times)


# Signing


async def signature(drive: Drive) -> Found:
    """The driver's own wallet: a hash, the five lines, and a signature that leads back to the wallet."""
    hash = await drive.client.signature_hash(drive.wallet.address)
    text = sign_in_message(drive.wallet.address, hash)
    signed = await drive.wallet.answer(SIGN, [text, drive.wallet.address])
    drive.redaction.add(signed, hash)
    if recover(text, signed) != drive.wallet.address:
        raise Failed("the signature does not lead back to the wallet")
    drive.signed = (hash, signed)
    return Found(f"{len(text.encode())} bytes signed, signer recovered", 200)


async def app_signature(drive: Drive) -> Found:
    """What the app has signed is the documented text, byte for byte, with the hash that it was given."""
    async with _connected(drive) as shown:
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
    if not await _until_asked(drive, shown, SIGN):
        raise Failed("the app does not ask the wallet for a signature")
    await drive.until(lambda: _asked(shown, SIGN)[0].decision not in (Decision.ASKED, Decision.ALLOWED))
    request = _asked(shown, SIGN)[0]
    drive.redaction.add(request.result.get_secret_value() if request.result else None)
    return request


def _check(request: WalletRequest, hashes: set[str | None]) -> None:
    if request.message is None or request.result is None:
        raise Failed("the app had something signed that is no text")
    try:
        wallet, hash = read_message(request.message)
        signer = recover(request.message, request.result.get_secret_value())
    except ValueError as why:
        raise Failed(f"the signed text: {why}") from None
    if wallet != request.address:
        raise Failed("the signed text names another wallet")
    if hash not in hashes:
        raise Failed("the signed text has another hash than Metapro issued")
    if signer != request.address:
        raise Failed("the signature does not lead back to the wallet")


async def attach(drive: Drive) -> Found:
    """The wallet belongs to the account afterwards. It writes: `merge` may join accounts."""
    assert drive.signed is not None
    hash, signed = drive.signed
    user = await drive.client.attach_wallet(drive.wallet.address, signed, hash)
    drive.learn_person(user)
    if drive.wallet.address not in {address.wallet.lower() for address in user.addresses}:
        raise Failed("after new-address the account does not have the wallet")
    return Found("the account has the wallet", 201)


# Refusing


async def rejected(drive: Drive) -> Found:
    """The person says no (4001): the app says so, and asks again when asked to."""
    async with _connected(drive) as shown:
        shown.wallet.refuse_next(SIGN)
        await _have_signed(drive, shown)
        told = await complaint(shown, drive.screen)
        _sound(shown)
        if not told:
            raise Failed("the app says nothing about a refused signature")
        if not await tap(shown, drive.screen.sign, drive.screen.seconds) or not await _until_asked(
            drive, shown, SIGN, times=2
        ):
            raise Failed("after a refusal the app does not ask again")
        await settled(shown)
        for request in _asked(shown, SIGN):
            drive.redaction.add(request.result.get_secret_value() if request.result else None)
    return Found(f"tells: {told[:60]}; asks again")


async def account_switched(drive: Drive) -> Found:
    async with _connected(drive) as shown:
        address = await shown.wallet.switch_account()
        if not await until_text(shown, _shows(address), drive.screen.seconds):
            raise Failed("the app goes on with the old account")
        _sound(shown)
    return Found("the app goes on with the new account")


async def chain_switched(drive: Drive) -> Found:
    """A chain that no app expects: the app need not work on it, but it must not break."""
    async with _connected(drive) as shown:
        before = await text_of(shown)
        await shown.wallet.switch_chain(UNEXPECTED)
        noticed = await until_text(shown, lambda text: text != before, 1.0)
        _sound(shown)
        if not await text_of(shown):
            raise Failed("on another chain the page is blank")
    return Found("the app shows the change" if noticed else "the app takes no notice")


async def disconnected(drive: Drive) -> Found:
    async with _connected(drive) as shown:
        old = _shows(shown.wallet.address)
        await shown.wallet.disconnect()
        if not await until_text(shown, lambda text: not old(text), drive.screen.seconds):
            raise Failed("the app goes on showing a wallet that is gone")
        _sound(shown)
    return Found("the app lets the account go")


def _sound(shown: Shown) -> None:
    if errors := page_errors(shown):
        raise Failed(f"the page fails with {errors[0][:80]}")


UNEXPECTED = 424_242

REFUSALS = (
    ("rejected", "refused signature", rejected),
    ("account", "account switched", account_switched),
    ("chain", "unexpected chain", chain_switched),
    ("disconnect", "wallet disconnected", disconnected),
)

STEPS = (
    Step(
        "W1",
        "wallet connect (injected)",
        Layer.WALLET,
        injected,
        "Let the app look for window.ethereum or EIP-6963, or say where to tap (`Screen.connect`).",
        needs=(Need.PAGE, Need.RELAUNCH),
        after=("L1.app",),
    ),
    Step(
        "W2",
        "signature",
        Layer.WALLET,
        signature,
        "Compare the signed text with the documented one.",
        after=("C1.users",),
    ),
    Step(
        "W2.app",
        "the app's signature",
        Layer.WALLET,
        app_signature,
        "Let the app have exactly the documented text signed, wallet in lower case.",
        needs=(Need.PAGE, Need.RELAUNCH),
        after=("W1",),
    ),
    Step(
        "W3",
        "wallet attached",
        Layer.WALLET,
        attach,
        "Check the signature steps; the wallet may belong to another account.",
        needs=(Need.WRITES,),
        after=("W2", "K1"),
        assumption="attach-wallet",
    ),
    *(
        Step(
            f"W4.{name}",
            title,
            Layer.WALLET,
            run,
            "Let the app listen to its wallet, and tell the person.",
            needs=(Need.PAGE, Need.RELAUNCH),
            after=("W1",),
            assumption="app-behaviour",
        )
        for name, title, run in REFUSALS
    ),
)
