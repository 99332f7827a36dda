"""A page in real Chromium: what it finds, what it posts, what it is told, and what is seen when it fails."""

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import sys
import tempfile
import zipfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, async_playwright

from launcher.hosts import (
    PLATFORMS,
    HostEndReason,
    HostUnavailable,
    Seen,
    profile_for,
)
from launcher.hosts.browser import SDK_URL, Browser
from launcher.hosts.chromium import DISABLED_FEATURES, find_chromium
from tests.browsers import SECONDS, Posted, browser
from tests.pages import SILENT, Answer, Pages, app, certificate

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

LAUNCH = (
    "#tgWebAppData=query_id%3DAAHdF6IQAAAAAN0XohDhrOrc%26user%3D%257B%2522id%2522%253A1%257D"
    "%26hash%3Dc501b71e775f74ce&tgWebAppVersion=8.0"
)
SECRETS = (b"AAHdF6IQAAAAAN0XohDhrOrc", b"c501b71e775f74ce", b"C501B71E775F74CE")
NATIVE = [name for name, profile in PLATFORMS.items() if profile.frame is None]
LISTENING = """
const got = [];
window.Telegram = { WebView: { receiveEvent: (...words) => got.push(words) } };
"""


async def test_an_event_reaches_python_and_is_answered(browser: Browser) -> None:
    page = app("Telegram = {WebView: {receiveEvent: (n, d) => post('heard', [n, d])}}; post('ask', {a: 1})")
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted) as host:
        ask = await posted.first("ask")
        assert (ask.data, ask.origin) == ('{"a":1}', pages.url(""))
        assert await host.emit("theme_changed", {"theme_params": {"bg_color": "#ffffff"}})
        heard = await posted.first("heard")
        assert heard.data == '["theme_changed",{"theme_params":{"bg_color":"#ffffff"}}]'


