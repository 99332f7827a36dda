"""`python -m tests.bench [--quick] [NAME…]`: run all benchmarks or those named; JSON on standard output."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.bench.bridge import bridge
from tests.bench.checks import checks
from tests.bench.command_line import command_line
from tests.bench.exporter import exporter
from tests.bench.hosted import hosted
from tests.bench.kurigram import kurigram
from tests.bench.live_apps import live_apps
from tests.bench.measuring import FULL, QUICK, Sizes
from tests.bench.metapro import metapro
from tests.bench.opening import opening
from tests.bench.plugin import plugin
from tests.bench.round_trips import round_trips
from tests.bench.scale import scale

BENCHMARKS: list[Callable[[Sizes], Awaitable[dict[str, Any]]]] = [
    opening,
    round_trips,
    kurigram,
    command_line,
    live_apps,
    hosted,
    bridge,
    scale,
    metapro,
    checks,
    exporter,
    plugin,
]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run and print. Progress goes to standard error."""
    names = [benchmark.__name__ for benchmark in BENCHMARKS]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names)}")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes: shows that it runs, measures nothing"
    )
    given = parser.parse_args(arguments)
    if unknown := set(given.names) - set(names):
        parser.error(f"there is no benchmark {sorted(unknown)[0]!r}: choose from {', '.join(names)}")
    chosen = [benchmark for benchmark in BENCHMARKS if not given.names or benchmark.__name__ in given.names]
    figures = asyncio.run(_all(chosen, QUICK if given.quick else FULL))
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


async def _all(
    benchmarks: Sequence[Callable[[Sizes], Awaitable[dict[str, Any]]]], sizes: Sizes
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "machine": {"python": platform.python_version(), "cpus": os.cpu_count(), "load": os.getloadavg()[0]}
    }
    for benchmark in benchmarks:
        sys.stderr.write(f"{benchmark.__name__} ... ")
        sys.stderr.flush()
        start = time.perf_counter()
        figures[benchmark.__name__] = await benchmark(sizes)
        sys.stderr.write(f"{time.perf_counter() - start:.1f} s\n")
    return figures


if __name__ == "__main__":
    main()
