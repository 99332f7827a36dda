"""One drive while it runs: what the steps are given, and what they learn for each other.

Steps share one client, so one connection pool and one token. Whatever a step learns that a later one needs is
a field here, and only steps that come `after` it read it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol

from flows import OpenParameters
from flows.init_data import InitDataExpired
from launcher.extras import install
from launcher.metapro.answers import at
from launcher.metapro.client import MetaproClient
from launcher.metapro.errors import MetaproMisconfigured, MetaproRefused, NeedsLaunch
from launcher.metapro.launch import Launch
from launcher.metapro.redaction import Redaction
from launcher.metapro.settings import SERVICES, MetaproSettings
from launcher.metapro.step import Need, Skip
from launcher.metapro.until import until

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext, Request

    from launcher.hosting import Hosting
    from launcher.launcher import Launcher
    from launcher.metapro.faults import Fault
    from launcher.metapro.models import Login, User
    from launcher.metapro.wallet import Wallet
    from launcher.metapro.watch import AppWatch
    from launcher.mini_app import MiniApp

__all__ = [
    "WRITES",
    "Drive",
    "LongRun",
    "Preparation",
    "Prepare",
    "Relaunch",
    "Screen",
    "Shown",
    "reopening",
    "wallet_of",
]

Prepare = Callable[["BrowserContext"], Awaitable[None]]
PAGES_AT_ONCE = 3
WRITES = ("/v2/auth/web3/new-address", "/v2/auth/web3/login", "/auth/login")
"""What an app sends a wallet's signature to."""
_USED_UP = (400, 401, 403, 409, 422)
"""How init data may be refused that were good for a login before."""


_SAME_SECOND = 3
"""Launches until the init data are others: they tell the time in whole seconds."""


class Relaunch(Protocol):
    """Opens the app again. With `shown` its page is shown in a browser, whose context `prepare` gets before
    the page loads; without, only a fresh launch is wanted. `platform` is another client to be."""

    def __call__(
        self, *, platform: str | None = None, prepare: Prepare | None = None, shown: bool = True
    ) -> AbstractAsyncContextManager[MiniApp]: ...


def reopening(
    launcher: Launcher,
    target: Any,
    *,
    parameters: OpenParameters | None = None,
    hosting: Hosting | None = None,
    **options: Any,
) -> Relaunch:
    """A relaunch by `launcher.open(target, ...)`; recordings are made of the first launch only."""

    def again(
        *, platform: str | None = None, prepare: Prepare | None = None, shown: bool = True
    ) -> AbstractAsyncContextManager[MiniApp]:
        given = parameters or OpenParameters()
        return launcher.open(
            target,
            parameters=given if platform is None else replace(given, platform=platform),
            hosting=_unrecorded(hosting, prepare) if shown else None,
            **options,
        )

    return again


def _unrecorded(hosting: Hosting | None, prepare: Prepare | None) -> Hosting:
    from launcher.hosting import Hosting as How

    plain = hosting or How("browser")
    return replace(plain, kind="browser", prepare=prepare, trace=None, har=None, video=None)


