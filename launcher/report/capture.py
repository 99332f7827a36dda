"""Collecting one launch while it lasts.

    record = Recording()
    async with record.opening(launcher, link, host="browser") as app:
        ...
    saved = await record.saved()

A recording opens the app as `Launcher.open` does and listens meanwhile: to the consent policy's questions, to
each request of this task to Telegram, to the page. What stops the launch is raised as ever, and in the value
too. An app that somebody else has opened is recorded from then on: `record.see(app)`.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flows import Consent, HiddenLink, MiniAppError, OpenParameters
from launcher.failure_json import failure_json
from launcher.hosting import Hosting, Kind, hosted
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.inspection import Inspection, Onlooker
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.report.saved import SavedLaunch
from launcher.report.struck_out import Secrets, event_text
from launcher.tracing import Exchange, traced

__all__ = ["Recording", "recording"]

_EVENTS = 2_000
_CHARACTERS = 4_000
"""Of an event's data."""
_PICTURES = 12
_PICTURE_BYTES = 2 * 2**20
_PATIENCE = 3.0
"""Seconds for a screenshot; a page that draws nothing has none."""
_OPTIONS = ("via", "button", "topic", "reply_to", "silent", "start", "start_param", "query", "speculate")


class Recording:
    """One launch, recorded. `reveal` leaves secrets readable in the value, which then says so; `pictures`
    takes a screenshot when the block of `opening` is left."""

    def __init__(self, *, reveal: bool = False, pictures: bool = True) -> None:
        self.app: MiniApp | None = None
        self.metapro: list[dict[str, Any]] = []
        self._reveal = reveal
        self._pictures = pictures
        self._taken: list[dict[str, Any]] = []
        self._exchanges: list[Exchange] = []
        self._failure: MiniAppError | None = None
        self._found: Inspection | None = None
        self._launcher: Launcher | None = None
        self._parameters = OpenParameters()
        self._options: dict[str, Any] = {}
        self._began(None)

    def _began(self, launcher: Launcher | None) -> None:
        self._launcher = launcher
        self._clock, self._epoch, self._when = _now(), time.time(), datetime.now(UTC)
        self._over: float | None = None

    @asynccontextmanager
    async def opening(
        self,
        launcher: Launcher,
        target: Any,
        *,
        parameters: OpenParameters | None = None,
        consent: Consent | None = None,
        host: Kind | None = None,
        hosting: Hosting | None = None,
        **options: Any,
    ) -> AsyncIterator[MiniApp]:
        """Open an app as `launcher.open(...)` does, with the same options and the same errors."""
        self._began(launcher)
        self._parameters = parameters or self._parameters
        self._options = {name: options[name] for name in _OPTIONS if options.get(name)}
        onlooker = Onlooker(launcher, _named(target), consent, reveal=self._reveal)
        self._found = onlooker.before
        with traced() as self._exchanges:
            try:
                async with launcher.open(
                    target, parameters=parameters, consent=onlooker.consent, **options
                ) as app:
                    self.app, self._found = app, onlooker.opened(app)
                    async with self._shown(launcher, app, host, hosting):
                        yield app
            except MiniAppError as failure:
                self._failure = failure
                if self.app is None:
                    self._found = onlooker.stopped(failure, self._exchanges)
                raise

    def see(self, app: MiniApp) -> None:
        """Record an app that is open already, with what its page has done so far."""
        launcher = app._launcher
        if self._launcher is None:
            self._launcher = launcher
        self._parameters = app.parameters
        self._options = {"via": app.flow}
        self.app = app
        self._found = Onlooker(launcher, f"@{app.app.bot.username}", reveal=self._reveal).opened(app)
        if app.live is not None and (first := next(iter(app.events), None)) is not None:
            self._epoch -= max(0.0, self._clock - first.time)
            self._clock = min(self._clock, first.time)

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Requests that another task has made for the app."""
        self._exchanges = sorted([*self._exchanges, *exchanges], key=lambda exchange: exchange.at)

    @asynccontextmanager
    async def _shown(
        self, launcher: Launcher, app: MiniApp, host: Kind | None, hosting: Hosting | None
    ) -> AsyncIterator[None]:
        """With its page, if there is to be one: what became of the launch is known if it cannot be shown."""
        try:
            if host is None and hosting is None:
                yield
                return
            chosen = replace(hosting, kind=host or hosting.kind) if hosting else Hosting(host or "browser")
            async with hosted(launcher, app, chosen):
                try:
                    yield
                finally:
                    if self._pictures:
                        await self.picture("at the end")
        finally:
            self._over = _now()

    @property
    def inspection(self) -> Inspection:
        """The stages of the launch by now. Raises RuntimeError before anything was opened."""
        if self._found is None:
            raise RuntimeError("nothing was recorded: open an app first")
        return replace(self._found, failure=self._failure, exchanges=tuple(self._exchanges))

    async def picture(self, name: str) -> bytes | None:
        """Take a screenshot, if the page is shown in a browser and draws. The first dozen are kept, and
        one that looks like the one before is not."""
        if self.app is None or self.app.live is None or len(self._taken) >= _PICTURES:
            return None
        at = self._since(_now())
        png = await _png(self.app)
        if png is None or len(png) > _PICTURE_BYTES:
            return png
        picture = base64.b64encode(png).decode("ascii")
        if not self._taken or self._taken[-1]["png"] != picture:
            self._taken.append({"at": at, "name": name, "png": picture})
        return png

    async def saved(self) -> SavedLaunch:
        """What there is by now. Raises RuntimeError before anything was opened."""
        found = self.inspection.to_json()
        assert self._launcher is not None
        view = found["answer"] or {}
        value = {
            "revealed": self._reveal,
            "target": found["target"],
            "options": self._options,
            "when": self._when,
            "seconds": self._since(self._over or _now()),
            "server": self._launcher.server.name,
            "parameters": _client(self._parameters),
            "stopped_at": found["stopped_at"],
            "failure": self._failure and failure_json(self._failure),
            "link": found["link"] and _without(found["link"], "readings"),
            "readings": (found["link"] or {}).get("readings", {}),
            "bot": found["bot"],
            "app": found["app"],
            "questions": found["questions"],
            "exchanges": list(self._timed(found["requests"])),
            "answer": found["answer"] and _without(view, "launch_params", "init_data"),
            "launch_params": view.get("launch_params"),
            "init_data": view.get("init_data"),
            "checks": found["checks"],
            **self._page(),
            "metapro": self.metapro,
        }
        return SavedLaunch.model_validate(self._struck_out(value, found["link"]))

    def _struck_out(self, value: dict[str, Any], link: Any) -> dict[str, Any]:
        if not self._reveal:
            secrets = Secrets(_mask(self.app), self._exchanges, link)
            value = {name: secrets.strike(item) for name, item in value.items()}
        return value | {"screenshots": self._taken}

    def _timed(self, requests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for request, exchange in zip(requests, self._exchanges, strict=True):
            yield request | {"at": self._since(exchange.at)}

    def _page(self) -> dict[str, Any]:
        app = self.app
        if app is None:
            return {}
        shown: dict[str, Any] = {"closed": app.reason and str(app.reason), "prolongs": app.prolongs}
        if app.http is not None:
            shown["page"] = {"host": "http", **_plain(asdict(app.http))}
        if app.live is None:
            return shown
        return shown | {
            "page": {"host": "browser", "ended": app.host_end and _end(app)},
            "events": [self._event(event) for event in islice(app.events, _EVENTS)],
            "events_left_out": max(0, len(app.events) - _EVENTS),
            "unanswered": [
                {**_without(asdict(one), "since"), "at": self._since(one.since)} for one in app.unanswered
            ],
            **self._seen_by_host(app),
        }

    def _event(self, event: Any) -> dict[str, Any]:
        text = event.text if self._reveal else event_text(event.name, event.text)
        return {
            "at": self._since(event.time),
            "direction": event.direction,
            "name": _shortened(event.name, 200),
            "data": None if text is None else _shortened(text, _CHARACTERS),
        }

    def _seen_by_host(self, app: MiniApp) -> dict[str, Any]:
        assert app.live is not None
        host = app.live.host
        if host is None:
            return {}
        return {
            "console": [
                {"at": self._since_epoch(seen.time), "kind": str(seen.kind), "text": seen.detail}
                for seen in host.observations
            ],
            "network": [
                _without(asdict(one), "time") | {"at": self._since_epoch(one.time)} for one in host.traffic
            ],
            "requests_left_out": host.traffic.left_out,
        }

    def _since(self, moment: float) -> float:
        return round(max(0.0, moment - self._clock), 4)

    def _since_epoch(self, moment: float) -> float:
        return round(max(0.0, moment - self._epoch), 4)


@asynccontextmanager
async def recording(
    launcher: Launcher, target: Any, *, reveal: bool = False, **options: Any
) -> AsyncIterator[Recording]:
    """Open an app and record it: the recording's `app` is open while the block runs."""
    record = Recording(reveal=reveal)
    async with record.opening(launcher, target, **options):
        yield record


