"""An exporter with a thousand targets: how long a scrape and its pages take, and what it weighs.

Every target has as many checks behind it as it can show. A scrape goes over HTTP on the loopback, client and
server in one process; before each a check ends, so that nothing is answered from what was made before. Memory
is what Python has allocated for the targets and all that is known of them (tracemalloc).
"""

from __future__ import annotations

import gc
import random
import tempfile
import time
import tracemalloc
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from launcher.exporter import Exporter, Schedule, Watched, application, listening, serving
from launcher.exporter.watched import SHOWN
from launcher.launcher import Launcher
from launcher.probe import CheckResult, Stage, StageResult, Status
from launcher.settings import Settings
from tests.bench.measuring import Sizes

__all__ = ["exporter"]

STAGES = (Stage.PARSE, Stage.RESOLVE, Stage.BOT_APP, Stage.WEB_VIEW, Stage.NAVIGATE, Stage.READY)


async def exporter(sizes: Sizes) -> dict[str, Any]:
    """Of `/metrics`, `/probe` and `/` the median milliseconds, those of the processor among them, and the
    size; and how many bytes each target takes."""
    settings = Settings(server="sandbox", _env_file=None)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "targets.yaml"
        file.write_text(_targets(sizes.targets))
        gc.collect()
        tracemalloc.start()
        schedule = partial(Schedule, lambda account: Launcher(settings, account))
        async with Exporter(file, schedule) as running:
            bytes_each = _fill(running, sizes.targets)
            tracemalloc.stop()
            return {"targets": sizes.targets, "bytes_each": bytes_each} | await _scraped(running, sizes)


def _targets(count: int) -> str:
    lines = [f"  - {{name: target-{number}, link: t.me/demo_bot/app}}" for number in range(count)]
    head = "accounts: {alice: {budget: 600}}\ndefaults: {account: alice, period: 1d}\ntargets:\n"
    return head + "\n".join(lines)


def _fill(running: Exporter, count: int) -> int:
    """Let every target have its past; how many bytes each takes."""
    chance = random.Random(5)
    for watched in running.source.watched.values():
        for _ in range(SHOWN):
            _note(running, watched, chance)
    gc.collect()
    ours = tracemalloc.take_snapshot().filter_traces(
        [tracemalloc.Filter(True, "*/launcher/exporter/*"), tracemalloc.Filter(True, "*/launcher/probe/*"),
         tracemalloc.Filter(True, __file__), tracemalloc.Filter(True, "*/pydantic/*")]
    )  # fmt: skip
    return round(sum(one.size for one in ours.statistics("filename")) / count)


def _note(running: Exporter, watched: Watched, chance: random.Random) -> None:
    stages = tuple(StageResult(stage, Status.OK, chance.random()) for stage in STAGES)
    seconds = sum(stage.seconds for stage in stages)
    result = CheckResult(watched.target.name, stages, datetime.now(UTC), seconds, resolved_age=1.0)
    watched.note(result, now=running.source.clock(), at=time.time())
    running.version += 1


async def _scraped(running: Exporter, sizes: Sizes) -> dict[str, Any]:
    chance, figures = random.Random(6), dict[str, Any]()
    some = next(iter(running.source.watched.values()))
    with listening("127.0.0.1:0") as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with (
            serving(application(running), listener),
            httpx.AsyncClient(base_url=address, timeout=60) as client,
        ):
            for name, path in (("scrape", "/metrics"), ("probe", "/probe?target=target-0"), ("page", "/")):
                times, busy = [], []
                for _ in range(sizes.scrapes):
                    _note(running, some, chance)
                    start, cpu = time.perf_counter(), time.process_time()
                    answer = await client.get(path)
                    times.append(time.perf_counter() - start)
                    busy.append(time.process_time() - cpu)
                figures[name] = {
                    "ms": round(median(times) * 1000, 1),
                    "cpu_ms": round(median(busy) * 1000, 1),
                    "bytes": len(answer.content),
                }
    return figures
