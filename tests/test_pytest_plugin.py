"""The pytest plugin as its users have it: pytest runs of their own, in folders of their own.

A run costs seconds, so there are few, and each is looked at from many sides. The plugin is there by its entry
point: nothing names it.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest

import launcher.pytest_plugin
from launcher.accounts import Accounts
from launcher.expectations import Expectation
from launcher.hosts.browser import Browser
from launcher.pytest_plugin.browser_server import BrowserServer
from launcher.pytest_plugin.failures import lines
from launcher.pytest_plugin.options import RunOptions, read_options
from launcher.pytest_plugin.order import accounts_of_files, file_of
from launcher.pytest_plugin.shared import SharedLauncher
from launcher.report import SavedLaunch, html
from launcher.sandbox import Sandbox
from launcher.sandbox.ready_file import describe, write
from launcher.servers import server_of
from launcher.settings import Settings
from tests.conftest import need
from tests.readme import ROOT
from tests.test_docs import code_blocks

pytest_plugins = ["pytester"]

README = next(code for code in code_blocks("python") if "def test_" in code)


@pytest.fixture(scope="module", autouse=True)
def chromium() -> None:
    from launcher.hosts import HostUnavailable
    from launcher.hosts.chromium import find_chromium

    try:
        asyncio.run(find_chromium(download=0))
    except HostUnavailable as failure:
        need("Chromium", str(failure))


LIGHT = """
import sys

def pytest_sessionstart(session):
    assert not {"telethon", "playwright", "pydantic", "starlette"} & set(sys.modules)
"""

UNDER_ASYNCIO = """
import asyncio
from pathlib import Path

import pytest
import pytest_asyncio
from telethon import events

from launcher import Consent, expect

LINK = "https://t.me/demo_bot/app?startapp=hello"
ASKING = "https://t.me/demo_bot/notes"
pytestmark = pytest.mark.asyncio

async def test_fails_in_the_block(mini_app_open):
    async with mini_app_open(LINK) as app:
        await app.ready()
        Path("launch.txt").write_text(app.url)
        await app.page.evaluate("fetch('/no-such-page' + location.hash.replace('#', '?')).then(() => 0)")
        await app.page.evaluate("console.error(location.hash)")
        await app.page.evaluate(
            "post('web_app_open_popup', {message: initData.get('hash'), buttons: [{type: 'ok'}]})"
        )
        await expect(app, timeout=30).to_have_popup()
        async for message in app._client.iter_messages("demo_bot", limit=1):
            pass
        await expect(app).not_to_have_popup(timeout=0)

@pytest_asyncio.fixture
async def shop(mini_app_open):
    async with mini_app_open(LINK) as app:
        await expect(app, timeout=30).to_be_ready()
        yield app

async def test_fails_with_an_app_of_a_fixture(shop):
    assert shop.is_closed

async def test_fails_to_open(mini_app_open):
    async with mini_app_open("https://t.me/nobody_here_bot/app"):
        pass

class Defect(Consent):
    async def decide(self, prompt):
        raise RuntimeError("this policy is broken")

async def test_fails_by_a_defect(mini_app_open):
    async with mini_app_open(ASKING, host=None, consent=Defect()):
        pass

class Late(Consent):
    async def decide(self, prompt):
        self.test.cancel()
        await asyncio.Event().wait()

async def test_fails_cancelled(mini_app_open):
    late = Late()
    late.test = asyncio.current_task()
    async with mini_app_open(ASKING, host=None, consent=late):
        pass

async def test_fails_after_the_block(mini_app_open, mini_app_output):
    async with mini_app_open(LINK, host=None) as app:
        (mini_app_output / "notes.txt").write_text("kept")
    assert not app.is_closed

async def test_fails_with_two(mini_app_open):
    async with mini_app_open(LINK, host=None) as one, mini_app_open(ASKING, host=None) as other:
        Path("launches.txt").write_text(f"{one.init_data.hash} {other.init_data.hash}")
        assert one.init_data.hash == other.init_data.hash

