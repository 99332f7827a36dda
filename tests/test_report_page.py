"""The report in real Chromium: it asks nobody, obeys nobody, and can be read by eye, keyboard and printer."""

from __future__ import annotations

import base64
import re
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from launcher.hosts.browser import Browser
from launcher.report import SavedLaunch, html
from launcher.report.markup import Html, join, tag
from launcher.report.timeline import duration
from tests.browsers import browser

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

EVIL = (
    "</style></title></textarea><script>hacked = 1</script><img src=//evil.example/x onerror='hacked = 2'>"
    '"><svg onload="hacked = 3"><a href="javascript:hacked = 4">a</a><iframe src=//evil.example></iframe>'
    "<!-- ]]> &lt;b&gt; \u202e\u0000"
)


def png(width: int, height: int) -> str:
    """A grey picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")).decode()


def rich(text: str, **changed: Any) -> SavedLaunch:
    """A launch in which everything happened, and every text is this one."""
    values = {text: text, "url": text, "nested": {"deep": [text]}, "colours": {text: "#ff0000"}, "flag": True}
    event = {"at": 0.5, "name": text, "data": '{"a": "' + text + '"}'}
    check = {"name": text, "text": text, "remedy": text, "data_check_string": f"{text}\n{text}"}
    failure = {"type": text, "message": text, "meaning": text, "remedy": text, "name": text, "code": 400}
    exchange = {"method": text, "parameters": values, "answer": values, "at": 0.1, "seconds": 0.2}
    launch = {
        "format": "miniapp-launch", "version": 1, "revealed": True, "target": text,
        "when": "2026-01-01T12:00:00Z", "seconds": 2, "server": text,
        "parameters": {"platform": text, "mode": text, "theme": None}, "options": {text: text},
        "stopped_at": text, "failure": failure, "link": {"kind": text, "spelled": text, text: text},
        "readings": {text: {"kind": text}, "tdlib": {"kind": None, "reason": text}},
        "bot": values | {"username": text}, "app": values | {"flow": text, "method": text},
        "questions": [{"question": text, "bot": text, "detail": text, "allowed": True}],
        "exchanges": [exchange, exchange | {"error": failure}, exchange | {"answer": text}],
        "answer": values, "launch_params": values | {"version": text}, "init_data": values,
        "checks": [check | {"verdict": verdict} for verdict in ("passed", "failed", "skipped")],
        "page": {"host": text, "ended": text},
        "events": [event | {"direction": "outgoing"}, event | {"direction": "incoming", "at": 1.5}],
        "events_left_out": 3,
        "unanswered": [{"name": text, "req_id": text, "at": 1, "silenced": True, "times": 2}],
        "seen": [{"at": 1, "kind": text, "text": text}],
        "console": [{"at": 1, "level": text, "text": text}],
        "messages_left_out": 3,
        "network": [
            {"at": 1, "method": text, "origin": text, "path": text, "kind": text, "status": 500, "ms": 3},
            {"at": 1, "method": text, "origin": text, "path": text, "kind": text, "failure": text},
        ],
        "screenshots": [{"at": 1, "name": text, "png": png(300, 200)}],
        "metapro": [
            {"id": text, "name": text, "layer": text, "verdict": text, "cause": text, "remedy": text}
        ],
        "closed": text,
    }  # fmt: skip
    return SavedLaunch.from_json(launch | changed)


class Reader:
    """A report that is open in a browser, and what it asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.said: list[str] = []
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(error.message))

    async def value(self, expression: str) -> Any:
        return await self.page.evaluate(expression)

    async def focused(self) -> str:
        return str(await self.value("document.activeElement.textContent"))


@asynccontextmanager
async def reading(
    browser: Browser, folder: Path, saved: SavedLaunch, width: int = 1100, **options: Any
) -> AsyncIterator[Reader]:
    file = folder / "report.html"
    file.write_text(html(saved), "utf-8")
    context = await browser.playwright.new_context(viewport={"width": width, "height": 800}, **options)
    try:
        reader = Reader(await context.new_page())
        await reader.page.goto(file.as_uri())
        yield reader
        reader.asked = [url for url in reader.asked if url != file.as_uri() and not url.startswith("data:")]
        assert (reader.asked, reader.said) == ([], [])
    finally:
        await context.close()


