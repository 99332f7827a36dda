"""Workers on a real PostgreSQL: an account is used by one at a time, and no check is lost."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from procrastinate import App
from procrastinate.jobs import Job
from pydantic import SecretStr

from flows import BadInput, MiniAppError
from launcher import cli
from launcher.beside import beside
from launcher.cli.worker import show_status
from launcher.hosts import HostUnavailable
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.probe import CheckResult, Stage, StageResult, Status, Target
from launcher.probe.course import Course, Wrong
from launcher.sandbox.default_world import ALICE
from launcher.sandbox.faults import Act, Delay, Fail, FloodWait
from launcher.scale import Database, LeaseLost, Worker, leased, results, status, tasks
from launcher.scale.database import CANDIDATES, DatabaseGone, key_of
from launcher.scale.holding import Crew, Holding, budget_under
from launcher.scale.letters import Letter, Seal
from launcher.scale.pages import Away, Sender
from launcher.settings import Settings
from tests.browsers import browser, trusting  # noqa: F401
from tests.conftest import need
from tests.pages import Answer, Pages, certificate
from tests.pages import app as page
from tests.postgres import PostgresServer, ends, postgres, rows  # noqa: F401
from tests.running import called
from tests.scaled import QUICK, Heard, Place, at_work, on_call, overlaps, place

PNG = b"\x89PNG"
READY = page("post('web_app_ready')", body="<p id=hello>Hello")
OPENS = "messages.requestMainWebView"
LEASE_OF = "select backend from miniapp_leases where account = %s"


def ok(target: str) -> CheckResult:
    stage = StageResult(Stage.WEB_VIEW, Status.OK, 0.1)
    return CheckResult(target, (stage,), datetime.fromtimestamp(0, UTC), 0.1)


def opened(at: Place) -> int:
    """How often an app was asked for."""
    return sum(call.method == OPENS for call in at.sandbox.log)


# The lease


async def test_an_account_is_leased_to_one_at_a_time(postgres: PostgresServer) -> None:  # noqa: F811
    async with postgres.database() as database:
        async with leased(database, "alice", "one") as first:
            assert first is not None
            async with leased(database, "alice", "two") as second, leased(database, "bob", "two") as other:
                assert second is None
                assert other is not None
        async with leased(database, "alice", "two") as second:
            assert second is not None
            assert second.token > first.token
            assert second.settled  # it was given back


async def test_a_lease_that_was_cut_off_was_not_given_back(postgres: PostgresServer) -> None:  # noqa: F811
    async with postgres.database() as database:
        async with leased(database, "alice", "one") as first:
            assert first is not None
            await ends(database, LEASE_OF, "alice")
            with pytest.raises(LeaseLost):
                await first.watch()
        async with leased(database, "alice", "two") as second:
            assert second is not None
            assert not second.settled


async def test_a_token_of_the_past_writes_nothing(postgres: PostgresServer) -> None:  # noqa: F811
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        pool, written = tasks.pool_of(app), partial(results.write, account="alice", worker="one")
        async with leased(database, "alice", "one") as first:
            assert first is not None
            await written(pool, ok("shop"), due=1, token=first.token)
        async with leased(database, "alice", "two") as second:
            assert second is not None
            with pytest.raises(LeaseLost):
                await written(pool, ok("shop"), due=2, token=first.token)
            await written(pool, ok("shop"), due=3, token=second.token)
        assert await rows(database, "select due from miniapp_results order by due") == [(1,), (3,)]


async def test_of_a_target_so_many_results_are_kept_and_one_for_each_due_time(
    postgres: PostgresServer,  # noqa: F811
) -> None:
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease:
            assert lease is not None
            for name, due in (("shop", 1), ("shop", 2), ("shop", 2), ("menu", 1), ("shop", 3), ("shop", 4)):
                await results.write(
                    tasks.pool_of(app), ok(name), due=due, account="alice", token=lease.token, worker="one",
                    kept=2,
                )  # fmt: skip
            kept = "select target, due from miniapp_results order by target, due"
            assert await rows(database, kept) == [("menu", 1), ("shop", 3), ("shop", 4)]
            old = "update miniapp_results set written_at = now() - interval '31 days' returning due"
            await rows(database, old)
            await results.write(
                tasks.pool_of(app), ok("shop"), due=5, account="alice", token=lease.token, worker="one"
            )
            assert await rows(database, kept) == [("shop", 5)]


async def test_a_result_waits_for_who_is_taking_the_lease(postgres: PostgresServer) -> None:  # noqa: F811
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease, await database.connect() as other:
            assert lease is not None
            async with other.transaction(), asyncio.timeout(60):
                await other.execute("update miniapp_leases set token = token + 1")
                written: dict[str, Any] = {"account": "alice", "token": lease.token, "worker": "one"}
                writing = asyncio.create_task(results.write(tasks.pool_of(app), ok("shop"), due=1, **written))
                blocked = "select 1 from pg_locks where not granted"
                while not (writing.done() or await rows(database, blocked)):
                    pass
            with pytest.raises(LeaseLost):
                await writing


async def test_who_follows_a_holder_that_was_cut_off_has_no_requests_saved_up(
    postgres: PostgresServer,  # noqa: F811
) -> None:
    async with postgres.database() as database:
        saved_up = []
        for cut_off in (False, True, False, False):
            async with leased(database, "alice", "one") as lease:
                assert lease is not None
                saved_up.append(budget_under(lease, 60).left >= 1)
                if cut_off:
                    await ends(database, LEASE_OF, "alice")
                    with pytest.raises(LeaseLost):
                        await lease.watch()
        assert saved_up == [True, True, False, True]


async def test_who_loses_its_lease_disconnects_from_telegram_first(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at, Launcher(at.settings("one"), "alice") as launcher:
        async with leased(at.database, "alice", "one", beat=0.2) as lease, asyncio.timeout(60):
            assert lease is not None
            seen = []

            async def hang_up(why: MiniAppError) -> None:
                await launcher.hang_up(why)
                seen.append((launcher.client.is_connected(), lease.lost.is_set(), app.is_closed))

            lease.on_loss = hang_up
            async with launcher.open("@demo_bot", via="main_app") as app:
                working = asyncio.create_task(lease.while_held(asyncio.Event().wait()))
                await ends(at.database, LEASE_OF, "alice")
                with pytest.raises(LeaseLost):
                    await lease.watch()
                assert seen == [(False, False, True)]
                with pytest.raises(LeaseLost):
                    await working
            with pytest.raises(LeaseLost):
                async with launcher.open("@demo_bot", via="main_app"):
                    pass
        assert not launcher.client.is_connected()


async def test_a_connection_that_is_silent_is_given_up(postgres: PostgresServer) -> None:  # noqa: F811
    async with postgres.database() as database:
        async with leased(database, "alice", "one", beat=0.02, patience=0.02) as lease, asyncio.timeout(60):
            assert lease is not None
            [(backend,)] = await rows(database, LEASE_OF, "alice")
            os.kill(backend, signal.SIGSTOP)
            try:
                with pytest.raises(LeaseLost):
                    await lease.watch()
            finally:
                os.kill(backend, signal.SIGCONT)


# The queues


async def test_a_check_is_deferred_once_for_each_due_time(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ()) as at, tasks.new_app(at.database).open_async() as app:
        [target] = at.targets(period=60).targets
        due = tasks.due_before(target, 1000.0)
        assert due <= 1_000_000 < due + 60_000
        waiting = "select args->'timestamp' from procrastinate_jobs where status = 'todo'"
        for when in (due, due, due + 60_000):  # the third waits for the first
            await tasks.defer(app, "alice", target, when)
        assert await rows(at.database, waiting) == [(due,)]
        await rows(at.database, "delete from procrastinate_jobs returning id")
        for when in (due, due + 60_000):
            await tasks.defer(app, "alice", target, when)
        assert await rows(at.database, waiting) == [(due + 60_000,)]


async def test_what_a_former_holder_was_doing_is_put_back_under_a_new_id(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ()) as at, tasks.new_app(at.database).open_async() as app:
        for target in at.targets(each=2).targets:
            await tasks.defer(app, "alice", target, 1000)
        manager = app.job_manager
        jobs = [
            await manager.fetch_job([tasks.queue_of("alice")], await manager.register_worker())
            for _ in range(2)
        ]
        await tasks.defer(app, "alice", at.targets(each=2).targets[1], 2000)  # takes the place of the other
        assert await tasks.put_back(app, "alice") == 2
        waiting = "select args->>'target', args->'timestamp', status::text from procrastinate_jobs order by 1"
        assert await rows(at.database, waiting) == [("alice-0", 1000, "todo"), ("alice-1", 2000, "todo")]
        ids = await rows(at.database, "select id from procrastinate_jobs")
        assert not {(job.id,) for job in jobs if job} & set(ids)


async def test_what_is_left_of_pages_is_deleted_after_an_hour(
    postgres: PostgresServer,  # noqa: F811
) -> None:
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        for minutes in (59, 61):
            job = Job(
                id=None, queue=tasks.PAGES, lock=None, queueing_lock=None, task_name=tasks.SHOW,
                task_kwargs={"run": minutes}, scheduled_at=datetime.now(UTC) - timedelta(minutes=minutes),
            )  # fmt: skip
            await app.job_manager.defer_job_async(job)
            await rows(
                database,
                "insert into miniapp_shown (run, written_at, outcome) values"
                " (gen_random_uuid(), now() - make_interval(mins => %s), %s::jsonb) returning run",
                minutes, str(minutes),
            )  # fmt: skip
        await tasks.forget_pages(app)
        assert await rows(database, "select args->'run' from procrastinate_jobs") == [(59,)]
        assert await rows(database, "select outcome from miniapp_shown") == [(59,)]


# Workers


async def test_workers_share_the_accounts_and_never_use_one_at_once(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one", "two"), accounts=4) as at:
        targets = at.targets(each=2, period=0.2)
        one, two = Heard(), Heard()
        async with at_work(at.worker("one", targets, one)):
            await one.until(lambda: len({result.target for result in one.results}) == 8)
            async with at_work(at.worker("two", targets, two)):
                await two.until(lambda: len({result.target for result in two.results}) == 4)
                held = (await status(at.database))["leases"]
                assert sorted(lease["worker"] for lease in held if lease["held"]) == [
                    "one",
                    "one",
                    "two",
                    "two",
                ]
            before = len(one.results)
            await one.until(lambda: len({result.target for result in one.results[before:]}) == 8)
        assert overlaps(at.sandbox.log) == 0
        assert {result.status for result in one.results + two.results} == {Status.OK}
        assert not any(lease["held"] for lease in (await status(at.database))["leases"])


async def test_a_worker_takes_its_share_when_another_could_use_the_accounts_too(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",), accounts=4) as at, await at.database.connect() as other:
        for account in at.accounts:
            await other.execute("select pg_advisory_lock_shared(%s, %s)", [CANDIDATES, key_of(account)])
        heard = Heard()
        async with at_work(at.worker("one", at.targets(), heard, pace=replace(QUICK, look=10.0))):
            await heard.more(2)
            assert len((await status(at.database))["leases"]) == 2


async def test_a_worker_that_is_killed_loses_no_check(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path) as at, asyncio.timeout(180):
        targets, heard, stopped = at.targets(), Heard(), asyncio.Event()
        file = at.target_file(targets)
        async with at.process("one", file) as process:

            def stop(_: Any) -> None:
                process.send_signal(signal.SIGSTOP)
                stopped.set()

            at.sandbox.faults.on(OPENS, Act(stop))
            await stopped.wait()
            async with leased(at.database, "alice", "two") as lease:
                assert lease is None  # it stands still, and it has the lease
            [queue] = (await status(at.database))["queues"]
            assert (queue["running"], queue["waiting"], heard.results) == (1, 0, [])
            process.kill()
            await process.wait()
            async with at_work(at.worker("two", targets, heard)):
                await heard.more(1)
        assert [result.status for result in heard.results] == [Status.OK]
        assert (opened(at), overlaps(at.sandbox.log)) == (2, 0)
        told = await status(at.database)
        assert [(lease["worker"], lease["token"]) for lease in told["leases"]] == [("two", 2)]
        assert sum(queue["running"] + queue["waiting"] + queue["failed"] for queue in told["queues"]) == 0


async def test_a_worker_whose_lease_is_cut_off_takes_it_again_and_finishes(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at:
        heard = Heard()
        at.sandbox.faults.on(OPENS, Delay(3600))
        async with at_work(at.worker("one", at.targets(), heard)):
            await called(at.sandbox, OPENS)
            await ends(at.database, LEASE_OF, "alice")
            await heard.more(1)
        assert [result.status for result in heard.results] == [Status.OK]
        assert "alice is lost: LeaseLost" in heard.words
        assert overlaps(at.sandbox.log) == 0
        assert (await status(at.database))["leases"][0]["token"] == 2


async def test_a_worker_that_loses_its_lease_is_off_telegram_before_it_leaves_its_queue(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at, asyncio.timeout(60):
        worker = at.worker("one", at.targets(), Heard(), pace=replace(QUICK, stop=60.0))
        at.sandbox.faults.on(OPENS, Delay(3600))
        async with at_work(worker):
            await called(at.sandbox, OPENS)
            async with await at.database.connect() as other, other.transaction():
                await other.execute("lock table procrastinate_jobs in access exclusive mode")
                await ends(at.database, LEASE_OF, "alice")
                while at.sandbox.connected(ALICE):
                    await rows(at.database, "select 1")


async def test_an_account_whose_lease_was_cut_off_is_not_used_before_it_has_settled(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",), accounts=2) as at:
        async with leased(at.database, "alice", "another") as lease:
            assert lease is not None
            await ends(at.database, LEASE_OF, "alice")
            with pytest.raises(LeaseLost):
                await lease.watch()
        heard = Heard()
        pace = replace(QUICK, settle=3600.0)
        async with at_work(at.worker("one", at.targets(each=3), heard, pace=pace)):
            await heard.more(3)
            assert not at.sandbox.connected(ALICE)
        assert {result.target for result in heard.results} == {"user2-0", "user2-1", "user2-2"}


async def test_postgresql_goes_and_comes_back(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at:
        heard = Heard()
        pace = replace(QUICK, patience=2.0)
        async with at_work(at.worker("one", at.targets(period=0.2), heard, pace=pace)):
            await heard.more(2)
            postgres.stop()
            try:
                await heard.until(lambda: any(word.startswith("alice is lost") for word in heard.words))
                await heard.until(lambda: "PostgreSQL is away" in heard.words)
                assert not at.sandbox.connected(ALICE)
            finally:
                postgres.start()
            await heard.more(2)
        assert {result.status for result in heard.results} == {Status.OK}
        assert overlaps(at.sandbox.log) == 0
        assert (await status(at.database))["leases"][0]["token"] >= 2


async def test_a_worker_that_is_told_to_stop_puts_back_what_it_cannot_finish(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at:
        heard = Heard()
        worker = at.worker("one", at.targets(), heard, pace=replace(QUICK, stop=0.0))
        at.sandbox.faults.on(OPENS, Delay(3600))
        async with at_work(worker):
            await called(at.sandbox, OPENS)
        [queue] = (await status(at.database))["queues"]
        assert (queue["waiting"], queue["running"], queue["failed"]) == (1, 0, 0)


async def test_an_account_that_telegram_refuses_is_told_and_left_alone(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",), accounts=2) as at:
        at.sandbox.forget_key(ALICE)
        heard = Heard()
        async with at_work(at.worker("one", at.targets(period=0.2), heard)):
            await heard.until(lambda: {result.target for result in heard.results} == {"alice-0", "user2-0"})
            await heard.more(3)
        of_alice = [result for result in heard.results if result.target == "alice-0"]
        assert [result.status for result in of_alice] == [Status.UNKNOWN]
        assert sum(word.startswith("alice cannot be used") for word in heard.words) == 1


async def test_a_defect_costs_a_worker_one_account_for_a_while(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    """Such as a database that does not take her."""
    alter = "alter table miniapp_leases {} constraint not_alice {}"
    async with place(postgres, tmp_path, ("one",), accounts=2) as at, await at.database.connect() as other:
        await other.execute(alter.format("add", "check (account <> 'alice')"))
        heard, told = Heard(), "alice cannot be used: .* by a defect of this program \\(CheckViolation\\)"
        with pytest.raises(MiniAppError, match=told):
            await at.worker("one", at.targets("alice"), heard).run_once()
        async with at_work(at.worker("one", at.targets(), heard, pace=replace(QUICK, refused=0.2))):
            await heard.until(lambda: any(re.match(told, word) for word in heard.words))
            await heard.until(lambda: {result.target for result in heard.results} == {"user2-0"})
            await other.execute(alter.format("drop", ""))
            await heard.until(lambda: {result.target for result in heard.results} == {"user2-0", "alice-0"})


async def test_once_does_what_is_due_and_no_more(postgres: PostgresServer, tmp_path: Path) -> None:  # noqa: F811
    async with place(postgres, tmp_path, ("one", "two"), accounts=2) as at:
        heard, targets = Heard(), at.targets(each=3)
        now: Any = {"clock": lambda: 1_000_000_000.0}
        both = await asyncio.gather(
            at.worker("one", targets, heard, **now).run_once(),
            at.worker("two", targets, heard, **now).run_once(),
            return_exceptions=True,
        )
        assert {str(type(one)) for one in both} <= {str(type(None)), str(MiniAppError)}
        await at.worker("one", targets, heard, **now).run_once()
        assert sorted(result.target for result in heard.results) == [one.name for one in targets.targets]
        assert overlaps(at.sandbox.log) == 0


async def test_once_is_no_success_when_an_account_could_not_be_used(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",), accounts=3) as at:
        at.sandbox.forget_key(ALICE)
        heard = Heard()
        async with leased(at.database, "user2", "another") as lease:
            assert lease is not None
            with pytest.raises(MiniAppError) as told:
                await at.worker("one", at.targets(), heard).run_once()
        assert str(told.value).startswith("Not everything was checked. alice cannot be used: ")
        assert "user2 is used by another worker." in str(told.value)
        assert "user3" not in str(told.value)
        assert sorted((result.target, result.status) for result in heard.results) == [
            ("alice-0", Status.UNKNOWN), ("user3-0", Status.OK),
        ]  # fmt: skip


@pytest.mark.parametrize("once", [True, False], ids=["once", "for ever"])
async def test_an_account_that_is_lost_at_work_is_told_and_given_back(
    postgres: PostgresServer, tmp_path: Path, *, once: bool  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at:
        at.sandbox.faults.on(OPENS, Fail(401, "AUTH_KEY_UNREGISTERED"))
        heard = Heard()
        worker = at.worker("one", at.targets(), heard)
        if once:
            with pytest.raises(MiniAppError, match="alice cannot be used"):
                await worker.run_once()
        else:
            async with at_work(worker):
                await heard.until(lambda: any("alice cannot be used" in word for word in heard.words))
        assert [result.status for result in heard.results] == [Status.UNKNOWN]
        assert not (await status(at.database))["leases"][0]["held"]


async def test_a_flood_wait_holds_for_the_next_holder(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path) as at:
        at.sandbox.faults.on(OPENS, FloodWait(3600))
        heard, targets = Heard(), at.targets(period=60)
        with pytest.raises(MiniAppError, match="alice cannot be used: Telegram wants"):
            await at.worker("one", targets, heard, clock=lambda: 1000.0).run_once()
        assert [result.flood_wait for result in heard.results] == [3600]
        assert 3500 < (await status(at.database))["leases"][0]["wait"] <= 3600
        asked = opened(at)
        with pytest.raises(MiniAppError, match="left alone"):
            await at.worker("two", targets, heard, clock=lambda: 1060.0).run_once()
        assert [result.status for result in heard.results] == [Status.UNKNOWN] * 2
        assert "left alone" in heard.results[1].text
        assert opened(at) == asked


async def test_a_shorter_flood_wait_and_a_result_without_one_shorten_none(
    postgres: PostgresServer,  # noqa: F811
) -> None:
    async with postgres.database() as database, tasks.new_app(database).open_async() as app:
        async with leased(database, "alice", "one") as lease:
            assert lease is not None
            assert lease.wait == 0
            for due, wait in enumerate((3600.0, 60.0, None)):
                await results.write(
                    tasks.pool_of(app), replace(ok("shop"), flood_wait=wait), due=due, account="alice",
                    token=lease.token, worker="one",
                )  # fmt: skip
            with pytest.raises(LeaseLost):
                await results.write(
                    tasks.pool_of(app), replace(ok("shop"), flood_wait=7200.0), due=9, account="alice",
                    token=lease.token - 1, worker="one",
                )  # fmt: skip
        async with leased(database, "alice", "two") as lease:
            assert lease is not None
            assert 3500 < budget_under(lease, 60).paused_for <= 3600


# Pages that another worker shows

SEALED = "select args::text from procrastinate_jobs where queue_name = 'pages'"
KEY = SecretStr("a key that all workers share")


@asynccontextmanager
async def showing(at: Place, app: App, *, by_others: bool = True) -> AsyncIterator[None]:
    """Another worker that shows pages, in its own browser."""
    async with AsyncExitStack() as stack:
        if by_others:
            try:
                away = await stack.enter_async_context(Away(app, Seal(KEY), at.settings("two")))
            except HostUnavailable as failure:
                need("Chromium", str(failure))
            working = app.run_worker_async(
                queues=[tasks.PAGES], additional_context={"away": away}, install_signal_handlers=False,
                delete_jobs="always",
            )  # fmt: skip
            await stack.enter_async_context(beside(working))
        yield


async def checked(at: Place, app: App, said: dict[str, Any], url: str) -> CheckResult:
    """The result of the one target, by a holder that has its pages shown."""
    bot, heard = at.sandbox.world.bot("demo_bot"), Heard()
    bot.main_app = url
    targets = at.targets(host="browser", **said)
    settings = at.settings("one")
    crew = Crew(settings, targets, at.database, app, "one", Seal(KEY), QUICK, told=heard.result)
    await Holding(crew, "alice", list(targets.targets)).run(once=True)
    return heard.results[0]


@pytest.mark.parametrize(
    ("expect", "status_of_it", "words"),
    [
        ({"selector": "#hello", "ready_within": "15s"}, Status.OK, ""),
        ({"status": 200}, Status.CRITICAL, "404"),
    ],
    ids=["well", "ill"],
)
async def test_a_page_is_shown_by_another_worker_and_its_launch_url_stays_secret(
    postgres: PostgresServer, tmp_path: Path, caplog: pytest.LogCaptureFixture,  # noqa: F811
    browser: Browser, monkeypatch: pytest.MonkeyPatch,  # noqa: F811
    expect: dict[str, Any], status_of_it: Status, words: str,
) -> None:  # fmt: skip
    """By one whose Chromium trusts the page's certificate."""
    caplog.set_level(logging.DEBUG)
    shown = READY if not words else Answer("gone", 404)
    tls, authority = certificate(tmp_path, timedelta(days=5))
    monkeypatch.setenv("CHROMIUM_PATH", str(await trusting(browser, authority)))
    async with place(postgres, tmp_path) as at, Pages({"/": shown}, tls) as site, asyncio.timeout(120):
        async with tasks.new_app(at.database).open_async() as app, showing(at, app):
            site.answers.clear()
            checking = asyncio.create_task(checked(at, app, {"expect": expect}, site.url("/")))
            await site.arrived.wait()
            [(arguments,)] = await rows(at.database, SEALED)
            site.answers.set()
            result = await checking
        assert result.status is status_of_it, result.text
        assert words in result.text
        assert result.certificate_days == pytest.approx(5, abs=0.01)
        assert {"navigate"} <= {str(stage.stage) for stage in result.stages}
        assert "tgWebApp" not in arguments + caplog.text
        assert (result.screenshot or b"").startswith(PNG if words else b"")
        [(kept,)] = await rows(at.database, "select picture from miniapp_results")
        assert Seal(KEY).open_picture(kept) == result.screenshot
        assert PNG not in (kept or b"")
        for table in ("procrastinate_jobs", "miniapp_shown"):
            assert await rows(at.database, f"select 1 from {table}") == []


