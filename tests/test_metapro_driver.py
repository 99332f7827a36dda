"""Drives against the stand-in with each of its switches turned: `data/metapro_verdicts.md` states what comes of
each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from launcher.metapro import DriveReport, Verdict
from launcher.sandbox.metapro import Switches
from tests.metapro_drives import Clock, People, driver_for, long_run, people, standing_in

TABLE = Path(__file__).parent / "data" / "metapro_verdicts.md"


@dataclass(frozen=True)
class Row:
    drive: str
    switch: str
    position: str
    differs: str
    exit_code: str


def rows() -> list[Row]:
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    return [Row(*(cell.strip() for cell in line.strip("|").split("|"))) for line in lines[1:]]


@pytest.fixture(scope="module")
def cast() -> People:
    return people()


async def driven(cast: People, drive: str, switches: dict[str, Any]) -> DriveReport:
    """One drive without a page: all that may be done, or a long step alone."""
    clock = Clock()
    async with standing_in(clock, **switches) as metapro:
        key = {"api_key": metapro.ids["api_key"], "api_key_place": switches.get("api_key_place", "none")}
        driver = driver_for(
            metapro,
            clock,
            settings={"allow_writes": True, "timeout": 0.5 if "outages" in switches else 10.0, **(key if drive == "with API key" else {})},
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
