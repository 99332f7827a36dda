"""What came of a check: its stages with their times, and one status in the order of Nagios's plugins.

Source: Monitoring Plugins Development Guidelines (exit codes 0 to 3).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from flows import MiniAppError
    from launcher.probe.targets import Target
    from launcher.report import SavedLaunch

__all__ = ["CheckResult", "Stage", "StageResult", "Status", "not_tested", "worst"]


class Status(IntEnum):
    """Nagios's exit codes."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3
    """The app was not tested: a flood wait, a lost account, no network, no browser, a target that cannot
    be."""


_GRAVITY = (Status.OK, Status.WARNING, Status.UNKNOWN, Status.CRITICAL)
"""What stands out among several: an app that is down, before one of which nothing is known."""


class Stage(StrEnum):
    """What a check goes through, in this order."""

    PARSE = "parse"
    RESOLVE = "resolve"
    BOT_APP = "bot_app"
    WEB_VIEW = "web_view"
    NAVIGATE = "navigate"
    READY = "ready"
    METAPRO = "metapro"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage: how it ended, how many seconds it took, what is to be said of it and to be done about it."""

    stage: Stage
    status: Status
    seconds: float
    text: str = ""
    remedy: str = ""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """One of the `stages` of `CheckResult.to_json`."""
        return cls(
            Stage(value["stage"]), Status[value["status"]], value["seconds"], value["text"], value["remedy"]
        )


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One check of one target. Stages that were not reached are missing.

    `requests` counts what was asked of Telegram; `flood_wait` is how many seconds it wants to be left alone;
    `resolved_age` the seconds since the bot's name was last resolved; `certificate_days` how long the page's
    certificate is valid; `metapro` the driver's steps as JSON objects; `screenshot` a PNG of a page that
    failed; `saved` the whole launch, with its secrets masked, when the checker was to keep it.
    """

    target: str
    stages: tuple[StageResult, ...]
    started_at: datetime
    seconds: float
    requests: int = 0
    repeated: bool = False
    flood_wait: float | None = None
    resolved_age: float | None = None
    certificate_days: float | None = None
    metapro: tuple[dict[str, Any], ...] = ()
    screenshot: bytes | None = field(default=None, repr=False)
    saved: SavedLaunch | None = field(default=None, repr=False)

    @property
    def status(self) -> Status:
        return worst(stage.status for stage in self.stages)

    @property
    def failed(self) -> StageResult | None:
        """The stage that the status comes from; None when all went well."""
        wrong = (stage for stage in self.stages if stage.status is not Status.OK)
        return max(wrong, key=lambda stage: _GRAVITY.index(stage.status), default=None)

    @property
    def text(self) -> str:
        """One line: what is wrong and what to do, or how long it took."""
        failed = self.failed
        if failed is None:
            return f"{self.seconds:.2f} s"
        return f"{failed.stage}: {failed.text.rstrip('.')}. {failed.remedy}".rstrip()

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, without secrets; the screenshot and the launch are left out."""
        return {
            "target": self.target,
            "status": self.status.name,
            "text": self.text,
            "started_at": self.started_at.isoformat(),
            "seconds": round(self.seconds, 6),
            "stages": [
                {
                    "stage": str(stage.stage),
                    "status": stage.status.name,
                    "seconds": round(stage.seconds, 6),
                    "text": stage.text,
                    "remedy": stage.remedy,
                }
                for stage in self.stages
            ],
            "requests": self.requests,
            "repeated": self.repeated,
            "flood_wait": self.flood_wait,
            "resolved_age": self.resolved_age,
            "certificate_days": self.certificate_days,
            "metapro": list(self.metapro),
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """The reverse of `to_json`."""
        return cls(
            target=value["target"],
            stages=tuple(StageResult.from_json(one) for one in value["stages"]),
            started_at=datetime.fromisoformat(value["started_at"]),
            seconds=value["seconds"],
            requests=value["requests"],
            repeated=value["repeated"],
            flood_wait=value["flood_wait"],
            resolved_age=value["resolved_age"],
            certificate_days=value["certificate_days"],
            metapro=tuple(value["metapro"]),
        )


def worst(statuses: Any) -> Status:
    """The status that several together have; OK for none."""
    return max(statuses, key=_GRAVITY.index, default=Status.OK)


def not_tested(target: Target, failure: MiniAppError) -> CheckResult:
    """The result of a target that could not even be begun with: its account cannot be used, or Telegram wants
    it to be left alone."""
    stage = StageResult(Stage.RESOLVE, Status.UNKNOWN, 0.0, failure.meaning, failure.remedy)
    return CheckResult(target.name, (stage,), datetime.now(UTC), 0.0)
