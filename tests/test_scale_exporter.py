"""An exporter that shows what workers have found: its metrics, its page and its pictures, from PostgreSQL."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from procrastinate import App
from pydantic import SecretStr

from launcher import cli
from launcher.exporter import Exporter, Watched, application
from launcher.probe import CheckResult, Stage, StageResult, Status
from launcher.scale import Database, Lease, leased, results, tasks
from launcher.scale.letters import Seal
from launcher.scale.shared_results import SharedResults
from tests.exporting import PATIENCE, client
from tests.postgres import PostgresServer, ends, postgres, rows  # noqa: F401

PNG = b"\x89PNG and so on"
KEY = SecretStr("a key that all workers share")
FILE = """
accounts: {alice: {budget: 60}}
defaults: {period: 300, account: alice}
targets:
  - {name: shop, link: t.me/demo_bot/app}
  - {name: menu, bot: "@demo_bot", via: menu_button, host: none}
"""
DUE = 1_000_000


def result(target: str, status: Status = Status.OK, **said: Any) -> CheckResult:
    text = "" if status is Status.OK else "the page did not load"
    stage = StageResult(Stage.NAVIGATE, status, 0.25, text, "Look at its server." if text else "")
    return CheckResult(target, (stage,), datetime.fromtimestamp(0, UTC), 0.5, requests=2, **said)


class Looks:
    """The exporter looks into the database when it is told to."""

    def __init__(self) -> None:
        self._waits = asyncio.Event()
        self._go = asyncio.Event()

    async def wait(self, _: float) -> None:
        self._waits.set()
        await self._go.wait()
        self._go.clear()

    async def next(self) -> None:
        """Until it has looked once more."""
        await self._waits.wait()
        self._waits.clear()
        self._go.set()
        await self._waits.wait()


@dataclass
class Shown:
    """An exporter over a database, and a client of its web side."""

    exporter: Exporter
    asked: httpx.AsyncClient
    file: Path
    looks: Looks

    def __getitem__(self, name: str) -> Watched:
        return self.exporter.source.watched[name]

    async def text(self, path: str) -> str:
        return (await self.asked.get(path)).text

    async def until(self, condition: Callable[[], object]) -> None:
        """Until it holds; it is looked at after each look of the exporter into the database."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.looks.next()


@asynccontextmanager
async def shown(database: Database, folder: Path, key: SecretStr | None = KEY) -> AsyncIterator[Shown]:
    file = folder / "targets.yaml"
    file.write_text(FILE)
    looks = Looks()
    source = partial(SharedResults, database, launch_key=key, wait=looks.wait, clock=lambda: 1_000.0)
    async with Exporter(file, source) as exporter, client(application(exporter)) as asked:
        yield Shown(exporter, asked, file, looks)


async def write(app: App, lease: Lease | None, found: CheckResult, due: int, **said: Any) -> None:
    assert lease is not None
    await results.write(
        tasks.pool_of(app), found, due=due, account="alice", token=lease.token, worker="one", **said
    )