async def test_fails_over_http(mini_app_open):
    async with mini_app_open(LINK, host="http") as app:
        assert app.http.status == 404

async def test_one_launcher_for_all(mini_app_launcher, mini_app_open, mini_app_account):
    async with mini_app_launcher as launcher:
        async with (
            mini_app_open(LINK, host=None) as one,
            mini_app_open("@demo_bot", via="main_app", host=None) as two,
        ):
            assert launcher.apps == {one, two}
            assert mini_app_account is None
            assert one.init_data.user.first_name == "Alice"

async def test_the_world_stays(mini_app_open, mini_app_world):
    mini_app_world.add_bot("own_bot", apps={"far": "https://shop.test/"}, main_app=True, menu="https://shop.test/menu")
    pages = []
    for _ in range(2):
        async with mini_app_open("@own_bot", via="main_app", host="http") as app:
            assert app.http.status == 200
            pages.append(app.http.url)
    assert pages[0] == pages[1]
    async with mini_app_open("https://t.me/own_bot/far", host=None) as app:
        assert app.url.startswith("https://shop.test/")
    async with mini_app_open("@own_bot", via="menu_button", host=None) as app:
        assert app.url.startswith("https://shop.test/menu")
        assert mini_app_world.sandbox.log[-1].method == "messages.requestWebView"

async def test_a_bot_does_what_its_program_says(mini_app_open, mini_app_launcher, mini_app_world):
    def program(bot):
        bot.add_event_handler(lambda event: event.respond("Welcome"), events.NewMessage(pattern="/start"))

    mini_app_world.add_bot("polite_bot", buttons=["Shop"], handler=program)
    async with mini_app_launcher as launcher:
        async with launcher.client.conversation("polite_bot") as talk:
            await talk.send_message("/start")
            assert (await talk.get_response()).text == "Welcome"
        async with mini_app_open("@polite_bot", via="inline_button", button="Shop", host=None) as app:
            assert app.flow == "inline_button"
