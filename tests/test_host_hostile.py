"""Pages that do what they can: Python stays responsive, its memory bounded, and other apps untouched.

Responsiveness is counted, not timed: how many events are handed on between two turns of the event loop.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

import pytest

from launcher.hosts import HostEndReason, Limits, PageEvent, Seen
from launcher.hosts.browser import Browser
from launcher.hosts.browser_host import _SLICE, BrowserHost
from tests.browsers import SECONDS, Posted, browser
from tests.pages import Answer, Pages, app

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

BURST = 50_000
TRANSPORTS = pytest.mark.parametrize("platform", ["android", "weba"])
MOSTLY_NATIVE = pytest.mark.parametrize("platform", ["android", pytest.param("weba", marks=pytest.mark.slow)])
"""What does not depend on the way in which page and client talk."""
ANSWERING = app("Telegram = {WebView: {receiveEvent: (name) => post(name)}}")


class Turns:
    """Counts events between two turns of the loop."""

    def __init__(self) -> None:
        self.events: list[PageEvent] = []
        self.most = 0
        self._in_turn = 0

    def __call__(self, event: PageEvent) -> None:
        self.events.append(event)
        self._in_turn += 1
        self.most = max(self.most, self._in_turn)

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._turn())
        try:
            yield
        finally:
            task.cancel()

    async def _turn(self) -> None:
        while True:
            self._in_turn = 0
            await asyncio.sleep(0)


@asynccontextmanager
async def beside(browser: Browser) -> AsyncIterator[None]:
    """Another app in the same browser is answered once more when the block has ended."""
    posted = Posted()
    async with Pages({"/": ANSWERING}) as pages, browser.open(pages.url("/"), on_event=posted) as host:
        await host.loaded()
        yield
        assert await host.emit("still_here")
        await posted.first("still_here")


async def end_of(host: BrowserHost) -> str:
    """What limit the page crossed."""
    async with asyncio.timeout(SECONDS):
        end = await host.closed()
    assert end.reason is HostEndReason.FLOODED
    assert host.observations.of(Seen.FLOOD)[0].detail == end.detail
    return end.detail


@MOSTLY_NATIVE
async def test_a_burst_closes_the_page_and_nothing_else(browser: Browser, platform: str) -> None:
    page = app(f"for (let i = 0; i < {BURST}; i++) post('e' + i, i)")
    turns = Turns()
    async with beside(browser), Pages({"/": page}) as pages, turns.counted():
        async with browser.open(pages.url("/"), on_event=turns, platform=platform) as host:
            assert await end_of(host) == "events"
    assert 10_000 <= len(turns.events) < BURST / 2
    assert [event.name for event in turns.events] == [f"e{i}" for i in range(len(turns.events))]
    assert turns.most <= 2_000


async def test_a_burst_that_is_allowed_arrives_whole(browser: Browser) -> None:
    page = app(f"for (let i = 0; i < {BURST}; i++) post('e' + i, i); post('last')")
    turns = Turns()
    last = asyncio.Event()

    def take(event: PageEvent) -> None:
        turns(event)
        if event.name == "last":
            last.set()

    async with Pages({"/": page}) as pages, turns.counted():
        async with browser.open(pages.url("/"), on_event=take, limits=Limits(events=(10**6, 10**6))):
            async with asyncio.timeout(SECONDS):
                await last.wait()
    assert [event.data for event in turns.events[:-1]] == [str(i) for i in range(BURST)]
    assert turns.most <= 5_000


async def test_a_burst_that_takes_long_lets_others_have_their_turn(browser: Browser) -> None:
    page = app("for (let i = 0; i < 30; i++) post('e', i); post('last')")
    turns, last = Turns(), asyncio.Event()

    def take(event: PageEvent) -> None:
        turns(event)
        until = time.perf_counter() + 2 * _SLICE
        while time.perf_counter() < until:
            pass  # at work
        if event.name == "last":
            last.set()

    async with Pages({"/": page}) as pages, turns.counted():
        async with browser.open(pages.url("/"), on_event=take):
            async with asyncio.timeout(SECONDS):
                await last.wait()
    assert len(turns.events) == 31
    assert turns.most == 1


async def test_a_stream_of_small_bursts_is_within_the_limits_until_it_is_not(browser: Browser) -> None:
    """Each in a task of its own, so that none waits for a full batch."""
    page = app("let i = 0; const more = new MessageChannel(); more.port1.onmessage = () => {"
               "post('e', i++); more.port2.postMessage(0) }; more.port2.postMessage(0)")  # fmt: skip
    turns = Turns()
    async with Pages({"/": page}) as pages, turns.counted():
        async with browser.open(pages.url("/"), on_event=turns, limits=Limits(events=(3_000, 100))) as host:
            assert await end_of(host) == "events"
    assert [event.data for event in turns.events] == [str(i) for i in range(len(turns.events))]
    assert len(turns.events) >= 3_000


@TRANSPORTS
async def test_megabytes_are_taken_up_to_a_size(browser: Browser, platform: str) -> None:
    page = app("post('large', 'x'.repeat(2 ** 20)); post('over', 'x'.repeat(7 * 2 ** 20)); post('after')")
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform=platform) as host:
            await posted.first("after")
            assert posted.names == ["large", "after"]
            assert posted.events[0].data == f'"{"x" * 2**20}"'
            assert host.observations.counts[Seen.OVERSIZE] == 1


async def test_megabytes_without_end(browser: Browser) -> None:
    page = app("const large = 'x'.repeat(2 ** 20); setInterval(() => post('large', large))")
    posted = Posted()
    async with beside(browser), Pages({"/": page}) as pages:
        limits = Limits(characters=(8 * 2**20, 2**18))
        async with browser.open(pages.url("/"), on_event=posted, limits=limits) as host:
            assert await end_of(host) == "characters"
    assert len(posted.events) < 40


@pytest.mark.slow
async def test_a_limit_is_not_forgotten_by_reloading(browser: Browser) -> None:
    page = app("for (let i = 0; i < 900; i++) post('e'); location.reload()")
    posted = Posted()
    limits = Limits(events=(1_000, 1), loads=(10_000, 1))
    async with (
        Pages({"/": page}) as pages,
        browser.open(pages.url("/"), on_event=posted, limits=limits) as host,
    ):
        assert await end_of(host) == "events"
    assert 900 <= len(posted.events) < 1_200


@TRANSPORTS
async def test_an_endless_reload(browser: Browser, platform: str) -> None:
    async with beside(browser), Pages({"/": app("post('x'); location.reload()")}) as pages:
        limits = Limits(loads=(10, 0.5))
        async with browser.open(pages.url("/"), on_event=Posted(), platform=platform, limits=limits) as host:
            assert await end_of(host) == "loads"


TRICKS = """
  const bad = () => { throw new Error('trick') };
  const lie = () => '["event","forged",null,"https://forged.example"]';
  for (const key of ['0', 'length', 'eventType', 'origin', 'most'])
    Object.defineProperty(Object.prototype, key, { set: bad, get: () => 'forged', configurable: true });
  for (const one of [Object, Array, String, Number]) one.prototype.toJSON = lie;
  JSON.stringify = lie;
  JSON.parse = bad;
  window.setTimeout = bad;
  Reflect.apply = bad;
  Performance.prototype.now = performance.now = () => -1e12;
  Event.prototype.preventDefault = bad;
  window.origin = 'https://forged.example';
  for (const name of ['slice', 'toString', 'valueOf', 'concat', 'replace', Symbol.iterator])
    String.prototype[name] = bad;
  for (const name of ['push', 'join', 'toString', 'map', 'forEach', 'slice']) Array.prototype[name] = bad;
  window.String = lie;
  Array.prototype[Symbol.iterator] = bad;
  Function.prototype.apply = Function.prototype.call = Function.prototype.bind = bad;
