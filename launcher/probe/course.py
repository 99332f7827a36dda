"""How far a check has come: its stages as they are gone through, and what ends it.

The first four stages happen inside one launch. Which request belongs to which is read from the requests that
were made: names of bots, the app's description, the web view itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from flows import (
    AccountLost,
    BadInput,
    CannotOpen,
    ConsentDeclined,
    FloodWait,
    MiniAppError,
    NotConnected,
    Transient,
    links,
)
from launcher.inspection.run import FINDING_A_BOT, FINDING_AN_APP
from launcher.mini_app import MiniApp
from launcher.probe.results import CheckResult, Stage, StageResult, Status
from launcher.probe.targets import Target
from launcher.tracing import Exchange

if TYPE_CHECKING:
    from launcher.report import Recording, SavedLaunch

__all__ = ["NOT_TESTED", "Course", "Wrong"]

_JUDGED: dict[Status, Literal["passed", "warned", "failed", "not tested"]] = {
    Status.OK: "passed",
    Status.WARNING: "warned",
    Status.CRITICAL: "failed",
    Status.UNKNOWN: "not tested",
}
NOT_TESTED = (FloodWait, AccountLost, NotConnected, Transient, BadInput, ConsentDeclined)
"""Failures that say nothing of the app."""


_NOTHING = "nothing came"


class Wrong(Exception):
    """What ends a check at the stage it is in."""

    def __init__(self, status: Status, text: str, remedy: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.remedy = remedy


class Course:
    """One going-through of a target."""

    def __init__(self, target: Target, *, since_start: float = 0.0) -> None:
        """`since_start`: seconds that have passed elsewhere already."""
        self.app: MiniApp | None = None
        self.resolved_at: float | None = None
        self.certificate_days: float | None = None
        self.screenshot: bytes | None = None
        self.browser_died = False
        self.recording: Recording | None = None
        self.metapro: tuple[dict[str, Any], ...] = ()
        self.metapro_model = ""
        self._target = target
        self._began = time.perf_counter() - since_start
        self._at = Stage.PARSE
        self._stage_began = time.perf_counter()
        self._awaited = _NOTHING
        self._stages: dict[Stage, StageResult] = {}
        self.exchanges: list[Exchange] = []

    @property
    def since_start(self) -> float:
        """Seconds since the check began."""
        return time.perf_counter() - self._began

    @property
    def requests(self) -> int:
        """How many requests were made of Telegram."""
        return len(self.exchanges)

    @property
    def flood_wait(self) -> float | None:
        """How many seconds Telegram wants to be left alone, whichever request it has told so, one of a page
        or of Metapro's steps too; None when that was waited for."""
        now = asyncio.get_running_loop().time()
        floods = ((one.at + one.seconds, one.failure) for one in self.exchanges)
        waits = (
            flood.seconds for at, flood in floods if isinstance(flood, FloodWait) and at + flood.seconds > now
        )
        return max(map(float, waits), default=None)

    # Going on

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Go through a stage; what ends it inside is this stage's."""
        self._at, self._stage_began, self._awaited = stage, time.perf_counter(), _NOTHING
        yield
        self._note(stage, self._stages.get(stage, StageResult(stage, Status.OK, 0.0)))

    def parse(self) -> None:
        """Read the link. A target file's are read already; one of the command line may be anything."""
        with self.stage(Stage.PARSE):
            if self._target.link is not None:
                links.parse(self._target.link)

    def asks(self) -> None:
        """The launch begins."""
        self._at, self._stage_began = Stage.RESOLVE, time.perf_counter()

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """The launch and its page, for so long at most. What is wrong with them, or stops the launch, ends
        the check and is no error any more."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            self._out_of_time()
        except Wrong as wrong:
            self.ends(wrong)
        except MiniAppError as failure:
            self._fails(failure)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do what is no part of the check: its time does not count."""
        began = time.perf_counter()
        yield
        self._began += time.perf_counter() - began

    def opened(self, app: MiniApp, resolved_at: float | None) -> None:
        """The launch went well: divide its time among the stages it consists of."""
        self.app, self.resolved_at = app, resolved_at
        self._at = Stage.WEB_VIEW
        self._divide()
        asking = sum(
            self._stages[stage].seconds for stage in (Stage.RESOLVE, Stage.BOT_APP) if stage in self._stages
        )
        seconds = time.perf_counter() - self._stage_began - asking
        self._stages[Stage.WEB_VIEW] = StageResult(Stage.WEB_VIEW, Status.OK, seconds)

    def _divide(self) -> None:
        for stage, methods in ((Stage.RESOLVE, FINDING_A_BOT), (Stage.BOT_APP, FINDING_AN_APP)):
            seconds = [exchange.seconds for exchange in self.exchanges if exchange.method in methods]
            if seconds:
                self._stages[stage] = StageResult(stage, Status.OK, sum(seconds))

    def went(self, stages: Iterable[StageResult]) -> None:
        """Stages that were gone through elsewhere."""
        self._stages |= {stage.stage: stage for stage in stages}

    # What is wrong

    def notes(self, status: Status, text: str, remedy: str = "") -> None:
        """Something is not as expected in the present stage; the check goes on."""
        self._stages[self._at] = StageResult(self._at, status, 0.0, text, remedy)

    def awaits(self, what: str) -> None:
        """What is to be said when it does not come in time: "the element #cart was not seen"."""
        self._awaited = what

    def ends(self, wrong: Wrong) -> None:
        self._end(self._at, wrong.status, wrong.text, wrong.remedy)

    def _out_of_time(self) -> None:
        """Telegram's silence says nothing of the app; its page's does."""
        text = f"{self._awaited} within {self._target.timeout:g} s"
        if self.app is None:
            self._divide()
            self._end(self._asks(), Status.UNKNOWN, text, "Check the network, or give the target more time.")
        else:
            self._end(self._at, Status.CRITICAL, text, "Look at the page, or give the target more time.")

    def _asks(self) -> Stage:
        """What the launch was waiting for, by what it has got."""
        if Stage.BOT_APP in self._stages:
            return Stage.WEB_VIEW
        if Stage.RESOLVE not in self._stages:
            return Stage.RESOLVE
        return Stage.BOT_APP if self._target.requests == 2 else Stage.WEB_VIEW

    def _fails(self, failure: MiniAppError) -> None:
        """The launch was stopped."""
        status = Status.UNKNOWN if isinstance(failure, NOT_TESTED) else Status.CRITICAL
        self._divide()
        self._end(self._stopped_at(failure), status, failure.meaning, _remedy(failure))

    def _stopped_at(self, failure: MiniAppError) -> Stage:
        method = getattr(failure, "method", None)
        if method in FINDING_A_BOT:
            return Stage.RESOLVE
        if method in FINDING_AN_APP or (method is None and isinstance(failure, CannotOpen)):
            return Stage.BOT_APP
        if isinstance(failure, BadInput):
            return Stage.PARSE
        return Stage.WEB_VIEW

    def _end(self, stage: Stage, status: Status, text: str, remedy: str) -> None:
        self._at = stage
        self._note(stage, StageResult(stage, status, 0.0, text, remedy))

    def _note(self, stage: Stage, result: StageResult) -> None:
        seconds = time.perf_counter() - self._stage_began
        self._stages[stage] = StageResult(stage, result.status, seconds, result.text, result.remedy)

    # The end

    def result(self, began: datetime, now: float, *, repeated: bool) -> CheckResult:
        seconds = self.since_start
        within = self._target.expect.within
        stages = [self._stages[stage] for stage in Stage if stage in self._stages]
        if within is not None and seconds > within and all(one.status is Status.OK for one in stages):
            last = stages.pop()
            text = f"the check took {seconds:.2f} s, expected within {within:g} s"
            stages.append(StageResult(last.stage, Status.WARNING, last.seconds, text))
        return CheckResult(
            target=self._target.name,
            stages=tuple(stages),
            started_at=began,
            seconds=seconds,
            requests=self.requests,
            repeated=repeated,
            flood_wait=self.flood_wait,
            resolved_age=None if self.resolved_at is None else max(0.0, now - self.resolved_at),
            certificate_days=self.certificate_days,
            metapro=self.metapro,
            screenshot=self.screenshot,
        )

    def saved(self, result: CheckResult) -> SavedLaunch | None:
        """The launch, if it was recorded and got as far as that, with what the check makes of it."""
        if self.recording is None:
            return None
        from launcher.report.saved import SavedJudgement

        self.recording.metapro, self.recording.metapro_model = list(self.metapro), self.metapro_model
        verdict = _JUDGED[result.status]
        by = f"check {result.target}"
        self.recording.judgement = SavedJudgement(by=by, verdict=verdict, text=result.text)
        return self.recording.saved()


def _remedy(failure: MiniAppError) -> str:
    """In the words of target files."""
    if isinstance(failure, ConsentDeclined):
        return f"If it may be answered with yes, say allow: {failure.question} (of a link, --allow)."
    return failure.remedy
