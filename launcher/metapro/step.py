"""What a step is, and how one ends.

A step is a row of the catalogue and one coroutine. The coroutine returns a `Found`, or raises: `Failed` for
a fault, `Skip` when it cannot be made here. Errors of the client count as faults, each at its own layer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from typing import TYPE_CHECKING, TypeAlias

from launcher.metapro.report import Layer

if TYPE_CHECKING:
    from launcher.metapro.drive import Drive

__all__ = ["Failed", "Found", "Need", "Run", "Skip", "Step"]


class Need(StrEnum):
    """What a step cannot do without; what is not there makes it skipped."""

    LAUNCH = "launch"
    PAGE = "page"
    """The app's page in a browser."""
    RELAUNCH = "relaunch"
    """Leave to open the app again, in a browser."""
    COMPANION = "companion"
    """A launch by a second person."""
    LEADERBOARD = "leaderboard id"
    KEY = "leaderboard key"
    NEGATIVE = "negative"
    WRITES = "writes"
    LONG = "long"
    RELAY = "relay"
    """A project at a WalletConnect relay."""
    WEBSOCKETS = "websockets"
    """The package by which the relay is reached."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a step went that did not fail: what it found, in one line. `certain` overrides the catalogue: it
    rests on no assumption this time."""

    text: str = ""
    status: int | None = None
    warnings: tuple[str, ...] = ()
    certain: bool = False


class Failed(Exception):
    """The step found a fault. Without `remedy` and `layer` those of the catalogue hold."""

    def __init__(
        self, cause: str, *, status: int | None = None, remedy: str = "", layer: Layer | None = None
    ) -> None:
        super().__init__(cause)
        self.cause = cause
        self.status = status
        self.remedy = remedy
        self.layer = layer


class Skip(Exception):
    """The step cannot be made here, and why; `remedy` says how it could be."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


Run: TypeAlias = "Callable[[Drive], Awaitable[Found]]"


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the catalogue.

    `id` is unique and begins with its family: `C1.users` belongs to C1. `after` are the steps it needs to
    have gone well. `assumption` is the name of what it rests on, `remedy` what to do when it fails. When it
    fails with the very words of the step that it `echoes`, only that one is to blame.
    """

    id: str
    name: str
    layer: Layer
    run: Run
    remedy: str
    needs: tuple[Need, ...] = ()
    after: tuple[str, ...] = ()
    assumption: str = ""
    echoes: str = ""

    @property
    def family(self) -> str:
        return self.names[0]

    @property
    def names(self) -> tuple[str, ...]:
        """By what it can be chosen, its family first, its id last: `W4.walletconnect.chain` is one of
        `W4.walletconnect`."""
        return tuple(accumulate(self.id.split("."), "{}.{}".format))