"""


async def test_a_page_that_redefines_everything_changes_only_itself(browser: Browser) -> None:
    page = f"""<!doctype html><script>{TRICKS}
      for (let i = 0; i < 200; i++) TelegramWebviewProxy.postEvent('event', '{{"a":1}}');
      TelegramWebviewProxy.postEvent('last');
    </script>"""
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, same_origin=True) as host:
            await posted.first("last")
            assert [event.data for event in posted.events] == ['{"a":1}'] * 200 + [None]
            assert await host.emit("x", {"a": 1}, timeout=5) is False
            assert not host.observations.counts[Seen.FOREIGN_ORIGIN]


async def test_a_page_cannot_find_the_way_out(browser: Browser) -> None:
    """Neither in its own window nor in those of iframes it makes."""
    page = app("""
      const plain = document.body.appendChild(document.createElement('iframe'));
      const written = document.body.appendChild(document.createElement('iframe'));
      written.onload = () => {
        const names = [window, plain.contentWindow, written.contentWindow].map((one) =>
          Object.getOwnPropertyNames(one).filter((name) => /^b[0-9a-f]{16}$|telegram/i.test(name)));
        post('found', names);
      };
      written.srcdoc = '<p>written';
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted):
        assert (await posted.first("found")).data == '[["TelegramWebviewProxy"],[],[]]'


