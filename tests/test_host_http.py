"""A page looked at over plain HTTP."""

import asyncio
import ssl
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from launcher.hosts import HostUnavailable
from launcher.hosts.http import SDKS, Clients, look
from tests.browsers import SECONDS
from tests.pages import SILENT, Answer, Pages, app, certificate

SECRET = "c501b71e775f74ce"
LAUNCH = f"?from=x&tgWebAppStartParam=y#tgWebAppData=hash%3D{SECRET}"


async def test_a_page_that_is_there() -> None:
    async with Pages({"/app": app()}) as pages:
        report = await look(pages.url("/app" + LAUNCH))
    assert pages.asked == ["/app?from=x&tgWebAppStartParam=y"]
    assert (report.status, report.failure, report.url) == (200, None, pages.url("/app"))
    assert (report.size, report.truncated) == (len(app().encode()), False)
    assert (report.content_type, report.http_version) == ("text/html; charset=utf-8", "HTTP/1.1")
    assert report.certificate_days is None
    timing = report.timing
    assert timing.connected is not None
    assert timing.first_byte is not None
    assert 0 < timing.connected < timing.first_byte <= timing.total


async def test_redirects_are_told_without_what_they_carry() -> None:
    turn = Answer(status=302, headers={"Location": f"/next?hash={SECRET}"})
    further = Answer(status=307, headers={"Location": f"/end#tgWebAppData={SECRET}"})
    async with Pages({"/": turn, "/next": further, "/end": "<p>end"}) as pages:
        report = await look(pages.url("/" + LAUNCH))
    assert report.redirects == (pages.url("/"), pages.url("/next"))
    assert (report.url, report.status) == (pages.url("/end"), 200)
    assert SECRET not in repr(report)


async def test_cookies_are_kept_on_the_way_and_no_longer() -> None:
    turn = Answer(status=302, headers={"Location": "/end", "Set-Cookie": "been=here"})
    async with Pages({"/": turn, "/end": "<p>end"}) as pages, httpx.AsyncHTTPTransport() as transport:
        clients = Clients(transport)
        urls = [pages.url(f"/?{number}" + LAUNCH.replace("?", "&")) for number in range(3)]
        await asyncio.gather(*(look(url, clients=clients, steps=False) for url in urls[:2]))
        again = [await look(url, clients=clients, steps=steps) for url in urls for steps in (False, True)]
    assert {(report.status, report.url) for report in again} == {(200, pages.url("/end"))}
    assert all(("been=here" in head) is head.startswith("GET /end") for head in pages.heads)
    assert len(pages.asked) == 16


async def test_a_circle_of_redirects() -> None:
    async with Pages({"/": Answer(status=302, headers={"Location": "/"})}) as pages:
        report = await look(pages.url("/"), redirects=3)
    assert report.failure == "it redirects in a circle"
    assert len(pages.asked) == 4


@pytest.mark.parametrize("status", [404, 503])
async def test_a_status_is_a_failure(status: int) -> None:
    async with Pages({"/": Answer("no", status)}) as pages:
        report = await look(pages.url("/"))
    assert (report.status, report.failure) == (status, f"status {status}")


async def test_the_days_of_a_certificate(tmp_path: Path) -> None:
    tls, authority = certificate(tmp_path, timedelta(days=5))
    trusting = ssl.create_default_context(cafile=authority)
    async with Pages({"/": app()}, tls) as pages:
        report = await look(pages.url("/"), verify=trusting)
    assert report.failure is None
    assert report.certificate_days is not None
    assert 4.9 < report.certificate_days < 5


async def test_certificates_that_are_not_valid(tmp_path: Path) -> None:
    tls, authority = certificate(tmp_path, timedelta(days=-1))
    trusting = ssl.create_default_context(cafile=authority)
    async with Pages({"/": app()}, tls) as pages:
        expired = await look(pages.url("/" + LAUNCH), verify=trusting)
        unknown = await look(pages.url("/" + LAUNCH))
        named = await look(pages.url("/" + LAUNCH).replace("127.0.0.1", "localhost"), verify=trusting)
    assert expired.failure == "the certificate is not valid (certificate has expired)"
    assert unknown.failure == "the certificate is not valid (self-signed certificate)"
    assert named.failure is not None
    assert SECRET not in f"{expired} {unknown} {named}"


async def test_tls_that_is_none(tmp_path: Path) -> None:
    tls, _ = certificate(tmp_path, timedelta(days=5))
    async with Pages({"/": app()}, tls) as pages:
        plain = await look(pages.url("/").replace("https", "http"))
    assert plain.failure is not None


@pytest.mark.parametrize(
    ("url", "failure"),
    [
        ("http://127.0.0.1:1025/", "the connection was refused"),
        ("http://no-such-host.invalid/", "the host name"),
    ],
)
async def test_why_there_is_no_page(url: str, failure: str) -> None:
    report = await look(url + LAUNCH, timeout=SECONDS)
    assert report.status is None
    assert (report.failure or "").startswith(failure)
    assert SECRET not in repr(report)


async def test_a_page_that_never_answers() -> None:
    async with Pages({"/": SILENT}) as pages:
        report = await look(pages.url("/"), timeout=0.2)
    assert report.failure == "it did not load within 0.2 s"


async def test_a_page_that_is_longer_than_the_limit() -> None:
    async with Pages({"/": Answer("x" * 300_000)}) as pages:
        report = await look(pages.url("/"), limit=1000)
    assert (report.size, report.truncated, report.failure) == (1000, True, None)


OFFICIAL, TMA = SDKS


@pytest.mark.parametrize(
    ("page", "script", "sdks"),
    [
        ('<script src="https://telegram.org/js/telegram-web-app.js?62"></script>', None, (OFFICIAL,)),
        ('<script src="/main.js"></script>', "console.log('[Telegram.WebView] > postEvent', e)", (OFFICIAL,)),
        ('<script src="/main.js" type=module></script>', 'import "/x/@tma.js/sdk"', (TMA,)),
        ('<link rel="modulepreload" href="main.js">', "const k = n => `tapps/${n}`", (TMA,)),
        ('<script src="/main.js"></script>', "console.log(1)", ()),
        ('<script src="/absent.js"></script><script src="data:,1"></script>', None, ()),
    ],
)  # fmt: skip
async def test_which_library_a_page_loads(page: str, script: str | None, sdks: tuple[str, ...]) -> None:
    async with Pages({"/": page, **({"/main.js": script} if script else {})}) as pages:
        # nothing of other hosts is asked for: what is known from the page itself needs no script
        report = await look(pages.url("/"), timeout=SECONDS)
    assert report.sdks == sdks
    assert report.failure is None


async def test_scripts_that_never_come_leave_the_page_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page may take its time: once its script is asked for, the loop's clock is put on."""
    loop = asyncio.get_running_loop()
    async with Pages({"/": '<script src="/main.js"></script>', "/main.js": SILENT}) as pages:
        looking = asyncio.create_task(look(pages.url("/"), timeout=3600.0))
        while "/main.js" not in pages.asked:
            pages.arrived.clear()
            await pages.arrived.wait()
        monkeypatch.setattr(loop, "time", lambda: time.monotonic() + 3600.0)
        report = await looking
    assert (report.status, report.failure, report.sdks) == (200, None, ())


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "tg://resolve", "", "example.com", "http://", "http://a:99999/", "http://[x/"],
)
async def test_only_web_pages_are_looked_at(url: str) -> None:
    with pytest.raises(HostUnavailable, match="Only http"):
        await look(url)
