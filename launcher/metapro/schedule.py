"""Running steps: each as soon as what it depends on went well, all else side by side.

A step that failed is told once, in its own row; what depends on it is skipped, "because …", and everything
else goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from flows import MiniAppError
from launcher.metapro.assumptions import ASSUMPTIONS
from launcher.metapro.errors import MetaproError, NeedsLaunch
from launcher.metapro.report import Layer, StepResult, Verdict
from launcher.metapro.step import Failed, Found, Need, Skip, Step
from launcher.short_text import shortened

if TYPE_CHECKING:
    from launcher.metapro.drive import Drive

__all__ = ["Schedule", "fault_of", "with_prerequisites"]

LONGEST = 400
"""Characters of a text in the report: pages and services may say more."""
_WENT_WELL = (Verdict.PASS, Verdict.UNVERIFIED)


def with_prerequisites(steps: Sequence[Step], wanted: Iterable[str]) -> list[Step]:
    """The steps of these names, and whatever they depend on, in the catalogue's order."""
    by_id = {step.id: step for step in steps}
    names = set(wanted)
    chosen: set[str] = set()
    open_ids = [step.id for step in steps if not names.isdisjoint(step.names)]
    while open_ids:
        chosen.add(one := open_ids.pop())
        open_ids += [before for before in by_id[one].after if before in by_id and before not in chosen]
    return [step for step in steps if step.id in chosen]


class Schedule:
    """The steps of one drive. `on_result` is called with each result as it comes."""

    def __init__(
        self,
        drive: Drive,
        steps: Sequence[Step],
        *,
        patience: float,
        on_result: Callable[[StepResult], None] | None = None,
    ) -> None:
        self._drive = drive
        self._steps = steps
        self._patience = patience
        self._on_result = on_result
        self._results: dict[str, StepResult] = {}
        self._tasks: dict[str, asyncio.Task[StepResult]] = {}

    async def run(self) -> tuple[StepResult, ...]:
        """All of them, in the order of the catalogue. Those that need what is not there are told first."""
        async with asyncio.TaskGroup() as group:
            for step in self._steps:
                if (unmet := self._unmet(step)) is not None:
                    self._tell(unmet)
                else:
                    self._tasks[step.id] = group.create_task(self._run(step), name=step.id)
        return tuple(self._results[step.id] for step in self._steps)

    async def extra(self, step: Step) -> StepResult:
        """One more, after all the others."""
        return await self._run(step)

    async def _run(self, step: Step) -> StepResult:
        result = await self._blocked(step) or await self._told_once(step, await self._attempt(step))
        return self._tell(result)

    def _tell(self, result: StepResult) -> StepResult:
        self._results[result.id] = result
        if self._on_result is not None:
            self._on_result(result)
        return result

    async def _of(self, name: str) -> StepResult | None:
        """How a step went, once it is done; None for one that is not made."""
        return await self._tasks[name] if name in self._tasks else self._results.get(name)

    def _unmet(self, step: Step) -> StepResult | None:
        """Skipped, when something it needs is not there."""
        for need in step.needs:
            if (unmet := self._drive.unmet(need)) is not None:
                return self._result(step, Verdict.SKIPPED, cause=unmet.reason, remedy=unmet.remedy)
        return None

    async def _blocked(self, step: Step) -> StepResult | None:
        """Skipped, when what it depends on did not go well."""
        for name in step.after:
            before = await self._of(name)
            if before is not None and before.verdict not in _WENT_WELL:
                how = "failed" if before.verdict is Verdict.FAIL else f"was skipped: {before.cause}"
                why = before.cause if before.cause.startswith("because ") else f"because {name} {how}"
                return self._result(step, Verdict.SKIPPED, cause=why, remedy=before.remedy)
        return None

    async def _told_once(self, step: Step, result: StepResult) -> StepResult:
        """The result, skipped when another step tells the same fault."""
        if result.verdict is not Verdict.FAIL:
            return result
        other = await self._of(step.echoes)
        if other is None or (other.verdict, other.cause) != (result.verdict, result.cause):
            return result
        because = f"because {step.echoes} failed in the same way"
        return self._result(step, Verdict.SKIPPED, cause=because, remedy=result.remedy)

    async def _attempt(self, step: Step) -> StepResult:
        """Make the step. What it raises that is no fault of the tested is a defect, and goes on rising."""
        began = time.perf_counter()
        unlimited = Need.LONG in step.needs or Need.RELAUNCH in step.needs  # pages wait for each other
        limit = None if unlimited else self._patience
        try:
            async with asyncio.timeout(limit):
                found = await step.run(self._drive)
        except Skip as skip:
            return self._result(step, Verdict.SKIPPED, cause=skip.reason, remedy=skip.remedy)
        except Failed as fault:
            return self._failed(step, began, fault)
        except TimeoutError:
            return self._failed(step, began, Failed(f"it was not done within {self._patience:g} s"))
        except NeedsLaunch as needs:
            return self._result(step, Verdict.SKIPPED, cause=needs.meaning, remedy=needs.remedy)
        except MiniAppError as error:
            return self._failed(step, began, fault_of(error))
        return self._went_well(step, began, found)

    def _went_well(self, step: Step, began: float, found: Found) -> StepResult:
        assumption = "" if found.certain else ASSUMPTIONS.get(step.assumption, "")
        return self._result(
            step,
            Verdict.UNVERIFIED if assumption else Verdict.PASS,
            seconds=time.perf_counter() - began,
            http_status=found.status,
            cause=found.text,
            assumption=assumption,
            warnings=found.warnings,
        )

    def _failed(self, step: Step, began: float, fault: Failed) -> StepResult:
        return self._result(
            step,
            Verdict.FAIL,
            layer=fault.layer or step.layer,
            seconds=time.perf_counter() - began,
            http_status=fault.status,
            cause=fault.cause,
            remedy=fault.remedy or step.remedy,
        )

    def _result(
        self,
        step: Step,
        verdict: Verdict,
        *,
        layer: Layer | None = None,
        seconds: float = 0.0,
        http_status: int | None = None,
        cause: str = "",
        remedy: str = "",
        assumption: str = "",
        warnings: tuple[str, ...] = (),
    ) -> StepResult:
        """The only place where a text gets into the report: secrets are struck out of it, and then it is cut
        short, since half a secret is not recognised."""

        def shown(text: str) -> str:
            return shortened(self._drive.redaction.mask(text), LONGEST)

        return StepResult(
            step.id,
            step.name,
            layer or step.layer,
            verdict,
            seconds,
            http_status,
            shown(cause),
            shown(remedy),
            assumption,
            tuple(map(shown, warnings)),
        )


def fault_of(error: MiniAppError) -> Failed:
    layer = Layer(error.layer) if isinstance(error, MetaproError) else None
    return Failed(error.meaning, status=getattr(error, "status", None), remedy=error.remedy, layer=layer)
