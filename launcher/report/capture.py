"""Collecting one launch while it lasts.

    record = Recording()
    async with record.opening(launcher, link, host="browser") as app:
        ...
    saved = record.saved()

A recording opens the app as `Launcher.open` does and listens meanwhile: to the consent policy's questions, to
each request of this task to Telegram, to the page. What stops the launch is raised as ever, and in the value
too. An app that somebody else has opened is recorded from then on: `record.see(app)`.

What a link in the page opens is a launch of its own and recorded alike, in `record.linked`.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from flows import Consent, HiddenLink, MiniAppError, OpenParameters
from launcher.bridge.bridge import Pending
from launcher.failure_json import failure_json
from launcher.hosting import Hosting, Kind, hosted
from launcher.hosts.launch_secrets import LaunchSecrets
from launcher.hosts.observations import Seen
from launcher.inspection import Inspection, Onlooker
from launcher.inspection.checks import checks_of, server_time
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.report.saved import SavedJudgement, SavedLaunch
from launcher.report.struck_out import Secrets, event_text
from launcher.short_text import shortened
from launcher.tracing import Exchange, traced

__all__ = ["Recording", "recording"]

_EVENTS = 2_000
_CHARACTERS = 4_000
"""Of an event's data."""
_LINKED = 20
_PICTURES = 12
_PICTURE_BYTES = 2 * 2**20
_OPTIONS = ("via", "button", "topic", "reply_to", "silent", "start", "start_param", "query", "speculate")