"""


def test_under_pytest_asyncio(pytester: pytest.Pytester) -> None:
    """Strict mode, warnings are errors, without an option: the README's tests, and failures of every kind."""
    pytester.makeini("[pytest]\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function")
    pytester.makeconftest(LIGHT)
    pytester.makepyfile(test_readme=README, test_ends=UNDER_ASYNCIO)
    result = pytester.runpytest_subprocess(
        "--junitxml=junit.xml", "--html=all.html", "--alluredir=allure", "-p", "no:playwright"
    )
    result.assert_outcomes(passed=2 + 3, failed=8)
    told = result.stdout.str()
    for line in (
        r"opened      direct_link of @demo_bot on android \(sandbox\)",
        r'event       [\d.]+ s ↑ web_app_open_popup \{"message":"\*\*\*",',
        r"launch      user \d+ @alice\w*, start_param hello, auth \d+ s old",
        "console     2: #tgWebAppData=",
        r"network     1 of \d+ failed: GET http://127.0.0.1:\d+/no-such-page: 404",
        "stopped     RuntimeError, while it was opened",
        "stopped     CancelledError, while it was opened",
        r"requests    contacts\.resolveUsername, .*messages\.requestAppWebView, .*messages\.getHistory",
        "stopped     .*nobody_here_bot",
        r"unanswered  web_app_open_popup since [\d.]+ s",
        r"page        http://127.0.0.1:\d+/direct_link\S*: 200",
        "Expected the direct link app of @demo_bot not to have a popup",
    ):
        assert re.search(line, told), line
    sections = re.findall(r"^-+ Mini App .*?-+\n(.*?)(?=^[-_=])", told, re.MULTILINE | re.DOTALL)
    assert len(sections) == 9
    assert all(2 < len(section.splitlines()) <= 10 for section in sections)
    assert ["closed      left before the test failed" in section for section in sections].count(True) == 1
    assert all(section.splitlines()[-1].startswith("report      ") for section in sections)

    kept = {folder.name.split("-")[1]: folder for folder in Path("mini-app-results").iterdir()}
    assert {name: sorted(file.name for file in folder.iterdir()) for name, folder in kept.items()} == {
        "test_fails_in_the_block": ["launch.json", "report.html", "screenshot.png"],
        "test_fails_with_an_app_of_a_fixture": ["launch.json", "report.html", "screenshot.png"],
        "test_fails_to_open": ["launch.json", "report.html"],
        "test_fails_by_a_defect": ["launch.json", "report.html"],
        "test_fails_cancelled": ["launch.json", "report.html"],
        "test_fails_after_the_block": ["launch.json", "notes.txt", "report.html"],
        "test_fails_over_http": ["launch.json", "report.html"],
        "test_fails_with_two": ["launch-2.json", "launch.json", "report-2.html", "report.html"],
    }
    for file in kept["test_fails_with_two"].iterdir():  # each app's files quote the failure, which has both
        assert not [one for one in Path("launches.txt").read_text().split() if one in file.read_text("utf-8")]
    saved = SavedLaunch.read(kept["test_fails_in_the_block"] / "launch.json")
    page = (kept["test_fails_in_the_block"] / "report.html").read_text("utf-8")
    assert page == html(saved)
    assert saved.judgement is not None
    assert saved.judgement.by.endswith("::test_fails_in_the_block")
    assert (saved.judgement.verdict, "to have a popup" in saved.judgement.text) == ("failed", True)
    assert '<span class="verdict bad">Failed</span>' in page
    assert saved.server == "sandbox"
    assert [event.name for event in saved.events][-1] == "web_app_open_popup"
    assert "messages.getHistory" in [exchange.method for exchange in saved.exchanges]
    assert saved.console
    assert saved.network
    assert [wait.name for wait in saved.unanswered] == ["web_app_open_popup"]
    ends = {name: SavedLaunch.read(folder / "launch.json").closed for name, folder in kept.items()}
    assert ends == {
        "test_fails_in_the_block": None,  # it was open still
        "test_fails_with_an_app_of_a_fixture": None,
        "test_fails_to_open": None,
        "test_fails_by_a_defect": None,
        "test_fails_with_two": None,
        "test_fails_cancelled": None,
        "test_fails_after_the_block": "caller",
        "test_fails_over_http": None,
    }
    _tells_no_secret(Path("launch.txt").read_text(), told)
    _links(kept["test_fails_in_the_block"])


EVERYTHING = {
    "format": "miniapp-launch",
    "version": 1,
    "target": "t.me/demo_bot/app",
    "when": "2026-01-02T03:04:05Z",
    "seconds": 10.0,
    "server": "sandbox",
    "parameters": {"platform": "ios"},
    "bot": {"username": "demo_bot"},
    "app": {"flow": "direct_link"},
    "answer": {"url": "https://shop.example/"},
    "init_data": {"user": {"id": 7, "first_name": "Ann"}, "auth_date": 1767323043},
    "failure": {"type": "HostGone", "message": "The browser ended."},
    "exchanges": [{"method": "messages.requestAppWebView", "parameters": {}, "seconds": 0.1}],
    "events": [{"at": 1.0, "direction": "outgoing", "name": f"event_{number}"} for number in range(9)],
    "unanswered": [{"name": "web_app_open_popup", "req_id": "", "at": 1.0}],
    "console": [{"at": 1.0, "level": "error", "text": "one\ntwo"}],
    "seen": [{"at": 2.0, "kind": "request failed", "text": "it is in the network's line"}],
    "network": [
        {"at": 1.0, "method": "GET", "origin": "https://shop.example", "path": "/far", "failure": "refused"},
        {"at": 1.0, "method": "PUT", "origin": "https://shop.example", "path": "/cart", "status": 500},
        {"at": 1.0, "method": "GET", "origin": "https://shop.example", "path": "/", "status": 302},
    ],
    "closed": "crashed",
}  # fmt: skip


