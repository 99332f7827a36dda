"""X: how long does a token live, and what becomes of the app and of the driver when it is over?"""

from __future__ import annotations

import asyncio

from pydantic import SecretStr

from launcher.metapro.app_page import complaint, odd_calls, own_login, settled, tap
from launcher.metapro.drive import Drive, Shown
from launcher.metapro.errors import MetaproRefused
from launcher.metapro.faults import unauthorised
from launcher.metapro.report import Layer
from launcher.metapro.step import Failed, Found, Need, Skip, Step
from launcher.metapro.watch import Sent

__all__ = ["STEPS"]

VOID = "this-token-was-never-issued"
LOOP = 3
"""So many logins after one 401 are a loop: once is right, twice may be two calls side by side."""


async def extension(drive: Drive) -> Found:
    """A token that is used every few minutes stays good, and stays the same."""
    assert drive.long is not None
    every = drive.settings.keep_alive
    async with drive.client_of_its_own() as client:
        await drive.log_in_again(client)
        for used in range(1, drive.long.times + 1):
            await drive.long.wait(every)
            try:
                await client.me()
            except MetaproRefused as refusal:
                raise Failed(
                    f"the token was refused after {used} intervals of {every:g} s, though in use",
                    status=refusal.status,
                ) from None
    return Found(f"good for {drive.long.times * every:g} s in use", 200)


async def idle_expiry(drive: Drive) -> Found:
    """Between which two times an unused token dies. A number is recorded, none is asserted. Where every login
    gives the same token, a look may extend it: then each time begins anew."""
    assert drive.long is not None
    alive, passed = 0.0, 0.0
    async with drive.client_of_its_own() as client:
        tokens = []
        for _ in drive.long.idle:
            tokens.append((await drive.log_in_again(client)).token)
        anew = len({token.get_secret_value() for token in tokens}) < len(tokens)
        for after, token in zip(sorted(drive.long.idle), tokens, strict=True):
            await drive.long.wait(after if anew else after - passed)
            passed = after
            status = await client.me_with(client.authorization(token))
            if status == 401:
                return Found(f"unused, it dies between {alive:g} s and {after:g} s", status)
            alive = after
    return Found(f"unused, it lives longer than {alive:g} s", 200)


async def own_session(drive: Drive) -> Found:
    """The driver's own session outlives its token: one login with fresh init data, one repetition."""
    async with drive.client_of_its_own() as client:
        client.token, client.user_id = SecretStr(VOID), drive.logged_in.account.user_id
        client.keep, client.log_in_again = True, drive.log_in_again
        user = await client.me()
        if user.user_id != drive.logged_in.account.user_id:
            raise Failed("after the new login GET me knows another person")
        return Found(f"a void token was replaced by {client.logins} login", 200)


async def app_login_again(drive: Drive) -> Found:
    """The app's token is answered with 401, once and for ever: it logs in once, and does not loop."""
    async with drive.another() as shown:
        first = await own_login(shown, drive.screen.seconds)
        if first is None:
            raise Skip("because the app does not log in")
        await settled(shown)
        if not first.went_well:
            raise Skip("because the app's login does not go well here", "See L1.app.")
        await drive.fail_calls(shown, unauthorised)
        before = len(_logins(shown))
        await tap(shown, drive.screen.refresh, drive.screen.seconds)
        call = await shown.watch.until(_unauthorised, drive.screen.seconds)
        if call is None:
            raise Skip(
                "the app makes no call with its token while it is looked at",
                "Name what makes it do so: the driver's `Screen.refresh`.",
            )
        await _settled_or_looping(shown, before + LOOP)
        again = len(_logins(shown)) - before
        if again >= LOOP:
            raise Failed(f"on a 401 that stays, the app logs in {again} times and more: a loop")
        told = await complaint(shown, drive.screen)
        odd = odd_calls(shown, drive.settings.auth_scheme)
    if again == 0:
        raise Failed("on a 401 the app does not log in again")
    return Found(f"{again} login after the 401; then it tells: {told or 'nothing'}", 401, tuple(odd))


async def _settled_or_looping(shown: Shown, logins: int) -> None:
    """Until the page is quiet, or has logged in so often: a loop may never be quiet."""
    quiet = asyncio.ensure_future(settled(shown))
    looping = asyncio.ensure_future(shown.watch.until(lambda _: len(_logins(shown)) >= logins, 60.0))
    try:
        await asyncio.wait((quiet, looping), return_when=asyncio.FIRST_COMPLETED)
    finally:
        quiet.cancel()
        looping.cancel()


def _logins(shown: Shown) -> list[Sent]:
    return [sent for sent in shown.watch.to("users") if sent.path == shown.login_path]


def _unauthorised(sent: Sent) -> bool:
    return sent.service == "users" and sent.status == 401 and "authorization" in sent.headers


STEPS = (
    Step(
        "X1",
        "token extension",
        Layer.METAPRO_AUTH,
        extension,
        "Use the token more often (METAPRO_KEEP_ALIVE).",
        needs=(Need.LONG,),
        after=("K1",),
        assumption="token-lifetime",
    ),
    Step(
        "X2",
        "idle expiry",
        Layer.METAPRO_AUTH,
        idle_expiry,
        "Look why unused tokens are not refused with 401.",
        needs=(Need.LONG,),
        after=("K1",),
        assumption="token-lifetime",
    ),
    Step(
        "X3",
        "the app logs in again",
        Layer.METAPRO_AUTH,
        app_login_again,
        "On 401 log in once, repeat the call once, then tell the person.",
        needs=(Need.PAGE, Need.RELAUNCH),
        after=("L1.app",),
        assumption="expired-token",
    ),
    Step(
        "X4",
        "own session kept",
        Layer.METAPRO_AUTH,
        own_session,
        "The driver needs a fresh launch.",
        after=("K1",),
        assumption="expired-token",
    ),
)