@dataclass(frozen=True, slots=True)
class Screen:
    """Where to look and tap in the app's page: Playwright selectors.

    `connect` connects a wallet, `sign` has something signed, `refresh` makes the app call Metapro with its
    token, `error` is where it tells that something went wrong. `seconds`: how long it may take for each.
    """

    connect: str = r"[data-metapro=connect], button:text-matches('^\\s*connect', 'i')"
    sign: str = r"[data-metapro=sign], button:text-matches('^\\s*(sign|attach|verify)(?! in)', 'i')"
    refresh: str = r"[data-metapro=refresh], button:text-matches('^\\s*(refresh|reload|update)', 'i')"
    error: str = "[data-metapro=error], [role=alert], .error"
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class LongRun:
    """The long steps: a token is used `times` times, once in `settings.keep_alive` seconds, and unused ones
    are tried after each of `idle` seconds. `wait` lets that time pass."""

    times: int = 15
    idle: tuple[float, ...] = (300.0, 900.0, 1800.0, 3600.0, 7200.0)
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that the driver looks at, with everything around it."""

    app: MiniApp
    watch: AppWatch
    wallet: Wallet
    login_path: str

    def hide(self, secret: str) -> None:
        """Keep this out of the recordings of the page."""
        if self.app.live is not None and self.app.live.host is not None:
            self.app.live.host.hide(secret)


class Preparation:
    """Prepares a browser context before the page is in it: a watch, and a wallet of its own, in front of
    the page if it is `injected`. The wallet signs what it is asked to; unless the settings allow writes, what
    signatures are sent to is down for the page from its first request on."""

    def __init__(self, settings: MetaproSettings, *, injected: bool = True) -> None:
        from launcher.metapro.watch import AppWatch

        self._settings = settings
        self._injected = injected
        self.watch = AppWatch(service_urls(settings))
        self.wallet = wallet_of(settings)

    def shown(self, app: MiniApp) -> Shown:
        """The page; the settings' secrets, which an app may have as well, are in none of its recordings."""
        shown = Shown(app, self.watch, self.wallet, self._settings.telegram_login.path)
        for secret in self._settings.secrets:
            shown.hide(secret)
        return shown

    async def __call__(self, context: BrowserContext, faults: Mapping[str, Fault] | None = None) -> None:
        from launcher.metapro.faults import FAULTS, lay_fault
        from launcher.metapro.injected import inject

        self.watch.lay(context)
        for path in () if self._settings.allow_writes else WRITES:
            await lay_fault(context, self.watch.bases["users"] + path, FAULTS["503 in JSON"])
        if self._injected:
            await inject(self.wallet, context)
        for service, fault in (faults or {}).items():
            await lay_fault(context, self.watch.bases[service], fault)


def wallet_of(settings: MetaproSettings) -> Wallet:
    """A wallet with the configured key, or with a fresh one, on the first of the configured chains."""
    from launcher.metapro.wallet import Wallet

    chains = settings.chain_ids
    return Wallet(settings.wallet_key, chain_id=chains[0], chain_ids=chains, rpc_url=settings.rpc_url)


def service_urls(settings: MetaproSettings) -> dict[str, str]:
    """The base URLs of the services that have one, by name."""
    found: dict[str, str] = {}
    for service in SERVICES:
        with suppress(MetaproMisconfigured):
            found[service] = settings.url(service)
    return found