@pytest.mark.parametrize("failing", [True, False])
def test_a_launch_with_everything_has_ten_lines_and_the_report_is_the_last(failing: bool) -> None:
    left = "" if failing else ", left before the test failed: this is how it was at its end"
    assert lines(SavedLaunch.from_json(EVERYTHING), [Path("report.html")], failing=failing) == [
        "opened      direct_link of @demo_bot on ios (sandbox)",
        "launch      user 7 Ann, no start_param, auth 12 s old",
        "stopped     The browser ended.",
        "page        https://shop.example/",
        "unanswered  web_app_open_popup since 1.000 s",
        r"console     1: one\x0atwo",
        "network     2 of 3 failed: PUT https://shop.example/cart: 500",
        "requests    messages.requestAppWebView",
        f"closed      crashed{left}",
        "report      report.html",
    ]


@pytest.mark.parametrize(
    ("beside", "shown"), [({"console": [], "unanswered": []}, [6, 7, 8]), ({"unanswered": []}, [7, 8])]
)
def test_events_have_the_lines_that_others_leave(beside: dict[str, object], shown: list[int]) -> None:
    saved = SavedLaunch.from_json(EVERYTHING | {"init_data": None, "closed": None} | beside)
    told = lines(saved, [Path("report.html")], failing=True)
    assert told[1] == "launch      no init data"
    events = [f"event       1.000 s ↑ event_{number}" for number in shown]
    assert [line for line in told if line.startswith("event ")] == events
    assert lines(saved.model_copy(update={"events": ()}), [Path("report.html")], failing=True) == [
        line for line in told if line not in events
    ]


def _tells_no_secret(url: str, told: str) -> None:
    """Neither the terminal nor any file has what proves who opened the app."""
    launch = parse_qs(parse_qs(urlsplit(url).fragment)["tgWebAppData"][0])
    written = [file for file in Path().rglob("*") if file.is_file() and file.name != "launch.txt"]
    assert {"junit.xml", "all.html", "report.html"} <= {file.name for file in written}
    for secret in (launch["hash"][0], launch["signature"][0]):
        assert secret not in told
        assert [file.name for file in written if secret.encode() in file.read_bytes()] == []


def _links(folder: Path) -> None:
    """JUnit's XML and pytest-html say where everything is, and Allure has it."""
    case = ElementTree.parse("junit.xml").find(".//testcase[@name='test_fails_in_the_block']")
    assert case is not None
    properties = {one.get("name"): one.get("value") for one in case.iter("property")}
    assert properties == {f"mini_app_{file.stem}": str(file.resolve()) for file in folder.iterdir()}
    page = Path("all.html").read_text("utf-8")
    assert (folder / "report.html").resolve().as_uri() in page
    results = [json.loads(file.read_text("utf-8")) for file in Path("allure").glob("*-result.json")]
    result = next(one for one in results if one["name"] == "test_fails_in_the_block")
    assert {one["name"]: one["source"].partition(".")[2] for one in result["attachments"]} == {
        file.name: file.suffix[1:] for file in folder.iterdir()
    }


BESIDE_A_PAGE = """
import anyio
import pytest

from launcher import expect

@pytest.fixture
def anyio_backend():
    return "asyncio"

def test_a_page(page):
    page.set_content("<p>hello")
    assert page.inner_text("p") == "hello"

@pytest.mark.anyio
async def test_an_app(mini_app_open, mini_app_platform):
    async with mini_app_open("https://t.me/demo_bot/app") as app:
        await expect(app, timeout=30).to_be_ready()
        assert app.launch_params.platform == mini_app_platform
        assert mini_app_platform == "android"

@pytest.mark.anyio
@pytest.mark.parametrize("mini_app_platform", ["tdesktop"])
async def test_cancelled(mini_app_open):
    with anyio.CancelScope() as scope:
        async with mini_app_open("https://t.me/demo_bot/app") as app:
            await expect(app, timeout=30).to_be_ready()
            scope.cancel()
            await anyio.sleep_forever()
    assert app.is_closed
    assert app.live.host.page.is_closed()
    raise AssertionError("and the app is kept")

@pytest.mark.parametrize("mini_app_platform", ["ios"])
@pytest.mark.anyio
async def test_its_own_platform(mini_app_open):
    async with mini_app_open("https://t.me/demo_bot/app", host=None) as app:
        assert app.launch_params.platform == "ios"
"""

