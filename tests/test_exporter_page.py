"""The exporter's status page in real Chromium: complete, inert, alone, readable on a phone."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request

from flows import MiniAppError
from launcher.exporter import application
from launcher.exporter.charts import columns, icon, strip
from launcher.exporter.history import History
from launcher.exporter.serving import listening, serving
from launcher.exporter.watched import Past
from launcher.hosts.browser import Browser
from launcher.probe import CheckResult, Stage, StageResult, Status
from tests.browsers import browser  # noqa: F401 - a fixture
from tests.exporting import READY, TWO, World, client, exporting
from tests.pages import Answer

in_the_browsers_loop = pytest.mark.asyncio(loop_scope="session")
HOSTILE = '</title></summary><script>document.title="taken"</script><img src=x onerror=alert(1)>"\'&\u202e'
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f0005000201a5f4d1d60000000049454e44ae426082"
)
"""A picture of one pixel."""


def failed(name: str, text: str = HOSTILE, status: Status = Status.CRITICAL) -> CheckResult:
    stages = (
        StageResult(Stage.RESOLVE, Status.OK, 0.02),
        StageResult(Stage.WEB_VIEW, Status.OK, 0.1),
        StageResult(Stage.READY, status, 1.5, text, HOSTILE),
    )
    return CheckResult(name, stages, datetime(2026, 1, 1, tzinfo=UTC), 1.62, screenshot=PNG)


def note(world: World, name: str, result: CheckResult) -> None:
    world[name].note(result, now=world.time(), at=time.time())


@asynccontextmanager
async def shown(
    folder: Path,
    chromium: Browser,
    *,
    prepare: Any = lambda world: None,
    **options: Any,
) -> AsyncIterator[tuple[Page, World]]:
    """A page of an exporter at work, which must not complain, nor ask anybody else for anything."""
    async with exporting(folder) as world:
        await world.checked("shop")
        await world.checked("main")
        prepare(world)
        with listening("127.0.0.1:0") as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with serving(application(world.exporter), listener):
                context = await chromium.playwright.new_context(**options)
                page, wrong = await context.new_page(), list[str]()
                page.on("console", lambda message: wrong.append(message.text))
                page.on("pageerror", lambda error: wrong.append(str(error)))
                page.on("requestfailed", lambda request: wrong.extend(_failure(request)))
                page.on("dialog", lambda dialog: wrong.append(dialog.message))
                page.on("response", lambda answer: wrong.append(answer.url) if answer.status > 399 else None)
                asked: list[str] = []
                page.on("request", lambda request: asked.append(request.url))
                await page.goto(f"{address}/")
                yield page, world
                await context.close()
        assert wrong == []
        assert [url for url in asked if not url.startswith(address)] == []


def _failure(request: Request) -> list[str]:
    """Leaving a page ends what it was still loading."""
    return [] if request.failure == "net::ERR_ABORTED" else [request.url]


@in_the_browsers_loop
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_all_of_it_without_scrolling_aside(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
    scheme: str,
) -> None:
    def prepare(world: World) -> None:
        for _ in range(70):
            note(world, "shop", failed("shop", "word" * 60))
        world.exporter.problem = "x" * 300

    phone = {"viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
    async with shown(tmp_path, browser, prepare=prepare, **phone) as (page, _):
        start = page.url
        for path in ("", "targets/shop"):
            await page.goto(f"{start}{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") == 360, path
            background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert (background == "rgb(14, 20, 27)") == (scheme == "dark"), path
            assert await page.locator(".strip").first.bounding_box(), path


@in_the_browsers_loop
async def test_hostile_texts_are_texts(tmp_path: Path, browser: Browser) -> None:  # noqa: F811
    def prepare(world: World) -> None:
        note(world, "shop", failed("shop"))
        world.exporter.problem = HOSTILE
        account = world.exporter.source.accounts["alice"]
        account.problem = MiniAppError(HOSTILE, HOSTILE)

    async with shown(tmp_path, browser, prepare=prepare) as (page, _):
        for path in ("/", "/targets/shop"):
            await page.goto(f"{page.url.partition('/targets')[0].rstrip('/')}{path}")
            assert await page.title() != "taken"
            assert await page.locator("script").count() == 0
            assert "<script>" in await page.locator(".failure").first.inner_text()
            assert "\u202e" not in await page.content()
            assert await page.locator("[onerror]").count() == 0


@in_the_browsers_loop
async def test_what_needs_attention_comes_first_with_its_reason_and_picture(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
) -> None:
    def prepare(world: World) -> None:
        note(world, "shop", failed("shop", "the app burns"))
        note(world, "main", failed("main", "it is slow", Status.WARNING))

    async with shown(tmp_path, browser, prepare=prepare) as (page, world):
        cards = page.locator(".targets article")
        names = await cards.locator("h2 a").all_inner_texts()
        assert names == ["shop", "menu", "main"]
        first = cards.first
        assert "The app burns" in await first.inner_text()
        assert await first.locator("details").get_attribute("open") == ""
        assert (
            await first.locator(".failure img").evaluate(
                "image => image.decode().then(() => image.naturalWidth)"
            )
            == 1
        )
        assert await page.title() == "CRITICAL: Mini Apps"
        tally = (await page.locator(".tally").inner_text()).split()
        assert " ".join(tally) == "1 CRITICAL 0 UNKNOWN 1 WARNING 0 OK 1 not checked yet"
        label = await first.locator(".strip").get_attribute("aria-label")
        assert label == "2 checks, oldest first: 1 OK, 1 CRITICAL"
        accounts = await page.get_by_role("region", name="Accounts").inner_text()
        assert "at work" in accounts
        assert "60 a minute" in accounts

        await first.get_by_role("link", name="shop", exact=True).click()
        await page.wait_for_url("**/targets/shop")
        assert "The app burns" in await page.locator("main").inner_text()
        assert await page.get_by_role("img", name="Seconds of 2 checks").count() == 1
        await page.get_by_role("link", name="All targets").click()
        await page.wait_for_url(lambda url: url.endswith("/"))
        assert world["shop"].counts.total() == 2


@in_the_browsers_loop
async def test_pages_are_shut_to_everything_else(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world, client(world.app) as asked:
        await world.checked("shop")
        for path in ("/", "/targets/shop", "/style.css", "/icon/ok.svg"):
            answer = await asked.get(path)
            assert answer.status_code == 200
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
            assert answer.headers["x-content-type-options"] == "nosniff"
        for path in ("/targets/nothing", "/targets/shop/failure.png", "/icon/x.svg", "/targets/../x"):
            assert (await asked.get(path)).status_code == 404
        page = (await asked.get("/")).text
        assert "://" not in page.replace("http://exporter", "")
        note(world, "shop", failed("shop"))
        picture = await asked.get("/targets/shop/failure.png")
        assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")


@in_the_browsers_loop
async def test_all_is_well_only_when_all_was_checked(tmp_path: Path) -> None:
    async with exporting(tmp_path) as world, client(world.app) as asked:

        async def says() -> tuple[str, ...]:
            page = (await asked.get("/")).text
            return tuple(re.search(rf"<{tag}>(.*?)</", page)[1] for tag in ("title", 'p class="soft"'))  # type: ignore[index]

        assert await says() == ("UNKNOWN: Mini Apps", "The first checks are under way.")
        await world.checked("shop")
        await world.checked("main")
        rest = "1 of 3 targets was not checked yet."
        assert await says() == ("UNKNOWN: Mini Apps", f"What was checked works. {rest}")
        note(world, "main", failed("main", status=Status.WARNING))
        words = f"What was checked works; something wants attention. {rest}"
        assert await says() == ("UNKNOWN: Mini Apps", words)
        note(world, "main", failed("main"))
        assert await says() == ("CRITICAL: Mini Apps", f"Something is down. {rest}")
        world.time.go(1)
        await world.checked("menu")
        assert await says() == ("CRITICAL: Mini Apps", "Something is down.")
        note(world, "main", replace(failed("main"), stages=()))
        assert await says() == ("OK: Mini Apps", "Everything works.")


@in_the_browsers_loop
async def test_the_report_of_the_last_failure_is_linked_and_survives_a_restart(
    tmp_path: Path,
    browser: Browser,  # noqa: F811
) -> None:
    file, secret = tmp_path / "history.sqlite", "token-of-a-customer"
    targets = TWO.replace("t.me/demo_bot/app", f'"t.me/demo_bot/app?startapp={secret}"')
    async with exporting(
        tmp_path, targets, {"/": READY, "/app": Answer("no", 503)}, history=History(file)
    ) as world:
        await world.checked("shop")
        assert world["shop"].last
        assert world["shop"].last.saved is None
    async with exporting(tmp_path, targets, history=History(file)) as world:
        with listening("127.0.0.1:0") as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with serving(application(world.exporter), listener):
                context = await browser.playwright.new_context()
                page, wrong = await context.new_page(), list[str]()
                page.on("console", lambda message: wrong.append(message.text))
                for path in ("/", "/targets/shop"):
                    await page.goto(f"{address}{path}")
                    await page.locator(".failure summary").first.click(trial=True)
                    link = page.get_by_role("link", name="Report of this launch", include_hidden=True)
                    assert await link.evaluate("link => link.href") == f"{address}/targets/shop/report"
                await page.goto(f"{address}/targets/shop/report")
                assert await page.title() == "@demo_bot: a launch"
                assert "messages.requestAppWebView" in await page.content()
                assert await page.evaluate("getComputedStyle(document.body).fontFamily") != "Times New Roman"
                assert wrong == []
                await context.close()
        async with client(world.app) as asked:
            assert (await asked.get("/targets/menu/report")).status_code == 404
            note(world, "shop", failed("shop"))
            assert (await asked.get("/targets/shop/report")).status_code == 404
            assert "Report of this launch" not in (await asked.get("/")).text


@in_the_browsers_loop
async def test_the_page_of_a_target_shows_what_the_history_knows(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    for at in range(300):
        history.note(failed("shop", f"failure {at}"), float(at))
    async with exporting(tmp_path, history=history) as world, client(world.app) as asked:
        await world.checked("shop")
        text = (await asked.get("/targets/shop")).text
        assert "Last 288 checks" in text
        assert "failure 299" in text
        history.file = tmp_path / "folder"
        history.file.mkdir()
        history.close()
        history.note(failed("shop"), 300.0)
        page = (await asked.get("/")).text
        assert f"No history is kept: {escape(str(history.problem))}" in page


@in_the_browsers_loop
async def test_what_is_known_grows_old(tmp_path: Path) -> None:
    daily = TWO.replace("period: 300", "period: 1d")
    async with exporting(tmp_path, daily) as world, client(world.app) as asked:
        await world.checked("shop")
        world.time.go(7200)
        page = (await asked.get("/targets/shop")).text
        assert "checked 2 h ago, next in 22 h" in page
        assert "<dt>bot found</dt><dd>2 h ago</dd>" in page


def past(*statuses: Status) -> list[Past]:
    stages = ((Stage.WEB_VIEW, 0.5), (Stage.NAVIGATE, 1.0))
    return [Past(60.0 * at, status, 1.5, HOSTILE, stages) for at, status in enumerate(statuses)]


class Drawn(HTMLParser):
    """The tags of a picture with their attributes, and its texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_strip_tells_in_words_what_it_shows() -> None:
    ok, down = Status.OK, Status.CRITICAL
    drawn = Drawn(strip(past(ok, ok, down, ok), 60))
    assert drawn.tags[0][1]["aria-label"] == "4 checks, oldest first: 2 OK, 1 CRITICAL, 1 OK"
    marks = [(tag[1]["class"], str(tag[1]["d"]).count("v-")) for tag in drawn.tags if tag[0] == "path"]
    assert marks == [("none", 56), ("ok", 2), ("critical", 1), ("ok", 1)]
    assert drawn.texts[1].startswith("CRITICAL 1970-01-01 00:02:00 UTC: ")
    assert {tag for tag, _ in drawn.tags} == {"svg", "path", "title"}
    assert Drawn(strip([], 60)).tags[0][1]["aria-label"] == "No checks yet"
    many = Drawn(strip(past(*[ok, down] * 20), 60)).tags[0][1]["aria-label"]
    assert str(many).startswith("40 checks, oldest first: 28 changes, then, 1 OK")


def test_a_chart_has_a_scale_that_fits() -> None:
    drawn = Drawn(columns(past(Status.OK, Status.OK)))
    assert [text for text in drawn.texts if text in ("0", "1", "2")] == ["0", "1", "2"]
    heights = [float(str(tag[1]["height"])) for tag in drawn.tags if tag[0] == "rect"]
    assert heights == [35.0, 70.0, 35.0, 70.0]
    longest = replace(past(Status.OK)[0], stages=((Stage.READY, 0.0),), seconds=0.0)
    assert Drawn(columns([longest])).tags
    assert "No checks yet" in columns([])


def test_icons() -> None:
    assert icon("nothing") is None
    assert {str(icon(status.name.lower())).count("<svg") for status in Status} == {1}
