"""Drives against the stand-in with each of its switches turned, as `data/metapro_verdicts.md` states."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from launcher.metapro import DriveReport, Screen, StepResult, Verdict
from launcher.sandbox.metapro import Outage, Switches
from launcher.sandbox.metapro.switches import Service
from tests import metapro_pages
from tests.metapro_drives import Clock, People, driver_for, long_run, people, standing_in
from tests.metapro_pages import Stage, browser, stage

__all__ = ["browser", "stage"]

TABLE = Path(__file__).parent / "data" / "metapro_verdicts.md"
PAGE = ("T3", "L1.app", "B3", "S1", "U1")
ANEW = ("T2", "W2.app", "W4.rejected", "W4.account", "W4.chain", "W4.disconnect", "X3", "D2")
PAGES = {"page": PAGE, "pages": (*PAGE, *ANEW), "D1": ("D1",)}
"""The steps of the drives that have a page."""
LATE = 10.0
"""Seconds after which an answer is one that does not come; what does come has to be faster on any machine."""


@dataclass(frozen=True)
class Row:
    """`differs` is what is not as in the drive without a switch."""

    drive: str
    switches: str
    differs: str
    exit_code: str

    @property
    def turned(self) -> dict[str, Any]:
        turned: dict[str, Any] = json.loads(self.switches)
        return turned

    @property
    def waits(self) -> bool:
        """Whether some answer does not come in time."""
        outages = self.turned.get("outages", {}).values()
        return "slow_for" not in self.turned and not {"timeout", "slow"}.isdisjoint(outages)


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines[1:]]


def without_a_page() -> list[Row]:
    return [row for row in rows() if row.drive not in PAGES]


def usual(drive: str) -> dict[str, str]:
    """What the table says of each step of a drive without a switch."""
    like = "all" if drive == "with API key" else drive
    line = re.search(f"^- `{like}`: (.*)\\.$", TABLE.read_text(), re.MULTILINE)
    assert line is not None
    kinds = [kind.partition(": ") for kind in line[1].split("; ")]
    return {step: how for how, _, steps in kinds for step in steps.split(", ")}


@pytest.fixture(scope="module")
def cast() -> People:
    return people()


async def driven(cast: People, row: Row) -> DriveReport:
    """One drive without a page: all that may be done, or a long step alone."""
    clock, switches = Clock(), row.turned
    async with standing_in(clock, **{"slow_for": 1.2 * LATE} | switches) as metapro:
        key = {
            "api_key": metapro.ids["api_key"],
            "api_key_place": switches.get("api_key_place", "none"),
            "api_key_name": switches.get("api_key_name", "x-api-key"),
        }
        driver = driver_for(
            metapro,
            clock,
            settings={
                "allow_writes": True,
                "timeout": LATE if row.waits else 60.0,
                **(key if row.drive == "with API key" else {}),
            },
            steps=[row.drive] if row.drive in ("X1", "X2") else [],
            long=long_run(clock) if row.drive in ("X1", "X2") else None,
            negative=True,
            companion=cast.bob,
        )
        return await driver.drive(cast.alice)


def told(step: StepResult) -> str:
    """The verdict, with the layer of a failure, what was measured, and whether there is a warning."""
    more = step.layer if step.verdict is Verdict.FAIL else step.cause if step.id == "X2" else ""
    return f"{step.verdict}{f' ({more})' if more else ''}{' with a warning' if step.warnings else ''}"


def as_it_turns_out(row: Row, report: DriveReport) -> Row:
    """The row, with what is not as usual: `L1 fail (metapro-auth), K1 skipped`."""
    calm = usual(row.drive)
    found = {step.id: told(step) for step in report.steps}
    differs = [f"{step} {how}" for step, how in found.items() if calm.get(step) != how]
    gone = [f"{step} missing" for step in calm if step not in found]
    return replace(row, differs=", ".join(differs + gone) or "-", exit_code=str(report.exit_code))


async def test_each_position_of_each_switch_gives_the_verdicts_of_the_table(cast: People) -> None:
    expected = [row for row in without_a_page() if not row.waits]
    assert [as_it_turns_out(row, await driven(cast, row)) for row in expected] == expected


async def test_a_service_that_does_not_answer_gives_the_verdicts_of_the_table(cast: People) -> None:
    """Side by side, since all of them have to wait."""
    expected = [row for row in without_a_page() if row.waits]
    reports = await asyncio.gather(*(driven(cast, row) for row in expected))
    assert list(map(as_it_turns_out, expected, reports)) == expected


def with_pages() -> Iterator[Any]:
    """Quickly what needs one page alone."""
    for row in rows():
        if row.drive in PAGES:
            marks = () if row.drive == "page" else pytest.mark.slow
            yield pytest.param(row, id=f"{row.drive} {row.switches}", marks=marks)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("row", list(with_pages()))
async def test_what_a_page_feels_gives_the_verdicts_of_the_table(stage: Stage, row: Row) -> None:
    """Each with a start parameter of its own, so that no two rows have the same init data."""
    report = await metapro_pages.driven(
        stage, *PAGES[row.drive], switches=row.turned, start_param=f"row-{rows().index(row)}",
        screen=Screen(seconds=8.0), settings={"timeout": 4.0 if row.waits else 20.0},
    )  # fmt: skip
    assert as_it_turns_out(row, report) == row


def positions() -> Iterator[tuple[str, Any]]:
    """Every position that a switch can be in, of those that have a few."""
    for name, field in Switches.model_fields.items():
        kind = field.annotation
        choices = [False, True] if kind is bool else get_args(kind) if get_origin(kind) is Literal else []
        yield from ((name, choice) for choice in choices if choice != field.default)
    for service in get_args(Service):
        yield from (("outages", {service: outage}) for outage in get_args(Outage))


def test_the_table_leaves_out_no_position() -> None:
    listed = [row.turned for row in without_a_page()]
    missing = [
        (name, choice) for name, choice in positions() if not any(one.get(name) == choice for one in listed)
    ]
    assert missing == []
    untouched = set(Switches.model_fields) - {name for one in listed for name in one}
    assert untouched == set()
