"""The page of a live app: host, bridge and account, connected.

    page ── host ──▶ bridge ──▶ replies ── host ──▶ page
                       └──▶ effects ── account ──▶ outcome ──▶ bridge ──▶ reply

A page is a stranger: its events are dealt with one by one as they come, nothing it sends can raise, and
whatever it makes us do runs beside the prolonging of apps, not before it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flows import MiniAppError
from launcher.bridge import effects
from launcher.bridge.bridge import Bridge, Reaction
from launcher.bridge.effects import Effect, Failed, Outcome
from launcher.bridge.wire import compact
from launcher.effects import Performer
from launcher.hosts.observations import PageEvent
from launcher.page_events import Logged, PageEvents

if TYPE_CHECKING:
    from launcher.hosts.browser_host import BrowserHost

__all__ = ["Failure", "LivePage"]

Handler = Callable[[Any], Awaitable[None]]
Ending = Callable[[Any], Awaitable[Outcome]]

WAITING = 20_000
"""Replies that may wait for a page to take them; one that asks for more without listening is closed. It is
more than follows from a burst of events within `Limits`."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Something a page asked for did not succeed, and `why` (without the launch's secrets); `name` is the
    event, `time` the event loop's."""

    name: str
    why: str
    time: float


class LivePage:
    """One page. `ends` is asked to end the app (with SendData, SwitchInline, Close…), `follows` to follow a
    link; `mask` takes the launch's secrets out of a text. `on_failure`, when it is set, is called with each
    failure."""

    def __init__(
        self,
        bridge: Bridge,
        performer: Performer,
        ends: Ending,
        follows: Handler,
        mask: Callable[[str], str],
    ) -> None:
        self.bridge = bridge
        self.events = PageEvents()
        self.failures: deque[Failure] = deque(maxlen=100)
        self.on_failure: Callable[[Failure], None] | None = None
        self._mask = mask
        self.host: BrowserHost | None = None
        self._performer = performer
        self._ends = ends
        self._follows = follows
        self._outbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._sensors = asyncio.Event()
        self._ready = asyncio.Event()
        self._following = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._context = copy_context()

    async def ready(self) -> None:
        """Until the page has sent `web_app_ready`."""
        await self._ready.wait()

    def take(self, event: PageEvent) -> None:
        """An event of the page; called by its host."""
        self.events.add(Logged("outgoing", event.name, event.data, _now()))
        if event.name == "web_app_ready":
            self._ready.set()
        self.react(self.bridge.receive(event.name, event.data, _now()))

    def touched(self) -> None:
        """The user has touched the page; called by its host."""
        self.bridge.clicked(_now())

    def react(self, reaction: Reaction) -> None:
        """Send the replies in their order, and start the effects."""
        for name, data in reaction.replies:
            self.events.add(Logged("incoming", name, None if data is None else compact(data), _now()))
            self._outbox.put_nowait((name, data))
        if self._outbox.qsize() > WAITING and self.host is not None:
            self.host.flooded("replies")
        for effect in reaction.effects:
            self._start(effect)
        self._sensors.set()

    @staticmethod
    def now() -> float:
        """The bridge's clock: the event loop's."""
        return _now()

    async def run(self) -> None:
        """Deliver what the bridge says, in order, until cancelled; sensors tick along."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._deliver())
                group.create_task(self._measure())
        finally:
            for task in self._tasks:
                task.cancel()

    async def _deliver(self) -> None:
        while True:
            name, data = await self._outbox.get()
            if self.host is not None:
                await self.host.emit(name, data)

    async def _measure(self) -> None:
        """Let running sensors report when they are due."""
        while True:
            self._sensors.clear()
            due = self.bridge.next_due()
            pause = None if due is None else max(0.0, due - _now())
            try:
                async with asyncio.timeout(pause):
                    await self._sensors.wait()
            except TimeoutError:
                self.react(self.bridge.due(_now()))

    async def _carry_out(self, effect: Effect) -> None:
        match effect:
            case effects.OpenTgLink():
                await self._follow(effect)
            case effects.OpenLink() | effects.ShareToStory():
                return  # recorded on the phone
            case _:
                do = self._ends if effect.ends_app else self._performer.perform
                outcome = await do(effect)
                self.react(self.bridge.resolve(effect, outcome, _now()))
                if outcome.reason:
                    self._keep(effect.name, outcome.reason)

    async def _follow(self, effect: effects.OpenTgLink) -> None:
        """One link at a time: while one is being followed, those of a page that follows more are dropped."""
        if self._following:
            self._keep(effect.name, "Another link is being followed.")
            return
        self._following = True
        try:
            await self._follows(effect)
        finally:
            self._following = False

    def _start(self, effect: Effect) -> None:
        """In the context of whoever shows the page, not of the browser that calls: whoever collects the
        launch's requests gets these too."""
        task = asyncio.create_task(self._try(effect), context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _try(self, effect: Effect) -> None:
        """Whatever goes wrong is kept and, if it waits for an answer, told to the page; the app goes on."""
        try:
            await self._carry_out(effect)
        except Exception as failure:
            self.react(self.bridge.resolve(effect, Failed(), _now()))
            kind = "" if isinstance(failure, MiniAppError) else f"{type(failure).__name__}: "
            self._keep(effect.name, f"{kind}{failure}")

    def _keep(self, name: str, why: str) -> None:
        kept = Failure(name, self._mask(why), _now())
        self.failures.append(kept)
        if self.on_failure is not None:
            self.on_failure(kept)

    async def appear(self, *, dark: bool) -> None:
        """The page's colour scheme becomes that of the client."""
        if self.host is not None:
            await self.host.appear(dark)

    async def resize(self) -> None:
        """The page's window gets the size of the phone."""
        if self.host is not None:
            await self.host.resize(round(self.bridge.device.width), round(self.bridge.device.height))


def _now() -> float:
    return asyncio.get_running_loop().time()