OWN_CHROMIUM = """
import asyncio

import pytest

from launcher.hosts.chromium import arguments, find_chromium

@pytest.fixture(scope="session")
def browser_type_launch_args():
    return {"executable_path": asyncio.run(find_chromium(download=0)), "args": arguments()}
"""


def test_under_anyio_beside_a_synchronous_page(pytester: pytest.Pytester) -> None:
    """Two platforms, traces and videos of failures and pictures of everything, by the ini file. A test that
    anyio cancels leaves its app closed and told of."""
    pytester.makeini(
        "[pytest]\nmini_app_platform = android weba\nmini_app_tracing = retain-on-failure\n"
        "mini_app_video = retain-on-failure\n"
        "mini_app_screenshot = on\nmini_app_output = kept"
    )
    pytester.makeconftest(OWN_CHROMIUM)
    pytester.makepyfile(test_both=BESIDE_A_PAGE)
    result = pytester.runpytest_subprocess("-v", "-p", "no:asyncio", "--junitxml=junit.xml")
    result.assert_outcomes(passed=3, failed=2)
    ran = re.findall(r"^test_both.py::(\S+) ", result.stdout.str(), re.MULTILINE)
    assert ran == [
        "test_an_app[android]", "test_an_app[weba]", "test_cancelled[tdesktop]", "test_its_own_platform[ios]",
        "test_a_page[chromium]",
    ]  # fmt: skip
    kept = {folder.name.split("-")[2]: folder for folder in Path("kept").iterdir()}
    assert sorted(file.name for file in kept["android"].iterdir()) == ["screenshot.png"]
    for platform in ("weba", "tdesktop"):
        assert sorted(file.name for file in kept[platform].iterdir()) == [
            "launch.json", "report.html", "screenshot.png", "trace.zip", "video"
        ]  # fmt: skip
        _is_a_film(kept[platform] / "video")
    assert set(kept) == {"android", "weba", "tdesktop"}


def _is_a_film(folder: Path) -> None:
    """With Playwright's ffmpeg a film, without it pictures; JUnit's XML has the place of the first file."""
    first, *others = sorted(folder.iterdir())
    kind = {"page.webm": b"\x1a\x45\xdf\xa3", "page-00001.jpg": b"\xff\xd8"}[first.name]
    assert all(file.read_bytes().startswith(kind) for file in (first, *others))
    assert str(first.resolve()) in [
        one.get("value")
        for one in ElementTree.parse("junit.xml").iter("property")
        if one.get("name") == "mini_app_video"
    ]


WITH_ACCOUNTS = """
import os
from pathlib import Path

import pytest

@pytest.mark.asyncio
@pytest.mark.parametrize("number", range(2))
async def test_account(mini_app_open, mini_app_account, number):
    async with mini_app_open("@demo_bot", via="main_app", host=None) as app:
        assert app.init_data.user.first_name.lower() == mini_app_account
        worker = os.environ["PYTEST_XDIST_WORKER"]
        Path("seen", f"{mini_app_account} {worker} {__name__} {number}").touch()

@pytest.mark.asyncio
async def test_own_bot(mini_app_open, mini_app_world):
    raise AssertionError("nobody can add a bot to this server")
"""


