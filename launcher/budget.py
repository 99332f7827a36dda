"""How much an account may ask of Telegram: a token bucket, and a pause that Telegram itself has ordered."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from flows import MiniAppError

if TYPE_CHECKING:
    from launcher.servers import Server

__all__ = ["Budget", "LeftAlone", "budget_for"]

_CAREFUL = 20.0
_UNHURRIED = 1_000_000.0


class LeftAlone(MiniAppError):
    """Telegram wants an account to be left alone for longer than somebody would wait; nothing was asked."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Telegram wants this account to be left alone for {seconds:.0f} more seconds.",
            "Wait; longer periods ask less.",
        )


class Budget:
    """`per_minute` requests in a minute, at most a quarter of them at once (and always one check's worth).

    A flood wait empties it: `pause(seconds)`. Waiters are served in their order. `clock` gives seconds,
    `wait` lets some of them pass; a clock that is set back costs nothing.
    """

    def __init__(
        self,
        per_minute: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._wait = wait
        self._left = self.most
        self._at = clock()
        self._paused_until = float("-inf")
        self._turn = asyncio.Lock()
        self._waiting: dict[asyncio.Timeout, float] = {}

    @property
    def most(self) -> float:
        """Requests that may be saved up."""
        return max(4.0, self.per_minute / 4)

    @property
    def paused_for(self) -> float:
        """Seconds until Telegram may be asked again; 0 when it may."""
        return max(0.0, self._paused_until - self._clock())

    @property
    def left(self) -> float:
        """Requests that may be made at once; below 0 when more were made than were taken."""
        self._refill()
        return self._left

    def change(self, per_minute: float) -> None:
        """Give so many from now on. What was made, and a pause that was ordered, still count."""
        self._refill()
        self.per_minute = per_minute

    def pause(self, seconds: float) -> None:
        """Ask nothing for so long, as a flood wait says. Who waits with less patience is told at once."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)
        for waiting in [one for one, patience in self._waiting.items() if self.paused_for > patience]:
            del self._waiting[waiting]  # a timeout that expires cannot be told so again
            waiting.reschedule(0)

    def pause_before(self, requests: int) -> float:
        """Seconds until so many requests may be made, as far as is known by now."""
        return max(self.paused_for, self._until(requests))

    async def take(self, requests: int, *, patience: float = math.inf) -> None:
        """Wait until so many requests may be made, and count them as made.

        Raises LeftAlone as soon as there is a pause of more than `patience` seconds, also one that begins
        meanwhile.
        """
        if self.paused_for > patience:
            raise LeftAlone(self.paused_for)
        waiting = asyncio.timeout(None)
        try:
            async with waiting:
                self._waiting[waiting] = patience
                await self._take(requests)
        except TimeoutError:
            raise LeftAlone(self.paused_for) from None
        finally:
            self._waiting.pop(waiting, None)

    async def _take(self, requests: int) -> None:
        async with self._turn:
            while (pause := self.pause_before(requests)) > 0:
                await self._wait(pause)
            self._left -= requests

    def spend(self, requests: int) -> None:
        """Count requests that were made beyond those that were taken."""
        self._refill()
        self._left -= requests

    def _until(self, requests: int) -> float:
        self._refill()
        return max(0.0, (min(requests, self.most) - self._left) * 60 / self.per_minute)

    def _refill(self) -> None:
        now = self._clock()
        passed = max(0.0, now - self._at)
        self._left = min(self.most, self._left + passed * self.per_minute / 60)
        self._at = now


def budget_for(server: Server, per_minute: float | None = None) -> Budget:
    """What may be asked of a server: so much, or, when nobody says how much, 20 requests in a minute of
    Telegram's and as many as it answers of a sandbox, which limits nobody."""
    return Budget(per_minute or (_UNHURRIED if server.name == "sandbox" else _CAREFUL))
