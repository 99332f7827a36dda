"""The exporter's history: what survives a restart, how much is kept, and that no file is needed to go on."""

from __future__ import annotations

import base64
import json
import os
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from launcher.exporter.history import AGAIN, History
from launcher.exporter.watched import SHOWN, Past
from launcher.probe import CheckResult, Stage, StageResult, Status
from launcher.report import SavedLaunch
from tests.exporting import Time, exporting

FINE = CheckResult(
    "shop",
    (StageResult(Stage.PARSE, Status.OK, 0.001), StageResult(Stage.WEB_VIEW, Status.OK, 0.25)),
    datetime(2026, 1, 1, tzinfo=UTC),
    0.251,
    requests=2,
    resolved_age=10.5,
    certificate_days=30.25,
    metapro=({"step": "connect", "ok": True},),
)
PNG = b"\x89PNG\r\n\x1a\n"
DOWN = replace(
    FINE,
    stages=(StageResult(Stage.NAVIGATE, Status.CRITICAL, 5.0, "status 503", "Look at its server."),),
    screenshot=b"\x89PNG picture",
    flood_wait=7.0,
    repeated=True,
)


def test_what_was_is_known_again(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    for at, result in ((1.0, FINE), (2.0, DOWN), (3.0, FINE), (4.0, replace(FINE, target="menu"))):
        history.note(result, at)
    history.close()

    found = History(tmp_path / "history.sqlite").load(["shop", "menu", "new"])
    shop = found["shop"]
    assert shop.past == [Past.of(FINE, 1.0), Past.of(DOWN, 2.0), Past.of(FINE, 3.0)]
    assert (shop.last, shop.failure) == ((FINE, 3.0), (DOWN, 2.0))
    assert (found["menu"].failure, found["menu"].past[0].at) == (None, 4.0)
    assert (found["new"].past, found["new"].last) == ([], None)


def launch(**said: Any) -> SavedLaunch:
    known = {"target": "t.me/demo_bot/app", "when": FINE.started_at, "seconds": 1.0, "server": "sandbox"}
    return SavedLaunch.model_validate({"parameters": {}} | known | said)


def test_the_launch_of_the_last_failure_is_kept_as_long_as_it_is_small(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    picture = {"at": 0.5, "name": "at the end", "png": base64.b64encode(PNG + os.urandom(2**20)).decode()}
    long = {"text": os.urandom(2**21).hex()}
    for saved, kept in (
        (launch(), launch()),
        (launch(screenshots=(picture,)), launch()),
        (launch(options=long), None),
        (launch(seconds=2.0), launch(seconds=2.0)),
        (None, None),
        (launch(), launch()),
    ):
        assert history.note(replace(DOWN, saved=saved), 1.0) is (kept is not None)
        assert history.report("shop") == kept
        assert history.load(["shop"])["shop"].reported is (kept is not None)
    assert not history.note(FINE, 2.0)
    assert history.report("shop") == launch()
    assert history.report("menu") is None
    history.close()


def test_a_file_of_the_version_before_is_taken_over(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    History(file).note(DOWN, 1.0)
    with sqlite3.connect(file) as connection:
        connection.executescript("ALTER TABLE results DROP COLUMN report; PRAGMA user_version = 1")
    connection.close()
    history = History(file)
    assert history.note(replace(DOWN, target="menu", saved=launch()), 2.0)
    assert history.problem is None
    assert (len(history.past("shop", 9)), history.report("shop")) == (1, None)
    history.close()


def test_it_is_its_owners_alone(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.note(FINE, 1.0)
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    history.close()


def test_so_many_checks_of_each_target_are_kept(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite", keep=10)
    for at in range(25):
        history.note(DOWN, float(at))
        history.note(replace(FINE, target="other"), float(at))
    assert [one.at for one in history.past("shop", 100)] == [*range(15, 25)]
    assert [one.at for one in history.past("shop", 3)] == [22, 23, 24]
    assert [one.at for one in history.past("other", 100)] == [*range(15, 25)]
    history.close()
    with sqlite3.connect(tmp_path / "history.sqlite") as file:
        assert file.execute("SELECT count(*) FROM results").fetchone() == (3,)
    file.close()


def test_a_target_that_is_gone_is_forgotten_after_a_month(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    month, day = 30 * 86400.0, 86400.0
    history.note(FINE, day)
    history.note(replace(FINE, target="gone"), day)
    history.forget_others(["shop"], month + day)
    assert history.past("gone", 9)
    history.forget_others(["shop"], month + day + 1)
    assert (history.past("gone", 9), len(history.past("shop", 9))) == ([], 1)
    history.close()


@pytest.mark.parametrize("kind", ["no database", "damaged", "folder", "nowhere", "of another version"])
def test_a_file_that_cannot_be_used_is_said_once_and_tried_again(tmp_path: Path, kind: str) -> None:
    file, told, time = tmp_path / "history.sqlite", list[str](), Time()
    make_unusable(file, kind)
    history = History(file, told=told.append, clock=time)
    for _ in range(3):
        history.note(FINE, 1.0)
    assert history.load(["shop"]) == {}
    assert (history.past("shop", 9), history.failures) == ([], 1)
    assert history.problem
    assert len(told) == 1
    assert told[0].startswith(f"No history: {file}")

    time.go(AGAIN)
    history.note(FINE, 2.0)
    assert (history.failures, len(told)) == (2, 1)

    make_usable(file, kind)
    time.go(AGAIN)
    history.note(FINE, 3.0)
    assert told[1:] == [f"History is kept again: {file}."]
    assert [one.at for one in history.past("shop", 9)] == [3.0]
    history.close()


def make_unusable(file: Path, kind: str) -> None:
    match kind:
        case "no database":
            file.write_text("Nothing like a database. " * 100)
        case "damaged":
            history = History(file)
            history.note(FINE, 1.0)
            history.close()
            file.write_bytes(file.read_bytes()[:100] + os.urandom(file.stat().st_size - 100))
        case "folder":
            file.mkdir()
        case "nowhere":
            (file.parent / "gone").mkdir()
            file.symlink_to(file.parent / "gone" / "away" / "history.sqlite")
        case "of another version":
            with sqlite3.connect(file) as connection:
                connection.execute("PRAGMA user_version = 99")
            connection.close()


def make_usable(file: Path, kind: str) -> None:
    if kind == "folder":
        file.rmdir()
    elif kind == "nowhere":
        (file.parent / "gone" / "away").mkdir()
    else:
        for part in file.parent.glob("history.sqlite*"):
            part.unlink()


FULL_DISK = """
import json, resource, sys
from dataclasses import replace
from pathlib import Path
from launcher.exporter.history import History
from tests.test_exporter_history import DOWN
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
told = []
history = History(Path(sys.argv[1]), told=told.append)
for at in range(20):
    history.note(replace(DOWN, screenshot=b"x" * 20_000 * at), at)
print(json.dumps([told, history.failures, history.problem]))
"""


def test_a_full_disk_costs_the_history_and_nothing_else(tmp_path: Path) -> None:
    """No file of that process may grow beyond 200 kB."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, tmp_path / "history.sqlite"],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    told, failures, problem = json.loads(done.stdout)
    assert (len(told), failures) == (1, 1)
    assert problem in told[0]
    kept = History(tmp_path / "history.sqlite").load(["shop"])["shop"]
    assert kept.past
    assert kept.last


async def test_an_exporter_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "history.sqlite"
    async with exporting(tmp_path, history=History(file)) as world:
        await world.checked("shop")
        await world.checked("main")
    async with exporting(tmp_path, history=History(file)) as world:
        world.wall[0] += 120
        menu, main = world["menu"], world["main"]
        assert (menu.last, len(menu.past)) == (None, 0)
        assert main.last
        assert (main.last.status, len(main.past), main.counts.total()) == (Status.OK, 1, 0)
        await world.checked("shop")
        shop = world["shop"]
        assert len(await world.exporter.past(shop, 100)) >= 1


async def test_an_exporter_that_ends_waits_for_its_last_results_to_be_kept(tmp_path: Path) -> None:
    """Many, so that the file is behind."""
    file = tmp_path / "history.sqlite"
    async with exporting(tmp_path, history=History(file)) as world:
        shop = await world.checked("shop")
        assert shop.last
        for _ in range(200):
            world.exporter._hear(shop, shop.last)
    known = History(file)
    assert len(known.past("shop", 999)) == 201
    known.close()


async def test_the_age_of_what_is_remembered_is_known(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.note(replace(DOWN, target="menu"), 1_700_000_000.0 - 90)
    async with exporting(tmp_path, history=history) as world:
        menu = world["menu"]
        assert menu.age(world.time()) == pytest.approx(90)
        assert (menu.failure_at, menu.checked.is_set()) == (1_700_000_000.0 - 90, True)
        assert menu.failure
        assert menu.failure.screenshot == DOWN.screenshot


async def test_an_exporter_without_a_usable_history_checks_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite").write_text("Nothing like a database. " * 100)
    history = History(tmp_path / "history.sqlite")
    async with exporting(tmp_path, history=history) as world:
        shop = await world.checked("shop")
        assert world.statuses("shop") == [Status.OK]
        assert history.problem
        assert await world.exporter.past(shop, 100) == list(shop.past)


async def test_no_more_is_in_memory_than_is_shown(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world:
        shop = await world.checked("shop")
        for at in range(2 * SHOWN):
            shop.note(FINE, now=0.0, at=float(at))
        assert len(shop.past) == SHOWN
