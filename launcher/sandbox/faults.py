"""Faults on request: what goes wrong on a real network, at the call a test names.

`faults.on("messages.prolongWebView", FloodWait(3), times=1)` lets the next such call of anybody fail.
Faults of the whole server (lost connections, salts, restarts) are methods of `Sandbox`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from launcher.sandbox.rpc import Call

__all__ = [
    "Act",
    "Action",
    "Delay",
    "DropAfter",
    "DropBefore",
    "Fail",
    "Fault",
    "Faults",
    "FloodWait",
    "LoseKey",
]


@dataclass(frozen=True, slots=True)
class DropBefore:
    """Close the connection before the handler runs: the request never happened."""


@dataclass(frozen=True, slots=True)
class DropAfter:
    """Close the connection after the handler ran, before its answer: the request did happen."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Hold the answer back for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Fail:
    """Answer with this error and do not run the handler: `Fail(500, "INTERNAL")`, `Fail(-503, "Timeout")`."""

    code: int
    name: str


def FloodWait(seconds: int) -> Fail:  # noqa: N802 - it reads as an action beside the others
    """Answer 420 FLOOD_WAIT_<seconds>."""
    return Fail(420, f"FLOOD_WAIT_{seconds}")


@dataclass(frozen=True, slots=True)
class LoseKey:
    """Forget the caller's auth key: the connection is answered with -404 from now on."""


@dataclass(frozen=True, slots=True)
class Act:
    """Do something to the world or the sandbox just before the handler runs."""

    do: Callable[[Call], None]


Action: TypeAlias = DropBefore | DropAfter | Delay | Fail | LoseKey | Act


@dataclass(slots=True)
class Fault:
    """One armed fault: `skip` matching calls pass first, then `times` calls are hit (None: every one)."""

    method: str
    action: Action
    times: int | None = 1
    skip: int = 0
    account: int | None = None

    def takes(self, method: str, account: int | None) -> bool:
        """Whether this call is hit; counts it."""
        if self.method not in ("*", method) or self.account not in (None, account):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is None:
            return True
        self.times -= 1
        return self.times >= 0


class Faults:
    """The armed faults of a sandbox, first armed first asked. `latency` delays every answer, in seconds."""

    def __init__(self) -> None:
        self.latency = 0.0
        self._armed: list[Fault] = []

    def on(
        self,
        method: str,
        action: Action,
        *,
        times: int | None = 1,
        skip: int = 0,
        account: int | None = None,
    ) -> Fault:
        """Arm a fault for a TL method name, or "*" for all."""
        fault = Fault(method, action, times, skip, account)
        self._armed.append(fault)
        return fault

    def clear(self) -> None:
        self._armed.clear()
        self.latency = 0.0

    def take(self, method: str, account: int | None) -> Action | None:
        """The action for this call, if any; used by the server once per call."""
        if not self._armed:
            return None
        hit = next((fault for fault in self._armed if fault.takes(method, account)), None)
        self._armed = [fault for fault in self._armed if fault.times is None or fault.times > 0]
        return hit.action if hit else None
