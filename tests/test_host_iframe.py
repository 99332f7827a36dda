"""A page in the iframe of a web client: messages both ways, the reload protocol, storage, and strangers."""

import asyncio
import json
from dataclasses import replace

import pytest

from launcher.hosts import Frame, HostEndReason, Seen, profile_for
from launcher.hosts.browser import Browser
from tests.browsers import SECONDS, Posted, browser
from tests.pages import SILENT, Answer, Pages, app

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

PATIENT = replace(profile_for("weba"), frame=Frame("https://web.telegram.org/a/", reload_after=SECONDS))
HASTY = replace(profile_for("web"), frame=Frame("https://web.telegram.org/k/", reload_after=0.05))


@pytest.mark.parametrize("platform", ["weba", "web"])
async def test_an_event_reaches_python_and_is_answered(browser: Browser, platform: str) -> None:
    page = app("""
      addEventListener('message', (event) => {
        if (event.source === parent) post('heard', [event.origin, JSON.parse(event.data)]);
      });
      post('ask', [typeof window.TelegramWebviewProxy, parent === window]);
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform=platform, same_origin=True) as host:
            ask = await posted.first("ask")
            assert (ask.data, ask.origin) == (
                '["undefined",false]',
                pages.url(""),
            )
            assert await host.emit("theme_changed", {"a": 1})
            assert await host.emit("back_button_pressed")
            heard = [json.loads(event.data or "") for event in await posted.some("heard", 2)]
    assert heard == [
        ["https://web.telegram.org", {"eventType": "theme_changed", "eventData": {"a": 1}}],
        ["https://web.telegram.org", {"eventType": "back_button_pressed"}],
    ]


async def test_the_frame_is_as_web_clients_make_it(browser: Browser) -> None:
    async with Pages({"/": app()}) as pages:
        async with browser.open(pages.url("/"), on_event=Posted(), platform="weba") as host:
            assert (await host.loaded()).status == 200
            allow, sandbox = await host.page.evaluate(
                "(() => { const f = document.querySelector('iframe'); return [f.allow, f.sandbox.value] })()"
            )
            await host.frame.wait_for_url(pages.url("/"))
            assert await host.responds(SECONDS)
    assert allow == "camera; microphone; geolocation;"
    assert set(sandbox.split()) == {
        "allow-scripts", "allow-same-origin", "allow-popups", "allow-forms", "allow-modals",
        "allow-storage-access-by-user-activation",
    }  # fmt: skip


async def test_storage_works_and_begins_empty(browser: Browser) -> None:
    page = app("""
      const found = [localStorage.length, sessionStorage.length];
      localStorage.x = sessionStorage.x = 1;
      indexedDB.open('b').onsuccess = () => post('stored', found);
    """)
    async with Pages({"/": page}) as pages:
        for _ in range(2):
            posted = Posted()
            async with browser.open(pages.url("/"), on_event=posted, platform="weba"):
                assert (await posted.first("stored")).data == "[0,0]"


async def test_a_frame_that_is_ready_gets_its_style(browser: Browser) -> None:
    page = app("""
      addEventListener('message', (event) => post('styled', [event.origin, JSON.parse(event.data)]));
      post('iframe_ready', {reload_supported: true});
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba", style="body { margin: 0 }"):
            styled = json.loads((await posted.first("styled")).data or "")
    assert posted.names[0] == "iframe_ready"
    assert styled == [
        "https://web.telegram.org",
        {"eventType": "set_custom_style", "eventData": "body { margin: 0 }"},
    ]


RELOADS = """
  addEventListener('message', (event) => {
    if (JSON.parse(event.data).eventType !== 'reload_iframe') return;
    post('iframe_will_reload');
    sessionStorage.reloaded = 1;
    location.reload();
  });
"""


async def test_a_frame_that_can_reloads_itself(browser: Browser) -> None:
    page = app(
        RELOADS + "post('iframe_ready', {reload_supported: true}); post('here', sessionStorage.reloaded);"
    )
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, profile=PATIENT) as host:
            await posted.first("here")
            async with asyncio.timeout(SECONDS):
                await host.reload()
            assert [event.data for event in await posted.some("here", 2)] == [None, '"1"']
            assert "iframe_will_reload" in posted.names
            assert pages.asked.count("/") == 2


@pytest.mark.parametrize("supported", [True, False])
async def test_a_frame_that_does_not_is_loaded_anew(browser: Browser, supported: bool) -> None:
    """It cannot, or promises to and does not answer in time."""
    page = app(f"post('iframe_ready', {json.dumps({'reload_supported': supported})}); post('here')")
    posted = Posted()
    profile = HASTY if supported else PATIENT
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/#tgWebAppVersion=8.0"), on_event=posted, profile=profile) as host:
            await posted.first("here")
            await host.reload()
            await posted.some("here", 2)
            assert host.frame.url == pages.url("/#tgWebAppVersion=8.0")
            assert pages.asked.count("/") == 2
            assert "iframe_will_reload" not in posted.names


