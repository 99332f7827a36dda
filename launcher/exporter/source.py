"""What an exporter shows comes from a source: its own schedule of checks, or what workers have found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from flows import MiniAppError
from launcher.exporter.watched import AtWork, Past, Watched
from launcher.probe import Targets

__all__ = ["Source"]


class Source(Protocol):
    """Knows the targets of `use` until its `async with` is left. `clock` is monotonic seconds, `wall` gives
    seconds since the epoch, `problem` says why nothing new is known, if that is so."""

    watched: dict[str, Watched]
    accounts: dict[str | None, AtWork]
    problem: MiniAppError | None
    clock: Callable[[], float]
    wall: Callable[[], float]

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *failure: Any) -> bool | None: ...

    async def use(self, targets: Targets) -> None:
        """From now on know these."""

    async def past(self, watched: Watched, count: int) -> list[Past]:
        """The last so many checks of a target, as far as the source remembers them."""