async def test_a_foreign_iframe_has_no_bridge(browser: Browser) -> None:
    inner = app("""
      const failed = [() => window, () => parent, () => top].map((find) => {
        try { find().TelegramWebviewProxy.postEvent('forged'); return false } catch { return true }
      });
      for (const to of [parent, top]) to.postMessage(JSON.stringify({eventType: 'forged'}), '*');
      parent.postMessage(failed, '*');
    """)
    posted = Posted()
    async with Pages({"/inner": inner}) as pages:
        source = pages.url("/inner", host="localhost")
        listening = (
            "addEventListener('message', (event) => { if (event.data.map) post('tried', event.data) })"
        )
        pages.pages["/"] = app(listening, f'<iframe src="{source}"></iframe>')
        async with browser.open(pages.url("/"), on_event=posted):
            assert (await posted.first("tried")).data == "[true,true,true]"
    assert posted.names == ["tried"]


async def test_noise_is_held_in_the_page(browser: Browser) -> None:
    page = app(f"""
      for (let i = 0; i < {BURST}; i++) console.error('noise');
      for (let i = 0; i < 1000; i++) setTimeout(() => {{ throw new Error('noise') }});
      for (let i = 0; i < 1000; i++) Promise.reject(new Error('noise'));
      setTimeout(() => post('done'), 1);
    """)
    posted = Posted()
    async with beside(browser), Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted) as host:
            await posted.first("done")
            assert await host.responds(SECONDS)
            seen = host.observations
            assert 0 < seen.counts[Seen.CONSOLE_ERROR] + seen.counts[Seen.PAGE_ERROR] <= 2_000
            assert len(seen.of(Seen.CONSOLE_ERROR)) <= 50


async def test_failing_requests_without_end(browser: Browser) -> None:
    page = app("const go = () => fetch('/missing').then(go); for (let i = 0; i < 4; i++) go()")
    limits = Limits(happenings=(40, 1))
    async with beside(browser), Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=Posted(), limits=limits) as host:
            assert await end_of(host) in (Seen.REQUEST_FAILED, Seen.CONSOLE_ERROR)


# What a browser would show to a person


@TRANSPORTS
async def test_dialogs_are_answered(browser: Browser, platform: str) -> None:
    page = app("post('answers', [alert('a') === undefined, confirm('c'), prompt('p')])")
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform=platform) as host:
            assert (await posted.first("answers")).data == "[true,false,null]"
            details = [seen.detail for seen in host.observations.of(Seen.DIALOG)]
    assert details == ["alert: a", "confirm: c", "prompt: p"]


async def test_dialogs_without_end(browser: Browser) -> None:
    async with beside(browser), Pages({"/": app("for (;;) alert('again')")}) as pages:
        limits = Limits(happenings=(20, 1))
        async with browser.open(pages.url("/"), on_event=Posted(), limits=limits) as host:
            assert await end_of(host) == Seen.DIALOG


async def test_a_page_that_does_not_want_to_be_left(browser: Browser) -> None:
    page = app(
        "addEventListener('beforeunload', (event) => event.preventDefault()); post('here')",
        "<button>x</button>",
    )
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted) as host:
        await posted.first("here")
        await host.page.click("button")  # Chromium asks only when the page was used
        async with asyncio.timeout(SECONDS):
            await host.reload()
        await posted.some("here", 2)
        assert host.observations.of(Seen.DIALOG)[0].detail.startswith("beforeunload")