async def test_a_context_is_prepared_before_its_page_is_opened(browser: Browser) -> None:
    async def mark(context: BrowserContext) -> None:
        assert context.pages == []
        await context.add_init_script("window.mark = 7")

    async def fail(context: BrowserContext) -> None:
        await context.close()
        await context.new_page()

    posted = Posted()
    async with Pages({"/": app("post('mark', mark)")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, prepare=mark):
            assert (await posted.first("mark")).data == "7"
        with pytest.raises(HostUnavailable, match="cannot be prepared"):
            async with browser.open(pages.url("/"), on_event=posted, prepare=fail):
                pass


async def test_the_proxy_is_there_before_any_script_under_a_strict_policy(browser: Browser) -> None:
    head = "<script nonce=x>TelegramWebviewProxy.postEvent('first', '1')</script>"
    strict = Answer(head, headers={"Content-Security-Policy": "default-src 'none'; script-src 'nonce-x'"})
    posted = Posted()
    async with Pages({"/": strict}) as pages, browser.open(pages.url("/"), on_event=posted):
        assert (await posted.first("first")).data == "1"


async def test_data_is_the_text_the_page_gave(browser: Browser) -> None:
    page = app("""
      const p = TelegramWebviewProxy;
      p.postEvent('none'); p.postEvent('null', null); p.postEvent('empty', ''); p.postEvent('text', '""');
      p.postEvent('number', 5); p.postEvent('broken', '{no json');
      p.postEvent('object', {toString: () => 'x'});
      p.postEvent('surrogate\\ud800', 'a\\udfffb'); p.postEvent(undefined, '1');
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted):
        await posted.first("undefined")
    assert [(event.name, event.data) for event in posted.events] == [
        ("none", None), ("null", None), ("empty", ""), ("text", '""'), ("number", "5"),
        ("broken", "{no json"),
        ("object", "x"), ("surrogate\ufffd", "a\ufffdb"), ("undefined", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "entry",
    [
        "window.Telegram = {WebView: {receiveEvent}}",
        "window.TelegramGameProxy = {receiveEvent}",
        "window.TelegramGameProxy_receiveEvent = receiveEvent",
        "window.Telegram = {WebView: {receiveEvent}}; window.TelegramGameProxy = {receiveEvent};"
        "window.TelegramGameProxy_receiveEvent = receiveEvent",
    ],
)
async def test_each_entry_point_is_enough_and_none_is_used_twice(browser: Browser, entry: str) -> None:
    page = app(f"const got = []; const receiveEvent = (...words) => got.push(words); {entry}")
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=Posted()) as host:
        await host.loaded()
        assert await host.emit("back_button_pressed")
        assert await host.emit("popup_closed", {})
        assert await host.emit("x", None, null=True)
        assert await host.page.evaluate("got") == [["back_button_pressed"], ["popup_closed", {}], ["x", None]]


async def test_a_page_without_a_library_may_listen_to_messages(browser: Browser) -> None:
    page = app("addEventListener('message', (event) => post('heard', JSON.parse(event.data)))")
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=posted) as host:
        await host.loaded()
        assert not await host.emit("theme_changed", {"a": 1})
        heard = await posted.first("heard")
        assert json.loads(heard.data or "") == {"eventType": "theme_changed", "eventData": {"a": 1}}


async def test_text_of_any_kind_arrives_whole(browser: Browser) -> None:
    said = {
        "quotes": "\"'`${1}\\ \n\u2028\u2029</script>",
        "__proto__": {"a": 1},
        "surrogate": "\ud800",
        "long": "ä" * 10**5,
    }
    page = app(f"{LISTENING}")
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=Posted()) as host:
        await host.loaded()
        await host.emit("said", said)
        got = await host.page.evaluate("JSON.stringify(got[0][1])")
        assert json.loads(got) == said


async def test_what_a_handler_throws_is_named(browser: Browser) -> None:
    page = app("Telegram = {WebView: {receiveEvent: (n, d) => d.missing.property}}")
    async with Pages({"/": page}) as pages, browser.open(pages.url("/"), on_event=Posted()) as host:
        await host.loaded()
        await host.emit("popup_closed", {})
        assert "popup_closed: TypeError" in host.observations.of(Seen.HANDLER_ERROR)[0].detail


async def test_the_bridge_survives_reload_and_another_origin(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": app("post('here')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted) as host:
            await posted.some("here", 1)
            await host.reload()
            await posted.some("here", 2)
            await host.page.goto(pages.url("/", host="localhost"))
            events = await posted.some("here", 3)
            assert [event.origin for event in events] == [pages.url("")] * 2 + [
                pages.url("", host="localhost")
            ]
            assert await host.emit("x") is False
            assert len(host.observations.of(Seen.NAVIGATED)) == 1


async def test_events_of_another_origin_are_refused_when_asked(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": app("post('here')"), "/there": app("post('there')")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, same_origin=True) as host:
            await posted.first("here")
            await host.page.goto(pages.url("/there", host="localhost"))
            await host.page.goto(pages.url("/"))
            await posted.some("here", 2)
            assert posted.names == ["here", "here"]
            assert (
                host.observations.of(Seen.FOREIGN_ORIGIN)[0].detail
                == f"there from {pages.url('', host='localhost')}"
            )


async def test_nothing_leaks_from_one_launch_to_the_next(browser: Browser) -> None:
    keeps = """
      const found = [document.cookie, localStorage.length, sessionStorage.length];
      document.cookie = 'a=b'; localStorage.x = 1; sessionStorage['__telegram__initParams'] = '{}';
      const asking = indexedDB.open('base');
      asking.onupgradeneeded = () => found.push('new');
      asking.onsuccess = () => caches.has('c').then((had) => caches.open('c')
        .then(() => post('found', [...found, had])));
    """
    async with Pages({"/": app(keeps)}) as pages:
        for _ in range(2):
            posted = Posted()
            async with browser.open(pages.url("/"), on_event=posted):
                assert (await posted.first("found")).data == '["",0,0,"new",false]'


@pytest.mark.parametrize("platform", NATIVE)
async def test_a_page_sees_the_platform(browser: Browser, platform: str) -> None:
    profile = profile_for(platform, dark=True)
    script = """post('seen', [innerWidth, innerHeight, devicePixelRatio, navigator.maxTouchPoints > 0,
      navigator.userAgent, matchMedia('(prefers-color-scheme: dark)').matches])"""
    page = app(script, '<meta name="viewport" content="width=device-width">')
    posted = Posted()
    async with (
        Pages({"/": page}) as pages,
        browser.open(pages.url("/"), on_event=posted, platform=platform, dark=True),
    ):
        *device, agent, dark = json.loads((await posted.first("seen")).data or "")
    assert device == [profile.width, profile.height, profile.scale, profile.touch]
    assert dark is True
    assert "{" not in agent
    assert "Headless" not in agent
    suffix = r" Telegram-Android/[\d.]+ \(Google Pixel 8; Android 14; SDK 34; HIGH\)$"
    assert bool(re.search(suffix, agent)) is (platform == "android")


async def test_an_own_profile(browser: Browser) -> None:
    profile = replace(profile_for("ios"), width=320, height=480, user_agent="Own/1")
    posted = Posted()
    page = app("post('seen', navigator.userAgent)")
    async with Pages({"/": page}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, profile=profile) as host:
            assert (await posted.first("seen")).data == '"Own/1"'
            assert host.page.viewport_size == {"width": 320, "height": 480}


# What fails


async def test_a_status_is_a_failure_to_load(browser: Browser) -> None:
    async with Pages({"/": Answer("gone", 503)}) as pages:
        async with browser.open(pages.url("/") + LAUNCH, on_event=Posted()) as host:
            assert (await host.loaded()).failure == "status 503"
            assert host.observations.of(Seen.LOAD_FAILED)[0].detail == "status 503"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        pytest.param("http://127.0.0.1:1025/", "CONNECTION_REFUSED", id="refused"),
        pytest.param("http://no-such-host.invalid/", "NAME_NOT_RESOLVED", id="dns"),
    ],
)
async def test_why_it_did_not_load(browser: Browser, url: str, cause: str) -> None:
    async with browser.open(url + LAUNCH, on_event=Posted()) as host:
        loaded = await host.loaded()
    assert loaded.status is None
    assert re.search(cause, loaded.failure or "")
    assert "tgWebAppData" not in f"{loaded} {list(host.observations)}"


async def test_a_certificate_that_nobody_trusts(browser: Browser, tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, timedelta(days=5))
    async with Pages({"/": app()}, tls) as pages:
        async with browser.open(pages.url("/") + LAUNCH, on_event=Posted()) as host:
            failure = (await host.loaded()).failure
    assert failure == "the certificate is not valid (CERT_AUTHORITY_INVALID)"


async def test_a_page_that_never_loads(browser: Browser) -> None:
    async with Pages({"/": SILENT}) as pages:
        async with browser.open(pages.url("/") + LAUNCH, on_event=Posted(), timeout=0.3) as host:
            async with host.page.expect_request("**"):
                assert (await host.loaded()).failure == "it did not load within 0.3 s"
            assert await host.emit("x", timeout=0.1) is False
            assert host.observations.of(Seen.HUNG)[0].detail == "its next document does not come within 0.1 s"


async def test_a_page_that_hangs(browser: Browser) -> None:
    posted = Posted()
    async with Pages({"/": app("post('last'); for (;;) {}")}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, timeout=1) as host:
            await posted.first("last")
            assert await host.emit("x", timeout=0.2) is False
            assert await host.responds(timeout=0.2) is False
            assert len(host.observations.of(Seen.HUNG)) == 2
            assert (await host.loaded()).failure == "it did not load within 1 s"


async def test_a_page_that_crashes(browser: Browser) -> None:
    async with Pages({"/": app()}) as pages, browser.open(pages.url("/"), on_event=Posted()) as host:
        await host.loaded()
        crashing = asyncio.create_task(host.page.goto("chrome://crash"))
        async with asyncio.timeout(SECONDS):
            end = await host.closed()
        await asyncio.gather(crashing, return_exceptions=True)
        assert end.reason is HostEndReason.CRASHED
        assert host.observations.counts[Seen.CRASHED] == 1
        assert await host.emit("x") is False
    async with Pages({"/": app("post('alive')")}) as pages:
        posted = Posted()
        async with browser.open(pages.url("/"), on_event=posted):
            await posted.first("alive")


async def test_errors_and_failed_requests_are_named_without_secrets(browser: Browser) -> None:
    page = app("""
      const data = location.hash;
      console.error('shown', data); console.log('not shown');
      setTimeout(() => { throw new Error('thrown ' + data) });
      fetch('/missing?' + data.slice(1)).then(() => fetch('http://127.0.0.1:1025/?' + data.slice(1)))
        .catch(() => post('done'));
    """)
    posted = Posted()
    async with Pages({"/": page}) as pages, browser.open(pages.url("/") + LAUNCH, on_event=posted) as host:
        await posted.first("done")
        async with asyncio.timeout(SECONDS):  # what was seen comes by another way than what was posted
            while not {Seen.CONSOLE_ERROR, Seen.PAGE_ERROR} <= {seen.kind for seen in host.observations} or (
                host.observations.counts[Seen.REQUEST_FAILED] < 2
            ):
                await host.page.evaluate("0")
        assert host.observations.of(Seen.CONSOLE_ERROR)[0].detail.startswith("shown #tgWebAppData=***")
        assert host.observations.of(Seen.PAGE_ERROR)[0].detail.startswith("thrown #tgWebAppData=***")
        failed = [seen.detail for seen in host.observations.of(Seen.REQUEST_FAILED)]
        assert f"GET {pages.url('/missing')}: status 404" in failed
        assert any(detail.startswith("GET http://127.0.0.1:1025/: net::") for detail in failed)
        shown = f"{list(host.observations)} {host!r} {posted.events}"
        assert not any(secret.decode() in shown for secret in SECRETS)


# Beside the page


async def test_a_local_copy_of_the_official_script(browser: Browser, tmp_path: Path) -> None:
    sdk = tmp_path / "sdk.js"
    sdk.write_text("TelegramWebviewProxy.postEvent('local', document.currentScript.crossOrigin)")
    isolated = {"Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin"}
    plain = Answer(f'<script src="{SDK_URL}?62" crossorigin></script>', headers=isolated)
    posted = Posted()
    async with Pages({"/": plain}) as pages, browser.open(pages.url("/"), on_event=posted, sdk=sdk):
        assert (await posted.first("local")).data == "anonymous"


def in_base64(content: bytes) -> Iterator[bytes]:
    """Whatever may be read as Base64, of either alphabet."""
    for run in re.findall(rb"[A-Za-z0-9+/_-]{16,}", content):
        for start in range(4):
            groups = (len(run) - start) // 4 * 4
            yield base64.b64decode(run[start : start + groups].replace(b"-", b"+").replace(b"_", b"/"))


async def test_recordings_hold_no_secrets(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    trace, har, picture = tmp_path / "trace.zip", tmp_path / "page.har", tmp_path / "page.png"
    page = app("""
      const data = new URLSearchParams(location.hash.slice(1)).get('tgWebAppData');
      console.log(data);
      console.log(new URLSearchParams(data).get('hash').toUpperCase());
      document.body.append(data);
      const bytes = new TextEncoder().encode('\\0' + data);
      const headers = {'Content-Type': 'application/octet-stream', 'X-1': btoa(data), 'X-2': btoa('.' + data),
        'X-3': btoa('..' + data).replaceAll('+', '-').replaceAll('/', '_')};
      fetch('/api', {method: 'POST', headers: {'X-Init': data}, body: JSON.stringify({data})})
        .then(() => fetch('/api', {method: 'POST', headers, body: bytes}))
        .then(() => post('done'));
    """)
    posted = Posted()
    async with Pages({"/": page, "/api": "{}"}) as pages:
        async with browser.open(pages.url("/") + LAUNCH, on_event=posted, trace=trace, har=har) as host:
            await posted.first("done")
            await host.screenshot(picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    requests = [entry["request"]["method"] for entry in json.loads(har.read_text())["log"]["entries"]]
    assert {"GET", "POST"} == set(requests)
    with zipfile.ZipFile(trace) as zipped:
        written = [har.read_bytes(), *(zipped.read(name) for name in zipped.namelist())]
        assert "trace.trace" in zipped.namelist()
    assert any(b"***" in content for content in written)
    seen = [*written, *(decoded for content in written for decoded in in_base64(content))]
    assert not [secret for secret in SECRETS for content in seen if secret in content]
    assert set(os.listdir(tmp_path)) == {"trace.zip", "page.har", "page.png"}


async def test_a_crash_leaves_its_recordings(browser: Browser, tmp_path: Path) -> None:
    trace, har = tmp_path / "trace.zip", tmp_path / "page.har"
    async with Pages({"/": app()}) as pages:
        async with browser.open(pages.url("/"), on_event=Posted(), trace=trace, har=har) as host:
            await host.loaded()
            await asyncio.gather(host.page.goto("chrome://crash"), return_exceptions=True)
            async with asyncio.timeout(SECONDS):
                await host.closed()
    assert zipfile.is_zipfile(trace)
    assert pages.url("/") in har.read_text()


CHANGING = app("""
  const next = shade => {
    document.body.style.background = shade;
    requestAnimationFrame(() => requestAnimationFrame(() => post('drawn', shade)));
  };
  post('ready');
""")


async def test_a_video_or_pictures_and_one_line_that_says_what_is_missing(
    browser: Browser, tmp_path: Path
) -> None:
    """Without Playwright's ffmpeg, which only its own download brings, there are pictures."""
    folder = tmp_path / "film"
    posted = Posted()
    async with Pages({"/": CHANGING}) as pages:
        async with browser.open(pages.url("/"), on_event=posted, video=folder) as host:
            await posted.first("ready")
            filmed = not host.observations.of(Seen.NO_VIDEO)
            async with asyncio.timeout(SECONDS):
                for drawn, shade in enumerate(cycle(("red", "blue")), 1):
                    await host.page.evaluate("shade => next(shade)", shade)
                    await posted.some("drawn", drawn)
                    if filmed or len(os.listdir(folder)) > 2:
                        break
    kept = sorted(folder.iterdir())
    if filmed:
        assert [file.name for file in kept] == ["page.webm"]
        assert kept[0].stat().st_size > 0
        return
    (said,) = host.observations.of(Seen.NO_VIDEO)
    assert re.fullmatch(
        r"Playwright's ffmpeg is not there.* `python -m playwright .*` gets it\.", said.detail
    )
    assert [file.name for file in kept[:2]] == ["page-00001.jpg", "page-00002.jpg"]
    assert all(file.read_bytes().startswith(b"\xff\xd8") for file in kept)


async def test_only_web_pages_are_opened(browser: Browser) -> None:
    for url in ("file:///etc/passwd", "javascript:alert(1)", "tg://resolve?domain=x", "about:blank", ""):
        with pytest.raises(HostUnavailable, match="Only http"):
            async with browser.open(url, on_event=Posted()):
                pass


async def test_what_a_callback_raises_goes_to_the_loop(browser: Browser) -> None:
    failures: list[BaseException] = []
    loop = asyncio.get_running_loop()
    told = asyncio.Event()

    def failing(_: object) -> None:
        raise ValueError("mine")

    def handler(_: object, context: dict[str, object]) -> None:
        failures.append(context["exception"])  # type: ignore[arg-type]
        told.set()

    loop.set_exception_handler(handler)
    try:
        async with (
            Pages({"/": app("post('x')")}) as pages,
            browser.open(pages.url("/"), on_event=failing) as host,
        ):
            async with asyncio.timeout(SECONDS):
                await told.wait()
            assert await host.responds(SECONDS)
    finally:
        loop.set_exception_handler(None)
    assert [str(failure) for failure in failures] == ["mine"]


# The browser


async def test_a_browser_that_ends(browser: Browser) -> None:
    async with Browser() as own, Pages({"/": app()}) as pages:
        async with own.open(pages.url("/"), on_event=Posted()) as host:
            await host.loaded()
            session = await own.playwright.new_browser_cdp_session()
            crashing = asyncio.create_task(session.send("Browser.crash"))
            async with asyncio.timeout(SECONDS):
                assert (await host.closed()).reason is HostEndReason.BROWSER_GONE
            await asyncio.gather(crashing, return_exceptions=True)
        with pytest.raises(HostUnavailable, match="The browser opens no page"):
            async with own.open(pages.url("/"), on_event=Posted()):
                pass


async def test_a_page_that_closes_its_window(browser: Browser) -> None:
    async with Pages({"/": app()}) as pages, browser.open(pages.url("/"), on_event=Posted()) as host:
        await host.loaded()
        await host.page.close()
        async with asyncio.timeout(SECONDS):
            assert (await host.closed()).reason is HostEndReason.PAGE


@asynccontextmanager
async def running(address: bytes, *command: str | Path) -> AsyncIterator[str]:
    """A program that tells its address, as a pattern, while the block runs."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, start_new_session=True
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SECONDS):
            while not (found := re.search(address, await process.stdout.readline())):
                assert not process.stdout.at_eof()
        yield found[1].decode()
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # a server's browser is of its group
        await process.communicate()


async def chromium() -> Path:
    async with async_playwright() as playwright:
        return await find_chromium(playwright.chromium.executable_path)


async def shows_a_page(remote: Browser) -> None:
    posted = Posted()
    async with remote, Pages({"/": app("post('far')")}) as pages:
        async with remote.open(pages.url("/"), on_event=posted):
            await posted.first("far")


async def test_a_remote_browser_by_its_debugging_port(browser: Browser, tmp_path: Path) -> None:
    switches = [
        "--headless",
        "--no-sandbox",
        "--no-startup-window",
        "--remote-debugging-port=0",
        f"--user-data-dir={tmp_path}",
    ]
    async with running(rb"ws://([^/]+)/", await chromium(), *switches) as address:
        await shows_a_page(Browser(remote=f"http://{address}"))


async def test_a_remote_browser_by_its_playwright_server(browser: Browser, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    options = {"executablePath": str(await chromium()), "args": ["--no-sandbox"], "host": "127.0.0.1"}
    config.write_text(json.dumps(options))
    server = [sys.executable, "-m", "playwright", "launch-server", "--browser=chromium", f"--config={config}"]
    async with running(rb"(ws://\S+)", *server) as address:
        await shows_a_page(Browser(remote=address))


@pytest.mark.parametrize("address", ["ws://127.0.0.1:9/", "http://127.0.0.1:9/", "127.0.0.1:9222"])
async def test_a_remote_browser_that_is_not_there(address: str) -> None:
    with pytest.raises(HostUnavailable, match=r"^(The|A) remote browser .*$"):
        async with Browser(remote=address):
            pass


async def test_what_playwright_switches_off_is_switched_off_here(browser: Browser) -> None:
    """But for the one feature which a web client's iframe needs."""
    path = await chromium()
    async with async_playwright() as playwright:
        plain = await playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        session = await plain.new_browser_cdp_session()
        command = (await session.send("SystemInfo.getInfo"))["commandLine"]
        await plain.close()
    theirs = re.findall(r"--disable-features=(\S+)", command)[-1].split(",")
    assert set(theirs) - set(DISABLED_FEATURES) == {"ThirdPartyStoragePartitioning"}


async def test_without_chromium_one_line_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    with pytest.raises(
        HostUnavailable, match=r"^No Chromium was found\. Install .* playwright install chromium$"
    ):
        await find_chromium(None)


async def test_chromium_path_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "own"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("CHROMIUM_PATH", str(program))
    assert await find_chromium() == program
    monkeypatch.setenv("CHROMIUM_PATH", str(tmp_path / "absent"))
    with pytest.raises(HostUnavailable, match="CHROMIUM_PATH"):
        await find_chromium()


APT = """#!/bin/sh
echo "$@" >> "$0.log"
[ "$1" = update ] || { echo '#!/bin/sh' > "${0%/*}/chromium"; chmod +x "${0%/*}/chromium"; }
"""
PYTHON = """#!/bin/sh
echo "$@" >> "$0.log"
echo '#!/bin/sh' > "${0%/*}/own"
"""
ENDLESS = """#!/bin/sh
exec 3> "${0%/*}/alive"
sleep 1000 &
wait
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A PATH with nothing but programs of ours and what those need; `own` is Playwright's Chromium."""

    folder: Path

    def add(self, name: str, script: str) -> Path:
        program = self.folder / name
        program.write_text(script)
        program.chmod(0o755)
        return program

    @property
    def own(self) -> str:
        return str(self.folder / "own")

    def called(self, name: str) -> list[str]:
        log = self.folder / f"{name}.log"
        return log.read_text().splitlines() if log.exists() else []


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for needed in ("chmod", "sleep"):
        (tmp_path / needed).symlink_to(shutil.which(needed) or needed)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    machine = Machine(tmp_path)
    monkeypatch.setattr(sys, "executable", str(machine.add("python", PYTHON)))
    return machine


async def test_playwrights_installer_is_asked_first(machine: Machine) -> None:
    machine.add("apt-get", APT)
    assert await find_chromium(machine.own) == Path(machine.own)
    assert machine.called("python") == ["-m playwright install chromium"]
    assert await find_chromium(machine.own) == Path(machine.own)
    assert len(machine.called("python")) == 1
    assert machine.called("apt-get") == []


@pytest.mark.skipif(os.geteuid() != 0, reason="packages are installed by root")
async def test_then_the_package_manager(machine: Machine) -> None:
    machine.add("apt-get", APT)
    machine.add("python", '#!/bin/sh\necho "$@" >> "$0.log"; exit 1\n')
    assert await find_chromium(machine.own) == machine.folder / "chromium"
    assert machine.called("python") == ["-m playwright install chromium"]
    assert machine.called("apt-get") == ["update", "install -y --no-install-recommends chromium"]


async def test_neither_is_asked_where_that_is_not_wanted(machine: Machine) -> None:
    machine.add("apt-get", APT)
    with pytest.raises(HostUnavailable, match="No Chromium"):
        await find_chromium(machine.own, download=0, package=0)
    assert machine.called("python") == machine.called("apt-get") == []


async def test_installers_have_so_much_time_and_leave_nothing_behind(machine: Machine) -> None:
    """What they have started holds the other end of a pipe until it ends."""
    os.mkfifo(machine.folder / "alive")
    ours = os.fdopen(os.open(machine.folder / "alive", os.O_RDONLY | os.O_NONBLOCK), "rb")
    for name in ("python", "apt-get"):
        machine.add(name, ENDLESS)
    with pytest.raises(HostUnavailable, match="No Chromium"):
        await find_chromium(machine.own, download=0.5, package=0.5)
    left = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(left), ours
    )
    async with asyncio.timeout(SECONDS):
        assert await left.read() == b""
    pipe.close()