async def test_a_hostile_text_is_a_text(browser: Browser, tmp_path: Path) -> None:
    """In every field there is; what asks or complains is found by `reading`."""
    async with reading(browser, tmp_path, rich(EVIL)) as reader:
        assert await reader.value("typeof hacked") == "undefined"
        strange = (
            "script, iframe, textarea, b:not(.counts b, .label b), [onload], [onerror], base, form, object"
        )
        assert await reader.value(f"document.querySelectorAll('{strange}').length") == 0
        assert await reader.value(
            "[...document.links].every(a => a.hash && a.pathname === location.pathname)"
        )
        assert await reader.value("[...document.images].every(i => i.src.startsWith('data:image/png;'))")
        text = await reader.value("document.body.textContent")
        assert text.count("<script>hacked = 1</script>") > 60
        assert "\u202e" not in text  # what turns text around is shown, not obeyed
        assert "\\u202e" in text


async def test_the_pages_own_policy_stops_what_might_get_in(browser: Browser, tmp_path: Path) -> None:
    async with reading(browser, tmp_path, rich("x")) as reader:
        await reader.value(
            """() => {
              window.refused = new Promise(resolve => {
                const seen = new Set();
                document.addEventListener('securitypolicyviolation', event => {
                  seen.add(event.effectiveDirective);
                  if (seen.size === 3) resolve([...seen].sort());
                });
              });
              document.body.insertAdjacentHTML('beforeend',
                `<img src="https://evil.example/x" onerror="hacked = 1"><p style="color: red">x</p>`);
              return 0;
            }"""
        )
        refused = await reader.value("window.refused")
        assert refused == ["img-src", "script-src-attr", "style-src-attr"]
        assert await reader.value("typeof hacked") == "undefined"
        reader.asked.clear()
        reader.said.clear()


