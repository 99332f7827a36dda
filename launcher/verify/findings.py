"""What came of a verification: every assumption confirmed, contradicted or untested, and by what."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from launcher.failure_json import failure_json
from launcher.masks import answer_summary, parameters
from launcher.sandbox.assumptions import Assumption
from launcher.short_text import counted
from launcher.tracing import Exchange

__all__ = ["Finding", "Opened", "Step", "Verdict", "Verification"]


class Verdict(StrEnum):
    """What the server's answer says of an assumption."""

    CONFIRMED = "confirmed"
    CONTRADICTED = "contradicted"
    UNTESTED = "untested"


@dataclass(frozen=True, slots=True)
class Step:
    """What a verification does next: open an app, or look at an assumption.

    It is the step `number` of `of`; `requests` have been made by now, and the budget lets the next one be
    made in `pause` seconds.
    """

    what: str
    number: int
    of: int
    requests: int
    pause: float

    def __str__(self) -> str:
        wait = f", the next one in {self.pause:.0f} s" if self.pause >= 1 else ""
        return f"{self.number}/{self.of} {self.what} ({counted(self.requests, 'request')} made{wait})"


@dataclass(frozen=True, slots=True)
class Opened:
    """One way to open an app of the bot: the request that opened it, or `why` it did not open."""

    flow: str
    target: str
    exchange: Exchange | None = None
    why: str | None = None

    def to_json(self) -> dict[str, Any]:
        method = None if self.exchange is None else self.exchange.method
        return {"flow": self.flow, "target": self.target, "method": method, "why": self.why}


@dataclass(frozen=True, slots=True)
class Finding:
    """One assumption: the verdict, `what` was seen or why nothing was, and the exchange that decided it."""

    assumption: Assumption
    verdict: Verdict
    what: str
    exchange: Exchange | None = None

    @property
    def name(self) -> str:
        return self.assumption.name

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "holds": self.assumption.holds,
            "verdict": str(self.verdict),
            "what": self.what,
            "exchange": None if self.exchange is None else _exchange_json(self.exchange),
        }


@dataclass(frozen=True, slots=True)
class Verification:
    """One bot on one server. `findings` are in the order of the assumptions; `stopped` is why the end was not
    reached (a flood wait, a lost account or connection)."""

    server: str
    bot: str
    opened: tuple[Opened, ...]
    findings: tuple[Finding, ...]
    requests: int
    stopped: str | None = None

    @property
    def counts(self) -> dict[Verdict, int]:
        """How many assumptions have each verdict."""
        found = Counter(finding.verdict for finding in self.findings)
        return {verdict: found[verdict] for verdict in Verdict}

    def of(self, name: str) -> Finding:
        """The finding about one assumption. Raises KeyError."""
        return {finding.name: finding for finding in self.findings}[name]

    def to_json(self) -> dict[str, Any]:
        """Everything as JSON, without secrets."""
        return {
            "server": self.server,
            "bot": self.bot,
            "opened": [one.to_json() for one in self.opened],
            "assumptions": [finding.to_json() for finding in self.findings],
            "counts": {str(verdict): count for verdict, count in self.counts.items()},
            "requests": self.requests,
            "stopped": self.stopped,
        }


def _exchange_json(exchange: Exchange) -> dict[str, Any]:
    failed = exchange.failure
    return {
        "method": exchange.method,
        "parameters": parameters(exchange.request),
        "answer": None if failed else answer_summary(exchange.answer),
        "error": failed and failure_json(failed),
    }