async def test_a_page_that_nobody_shows_says_nothing_of_the_app(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path) as at, tasks.new_app(at.database).open_async() as app:
        [target] = at.targets(host="browser", timeout=0.1).targets
        async with Launcher(at.settings("one"), "alice") as launcher:
            async with launcher.open("@demo_bot", via="main_app") as launched:
                course = Course(target)
                with pytest.raises(Wrong, match="no worker has shown the page in time") as wrong:
                    await Sender(app, Seal(KEY)).show(launcher, target, launched, course)
        assert wrong.value.status is Status.UNKNOWN
        assert course.browser_died  # so it is launched and shown once more
        assert await rows(at.database, "select 1 from procrastinate_jobs") == []


async def test_an_app_that_sends_data_is_shown_by_its_holder_alone(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:  # fmt: skip
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "none"))
    async with place(postgres, tmp_path, ("one",)) as at, tasks.new_app(at.database).open_async() as app:
        [target] = at.targets(host="browser", timeout=0.1).targets
        async with Launcher(at.settings("one"), "alice") as launcher:
            async with launcher.open("@demo_bot", via="keyboard_button") as launched:
                with pytest.raises(Wrong, match="CHROMIUM_PATH"):
                    await Sender(app, Seal(KEY)).show(launcher, target, launched, Course(target))


