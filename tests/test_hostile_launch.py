"""Hostile pages through the launcher: another app of the account goes on as if nothing were there.

One launcher for all tests of this module; in each, a calm app is shown beside the hostile one. It must be
prolonged while the hostile page runs, and its page still be answered afterwards.
"""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from flows import Consent, MiniAppError, OpenParameters
from launcher.hosting import Hosting
from launcher.hosts import HostEndReason, Limits, Seen
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp, PageGone
from launcher.sandbox import Sandbox
from launcher.timing import Timing
from tests.browsers import SECONDS, browser
from tests.pages import SILENT, Answer, Pages, app
from tests.running import data_received, in_own_task, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

OFTEN = Timing(prolong_every=0.05, prolong_retry=0.02, retries=(0.02,) * 4)
BURST = 50_000
UNLIMITED = Limits(events=(1e9, 1e9), characters=(1e12, 1e12))
RECEIVING = "window.Telegram = {WebView: {receiveEvent: (name, data) => window.received?.(name, data)}};"
CALM = app(f"""{RECEIVING}
  window.ask = () => new Promise((done) => {{ window.received = done; post('web_app_request_theme') }});
  post('web_app_ready');
""")


@dataclass(frozen=True, slots=True)
class Scene:
    """A launcher whose bot has two pages: `hostile`, set by each test, and the calm one."""

    launcher: Launcher
    sandbox: Sandbox
    pages: Pages

    @asynccontextmanager
    async def against(
        self, page: str | Answer, via: str = "main_app", platform: str = "android", **hosting: Any
    ) -> AsyncIterator[MiniApp]:
        """The hostile app, shown beside the calm one."""
        self.pages.pages["/hostile"] = page
        parameters = OpenParameters(platform=platform)
        async with asyncio.timeout(2 * SECONDS), self._calm() as calm:
            async with self.launcher.open(
                "@demo_bot",
                via=via,
                parameters=parameters,
                consent=Consent("hidden_link"),
                hosting=Hosting("browser", **hosting),
            ) as live:
                yield live
                await prolonged(calm)
                assert await calm.page.evaluate("ask()") == "theme_changed"

    @asynccontextmanager
    async def _calm(self) -> AsyncIterator[MiniApp]:
        async with self.launcher.open("@demo_bot", via="menu_button", host="browser") as calm:
            await calm.ready()
            yield calm
            assert not calm.is_closed


