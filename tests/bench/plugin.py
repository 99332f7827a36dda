"""What a test by the pytest plugin takes beside the same test written by hand, in one run of pytest's.

`both_ways.py` has the tests. The CPU's time is that of pytest's process: it says the same on a busy machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from launcher.hosts import HostUnavailable
from launcher.hosts.chromium import find_chromium
from tests.bench.checks import page_process
from tests.bench.hosted import READY
from tests.bench.measuring import Sizes
from tests.bench.sandbox_process import ROOT, SandboxProcess, launching, sandbox_process

__all__ = ["plugin"]

CASES = {"http": "TestHttp", "http_in_one_sandbox": "TestHttpInOneSandbox", "browser": "TestBrowser"}


async def plugin(sizes: Sizes) -> dict[str, Any]:
    """Median milliseconds of a test on both sides, and their ratio."""
    with sandbox_process() as place, page_process(READY) as url:
        place.show_page(url)
        async with launching(place):
            pass  # signed in: its session is there
        cases = dict(CASES)
        try:
            await find_chromium(download=0)
        except HostUnavailable:
            del cases["browser"]
        times = await asyncio.to_thread(_run, place, list(cases.values()), sizes.tests)
    figures: dict[str, Any] = {name: _compared(times, group) for name, group in cases.items()}
    return {"browser": {"not_run": "there is no browser"}} | figures


def _run(place: SandboxProcess, groups: list[str], turns: int) -> dict[str, list[tuple[float, float]]]:
    """The seconds that each test took, and those of work, by its class and name."""
    file, times = Path(__file__).with_name("both_ways.py"), place.folder / "times.json"
    environment = os.environ | {
        "PYTHONPATH": str(ROOT), "BENCH_TURNS": str(turns), "BENCH_TIMES": str(times),
        "BENCH_SERVER": str(place.ready_path), "TELEGRAM_SESSIONS": str(place.folder / "sessions"),
    }  # fmt: skip
    options = [
        "-q", "-p", "tests.bench.both_ways", "-p", "no:playwright", "-p", "no:cacheprovider",
        "-c", os.devnull, "--rootdir", str(ROOT), "--confcutdir", str(file.parent),
        "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function",
        "--mini-app-output", str(place.folder / "kept"),
    ]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *(f"{file}::{group}" for group in groups)],
        env=environment, cwd=place.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout[-4000:] + done.stderr[-1000:])
    read: dict[str, list[tuple[float, float]]] = json.loads(times.read_text())
    return read


def _compared(times: dict[str, list[tuple[float, float]]], group: str) -> dict[str, float]:
    ours, theirs = (
        [median(column) * 1000 for column in zip(*times[f"{group} test_{side}"], strict=True)]
        for side in ("plugin", "hand")
    )
    return {
        "plugin_ms": round(ours[0], 1),
        "hand_ms": round(theirs[0], 1),
        "ratio": round(ours[0] / theirs[0], 3),
        "plugin_cpu_ms": round(ours[1], 1),
        "hand_cpu_ms": round(theirs[1], 1),
        "cpu_ratio": round(ours[1] / theirs[1], 3),
    }
