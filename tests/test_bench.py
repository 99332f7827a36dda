"""The benchmarks run, and say what they promise. How fast anything is, no test asks."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows import FLOWS
from tests.bench.__main__ import main

ROOT = Path(__file__).resolve().parent.parent
COMPARED = {"ours_ms", "theirs_ms", "ours_longer_by_us", "ratio"}
RATES = {"ours_per_second", "kurigram_per_second", "ratio"}
LATENESS = {"p50_ms", "p99_ms", "max_ms"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.bench", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=300,
        check=False,
    )  # fmt: skip


def numbers(value: Any) -> Iterator[float]:
    """All numbers anywhere in a JSON value."""
    match value:
        case dict():
            for inner in value.values():
                yield from numbers(inner)
        case list():
            for inner in value:
                yield from numbers(inner)
        case int() | float():
            yield value


@pytest.mark.slow
def test_every_benchmark_runs_and_prints_one_object_of_figures() -> None:
    prints_figures_of(list(CHECKS))


def test_benchmarks_run_and_print_one_object_of_figures() -> None:
    prints_figures_of(["opening", "round_trips", "metapro"])


def prints_figures_of(names: list[str]) -> None:
    done = run("--quick", *names)
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    assert all(math.isfinite(number) for number in numbers(printed))
    assert set(printed) == {"machine", *names}
    for name, check in ((name, CHECKS[name]) for name in names):
        assert f"{name} ..." in done.stderr
        check(printed[name])


def opening(figures: Any) -> None:
    assert set(figures) == set(FLOWS)
    for flow in figures.values():
        assert set(flow) == {"requests", "one_at_a_time", "in_flight"}
        assert set(flow["one_at_a_time"]) == COMPARED
        assert set(flow["in_flight"]) == COMPARED | {"at_once"}


def round_trips(figures: Any) -> None:
    assert set(figures) == {"delay_seconds", *FLOWS}
    for flow in FLOWS:
        also = {"direct_link": {"speculate"}, "inline_mode": {"held"}, "chat_join": {"held"}}.get(flow, set())
        assert set(figures[flow]) == {"cold", "warm"} | also
        for launch in figures[flow].values():
            assert set(launch) == {"round_trips", "requests", "seconds"}
            assert 1 <= launch["round_trips"] <= len(launch["requests"])


def kurigram(figures: Any) -> None:
    assert set(figures["one_at_a_time"]) == RATES
    assert set(figures["in_flight"]) == RATES | {"at_once"}


def command_line(figures: Any) -> None:
    assert set(figures) == COMPARED | {"heavy_imports", "heavy_imports_of_typer"}
    assert figures["heavy_imports"] == []


def live_apps(figures: Any) -> None:
    assert figures["apps"] > 0
    assert figures["bytes_each_beyond_url"] > 0
    assert set(figures["prolonging"]["lateness"]) == LATENESS
    assert set(figures["after_reconnect"]["lateness"]) == LATENESS
    assert figures["after_reconnect"]["seconds_until_all_prolonged"] > 0


def hosted(figures: Any) -> None:
    if "not_run" in figures:
        return
    assert set(figures) == {"until_ready", "launches_per_second", "memory"}
    assert set(figures["until_ready"]) == {"ours_ms", "bare_ms", "ratio"}
    assert set(figures["launches_per_second"]) == {"at_once", "ours", "bare", "ratio"}
    assert set(figures["memory"]) == {"pages", "ours_mb_each", "bare_mb_each"}


def bridge(figures: Any) -> None:
    assert figures["receive_per_second"] > 0
    if "not_run" in figures:
        return
    assert set(figures["round_trip"]) == set(figures["lateness_at_rest"]) == LATENESS
    for flood in (figures["heard"], figures["answered"]):
        assert flood["per_second"] > 0
        assert set(flood["lateness"]) == LATENESS


def metapro(figures: Any) -> None:
    assert figures["requests"] > 10
    assert figures["drive"]["ratio"] > 0
    assert figures["parallel"]["drives"] > 1
    assert set(figures["parallel"]["drive"]) == LATENESS
    assert figures["parallel"]["peak_kib_each"] > 0


def exporter(figures: Any) -> None:
    assert set(figures) == {"targets", "bytes_each", "scrape", "probe", "page"}
    for answer in (figures["scrape"], figures["probe"], figures["page"]):
        assert set(answer) == {"ms", "cpu_ms", "bytes"}
    assert all(number > 0 for number in numbers(figures))


def checks(figures: Any) -> None:
    assert set(figures["http"]) == {"one_at_a_time", "in_flight"}
    for rates in figures["http"].values():
        assert set(rates) == {"ours_per_second_and_core", "bare_per_second_and_core", "ratio"}
    assert "not_run" in figures["browser"] or figures["browser"]["ratio"] > 0


def scale(figures: Any) -> None:
    if "not_run" in figures:
        return
    assert figures["overlaps"] == 0
    assert set(figures["workers_1"]) == {"per_second", "seconds_until_all", "switches"}
    assert figures["take_over"]["lease_s"] > 0


def plugin(figures: Any) -> None:
    assert set(figures) == {"http", "http_in_one_sandbox", "browser"}
    for case in figures.values():
        assert "not_run" in case or case["ratio"] > 0 < case["cpu_ratio"]


CHECKS = {
    check.__name__: check
    for check in (
        opening,
        round_trips,
        kurigram,
        command_line,
        live_apps,
        hosted,
        bridge,
        metapro,
        checks,
        exporter,
        scale,
        plugin,
    )
}


@pytest.mark.parametrize("argument", ["nothing", "--fast"], ids=["name", "option"])
def test_what_is_not_there_is_refused_in_one_line(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([argument])
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out) == (2, "")
    assert printed.err.splitlines()[-1].startswith("python -m tests.bench: error: ")


@pytest.mark.slow
def test_without_a_browser_it_says_so(tmp_path: Path) -> None:
    done = run("--quick", "hosted", "bridge", CHROMIUM_PATH=str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    printed = json.loads(done.stdout)
    for name in ("hosted", "bridge"):
        assert "CHROMIUM_PATH" in printed[name]["not_run"]