def test_on_another_server_an_account_is_in_one_process(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two accounts, two workers, four files: each account has two, whose tests stay together; no bot can
    be added."""
    ready = tmp_path / "ready.json"
    monkeypatch.setenv("TELEGRAM_SESSIONS", str(tmp_path / "sessions"))
    pytester.mkdir("seen")
    pytester.makepyfile(**dict.fromkeys(("test_1", "test_2", "test_3", "test_4"), WITH_ACCOUNTS))
    with Sandbox().in_thread() as sandbox:
        write(ready, describe(sandbox))
        asyncio.run(_sign_in(Settings(server=str(ready), _env_file=None), sandbox, "alice", "dora"))
        result = pytester.runpytest_subprocess(
            "-n", "2", "--dist", "loadgroup", "-rs", "-p", "no:playwright", "--mini-app-server", str(ready),
            "--mini-app-account", "alice", "--mini-app-account", "dora",
        )  # fmt: skip
    result.assert_outcomes(passed=8, skipped=4)
    result.stdout.fnmatch_lines(["*mini_app_world is the sandbox's, and this run is on *: nobody can add*"])
    seen = [file.name.split() for file in Path("seen").iterdir()]
    assert len(seen) == 8
    assert {(account, file) for account, _, file, _ in seen} == {
        ("alice", "test_1"), ("dora", "test_2"), ("alice", "test_3"), ("dora", "test_4")
    }  # fmt: skip
    assert len({(account, worker) for account, worker, *_ in seen}) == 2


async def _sign_in(settings: Settings, sandbox: Sandbox, *names: str) -> None:
    accounts = Accounts(settings, server_of(settings))
    for name in names:
        person = sandbox.world.user(name)
        await accounts.sign_in_by_phone(name, person.phone, code=partial(_typed, person.code))


async def _typed(code: str, _: object) -> str:
    return code


HOLDER = """
import sys
import launcher.pytest_plugin
from launcher.accounts import Accounts
from launcher.expectations import Expectation
from launcher.servers import server_of
from launcher.settings import Settings

settings = Settings(server=sys.argv[1], _env_file=None)
with Accounts(settings, server_of(settings)).held("alice"):
    print("held", flush=True)
    sys.stdin.readline()
"""


async def test_an_account_that_another_process_uses_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    monkeypatch.setenv("TELEGRAM_SESSIONS", str(tmp_path / "sessions"))
    async with asyncio.timeout(180), Sandbox() as sandbox:
        write(ready, describe(sandbox))
        settings = Settings(server=str(ready), _env_file=None)
        await _sign_in(settings, sandbox, "alice")
        holder = await asyncio.create_subprocess_exec(
            sys.executable, "-c", HOLDER, str(ready),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"held\n"
        shared = SharedLauncher(
            settings, "alice", world=None, server=BrowserServer(headed=False), browser=None
        )
        entering = asyncio.ensure_future(shared.__aenter__())
        await asyncio.wait({entering}, timeout=0.5)
        assert not entering.done()
        await holder.communicate(b"end\n")
        launcher = await entering
        assert launcher.client.is_connected()
        await shared.__aexit__(None, None, None)


async def test_nothing_of_the_browser_server_is_left() -> None:
    server = BrowserServer(headed=False)
    try:
        address = urlsplit((await server.browser_options())["remote"])
        _, there = await asyncio.open_connection(address.hostname, address.port)
        there.close()
    finally:
        await asyncio.to_thread(server.close)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(address.hostname, address.port)


@pytest.mark.slow
async def test_a_browser_server_that_died_is_replaced() -> None:
    server = BrowserServer(headed=False)
    try:
        first = await server.browser_options()
        assert await server.browser_options() == first
        assert server._process is not None
        server._process.kill()
        await asyncio.to_thread(server._process.wait)
        second = await server.browser_options()
        assert second["remote"] != first["remote"]
        async with Browser(**second) as browser:
            assert browser.version
    finally:
        server.close()


def test_the_readme_names_every_fixture_option_and_assertion(pytester: pytest.Pytester) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assertions = {name for name in vars(Expectation) if name.startswith("to_")}
    assert {f"not_{name}" for name in assertions} == {
        name for name in vars(Expectation) if name[:4] == "not_"
    }
    options = [name for name in vars(pytester.parseconfig().option) if name.startswith("mini_app")]
    assert len(options) == 8
    fixtures = [name for name in launcher.pytest_plugin.__all__ if name.startswith("mini_app")]
    named = [*assertions, *fixtures, *(f"--{name.replace('_', '-')}" for name in options)]
    assert [name for name in named if f"`{name}`" not in text] == []


def test_options_are_given_as_playwrights_are(pytester: pytest.Pytester) -> None:
    """By the command line, which wins over the ini file; what may be repeated is."""
    pytester.makeini("[pytest]\nmini_app_server = test\nmini_app_video = on\nmini_app_headed = true")
    assert read_options(pytester.parseconfig()).headed
    pytester.makeini("[pytest]\nmini_app_server = test\nmini_app_video = on\nmini_app_platform = ios weba")
    config = pytester.parseconfig(
        "--mini-app-server=production", "--mini-app-account", "alice", "--mini-app-account", "dora",
        "--mini-app-platform", "android", "--mini-app-platform", "tdesktop", "--mini-app-headed",
        "--mini-app-tracing", "retain-on-failure", "--mini-app-screenshot=off", "--mini-app-output", "kept",
    )  # fmt: skip
    assert read_options(config) == RunOptions(
        server="production",
        accounts=("alice", "dora"),
        platforms=("android", "tdesktop"),
        headed=True,
        tracing="retain-on-failure",
        video="on",
        screenshot="off",
        output=pytester.path / "kept",
    )


WRONG = {
    "--mini-app-platform=foo": "--mini-app-platform is 'foo': write one of android, android_x, ios",
    "-omini_app_platform=ios foo": "mini_app_platform is 'foo': write one of android, android_x, ios",
    "-omini_app_tracing=sometimes": "mini_app_tracing is 'sometimes': write one of on, off, retain",
    "--mini-app-server=ready.json": "--mini-app-server is 'ready.json', and there is no such file",
    "--mini-app-server=prod": "--mini-app-server is 'prod', which is neither a server nor",
    "-omini_app_server=damaged.json": "mini_app_server: damaged.json is not a ready file",
    "--mini-app-server=left.json": "--mini-app-server is 'left.json', and nothing listens where it says",
}


async def test_a_wrong_option_is_refused_before_any_test(pytester: pytest.Pytester) -> None:
    (pytester.path / "damaged.json").write_text("{")
    async with Sandbox() as sandbox:
        write(pytester.path / "left.json", describe(sandbox))
        assert read_options(pytester.parseconfig("--mini-app-server=left.json")).server == "left.json"
    for option, told in WRONG.items():
        with pytest.raises(pytest.UsageError, match=re.escape(told)) as refused:
            pytester.parseconfigure("-p", "no:asyncio", option)
        assert "TELEGRAM_SERVER" not in str(refused.value)


@pytest.mark.parametrize("accounts", [("alice",), ("alice", "dora"), ("alice", "dora", "carol")])
def test_files_are_given_to_accounts_in_turn(accounts: tuple[str, ...]) -> None:
    """In the order of their names, whatever the order of the tests: none has two more than another."""
    files = [f"tests/test_{letter}.py" for letter in "abcdefg"]
    nodeids = [f"{file}::test_it[{number}]@group" for number in range(3) for file in reversed(files)]
    given = accounts_of_files(accounts, nodeids)
    assert given == {file: accounts[place % len(accounts)] for place, file in enumerate(files)}
    assert [given[file_of(nodeid)] for nodeid in nodeids[:7]] == list(given.values())[::-1]
    assert accounts_of_files((), nodeids) == {}
