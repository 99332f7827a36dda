"""What came of a drive: one result for each step, one verdict and one exit code for all of them.

A step ends in one of four ways. `unverified` is a pass that rests on something no documentation states, or
only one public sample shows; the result then names that assumption. `skipped` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["DriveReport", "Layer", "Outcome", "StepResult", "Verdict"]


class Verdict(StrEnum):
    """How one step ended."""

    PASS = "pass"
    FAIL = "fail"
    UNVERIFIED = "unverified"
    """As it should be, as far as anybody outside can know."""
    SKIPPED = "skipped"


class Outcome(StrEnum):
    """How the whole drive ended."""

    PASS = "pass"
    UNVERIFIED = "unverified"
    FAIL = "fail"
    UNTESTED = "untested"
    """Nothing can be said: the configuration is wrong, or the login could not even be tried."""


class Layer(StrEnum):
    """Where a fault lies."""

    CONFIG = "config"
    TELEGRAM = "telegram"
    NETWORK = "network"
    METAPRO_AUTH = "metapro-auth"
    WALLET = "wallet"
    METAPRO_DATA = "metapro-data"


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step went.

    `seconds` is its own duration, from when the steps before it were done (a page may have to wait for its
    turn in the browser). `http_status` is that of the answer that decided it, `cause` one line: what was
    found, why it failed or why it was skipped. `layer` is where the fault lies, of a step that did not fail
    where it would. `remedy` says what to do about a failure or a skip,
    `assumption` what an unverified step rests on. `warnings` are findings that do not fail it. Nothing in
    here is secret.
    """

    id: str
    name: str
    layer: Layer
    verdict: Verdict
    seconds: float = 0.0
    http_status: int | None = None
    cause: str = ""
    remedy: str = ""
    assumption: str = ""
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "name": self.name,
            "layer": self.layer,
            "verdict": self.verdict,
            "seconds": round(self.seconds, 4),
            "http_status": self.http_status,
            "cause": self.cause or None,
            "remedy": self.remedy or None,
            "assumption": self.assumption or None,
            "warnings": list(self.warnings),
        }


LOGIN = "L1"
"""The step without which a drive has tested nothing."""


@dataclass(frozen=True, slots=True)
class DriveReport:
    """Everything that one drive found.

    `launch` tells what was driven: bot, flow, platform, host. `strict` counts unverified as failed.
    `requests` is how many requests the driver itself sent to Metapro.
    `model` is the label of the stand-in it was driven against; empty for Metapro itself.
    """

    steps: tuple[StepResult, ...]
    seconds: float
    environment: str
    launch: Mapping[str, str | None] = field(default_factory=dict)
    strict: bool = False
    requests: int = 0
    model: str = ""

    def __getitem__(self, step: str) -> StepResult:
        """The result of one step by its id. Raises KeyError."""
        for result in self.steps:
            if result.id == step:
                return result
        raise KeyError(step)

    @property
    def outcome(self) -> Outcome:
        """A configuration that is wrong, or a login that was not tried, says nothing about Metapro."""
        failed = [step for step in self.steps if step.verdict is Verdict.FAIL]
        if any(step.layer is Layer.CONFIG for step in failed):
            return Outcome.UNTESTED
        if failed:
            return Outcome.FAIL
        tried = [step for step in self.steps if step.verdict is not Verdict.SKIPPED]
        if not tried or any(step.id == LOGIN and step.verdict is Verdict.SKIPPED for step in self.steps):
            return Outcome.UNTESTED
        rests = any(step.verdict is Verdict.UNVERIFIED for step in tried)
        return Outcome.UNVERIFIED if rests else Outcome.PASS

    @property
    def exit_code(self) -> int:
        """0 as it should be, 1 failed, 3 could not be tested; unverified is 0, strictly 1."""
        match self.outcome:
            case Outcome.PASS:
                return 0
            case Outcome.UNVERIFIED:
                return int(self.strict)
            case Outcome.FAIL:
                return 1
        return 3

    @property
    def counts(self) -> dict[str, int]:
        """How many steps ended in each way."""
        found = Counter(step.verdict for step in self.steps)
        return {str(verdict): found[verdict] for verdict in Verdict}

    def to_json(self) -> dict[str, Any]:
        return {
            "outcome": self.outcome,
            "exit_code": self.exit_code,
            "strict": self.strict,
            "environment": self.environment,
            "model": self.model or None,
            "launch": dict(self.launch),
            "seconds": round(self.seconds, 4),
            "requests": self.requests,
            "counts": self.counts,
            "steps": [step.to_json() for step in self.steps],
        }