async def test_what_was_found_is_shown_and_what_is_found_is_counted(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease:
            await write(app, lease, result("shop", Status.CRITICAL), DUE)
            await write(app, lease, result("shop"), DUE + 1)
            async with shown(database, tmp_path) as at:
                metrics = await at.text("/metrics")
                assert 'miniapp_probe_status{target="shop"} 0.0' in metrics
                assert 'miniapp_probe_checks_total{status="ok",target="shop"} 0.0' in metrics
                assert 'miniapp_account_up{account="alice"} 1.0' in metrics
                assert 'miniapp_probe_status{target="menu"}' not in metrics
                assert [one.status for one in at["shop"].past] == [Status.CRITICAL, Status.OK]
                assert 0 < (at["shop"].next_at or 0) - at.exporter.source.clock() <= 300

                await write(app, lease, result("menu"), DUE)
                probe = asyncio.create_task(at.text("/probe?target=menu"))
                await at.looks.next()
                assert "probe_success 1.0" in await probe
                await write(app, lease, result("shop", Status.CRITICAL, flood_wait=900.0), DUE + 2)
                await at.until(lambda: at["shop"].last and at["shop"].last.status is Status.CRITICAL)
                await write(app, lease, result("shop", Status.UNKNOWN), DUE + 2)  # the same check, again
                await at.until(lambda: at["shop"].last and at["shop"].last.status is Status.UNKNOWN)
                await at.until(lambda: at.exporter.source.accounts["alice"].budget.paused_for > 800)
                metrics = await at.text("/metrics")
                assert 'miniapp_probe_checks_total{status="critical",target="shop"} 1.0' in metrics
                assert 'miniapp_probe_checks_total{status="unknown",target="shop"} 1.0' in metrics
                assert 'miniapp_account_requests_total{account="alice"} 6.0' in metrics
                assert 'miniapp_account_flood_waits_total{account="alice"} 1.0' in metrics
                assert at.exporter.source.accounts["alice"].budget.left == 15 - 6  # of 15 at once
                page = await at.text("/targets/shop")
                assert "Last 3 checks" in page
                assert "The page did not load. Look at its server." in page


async def test_pictures_are_shown_to_who_has_the_key_and_one_is_kept_of_each_target(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease:
            for due in (DUE, DUE + 1):
                sealed = Seal(KEY).seal_picture(PNG)
                await write(app, lease, result("shop", Status.CRITICAL), due, picture=sealed)
            await write(app, lease, result("shop"), DUE + 2)
        assert await rows(database, "select due from miniapp_results where picture is not null") == [
            (DUE + 1,)
        ]
        async with shown(database, tmp_path) as at:
            assert (await at.asked.get("/targets/shop/failure.png")).content == PNG
        async with shown(database, tmp_path, SecretStr("quite another key of theirs")) as at:
            assert at["shop"].failure is not None
            assert (await at.asked.get("/targets/shop/failure.png")).status_code == 404


async def test_an_account_without_a_worker_is_down(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with postgres.database() as database, shown(database, tmp_path) as at:
        alice = at.exporter.source.accounts["alice"]
        assert not alice.up
        assert "No worker uses this account." in await at.text("/")
        async with leased(database, "alice", "one"):
            await at.until(lambda: alice.up)
            assert "No worker uses this account." not in await at.text("/")
            [(backend,)] = await rows(database, "select backend from miniapp_leases")
            await ends(database, "select %s::int", backend)
            await at.until(lambda: not alice.up)


async def test_the_target_file_is_read_anew_and_known_targets_keep_their_past(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease:
            await write(app, lease, result("new", Status.WARNING), DUE)
            async with shown(database, tmp_path) as at:
                await write(app, lease, result("shop"), DUE)
                await at.until(lambda: at["shop"].last)
                at.file.write_text(FILE.replace("name: menu", "name: new"))
                assert await at.exporter.reload()
                assert [one.status for one in at["new"].past] == [Status.WARNING]
                assert [one.status for one in at["shop"].past] == [Status.OK]
                assert at["shop"].counts.total() == 1
                assert at["new"].counts.total() == 0


async def test_postgresql_goes_and_comes_back(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with postgres.database() as database, shown(database, tmp_path) as at:
        async with leased(database, "alice", "one") as lease, tasks.new_app(database).open_async() as app:
            await write(app, lease, result("shop"), DUE)
            await at.until(lambda: at["shop"].last)
        postgres.stop()
        try:
            await at.until(lambda: at.exporter.source.problem)
            page = await at.text("/")
            assert "Nothing new is known. PostgreSQL cannot be used: " in page
            assert 'href="targets/shop"' in page
            assert 'miniapp_account_up{account="alice"} 0.0' in await at.text("/metrics")
            assert "Last 1 check<" in await at.text("/targets/shop")
            assert await at.exporter.reload()
        finally:
            postgres.start()
        await at.until(lambda: not at.exporter.source.problem)
        async with leased(database, "alice", "one") as lease, tasks.new_app(database).open_async() as app:
            await write(app, lease, result("shop", Status.CRITICAL), DUE + 1)
            await at.until(lambda: at["shop"].failure)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from-workers"], "There is no database. Set MINIAPP_DATABASE_URL"),
        (["--from-workers", "--history", "x"], "the workers' database is the history"),
        (["--from-workers", "--database", "host=/none password=hunter2"], "PostgreSQL cannot be used"),
    ],
)
def test_what_the_command_refuses_is_told_in_a_line(
    arguments: list[str], words: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    (tmp_path / "targets.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MINIAPP_DATABASE_URL", raising=False)
    command = ["miniapp", "exporter", "targets.yaml", "--listen", "127.0.0.1:0", *arguments]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (1, 2)
    [line] = capsys.readouterr().err.splitlines()
    assert words in line
    assert "hunter2" not in line