@asynccontextmanager
async def setting(browser: Browser) -> AsyncIterator[Scene]:
    async with (
        Pages({"/calm": CALM}) as pages,
        launching(OFTEN, seconds=20 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        bot = sandbox.world.bot("demo_bot")
        bot.main_app = bot.apps["app"].url = pages.url("/hostile")
        assert bot.menu_button
        bot.menu_button.url = pages.url("/calm")
        for message in sandbox.world.boxes[1001].messages.values():
            for row in getattr(message.markup, "rows", ()):
                for button in row.buttons:
                    if hasattr(button.type, "url") and "t.me" not in button.type.url:
                        button.type.url = pages.url("/hostile")
        bot.webview_buttons.add(pages.url("/hostile"))
        yield Scene(launcher, sandbox, pages)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def scene(browser: Browser) -> AsyncIterator[Scene]:
    async with in_own_task(setting(browser)) as scene:
        yield scene


async def prolonged(live: MiniApp, times: int = 2) -> None:
    """Until an app has been prolonged so many times more."""
    enough = asyncio.Event()
    goal = live.prolongs + times

    def look(app: MiniApp, _: MiniAppError | None) -> None:
        if app.prolongs >= goal:
            enough.set()

    live.on_prolong = look
    await enough.wait()
    live.on_prolong = None


@contextmanager
def growth(megabytes: float) -> Iterator[None]:
    """What Python allocates in the block and keeps, and the most it had meanwhile."""
    gc.collect()
    tracemalloc.start()
    try:
        yield
        gc.collect()
        kept, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < megabytes * 2**20
    assert most < 2 * megabytes * 2**20


async def flooded(live: MiniApp) -> str:
    """Over a limit the app is closed, and says which."""
    assert await live.closed() is CloseReason.HOST_GONE
    assert live.host_end is not None
    assert live.host_end.reason is HostEndReason.FLOODED
    return live.host_end.detail


def observed(live: MiniApp, kind: Seen) -> int:
    assert live.live is not None
    assert live.live.host is not None
    return live.live.host.observations.counts[kind]


# Too much


@pytest.mark.parametrize("platform", ["android", pytest.param("weba", marks=pytest.mark.slow)])
async def test_a_burst_closes_its_app_and_says_why(scene: Scene, platform: str) -> None:
    page = app(f"for (let i = 0; i < {BURST}; i++) post('web_app_request_theme')")
    async with scene.against(page, platform=platform) as live:
        with pytest.raises(PageGone, match="events"):
            await live.ready()
        assert await flooded(live) == "events"
        assert sum(event.direction == "outgoing" for event in live.events) <= BURST / 2


@pytest.mark.slow
async def test_a_burst_that_is_allowed_stops_nobody(scene: Scene) -> None:
    """Prolonging, and opening another app, go on while 50,000 events are dealt with."""
    page = app(f"""
      let left = {BURST};
      const go = () => {{
        for (let i = 0; i < 500; i++) post('web_app_trigger_haptic_feedback', {{type: 'selection_change'}});
        left -= 500;
        left ? setTimeout(go) : post('last');
      }};
      window.start = go;
      post('web_app_ready');
    """)
    async with scene.against(page, limits=UNLIMITED) as live:
        await live.ready()
        async with live.expect("last", timeout=SECONDS):
            await live.page.evaluate("start()")
            async with scene.launcher.open("@demo_bot", via="menu_button") as other:
                await prolonged(other)
        assert len(live.events) <= 10_000
        assert not live.is_closed


@pytest.mark.slow
async def test_megabytes_are_not_kept(scene: Scene) -> None:
    page = app("""
      const large = 'x'.repeat(2 ** 20);
      window.start = async () => {
        for (let i = 0; i < 80; i++) { post('large', large); await new Promise((done) => setTimeout(done)) }
        post('last');
      };
      post('web_app_ready');
    """)
    async with scene.against(page, limits=UNLIMITED) as live:
        await live.ready()
        with growth(40):
            async with live.expect("last", timeout=SECONDS):
                await live.page.evaluate("start()")
        assert 1 <= sum(event.name == "large" for event in live.events) <= 16


@pytest.mark.slow
async def test_replies_that_nobody_takes_are_a_limit(scene: Scene) -> None:
    """The page asks on and on in one task, in which nothing can be handed to it."""
    page = app("""
      window.start = () => setTimeout(() => {
        for (let i = 0; i < 30000; i++) post('web_app_request_theme');
        const until = performance.now() + 2000;
        while (performance.now() < until);
      });
      post('web_app_ready');
    """)
    async with scene.against(page, limits=UNLIMITED) as live:
        await live.ready()
        await live.page.evaluate("start()")
        assert await flooded(live) == "replies"


@pytest.mark.slow
async def test_an_endless_reload(scene: Scene) -> None:
    async with scene.against(
        app("post('web_app_ready'); location.reload()"), limits=Limits(loads=(10, 0.5))
    ) as live:
        assert await flooded(live) == "loads"


@pytest.mark.parametrize(
    ("script", "limit"),
    [
        pytest.param("for (;;) alert('again')", Seen.DIALOG, id="dialogs"),
        pytest.param(
            "const go = () => fetch('/missing').then(go); go()",
            Seen.REQUEST_FAILED,
            id="requests",
            marks=pytest.mark.slow,
        ),
    ],
)
async def test_a_loop_of_happenings(scene: Scene, script: str, limit: Seen) -> None:
    async with scene.against(app(script), limits=Limits(happenings=(20, 1))) as live:
        assert await flooded(live) in (limit, Seen.CONSOLE_ERROR)


async def test_a_page_that_opens_itself_comes_to_an_end(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each follows a link to itself, twice at a time. Apps that have closed leave their place to others."""
    monkeypatch.setattr("launcher.launcher.OPENED_BY_PAGES", 4)
    link = "post('web_app_open_tg_link', {path_full: '/demo_bot/app'})"
    async with scene.against(app(f"post('web_app_ready'); {link}; {link}")) as live:
        chain = [live]
        for _ in range(4):
            chain.append(await chain[-1].next_app())
        await chain[-1].ready()
        async with scene.launcher.open("@demo_bot", via="menu_button", host="browser") as later:
            await later.ready()
            assert {one for one in scene.launcher.apps if one.flow == "direct_link"} == set(chain[1:])
        scene.pages.pages["/hostile"] = app("post('web_app_ready')")
        for one in chain[1:]:
            await one.close()
        await live.page.evaluate(link)
        again = await live.next_app()
        await again.ready()
        assert all(one.page.is_closed() for one in chain[1:])
        await again.close()


# Too strange


DEEP = "'['.repeat(100000) + ']'.repeat(100000)"


@pytest.mark.parametrize("platform", ["android", "weba"])
async def test_what_is_hard_to_read_is_dealt_with(scene: Scene, platform: str) -> None:
    """Deep JSON, lone surrogates, broken JSON, names of attributes, wrong types; then a request, answered."""
    page = app(f"""{RECEIVING}
      const raw = (name, text) => native()
        ? TelegramWebviewProxy.postEvent(name, text)
        : parent.postMessage('{{"eventType":' + JSON.stringify(name) + ',"eventData":' + text + '}}', '*');
      for (const name of ['web_app_open_popup', 'web_app_data_send', 'web_app_invoke_custom_method']) {{
        for (const text of [{DEEP}, '{{"a":' .repeat(5000) + '1' + '}}'.repeat(5000), '"\\ud800"',
          '{{"message":"\\ud800\\\\udfff"}}', '{{', 'NaN',
          '[1e999]', '{{"__proto__":{{"x":1}},"__class__":"x"}}'])
          raw(name, text);
      }}
      for (const name of ['__init__', 'constructor', '\\ud800', '', 'x'.repeat(100000)]) post(name, {{}});
      window.addEventListener('message', (event) => {{
        if (typeof event.data === 'string') window.received?.(JSON.parse(event.data).eventType);
      }});
      window.received = (name) => {{ if (name === 'theme_changed') post('web_app_ready') }};
      post('web_app_request_theme');
    """)
    async with scene.against(page, platform=platform) as live:
        await live.ready()
        assert not live.is_closed
        for event in live.events:
            assert repr(event).encode()
            str(event.data).encode()


async def test_prototypes_are_the_pages_own(scene: Scene) -> None:
    page = f"""<!doctype html><script>{RECEIVING}
      const bad = () => {{ throw new Error('trick') }};
      JSON.stringify = () => '["event","web_app_close",null,"https://forged.example"]';
      JSON.parse = Reflect.apply = window.setTimeout = bad;
      Object.prototype.toJSON = Array.prototype.push = Array.prototype.join = bad;
      Function.prototype.call = Function.prototype.apply = bad;
      TelegramWebviewProxy.postEvent('web_app_expand', '{{}}');
      TelegramWebviewProxy.postEvent('web_app_ready');
    </script>"""
    async with scene.against(page) as live:
        await live.ready()
        assert [event.name for event in live.events if event.direction == "outgoing"] == [
            "web_app_expand", "web_app_ready",
        ]  # fmt: skip
        assert not live.is_closed


async def test_a_foreign_iframe_is_not_heard(scene: Scene) -> None:
    scene.pages.pages["/inner"] = app("""
      for (const find of [() => window, () => parent, () => top])
        try { find().TelegramWebviewProxy.postEvent('web_app_close') } catch {}
      for (const to of [parent, top])
        to.postMessage(JSON.stringify({eventType: 'web_app_close'}), '*');
      parent.postMessage('tried', '*');
    """)
    source = scene.pages.url("/inner", host="localhost")
    page = app(
        "addEventListener('message', (event) => event.data === 'tried' && post('web_app_ready'))",
        f'<iframe src="{source}"></iframe>',
    )
    async with scene.against(page) as live:
        await live.ready()
        assert "web_app_close" not in [event.name for event in live.events]
        assert not live.is_closed


@pytest.mark.parametrize("same_origin", [True, False])
async def test_another_origin_is_heard_only_where_telegram_says_so(scene: Scene, same_origin: bool) -> None:
    """The bot's web views carry the flag `same_origin`, or do not."""
    scene.pages.pages["/elsewhere"] = app("post('web_app_close'); document.title = 'there'")
    elsewhere = scene.pages.url("/elsewhere", host="localhost")
    scene.sandbox.world.bot("demo_bot").same_origin = same_origin
    async with scene.against(app("post('web_app_ready')")) as live:
        await live.ready()
        await live.page.evaluate(f"location.href = '{elsewhere}'")
        if not same_origin:
            assert await live.closed() is CloseReason.APP
            return
        await live.page.wait_for_function("document.title === 'there'")
        assert observed(live, Seen.FOREIGN_ORIGIN) == 1
        assert not live.is_closed


# Racing


@pytest.mark.parametrize("first", ["data", "close"])
async def test_data_races_closing(scene: Scene, first: str) -> None:
    """What the page asks for first is what happens, once."""
    send, close = "post('web_app_data_send', {data: 'race'})", "post('web_app_close')"
    order = f"{send}; {close}" if first == "data" else f"{close}; {send}"
    before = len(data_received(scene.sandbox))
    page = app(f"for (let i = 0; i < 50; i++) {{ {order} }}")
    async with scene.against(page, via="keyboard_button") as live:
        wanted = CloseReason.DATA_SENT if first == "data" else CloseReason.APP
        assert await live.closed() is wanted
    assert len(data_received(scene.sandbox)) - before == (first == "data")


async def test_data_races_the_callers_closing(scene: Scene) -> None:
    before = len(data_received(scene.sandbox))
    page = app("post('web_app_ready'); window.send = () => post('web_app_data_send', {data: 'race'})")
    async with scene.against(page, via="keyboard_button") as live:
        await live.ready()
        await asyncio.gather(live.page.evaluate("send()"), live.close())
        assert live.is_closed
        with pytest.raises(MiniAppError):
            await live.send_data("more")
    assert len(data_received(scene.sandbox)) - before <= 1


# What a browser would show to a person


async def test_dialogs_windows_downloads_and_links_out(scene: Scene) -> None:
    attached = Answer("x" * 1000, headers={"Content-Disposition": "attachment; filename=f.bin"})
    page = app(
        """
        addEventListener('beforeunload', (event) => event.preventDefault());
        alert('a'); confirm('b'); prompt('c');
        for (let i = 0; i < 50; i++) window.open('/other');
        document.querySelector('[download]').click();
        const links = ['file:///etc/hostname', 'javascript:post("web_app_close")&&0', 'data:text/html,x'];
        for (const href of links)
          try { window.open(href); } catch {}
        setTimeout(() => post('web_app_ready'));
        """,
        '<a href="/f" download>f</a>',
    )
    scene.pages.pages |= {"/f": attached, "/other": app("post('web_app_close')")}
    async with scene.against(page) as live:
        await live.ready()
        await live.page.evaluate("location.href = 'file:///etc/hostname'")
        assert await live.page.evaluate("post('still') === undefined")
        assert not live.is_closed
        assert live.page.url.startswith(scene.pages.url("/hostile"))
        assert observed(live, Seen.DIALOG) == 3


async def test_a_service_worker_does_not_come_between(scene: Scene) -> None:
    scene.pages.pages["/worker.js"] = Answer(
        "self.onactivate = (event) => event.waitUntil(clients.claim());"
        "self.onfetch = (event) => event.respondWith(new Response('<script>parent.x</script>',"
        "{headers: {'Content-Type': 'text/html'}}))",
        headers={"Content-Type": "text/javascript"},
    )
    page = app("""
      navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)
        .then(() => post('web_app_ready'));
    """)
    async with scene.against(page) as live:
        await live.ready()
        assert not live.is_closed
    async with scene.against(app("post('web_app_ready')")) as live:
        await live.ready()  # a context of its own: the worker is gone


async def test_a_page_that_never_loads(scene: Scene) -> None:
    """The app is open and prolonged; why nothing is shown is observed."""
    async with scene.against(SILENT, via="inline_button", timeout=0.5) as live:
        assert live.live is not None
        assert live.live.host is not None
        loaded = await live.live.host.loaded()
        assert loaded.failure == "it did not load within 0.5 s"
        await prolonged(live)
        assert not live.is_closed
        await live.close()
        with pytest.raises(PageGone, match="caller"):
            await live.ready()
