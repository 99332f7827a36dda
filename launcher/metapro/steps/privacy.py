"""B3 and S: what gets where it should not: keys into pages, tokens to others, people into each other."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

from launcher.hosts.launch_secrets import origin_of
from launcher.metapro.app_page import settled
from launcher.metapro.drive import Drive
from launcher.metapro.errors import MetaproRefused, NeedsLaunch
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Step
from launcher.metapro.watch import Sent

__all__ = ["STEPS"]

_STORAGE = """() => ['localStorage', 'sessionStorage'].map((name) => {
  try { return [name, JSON.stringify({ ...window[name] })]; } catch { return [name, '']; }
})"""


async def key_exposure(drive: Drive) -> Found:
    """Whether the leaderboard key is in what the page loads or sends: anybody can read it there."""
    assert drive.settings.leaderboard_key is not None
    key = drive.settings.leaderboard_key.get_secret_value()
    await settled(drive.page)
    sent = drive.page.watch.sent
    sending = [one for one in sent if _carries(one, key)]
    loading = [one for one in sent if key in await one.text()]
    found = [
        *(["the leaderboard key is in what the page loads"] if loading else []),
        *(["the page sends the leaderboard key itself"] if sending else []),
    ]
    return Found("exposed" if found else f"not in {len(sent)} requests of the page", None, tuple(found))


def _carries(sent: Sent, *secrets: str) -> bool:
    texts = (sent.url, sent.body, *sent.headers.values())
    return any(secret in text for text in texts for secret in secrets)


async def token_storage(drive: Drive) -> Found:
    """The token goes to Metapro and nowhere else: no address, no console, no third party."""
    await settled(drive.page)
    await drive.learn_watched(drive.page)  # it may have logged in again meanwhile
    tokens = [*drive.app_tokens]
    forms = {*tokens, *(quote(token, safe="") for token in tokens)}
    watch = drive.page.watch
    home = origin_of(drive.launched.url or "")
    wrong = []
    if any(form in sent.url for sent in watch.sent for form in forms):
        wrong.append("it is in the address of a request")
    if any(form in drive.page.app.frame.url for form in forms):
        wrong.append("it is in the address of the page")
    if any(token in line for line in watch.console for token in tokens):
        wrong.append("it is in the console")
    others = [one for one in watch.sent if one.service is None and origin_of(one.url) != home]
    if there := {urlsplit(one.url).hostname or "?" for one in others if _carries(one, *forms)}:
        wrong.append(f"it goes to {', '.join(sorted(there))}")
    if wrong:
        raise Failed(f"the app's token: {'; '.join(wrong)}")
    stored = await drive.page.app.frame.evaluate(_STORAGE)
    kept = [name for name, text in stored if any(token in text for token in tokens)]
    warnings = ("the token is in localStorage, and outlives the session",) if "localStorage" in kept else ()
    return Found(f"kept in {', '.join(kept) or 'memory'}", None, warnings)


async def separation(drive: Drive) -> Found:
    """Two people at the same time: neither gets the other's token, Metapro ID or wallet."""
    assert drive.companion is not None
    if not drive.still_fresh(drive.companion):
        raise NeedsLaunch
    async with drive.client_of_its_own() as one, drive.client_of_its_own() as other:
        try:
            second = await other.telegram_login(drive.companion.raw)
        except MetaproRefused as refusal:
            raise Failed(
                f"the second person cannot log in: {refusal.meaning}",
                status=refusal.status,
                remedy=refusal.remedy,
            ) from None
        drive.learn(second)
        logins = (drive.logged_in, second)
        one.take(drive.logged_in)
        people = await asyncio.gather(one.me(), other.me())
    tokens = {login.token.get_secret_value() for login in logins}
    if len(tokens) < 2 or len({person.user_id for person in people}) < 2:
        raise Failed("two people share a token or a Metapro ID")
    if [person.user_id for person in people] != [login.account.user_id for login in logins]:
        raise Failed("two people's Metapro IDs are mixed up")
    wallets = [{address.wallet.lower() for address in person.addresses} for person in people]
    if wallets[0] & wallets[1]:
        raise Failed("two people share a wallet")
    return Found("two people, nothing shared", 200)


STEPS = (
    Step(
        "B3",
        "key exposure",
        Layer.METAPRO_DATA,
        key_exposure,
        "Keep the leaderboard key on a server.",
        needs=(Need.PAGE, Need.KEY),
        after=("L1.app",),
    ),
    Step(
        "S1",
        "token storage",
        Layer.METAPRO_AUTH,
        token_storage,
        "Keep the token in memory or session storage, and send it to Metapro only.",
        needs=(Need.PAGE,),
        after=("L1.app",),
    ),
    Step(
        "S2",
        "separation of two users",
        Layer.METAPRO_AUTH,
        separation,
        "One session for each person.",
        needs=(Need.COMPANION,),
        after=("K1",),
    ),
)
