"""A read-only drive of a Metapro app without a page, beside the requests that it must make; and many at once.

The stand-in is a process of its own. What must be asked is what one drive asked: the same requests are then
sent by bare httpx over one client, in the same order of dependence (what a step asked goes one after another,
after what the steps before it asked, and beside all else). Of the answers it reads what is JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

import httpx
from pydantic import SecretStr

from launcher.metapro import CATALOGUE, SERVICES, Launch, MetaproDriver, MetaproSettings, Verdict
from launcher.metapro.settings import MAIN_NETWORKS
from launcher.metapro.step import Step
from launcher.sandbox.default_world import default_world
from launcher.sandbox.metapro import MetaproStandIn
from tests.bench.measuring import Sizes, Work, compare, percentiles
from tests.metapro_drives import BOT_TOKEN, people

__all__ = ["metapro"]

Asked: TypeAlias = tuple[str, str, dict[str, str], bytes]
ROOT = Path(__file__).resolve().parents[2]


async def metapro(sizes: Sizes) -> dict[str, Any]:
    """A drive ÷ its bare requests; then many drives side by side: seconds and memory of each."""
    launch = (await asyncio.to_thread(people)).alice
    with _stand_in() as place:
        settings = _settings(place)
        asked = await _asked(settings, launch)
        context = httpx.create_ssl_context()

        async def ours() -> None:
            report = await MetaproDriver(settings).drive(launch)
            assert all(step.verdict is not Verdict.FAIL for step in report.steps)

        async def bare() -> None:
            async with httpx.AsyncClient(verify=context, timeout=15.0) as client:
                await _sent(client, asked)

        rounds = max(3, sizes.rounds // 10)
        alone = await compare(ours, bare, rounds=rounds)
        cpu = await _cpu(ours, bare, rounds)
        return {
            "requests": sum(map(len, asked.values())),
            "drive": alone | {"cpu": cpu},
            "parallel": await _parallel(settings, launch, sizes),
        }


async def _asked(settings: MetaproSettings, launch: Launch) -> dict[str, list[Asked]]:
    """The requests of one drive by step: each step is a task of its name. Headers are those which httpx does
    not send anyway."""
    found: dict[str, list[Asked]] = {}
    usual = {*httpx.Client(verify=False).headers.items()}

    class Noting(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent = set(request.headers.items()) - usual
            headers = {name: value for name, value in sent if name not in ("host", "content-length")}
            task = asyncio.current_task()
            assert task is not None
            found.setdefault(task.get_name(), []).append(
                (request.method, str(request.url), headers, request.content)
            )
            return await super().handle_async_request(request)

    await MetaproDriver(settings, transport=Noting()).drive(launch)
    assert found.keys() <= {step.id for step in CATALOGUE}
    return found


async def _sent(client: httpx.AsyncClient, asked: Mapping[str, Sequence[Asked]]) -> None:
    """The same requests, each step's as soon as those of the steps before it are answered."""
    tasks: dict[str, asyncio.Task[None]] = {}

    async def step(before: Sequence[str], requests: Sequence[Asked]) -> None:
        for one in before:
            await tasks[one]
        for method, url, headers, content in requests:
            answer = await client.request(method, url, headers=headers, content=content)
            if answer.is_success and answer.headers.get("content-type") == "application/json":
                answer.json()

    async with asyncio.TaskGroup() as group:
        for id, requests in asked.items():
            tasks[id] = group.create_task(step([one for one in _BEFORE[id] if one in asked], requests))


def _before(steps: Sequence[Step]) -> dict[str, set[str]]:
    """What each step comes after, directly or not."""
    found: dict[str, set[str]] = {}
    for step in steps:
        found[step.id] = set(step.after).union(*(found[one] for one in step.after))
    return found


_BEFORE = _before(CATALOGUE)


async def _cpu(ours: Work, theirs: Work, rounds: int) -> dict[str, float]:
    """Milliseconds of this process's processor time: what others do on the machine counts for less there."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, work in enumerate((ours, theirs)):
            began = time.process_time()
            await work()
            times[side].append(time.process_time() - began)
    mine, other = (median(side) * 1000 for side in times)
    return {"ours_ms": round(mine, 2), "theirs_ms": round(other, 2), "ratio": round(mine / other, 3)}


async def _parallel(settings: MetaproSettings, launch: Launch, sizes: Sizes) -> dict[str, Any]:
    drives = sizes.crowd * 2
    driver = MetaproDriver(settings, patience=300.0)
    seconds: list[float] = []

    async def one() -> None:
        began = time.perf_counter()
        await driver.drive(launch)
        seconds.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(drives)))
    whole = time.perf_counter() - began
    tracemalloc.start()
    await asyncio.gather(*(one() for _ in range(drives)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "drives": drives,
        "seconds": round(whole, 2),
        "ms_each": round(whole / drives * 1000, 2),
        "drive": percentiles(seconds[:drives]),
        "peak_kib_each": round(peak / drives / 1024, 1),
    }


def _settings(place: dict[str, Any]) -> MetaproSettings:
    ids = {name: value for name, value in place["ids"].items() if not name.endswith("_key")}
    urls = {f"{service}_url": place["services"][service] for service in SERVICES}
    key = SecretStr(place["ids"]["leaderboard_key"])
    return MetaproSettings(
        **urls, **ids, leaderboard_key=key, bot_token=SecretStr(BOT_TOKEN), chain_ids=MAIN_NETWORKS,
        timeout=300.0, _env_file=None,
    )  # fmt: skip


@contextmanager
def _stand_in() -> Iterator[dict[str, Any]]:
    """The stand-in's process; it ends with its standard input."""
    command = [sys.executable, "-m", __spec__.name]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())


async def _serve() -> None:
    async with MetaproStandIn(default_world()) as running:
        sys.stdout.write(json.dumps({"services": running.services, "ids": running.ids}) + "\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