def test_a_letter_opens_with_the_key_it_was_sealed_with() -> None:
    target = Target(name="shop", link="t.me/demo_bot/app")
    letter = Letter(
        url="https://shop.example/#tgWebAppData=secret", target=target, bot=1, username="demo_bot",
        inline=False, fullsize=True, fullscreen=False, same_origin=True, elapsed=0.5,
    )  # fmt: skip
    sealed = Seal(KEY).seal(letter)
    assert Seal(KEY).open(sealed) == letter
    assert Seal(SecretStr("another key of the workers")).open(sealed) is None
    assert Seal(KEY, lambda: time.time() + 590).open(sealed) == letter
    assert Seal(KEY, lambda: time.time() + 610).open(sealed) is None
    assert "secret" not in repr(letter) + sealed
    with pytest.raises(BadInput):
        Seal(SecretStr("short"))


def test_a_picture_is_sealed_too_and_has_its_bounds() -> None:
    sealed = Seal(KEY).seal_picture(PNG)
    assert sealed is not None
    assert PNG not in sealed
    assert Seal(KEY).open_picture(sealed) == PNG
    assert Seal(SecretStr("another key of the workers")).open_picture(sealed) is None
    assert Seal(KEY).seal_picture(None) is Seal(KEY).open_picture(None) is None
    assert Seal(KEY).seal_picture(bytes(2**21)) is not None
    assert Seal(KEY).seal_picture(bytes(2**21 + 1)) is None