@dataclass(slots=True, repr=False)
class Drive:
    """See the module. `launch` is what is driven, `shown` its page, `companion` the launch of a second
    person. `fresh` is the newest launch, once the driver has needed another one to log in with."""

    settings: MetaproSettings
    client: MetaproClient
    redaction: Redaction
    wallet: Wallet
    launch: Launch | None = None
    shown: Shown | None = None
    screen: Screen = Screen()
    relaunch: Relaunch | None = None
    companion: Launch | None = None
    negative: bool = False
    long: LongRun | None = None
    now: Callable[[], float] = time.time
    wait: Callable[[float], Awaitable[None]] = asyncio.sleep
    patience: float = 30.0
    login: Login | None = None
    user: User | None = None
    app_tokens: dict[str, None] = field(default_factory=dict)
    """Every token that the page under test was given so far. Secrets."""
    signed: tuple[str, str] | None = None
    fresh: Launch | None = None
    used_up: bool = False
    """Whether init data were refused that had been good for a login before."""
    _logging_in: asyncio.Lock = field(default_factory=asyncio.Lock)
    _relaunched: set[str] = field(default_factory=set)
    _pages: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PAGES_AT_ONCE))

    # What a step may take for granted

    @property
    def launched(self) -> Launch:
        assert self.launch is not None
        return self.launch

    @property
    def newest(self) -> Launch:
        """What the driver itself logs in with."""
        return self.fresh or self.launched

    @property
    def page(self) -> Shown:
        """The page under test."""
        assert self.shown is not None
        return self.shown

    @property
    def logged_in(self) -> Login:
        assert self.login is not None
        return self.login

    def unmet(self, need: Need) -> Skip | None:
        """Why there is not what the step needs; None when it is there."""
        return None if _THERE[need](self) else Skip(*_UNMET[need])

    # What is learned on the way, and must not be told

    def learn(self, login: Login) -> None:
        self.redaction.add(login.token.get_secret_value())
        self.learn_person(login.account)

    def learn_person(self, user: User) -> None:
        details = user.personal_details
        for secret in (details.email, details.birth_date) if details else ():
            self.redaction.add(secret.get_secret_value() if secret else None)

    def keep_secret(self, shown: Shown, *secrets: str) -> None:
        """What a page knows and nobody else should: out of the report, and out of the page's recordings."""
        self.redaction.add(*secrets)
        for secret in secrets:
            shown.hide(secret)

    async def learn_watched(self, shown: Shown) -> None:
        """What a page was told by Metapro and signed by its wallet: tokens, people, signatures."""
        calls = [sent for sent in shown.watch.to("users") if sent.went_well]
        for sent, answer in zip(calls, await asyncio.gather(*(sent.answer() for sent in calls)), strict=True):
            self.keep_secret(shown, *_personal(answer))
            token = at(answer, self.settings.telegram_login.token_path)
            if sent.path == shown.login_path and isinstance(token, str) and token:
                self.keep_secret(shown, token)
                if shown is self.shown:
                    self.app_tokens[token] = None
        signed = (request.result for request in tuple(shown.wallet.requests))
        self.keep_secret(shown, *(result.get_secret_value() for result in signed if result is not None))

    # Sessions

    def client_of_its_own(self, **changes: Any) -> MetaproClient:
        """A session beside the drive's own, over the same connections; `changes` are other settings."""
        return self.client.another(self.settings.model_copy(update=changes) if changes else self.settings)

    async def log_in_again(self, client: MetaproClient) -> Login:
        """Another login of the person: with the newest init data, or with those of a new launch when they are
        too old or are not taken twice. Raises NeedsLaunch when no new launch can be had.

        One at a time: init data that are good for one login are not to be used by two steps at once.
        """
        async with self._logging_in:
            login = await self._log_in_if_taken(client)
            if login is None:
                self.fresh = await self._launch_anew()
                login = await client.telegram_login(self.fresh.raw)
        self.learn(login)
        return login

    async def _log_in_if_taken(self, client: MetaproClient) -> Login | None:
        if not self.still_fresh(self.newest):
            return None
        try:
            return await client.telegram_login(self.newest.raw)
        except MetaproRefused as refusal:
            if refusal.status not in _USED_UP:
                raise
            self.used_up = True
            return None

    async def unused_init_data(self) -> str:
        """Init data for a login which nothing else is to speak against: of a new launch where they are good
        for one login only. Raises NeedsLaunch."""
        async with self._logging_in:
            return (await self._launch_anew() if self.used_up else self.newest).raw

    def still_fresh(self, launch: Launch) -> bool:
        """Whether its init data are good for a login by their age."""
        try:
            if launch.init_data is not None:
                launch.init_data.check_age(self.settings.max_auth_age, self.now())
        except InitDataExpired:
            return False
        return True

    async def _launch_anew(self) -> Launch:
        """A launch with other init data than all before it."""
        if self.relaunch is None:
            raise NeedsLaunch
        for attempt in range(_SAME_SECOND):
            if attempt:
                await self.wait(1.0)
            async with self.relaunch(shown=False) as app:
                self.redaction.launched(app.url)
                launch = Launch.of(app)
            if launch.raw not in (self.launched.raw, *self._relaunched):
                break
        self._relaunched.add(launch.raw)
        return launch

    @property
    def some_wallet(self) -> str:
        """The person's first wallet, if it is known by now, else the driver's own."""
        known = self.login.account.addresses if self.login else []
        return known[0].wallet if known else self.wallet.address

    # Pages

    async def until(self, wanted: Callable[[], bool], seconds: float | None = None) -> bool:
        """Whether something comes to be so within that time, or while a person would wait for it."""

        async def look() -> bool:
            return wanted()

        return await until(look, self.screen.seconds if seconds is None else seconds)

    @asynccontextmanager
    async def another(
        self,
        platform: str | None = None,
        faults: Mapping[str, Fault] | None = None,
        *,
        injected: bool = True,
    ) -> AsyncIterator[Shown]:
        """The app opened once more, watched, with a wallet of its own, and with these services (by name)
        down. A few at once, each for as long as a step may take."""
        assert self.relaunch is not None
        prepared = Preparation(self.settings, injected=injected)
        prepare = partial(prepared, faults=faults or {})
        async with self._pages, asyncio.timeout(self.patience):
            async with self.relaunch(platform=platform, prepare=prepare) as app:
                self.redaction.launched(app.url)
                shown = prepared.shown(app)
                try:
                    yield shown
                finally:
                    await self.learn_watched(shown)

    async def fail_calls(self, shown: Shown, fault: Fault, *paths: str) -> None:
        """From now on, calls to these paths of the users service meet the fault; without paths, all that bear
        a token."""
        from launcher.metapro.faults import lay_fault

        def meant(request: Request) -> bool:
            path = shown.watch.place(request.url)[1]
            return path in paths if paths else "authorization" in request.headers

        await lay_fault(shown.app.page.context, self.settings.url("users"), fault, meant)


