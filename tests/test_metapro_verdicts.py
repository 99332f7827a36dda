"""Drives against the stand-in with each of its switches turned, as `data/metapro_verdicts.md` states."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from launcher.metapro import DriveReport, Verdict
from launcher.sandbox.metapro import Outage, Switches
from launcher.sandbox.metapro.switches import Service
from tests.metapro_drives import Clock, People, driver_for, long_run, people, standing_in

TABLE = Path(__file__).parent / "data" / "metapro_verdicts.md"


@dataclass(frozen=True)
class Row:
    """`differs` is what is not as in the drive without a switch."""

    drive: str
    switches: str
    differs: str
    exit_code: str


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines[1:]]


@pytest.fixture(scope="module")
def cast() -> People:
    return people()


def waits(switches: dict[str, Any]) -> bool:
    """Whether some answer does not come in time."""
    return "slow_for" not in switches and not {"timeout", "slow"}.isdisjoint(
        switches.get("outages", {}).values()
    )


async def driven(cast: People, drive: str, switches: dict[str, Any]) -> DriveReport:
    """One drive without a page: all that may be done, or a long step alone."""
    clock = Clock()
    async with standing_in(clock, **switches) as metapro:
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
                "timeout": 4.0 if waits(switches) else 20.0,
                **(key if drive == "with API key" else {}),
            },
            steps=[drive] if drive in ("X1", "X2") else [],
            long=long_run(clock) if drive in ("X1", "X2") else None,
            negative=True,
            companion=cast.bob,
        )
        return await driver.drive(cast.alice)


def told(report: DriveReport) -> dict[str, str]:
    """Each step's verdict, with the layer of a failure."""
    return {
        step.id: f"{step.verdict} ({step.layer})" if step.verdict is Verdict.FAIL else str(step.verdict)
        for step in report.steps
    }


def difference(usual: dict[str, str], found: dict[str, str]) -> str:
    """What is not as usual: `L1 fail (metapro-auth), K1 skipped`."""
    return ", ".join(f"{step} {how}" for step, how in found.items() if usual[step] != how) or "-"


async def row_of(cast: People, usual: dict[str, dict[str, str]], row: Row) -> Row:
    """The row as it turns out."""
    report = await driven(cast, row.drive, json.loads(row.switches))
    differs = difference(usual[row.drive], told(report))
    return Row(row.drive, row.switches, differs, str(report.exit_code))


async def usually(cast: People) -> dict[str, dict[str, str]]:
    """The verdicts of each kind of drive when no switch is turned."""
    found = {drive: told(await driven(cast, drive, {})) for drive in ("all", "X1", "X2")}
    return found | {"with API key": found["all"]}


async def test_each_position_of_each_switch_gives_the_verdicts_of_the_table(cast: People) -> None:
    usual = await usually(cast)
    expected = [row for row in rows() if not waits(json.loads(row.switches))]
    assert [await row_of(cast, usual, row) for row in expected] == expected


async def test_a_service_that_does_not_answer_gives_the_verdicts_of_the_table(cast: People) -> None:
    """Side by side, since all of them have to wait."""
    usual = await usually(cast)
    expected = [row for row in rows() if waits(json.loads(row.switches))]
    found = await asyncio.gather(*(row_of(cast, usual, row) for row in expected))
    assert found == expected


def positions() -> Iterator[tuple[str, Any]]:
    """Every position that a switch can be in, of those that have a few."""
    for name, field in Switches.model_fields.items():
        kind = field.annotation
        choices = [False, True] if kind is bool else get_args(kind) if get_origin(kind) is Literal else []
        yield from ((name, choice) for choice in choices if choice != field.default)
    for service in get_args(Service):
        yield from (("outages", {service: outage}) for outage in get_args(Outage))


def test_the_table_leaves_out_no_position() -> None:
    listed = [json.loads(row.switches) for row in rows()]
    missing = [
        (name, choice) for name, choice in positions() if not any(one.get(name) == choice for one in listed)
    ]
    assert missing == []
    untouched = set(Switches.model_fields) - {name for one in listed for name in one}
    assert untouched == set()