class Recording:
    """One launch, recorded. `reveal` leaves secrets readable in the value, which then says so; `pictures`
    takes a screenshot when the block of `opening` is left."""

    def __init__(
        self, *, reveal: bool = False, pictures: bool = True, opened_by: Recording | None = None
    ) -> None:
        self.app: MiniApp | None = None
        self.linked: list[Recording] = []
        self.metapro: list[dict[str, Any]] = []
        self.metapro_model = ""
        self.judgement: SavedJudgement | None = None
        self._reveal = reveal
        self._pictures = pictures
        self._opened_by = opened_by
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
        self._waits: list[Pending] | None = None
        self._opened_at = 0.0

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
                    self.app, self._found = app, onlooker.seen(app)
                    self._opened_at = server_time(launcher)
                    app.on_link = self._following
                    async with self._shown(launcher, app, host, hosting):
                        yield app
            except MiniAppError as failure:
                self._failure = failure
                if self.app is None:
                    self._found = onlooker.stopped(failure, self._exchanges)
                raise
            finally:
                self._over = self._over or _now()

    def see(self, app: MiniApp) -> None:
        """Record an app that is open already, with what its page has done so far."""
        launcher = app.launcher
        if self._launcher is None:
            self._launcher = launcher
        self._parameters = app.parameters
        self._options = {"via": app.flow}
        self.app = app
        app.on_link = self._following
        self._found = Onlooker(launcher, f"@{app.app.bot.username}", reveal=self._reveal).seen(app)
        self._opened_at = server_time(launcher)
        if app.live is not None and (first := next(iter(app.events), None)) is not None:
            self._epoch -= max(0.0, self._clock - first.time)
            self._clock = min(self._clock, first.time)

    def add(self, exchanges: Iterable[Exchange]) -> None:
        """Requests that another task has made for the app."""
        self._exchanges.extend(exchanges)
        self._exchanges.sort(key=lambda exchange: exchange.at)

    def _following(self, target: Any, options: dict[str, Any]) -> AbstractAsyncContextManager[MiniApp]:
        """What a link in the page leads to, opened under a recording of its own. The first ones are kept."""
        record = Recording(reveal=self._reveal, pictures=self._pictures, opened_by=self)
        if len(self.linked) < _LINKED:
            self.linked.append(record)
        assert self._launcher is not None
        return record.opening(self._launcher, target, **options)

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
            if app.live is not None:
                self._waits = app.unanswered

    @property
    def inspection(self) -> Inspection:
        """The stages of the launch by now. Raises RuntimeError before anything was opened."""
        if self._found is None:
            raise RuntimeError("nothing was recorded: open an app first")
        if self.app is not None and self._launcher is not None and not self._found.checks:
            checks = checks_of(self._launcher, self.app, self._opened_at)
            self._found = replace(self._found, checks=tuple(checks))
        return replace(self._found, failure=self._failure, exchanges=tuple(self._own_exchanges()))

    def _own_exchanges(self) -> list[Exchange]:
        """Without those of the apps that its page has opened."""
        others = {id(one) for record in self.linked for one in record._exchanges}
        return [one for one in self._exchanges if id(one) not in others]

    async def picture(self, name: str, *, patience: float = 10.0) -> bytes | None:
        """Take a screenshot, if the page is shown in a browser and draws; and one of each app that it has
        opened. The first dozen are kept, and one that looks like the one before is not.

        `patience`: seconds for a page to draw; one that has not by then has no picture.
        """
        for record in self.linked:
            await record.picture(name, patience=patience)
        if self.app is None or self.app.live is None or len(self._taken) >= _PICTURES:
            return None
        at = self._since(_now())
        png = await _png(self.app, patience)
        if png is None or len(png) > _PICTURE_BYTES:
            return png
        picture = base64.b64encode(png).decode("ascii")
        if not self._taken or self._taken[-1]["png"] != picture:
            self._taken.append({"at": at, "name": name, "png": picture})
        return png

    def each(self) -> Iterator[Recording]:
        """This one, then those of the links in its page and in theirs."""
        yield self
        for record in self.linked:
            yield from record.each()

    def all_saved(self, *, patience: float = 10.0) -> list[SavedLaunch]:
        """What there is by now of this launch, then of those by links in its page and in theirs."""
        return [record.saved(patience=patience) for record in self.each()]

    def saved(self, *, patience: float = 10.0) -> SavedLaunch:
        """What there is by now, or was when it ended. Raises RuntimeError before anything was opened.

        `patience`: seconds after which a request of an open page counts as unanswered.
        """
        found = self.inspection.to_json()
        assert self._launcher is not None
        view = found["answer"] or {}
        value = {
            "revealed": self._reveal,
            "target": found["target"],
            "opened_by": self._opened_by and _named(self._opened_by.app and self._opened_by.app.app),
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
            **self._page(patience),
            "metapro": self.metapro,
            "metapro_model": self.metapro_model,
            "judgement": self.judgement and self.judgement.model_dump(),
        }
        return SavedLaunch.model_validate(self._struck_out(value, found["link"]))

    def _struck_out(self, value: dict[str, Any], link: Any) -> dict[str, Any]:
        if not self._reveal:
            secrets = Secrets(self.masked, self._exchanges, link)
            value = {name: secrets.strike(item) for name, item in value.items()}
        return value | {"screenshots": self._taken}

    def masked(self, text: str) -> str:
        """Without the secrets of the app, and of the one whose page has opened it."""
        own = _mask_of(self.app)(text)
        return own if self._opened_by is None else self._opened_by.masked(own)

    def _timed(self, requests: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for request, exchange in zip(requests, self._own_exchanges(), strict=True):
            yield request | {"at": self._since(exchange.at)}

    def _page(self, patience: float) -> dict[str, Any]:
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
                {**_without(asdict(one), "since"), "at": self._since(one.since)}
                for one in self._waiting(app, patience)
            ],
            **self._seen_by_host(app),
        }

    def _waiting(self, app: MiniApp, patience: float) -> list[Pending]:
        return app.bridge.unanswered(_now(), patience) if self._waits is None else self._waits

    def _event(self, event: Any) -> dict[str, Any]:
        text = event.text if self._reveal else event_text(event.name, event.text)
        return {
            "at": self._since(event.time),
            "direction": event.direction,
            "name": _excerpt(event.name, 200),
            "data": None if text is None else _excerpt(text, _CHARACTERS),
        }

    def _seen_by_host(self, app: MiniApp) -> dict[str, Any]:
        assert app.live is not None
        host = app.live.host
        if host is None:
            return {}
        sights = [
            {"at": self._since_epoch(seen.time), "kind": str(seen.kind), "text": seen.detail}
            for seen in host.observations
            if seen.kind is not Seen.CONSOLE_ERROR  # it is on the console
        ]
        undone = [
            {"at": self._since(one.time), "kind": "not done", "text": f"{one.name}: {one.why}"}
            for one in app.failures
        ]
        return {
            "seen": sorted([*sights, *undone], key=lambda sight: sight["at"]),
            "console": [self._timed_alike(one) for one in host.console],
            "messages_left_out": host.console.left_out,
            "network": [self._timed_alike(one) for one in host.traffic],
            "requests_left_out": host.traffic.left_out,
        }

    def _timed_alike(self, noted: Any) -> dict[str, Any]:
        """Something with a time since the epoch, with one since the beginning instead."""
        return _without(asdict(noted), "time") | {"at": self._since_epoch(noted.time)}

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


def _mask_of(app: MiniApp | None) -> Callable[[str], str]:
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


def _excerpt(text: str, longest: int) -> str:
    return shortened(text, longest, mark=f"… ({len(text)} characters)")


async def _png(app: MiniApp, patience: float) -> bytes | None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(patience):
            return await app.page.screenshot(timeout=patience * 1000)
    except (Error, TimeoutError):
        return None