# What is refused


@pytest.mark.parametrize(
    ("url", "error"),
    [("postgresql//me:hunter2@nowhere", BadInput), ("postgresql://me:hunter2@127.0.0.1:1/x", DatabaseGone)],
)
async def test_the_database_url_is_shown_nowhere(url: str, error: type[MiniAppError]) -> None:
    with pytest.raises(error) as refused:
        await Database(url).migrate()
    shown = f"{refused.value!r} {refused.value} {refused.value.__cause__} {refused.value.__context__}"
    assert "hunter2" not in shown
    assert "\n" not in str(refused.value)
    assert error is BadInput or "Connection refused. Check" in str(refused.value)
    if error is DatabaseGone:
        assert "hunter2" not in repr(Database(url))


async def test_the_command_works_until_it_is_told_to_stop(
    postgres: PostgresServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at, asyncio.timeout(180):
        file = at.target_file(at.targets())
        async with at.process("one", file) as process:
            assert process.stdout is not None
            assert json.loads(await process.stdout.readline())["status"] == "OK"
            process.send_signal(signal.SIGTERM)
            assert (await process.communicate())[0] == b""
            assert process.returncode == 0
        await show_status(at.database, as_json=True)
        told = json.loads(capsys.readouterr().out)
        leases = [(one["account"], one["worker"], one["held"]) for one in told["leases"]]
        assert leases == [("alice", "one", False)]
        assert [(one["target"], one["status"]) for one in told["results"]] == [("alice-0", "OK")]


async def test_the_command_that_is_stopped_before_all_was_checked_is_no_success(
    postgres: PostgresServer, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    async with place(postgres, tmp_path, ("one",)) as at, asyncio.timeout(180):
        with on_call(at.sandbox, "contacts.resolveUsername") as asked:
            at.sandbox.faults.on(OPENS, Delay(3600))
            async with at.process("one", at.target_file(at.targets()), "--once") as process:
                await asked.wait()
                process.send_signal(signal.SIGTERM)
                _, told = await process.communicate()
        assert (process.returncode, b"stopped before everything was checked" in told) == (1, True)


REFUSED = [
    ([], {}, "There is no database. Set MINIAPP_DATABASE_URL to postgresql://… or give --database."),
    (["--database", "host=/none"], {}, "a target file is needed"),
    (["--migrate"], {"MINIAPP_DATABASE_URL": "host=/none password=hunter2"}, "PostgreSQL cannot be used"),
    (["x.yaml", "--database", "host=/none"], {}, "x.yaml: No such file or directory. Name a file"),
]


@pytest.mark.parametrize(("arguments", "environment", "words"), REFUSED)
def test_what_the_command_refuses_is_told_in_a_line(
    arguments: list[str], environment: dict[str, str], words: str,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.delenv("MINIAPP_DATABASE_URL", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    told = _refused(["worker", *arguments], monkeypatch, capsys)
    assert words in told
    assert "hunter2" not in told


def test_without_its_packages_the_command_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "launcher.scale", None)
    told = _refused(["worker", "--status", "--database", "x"], monkeypatch, capsys)
    assert told == (
        "miniapp: Workers need some more packages. Run: pip install 'miniapp-launcher[monitor,scale]', "
        "or from a clone: pip install '.[monitor,scale]'"
    )


def _refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """The one line that the command says before it ends with a code."""
    monkeypatch.setattr(sys, "argv", ["miniapp", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in (1, 2)
    [line] = capsys.readouterr().err.splitlines()
    return line


async def test_a_worker_needs_a_server_and_a_session(postgres: PostgresServer, tmp_path: Path) -> None:  # noqa: F811
    async with place(postgres, tmp_path, ("one",), accounts=2) as at:
        with pytest.raises(BadInput, match="There is no session of bob here"):
            at.worker("one", at.targets("bob"), Heard())
        with pytest.raises(BadInput, match="names no account"):
            at.worker("one", at.targets(account=None), Heard())
        with pytest.raises(BadInput, match="A sandbox inside one worker"):
            Worker(
                Settings(server="sandbox", _env_file=None), at.targets(), at.database, name="one"
            )  # fmt: skip