@MOSTLY_NATIVE
async def test_windows_it_opens_are_closed(browser: Browser, platform: str) -> None:
    page = app(
        """
        document.querySelector('button').onclick = () => {
          for (let i = 0; i < 50; i++) window.open('/other');
          post('opened');
        };
        for (let i = 0; i < 50; i++) window.open('/other');
        post('here');
        """,
        "<button>x</button>",
    )
    posted = Posted()
    async with Pages({"/": page, "/other": app("post('forged')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform=platform) as host:
            await posted.first("here")
            await host.frame.click("button")
            await posted.first("opened")
            async with asyncio.timeout(SECONDS):
                while not host.observations.counts[Seen.POPUP] or len(host.page.context.pages) > 1:
                    await host.frame.evaluate("1")
            assert 1 <= host.observations.counts[Seen.POPUP] < 50
            assert host.observations.of(Seen.POPUP)[0].detail in (pages.url("/other"), "about:")
    assert posted.names == ["here", "opened"]


async def test_downloads_are_cancelled(browser: Browser) -> None:
    attached = Answer("x" * 1000, headers={"Content-Disposition": "attachment; filename=f.bin"})
    page = app("document.links[0].click()", '<a href="/f?secret=1" download>f</a>')
    async with Pages({"/": page, "/f": attached}) as pages:
        async with browser.open(pages.url("/"), on_event=Posted()) as host:
            download = (
                host.page.wait_for_event("download") if not host.observations.counts[Seen.DOWNLOAD] else None
            )
            if download is not None:
                async with asyncio.timeout(SECONDS):
                    await download
            assert host.observations.of(Seen.DOWNLOAD)[0].detail == f"f.bin from {pages.url('/f')}"
            assert await host.responds(SECONDS)


OUT = ("file:///etc/hostname", "javascript:void(0)", "tg://resolve?domain=x", "data:text/html,x")


async def test_links_out_of_the_web_lead_nowhere(browser: Browser) -> None:
    page = app("post('here')", "".join(f'<a href="{link}">x</a>' for link in OUT))
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted) as host:
        await posted.first("here")
        for link in OUT:
            await host.page.click(f"a[href='{link}']")
            await host.page.evaluate(f"location.href = {json.dumps(link)}")
            assert await host.responds(SECONDS), link
            assert host.page.url == pages.url("/"), link
            assert posted.names == ["here"], link


async def test_a_service_worker_does_not_come_between(browser: Browser, tmp_path: Path) -> None:
    sdk = tmp_path / "sdk.js"
    sdk.write_text("var local = true")
    worker = Answer("""
      self.onactivate = (event) => event.waitUntil(clients.claim());
      self.onfetch = (event) => event.respondWith(fetch(event.request));
    """, headers={"Content-Type": "text/javascript"})  # fmt: skip
    page = app(
        "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() =>"
        "post('here', [Boolean(navigator.serviceWorker.controller), window.local]))",
        '<script src="https://telegram.org/js/telegram-web-app.js"></script>',
    )
    posted = Posted()
    async with Pages({"/": page, "/worker.js": worker}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, sdk=sdk) as host:
            await posted.some("here", 1)
            await host.reload()
            assert (await posted.some("here", 2))[1].data == "[true,true]"


async def test_a_flood_ends_inside_the_page(browser: Browser) -> None:
    """bridge.js by itself, in a page whose outlet keeps the batches: so many leave it, in so many pieces,
    no more."""
    bridge = files("launcher.hosts").joinpath("bridge.js").read_text("utf-8")
    options = {
        "binding": "out",
        "events": [10_000, 1],
        "characters": [2**20, 1],
        "eventCharacters": 100,
        "messages": 9,
    }
    page = await browser.playwright.new_page()
    try:
        batches = await page.evaluate(f"""() => {{
          const batches = [];
          window.out = (batch) => batches.push(batch);
          performance.now = () => 0; // time stands still, lest a slow page may send more
          ({bridge})({json.dumps(options)});
          for (let i = 0; i < {BURST}; i++) TelegramWebviewProxy.postEvent('e', String(i));
          return batches;
        }}""")
    finally:
        await page.close()
    items = [item for batch in batches for item in json.loads(batch)]
    assert items[-1] == ["flood", "events"]
    assert [data for _, _, data, _ in items[:-1]] == [str(i) for i in range(len(items) - 1)]
    assert len(items) - 1 == 10_000
    assert [len(json.loads(batch)) for batch in batches] == [1] * 50 + [500] * 19 + [451]