def _personal(content: Any) -> Iterator[str]:
    """The e-mail addresses and birth dates in an answer, wherever they stand."""
    if isinstance(content, dict):
        yield from (content[name] for name in ("email", "birthDate") if isinstance(content.get(name), str))
    members = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    for member in members:
        yield from _personal(member)


_THERE: dict[Need, Callable[[Drive], bool]] = {
    Need.LAUNCH: lambda drive: drive.launch is not None,
    Need.PAGE: lambda drive: drive.shown is not None,
    Need.RELAUNCH: lambda drive: drive.relaunch is not None,
    Need.COMPANION: lambda drive: drive.companion is not None,
    Need.LEADERBOARD: lambda drive: drive.settings.leaderboard_id is not None,
    Need.KEY: lambda drive: drive.settings.leaderboard_key is not None,
    Need.NEGATIVE: lambda drive: drive.negative,
    Need.WRITES: lambda drive: drive.settings.allow_writes,
    Need.LONG: lambda drive: drive.long is not None,
    Need.RELAY: lambda drive: drive.settings.relay_project is not None,
    Need.WEBSOCKETS: lambda drive: find_spec("websockets") is not None,
}
_UNMET = {
    Need.LAUNCH: ("there is no launch", "Give the driver a live app, or a launch URL."),
    Need.PAGE: ("the app's page is not shown in a browser", "Open the app with --host browser."),
    Need.RELAUNCH: ("the app cannot be opened again", "Give the driver a `relaunch`."),
    Need.COMPANION: ("there is no second person", "Name one with --second-account."),
    Need.LEADERBOARD: ("no leaderboard is configured", "Set METAPRO_LEADERBOARD_ID."),
    Need.KEY: ("no leaderboard key is configured", "Set METAPRO_LEADERBOARD_KEY."),
    Need.NEGATIVE: ("logins that should be refused are not tried unasked", "Ask for them with --negative."),
    Need.WRITES: ("it writes, and that is not allowed", "Allow it with --allow-writes."),
    Need.LONG: ("it takes long, and was not asked for", "Ask for it with --long."),
    Need.RELAY: ("no project at a WalletConnect relay is configured", "Set METAPRO_RELAY_PROJECT."),
    Need.WEBSOCKETS: ("WalletConnect needs websockets", install("metapro")),
}