async def test_a_frame_that_is_still_loading_is_loaded_anew(browser: Browser) -> None:
    """Its document may be done when the empty one is on its way: that is not taken for the empty one."""
    done_meanwhile = """() => {
      const frame = document.querySelector('iframe');
      new MutationObserver((_, observer) => {
        observer.disconnect();
        frame.dispatchEvent(new Event('load'));
        window.address = frame.src;
      }).observe(frame, { attributeFilter: ['src'] });
    }"""
    posted = Posted()
    async with Pages({"/": app("post('here')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba") as host:
            await posted.first("here")
            await host.page.evaluate(done_meanwhile)
            await host.reload()
            assert await host.page.evaluate("address") == "about:blank"
            await posted.some("here", 2)
            assert host.frame.url == pages.url("/")


async def test_only_messages_of_the_apps_own_window_are_taken(browser: Browser) -> None:
    inner = app("""
      top.postMessage(JSON.stringify({eventType: 'from_inside'}), '*');
      parent.postMessage('done', '*');
    """)
    page = app("addEventListener('message', () => post('own'))", '<iframe src="/inner"></iframe>')
    posted = Posted()
    async with Pages({"/": page, "/inner": inner}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba"):
            await posted.first("own")
    assert set(posted.names) == {"own"}


async def test_messages_that_are_none_are_passed_over(browser: Browser) -> None:
    page = app("""
      for (const message of [
        '', 'x', '{', 'null', '5', '[]', '{"eventType":5}', {eventType: 'object'}, null, 1n,
        '{"eventType":"good","eventData":"\\\\ud800"}',
      ]) parent.postMessage(message, '*');
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba"):
            good = await posted.first("good")
    assert posted.names == ["good"]
    assert good.data == '"\\ud800"'


async def test_events_of_another_origin_are_refused_when_asked(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": app("post('here')"), "/there": app("post('there'); post('again')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba", same_origin=True) as host:
            await posted.first("here")
            await host.frame.goto(pages.url("/there", host="localhost"))
            await host.frame.goto(pages.url("/"))
            await posted.some("here", 2)
            assert posted.names == ["here", "here"]
            assert host.observations.counts[Seen.FOREIGN_ORIGIN] == 2
            assert host.observations.counts[Seen.NAVIGATED] == 2


@pytest.mark.parametrize(
    ("page", "timeout", "failure"),
    [(Answer("gone", 404), SECONDS, "status 404"), (SILENT, 0.5, "it did not load within 0.5 s")],
)
async def test_why_it_did_not_load(browser: Browser, page: Answer, timeout: float, failure: str) -> None:
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=Posted(), platform="weba", timeout=timeout) as host:
            assert (await host.loaded()).failure == failure


async def test_a_refused_connection(browser: Browser) -> None:
    async with browser.open("http://127.0.0.1:1025/", on_event=Posted(), platform="weba") as host:
        assert (await host.loaded()).failure == "the connection was refused (CONNECTION_REFUSED)"


HANGS = app("post('last'); setTimeout(() => { for (;;) {} })")
"""Soon: what it posts in the task that never ends would not leave it."""


async def test_a_frame_that_hangs_hangs_alone(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": HANGS}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba", timeout=1) as host:
            await posted.first("last")
            async with asyncio.timeout(SECONDS):
                while await host.responds(timeout=0.2):
                    pass
            assert await host.emit("x", timeout=SECONDS)
            assert host.observations.counts[Seen.HUNG] == 1


async def test_a_frame_that_takes_no_messages_is_noticed(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": HANGS}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba", timeout=1) as host:
            await posted.first("last")
            async with asyncio.timeout(SECONDS):
                while not host.observations.of(Seen.HUNG):
                    await host.emit("x", timeout=0.2)
            seen = host.observations.of(Seen.HUNG)[0].detail
            assert seen == "the app's frame does not answer within 0.2 s"


async def test_a_frame_that_crashes_ends_its_app(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": app("post('here')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, platform="weba") as host:
            await posted.first("here")
            inside = await host.page.context.new_cdp_session(host.frame)
            crashing = asyncio.create_task(inside.send("Page.crash"))
            async with asyncio.timeout(SECONDS):
                end = await host.closed()
            await asyncio.gather(crashing, return_exceptions=True)
            assert end.reason is HostEndReason.CRASHED
            seen = host.observations.of(Seen.CRASHED)[0].detail
            assert seen == "the process of the app's frame ended"


INNER = app("document.title = 'inner'", "<button style='width: 90%; height: 90%'>press</button>")


@pytest.mark.parametrize("platform", ["android", "weba"])
async def test_a_touch_in_any_frame_is_told(browser: Browser, platform: str) -> None:
    """In a foreign frame within the app as well, and the app does not learn how it is told."""
    touched: asyncio.Queue[None] = asyncio.Queue()
    async with Pages({"/inner": INNER}) as pages:
        source = pages.url("/inner", host="localhost")
        script = "addEventListener('message', (event) => post('overheard', event.data), true);"
        pages.pages["/"] = app(script, f'<button>mine</button><iframe src="{source}"></iframe>')
        posted = Posted()
        async with browser.open(
            pages.url("/"), on_event=posted, on_touch=lambda: touched.put_nowait(None), platform=platform
        ) as host:
            await host.loaded()
            async with asyncio.timeout(SECONDS):
                await host.frame.click("text=mine")
                await touched.get()
                await host.frame.press("text=mine", "Shift")
                await touched.get()
                await host.frame.frame_locator("iframe").locator("text=press").click()
                await touched.get()
            assert (posted.names, touched.empty()) == ([], True)