async def test_the_contents_lead_to_every_section(browser: Browser, tmp_path: Path) -> None:
    async with reading(browser, tmp_path, rich("x")) as reader:
        links = await reader.value("[...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
        regions = await reader.value(
            "[...document.querySelectorAll('main section')].map(s => s.getAttribute('aria-labelledby'))"
        )
        assert links == regions
        assert len(links) == 18
        assert await reader.value("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == (
            await reader.value("document.querySelectorAll('[id]').length")
        )
        for name in ("Events", "Checks", "Timeline", "Network"):
            assert await reader.page.get_by_role("region", name=name, exact=True).count() == 1
        for role in ("banner", "navigation", "main", "contentinfo"):
            assert await reader.page.get_by_role(role).count() == 1


@pytest.mark.parametrize(("width", "beside"), [(360, False), (760, False), (1024, True), (1200, True)])
async def test_the_contents_are_seen_whole(
    browser: Browser, tmp_path: Path, width: int, beside: bool
) -> None:
    """Nothing in them has to be scrolled sideways; on a wide screen they stay beside what is read."""
    async with reading(browser, tmp_path, rich("x"), width=width) as reader:
        outside = """(width) => [...document.querySelectorAll('nav, nav *')].filter(one => {
          const box = one.getBoundingClientRect();
          return box.left < 0 || box.right > width || one.scrollWidth > one.clientWidth && one.clientWidth;
        }).length"""
        assert await reader.page.evaluate(outside, width) == 0
        await reader.page.locator("#network").scroll_into_view_if_needed()
        seen = "document.querySelector('nav a').getBoundingClientRect().top >= 0"
        assert await reader.value(seen) == beside
        assert await reader.value("document.documentElement.scrollWidth") == width


async def test_it_is_usable_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    async with reading(browser, tmp_path, rich("x", revealed=False)) as reader:
        press = reader.page.keyboard.press
        await press("Tab")
        assert await reader.focused() == "To the report"
        assert await reader.value("document.activeElement.getBoundingClientRect().left") == 0
        assert await reader.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await press("Enter")
        assert await reader.value("document.activeElement.id") == "report"
        await reader.page.get_by_role("link", name="What happened").focus()
        await press("Tab")  # through the contents, in their order
        assert await reader.focused() == "Screenshots"
        await press("Enter")
        assert await reader.value("location.hash") == "#pictures"
        request = reader.page.locator(".exchanges summary").first
        await request.focus()
        assert await reader.value("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        await press("Enter")
        assert await reader.page.locator(".exchanges details[open]").count() == 1
        await reader.page.locator("#show-all").focus()
        await press("ArrowRight")
        rows = reader.page.locator("#events ~ .wide tbody tr")
        shown = [await row.is_visible() for row in await rows.all()]
        assert shown == [True, False]  # those from the page
        await press("ArrowRight")
        assert [await row.is_visible() for row in await rows.all()] == [False, True]


@pytest.mark.parametrize("text", ["x", "word " * 40, "w" * 400])
async def test_it_fits_a_phone(browser: Browser, tmp_path: Path, text: str) -> None:
    async with reading(browser, tmp_path, rich(text), width=360) as reader:
        assert await reader.value("document.documentElement.scrollWidth") == 360
        assert await reader.value("[...document.querySelectorAll('.wide')].every(w => w.scrollWidth < 361)")


async def test_it_follows_the_readers_colours(browser: Browser, tmp_path: Path) -> None:
    """And its texts stand out from their ground by the 4.5 that WCAG asks for."""
    grounds = set()
    for scheme in ("light", "dark"):
        async with reading(browser, tmp_path, rich("x"), color_scheme=scheme) as reader:
            grounds.add(await reader.value("getComputedStyle(document.body).backgroundColor"))
            assert await reader.value(CONTRASTS) == []
    assert len(grounds) == 2


CONTRASTS = """() => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (colour !== 'rgba(0, 0, 0, 0)') return colour;
    }
  };
  const texts = [...document.querySelectorAll('body *')].filter(
    e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()));
  return texts.map(e => {
    const [a, b] = [light(getComputedStyle(e).color), light(ground(e))].sort((x, y) => y - x);
    return [(a + 0.05) / (b + 0.05), e.outerHTML.slice(0, 80)];
  }).filter(([ratio]) => ratio < 4.5);
}"""


async def test_what_is_folded_is_printed(browser: Browser, tmp_path: Path) -> None:
    async with reading(browser, tmp_path, rich("x")) as reader:
        inside = reader.page.locator(".exchanges dl").first
        assert not await inside.is_visible()
        await reader.page.emulate_media(media="print")
        assert await inside.is_visible()
        assert not await reader.page.locator("nav").is_visible()


async def test_the_timeline_tells_in_words_what_it_draws(browser: Browser, tmp_path: Path) -> None:
    async with reading(browser, tmp_path, rich("x")) as reader:
        names = await reader.value(
            "[...document.querySelectorAll('.lane')].map(e => e.getAttribute('aria-label'))"
        )
        assert names[0] == "Telegram: 3, from 100 ms to 300 ms"
        assert names[2:4] == [
            "From the page: 1, from 500 ms to 500 ms",
            "To the page: 1, from 1.50 s to 1.50 s",
        ]
        places = await reader.value(
            "[...document.querySelectorAll('.lane rect')].map(e => parseFloat(e.getAttribute('x')))"
        )
        assert all(0 <= place < 100 for place in places)
        boxes = await reader.value(
            """[...document.querySelectorAll('.lane')].map(lane => {
              const outer = lane.getBoundingClientRect(), inner = lane.firstChild.getBoundingClientRect();
              return Math.round((inner.left - outer.left) / outer.width * 100);
            })"""
        )
        assert boxes == [7, 67, 33, 100, 67, 67]  # of 1.5 s


# Its parts


async def test_only_markup_is_taken_for_markup() -> None:
    assert tag("p", "<b>", tag("b", 1), None, ["&", Html("<i>")]) == "<p>&lt;b&gt;<b>1</b>&amp;<i></p>"
    assert tag("a", "x", href='"><', hidden=True, title=None, class_="c", aria_label="l") == (
        '<a href="&quot;&gt;&lt;" hidden class="c" aria-label="l">x</a>'
    )
    assert join(["a\nb", "\u202e"]) == "a\nb\\u202e"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 ms"), (0.0124, "12 ms"), (1.5, "1.50 s"), (61.2, "1 min 1 s")]
)
async def test_durations_are_told_in_their_unit(seconds: float, text: str) -> None:
    assert duration(seconds) == text


async def test_the_page_has_no_secret_but_says_so_when_it_has() -> None:
    assert re.search("holds secrets", html(rich("x")))
    assert not re.search("holds secrets", html(rich("x", revealed=False)))