def _mask(app: MiniApp | None) -> Callable[[str], str]:
    """What strikes an app's secrets out; its host may know more than its URL tells."""
    if app is not None and app.live is not None and app.live.host is not None:
        return app.live.host.masked
    return LaunchSecrets(app.url if app is not None else "").mask


def _now() -> float:
    return asyncio.get_running_loop().time()


def _named(target: Any) -> str:
    """A target as a text: that of a link, a bot's name, or what kind of thing it is."""
    match target:
        case str():
            return target
        case HiddenLink():
            return target.url
    bot = getattr(target, "bot", None)
    return f"@{bot.username}" if bot is not None else f"a {type(target).__name__}"


def _client(parameters: OpenParameters) -> dict[str, Any]:
    theme = parameters.theme
    return {
        "platform": parameters.platform,
        "mode": str(parameters.mode),
        "theme": None if theme is None else {k: v for k, v in asdict(theme).items() if v is not None},
    }


def _without(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: item for name, item in value.items() if name not in names}


def _plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(item) if isinstance(item, tuple) else item for name, item in value.items()}


def _end(app: MiniApp) -> str:
    assert app.host_end is not None
    return ": ".join(filter(None, (str(app.host_end.reason), app.host_end.detail)))


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}… ({len(text)} characters)"


async def _png(app: MiniApp) -> bytes | None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(_PATIENCE):
            return await app.page.screenshot(timeout=_PATIENCE * 1000)
    except (Error, TimeoutError):
        return None
