"""A launch is kept whole and without its secrets, read with care, compared, and made again."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from flows import BadInput, Consent, MiniAppError, OpenParameters, Question
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import MiniApp
from launcher.report import Recording, SavedLaunch, html, recording
from launcher.report.address import address
from launcher.report.diff import Change, difference
from launcher.report.struck_out import event_text
from launcher.report.world import link_of, replayed
from launcher.sandbox import Fail, Sandbox
from launcher.sandbox.site import Site
from launcher.settings import Settings
from launcher.tracing import Exchange, traced
from tests.browsers import SECONDS, browser
from tests.pages import Pages, app
from tests.running import CALM, launching

pytestmark = pytest.mark.asyncio(loop_scope="session")
__all__ = ["browser"]

LINK = "https://t.me/demo_bot/app?startapp=x"
ALLOW = Consent(*Question)
PHONE = "9996621111"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


async def kept(sandbox: Sandbox, target: str, *, reveal: bool = False, **options: Any) -> SavedLaunch:
    """One launch in this sandbox, saved; what stops it is in it."""
    settings = Settings(server="sandbox", _env_file=None)
    async with sandbox, Launcher(settings, sandbox=sandbox, timing=CALM) as launcher:
        record = Recording(reveal=reveal)
        with suppress(MiniAppError):
            async with record.opening(launcher, target, **{"consent": ALLOW} | options):
                pass
        return record.saved()


# What is recorded


async def test_a_launch_is_recorded_stage_by_stage() -> None:
    saved = await kept(Sandbox(), LINK, parameters=OpenParameters("ios"))
    assert (saved.target, saved.server, saved.platform, saved.closed) == (LINK, "sandbox", "ios", "caller")
    assert (saved.opened, saved.ok, saved.revealed) == (True, True, False)
    assert [one.method for one in saved.exchanges] == [
        "contacts.resolveUsername", "messages.getBotApp", "messages.requestAppWebView",
    ]  # fmt: skip
    starts = [one.at for one in saved.exchanges]
    assert starts == sorted(starts)
    assert saved.seconds >= starts[-1] + saved.exchanges[-1].seconds
    assert saved.link is not None
    assert saved.link["kind"] == "DirectLink"
    assert set(saved.readings) == {"tdlib", "tdesktop", "old documentation"}
    assert saved.launch_params is not None
    assert saved.launch_params["platform"] == "ios"
    assert [check.verdict for check in saved.checks] == ["passed"] * 5


async def test_what_stops_a_launch_is_raised_and_kept() -> None:
    record = Recording()
    async with launching() as (launcher, _):
        with pytest.raises(MiniAppError, match="BOT_APP_INVALID"):
            async with record.opening(launcher, "https://t.me/demo_bot/nix"):
                raise AssertionError
        saved = record.saved()
    assert (saved.opened, saved.ok, saved.stopped_at, saved.closed) == (False, False, "app", None)
    assert saved.failure is not None
    assert saved.failure.model_extra is not None
    assert saved.failure.model_extra["name"] == "BOT_APP_INVALID"
    assert saved.exchanges[-1].error == saved.failure


async def test_an_option_that_cannot_be_is_kept_too() -> None:
    record = Recording()
    async with launching() as (launcher, _):
        with pytest.raises(BadInput):
            async with record.opening(launcher, "@demo_bot", via="nowhere"):
                raise AssertionError
        saved = record.saved()
    assert (saved.failure and saved.failure.type, saved.exchanges) == ("BadInput", ())


async def test_an_app_that_is_open_already_is_recorded_from_then_on() -> None:
    async with launching() as (launcher, _), launcher.open(LINK) as opened:
        record = Recording()
        record.see(opened)
        saved = record.saved()
    assert (saved.target, saved.options, saved.closed) == ("@demo_bot", {"via": "direct_link"}, None)
    assert saved.opened
    assert saved.exchanges == ()


async def test_one_call_opens_and_records() -> None:
    async with launching() as (launcher, _):
        async with recording(launcher, "@demo_bot", via="main_app") as record:
            assert isinstance(record.app, MiniApp)
            record.metapro.append({"id": "L1", "name": "login", "verdict": "fail", "extra": 1})
        saved = record.saved()
    assert saved.metapro[0].id == "L1"
    assert not saved.ok


async def test_a_trace_within_a_trace_hides_nothing_from_the_outer_one() -> None:
    async with launching() as (launcher, _):
        with traced() as outer:
            with traced() as inner:
                async with launcher.open(LINK):
                    pass
            await launcher.client.get_me()
    assert inner
    assert isinstance(outer[0], Exchange)
    assert outer[: len(inner)] == inner
    assert len(outer) > len(inner)


PAGE = """
window.Telegram = { WebView: { receiveEvent: () => {} } };
const init = decodeURIComponent(new URLSearchParams(location.hash.slice(1)).get('tgWebAppData'));
const fields = new URLSearchParams(init);
post('web_app_open_popup', { title: 'mine', message: init, buttons: [] });
post('web_app_biometry_update_token', { token: 'canary-of-the-token' });
post('web_app_secure_storage_save_key', { req_id: 'r1', key: 'k', value: 'canary-of-the-value' });
post('web_app_request_viewport');
console.error(location.hash, fields.get('hash'));
console.info('half a pair: \\ud800', init);
console.warn('x'.repeat(5000));
for (let number = 0; number < 150; number++) console.log(number);
fetch('/api/' + fields.get('hash') + '?sig=' + fields.get('signature')).finally(() => post('web_app_ready'));
"""


async def shown(browser: Browser, **options: Any) -> tuple[SavedLaunch, MiniApp]:
    """A launch of a page that gives its secrets away wherever it can."""
    async with Pages({"/": app(PAGE), "/api": "{}"}) as pages:
        async with launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox):
            sandbox.world.bot("demo_bot").main_app = pages.url("/")
            record = Recording(**options)
            async with record.opening(launcher, "@demo_bot", via="main_app", host="browser") as opened:
                await opened.ready()
                await record.picture("when it was ready", patience=SECONDS)
            return record.saved(), opened


NOISE = """
document.body.style.margin = 0;
const canvas = document.body.appendChild(document.createElement('canvas'));
canvas.width = innerWidth * devicePixelRatio, canvas.height = innerHeight * devicePixelRatio / 2;
canvas.style = `display: block; width: ${innerWidth}px; height: ${innerHeight / 2}px`;
const context = canvas.getContext('2d'), picture = context.createImageData(canvas.width, canvas.height);
for (let at = 0; at < picture.data.length; at += 65536)
  crypto.getRandomValues(picture.data.subarray(at, at + 65536));
for (let at = 3; at < picture.data.length; at += 4) picture.data[at] = 255;
context.putImageData(picture, 0, 0);
post('web_app_ready');
"""


async def test_a_picture_that_is_too_large_is_taken_and_not_kept(browser: Browser) -> None:
    async with Pages({"/": app(NOISE)}) as pages:
        async with launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox):
            sandbox.world.bot("demo_bot").main_app = pages.url("/")
            record = Recording(pictures=False)
            async with record.opening(launcher, "@demo_bot", via="main_app", host="browser") as opened:
                await opened.ready()
                taken = await record.picture("noise", patience=SECONDS)
                await opened.page.evaluate("document.body.textContent = ''")
                assert await record.picture("nothing", patience=SECONDS)
            saved = record.saved()
    assert taken is not None
    assert len(taken) > 2 * 2**20
    assert [picture.name for picture in saved.screenshots] == ["nothing"]


async def test_what_the_page_did_is_recorded(browser: Browser) -> None:
    saved, opened = await shown(browser)
    outgoing = [event.name for event in saved.events if event.direction == "outgoing"]
    assert (outgoing[0], outgoing[-1]) == ("web_app_open_popup", "web_app_ready")
    assert "viewport_changed" in [event.name for event in saved.events if event.direction == "incoming"]
    times = [event.at for event in saved.events]
    assert times == sorted(times)
    assert times[0] > saved.exchanges[-1].at
    names = [picture.name for picture in saved.screenshots]
    assert names == ["when it was ready"]  # at the end it looked the same
    assert opened.live is not None
    assert [(one.method, one.path, one.status, one.kind) for one in saved.network] == [
        ("GET", "/", 200, "document"), ("GET", "/api/***", 404, "fetch"),
    ]  # fmt: skip
    assert all(one.ms is not None and one.origin.startswith("http://127.0.0.1:") for one in saved.network)
    assert {one.kind for one in saved.seen} == {"request failed"}
    assert saved.page == {"host": "browser", "ended": None}


FOLLOWING = """
window.Telegram = { WebView: { receiveEvent: () => {} } };
const init = decodeURIComponent(new URLSearchParams(location.hash.slice(1)).get('tgWebAppData'));
const hash = new URLSearchParams(init).get('hash');
post('web_app_open_tg_link', { path_full: '/demo_bot/notes?startapp=' + hash });
"""
LINKED = """
window.Telegram = { WebView: { receiveEvent: name => {
  if (name === 'custom_method_invoked') post('web_app_ready');
} } };
console.log('second');
post('web_app_invoke_custom_method', { req_id: 'r', method: 'getStorageKeys', params: {} });
"""


async def test_what_a_link_in_the_page_opens_has_a_record_of_its_own(browser: Browser) -> None:
    """With its requests, its questions and its page; and the first app's secrets are struck out there too."""
    async with Pages({"/": app(FOLLOWING), "/second": app(LINKED)}) as pages:
        async with launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox):
            bot = sandbox.world.bot("demo_bot")
            bot.main_app = pages.url("/")
            bot.apps["notes"].url = pages.url("/second")
            record = Recording()
            options: dict[str, Any] = {"via": "main_app", "host": "browser", "consent": ALLOW}
            async with record.opening(launcher, "@demo_bot", **options) as first:
                second = await first.next_app()
                await second.ready()
            saved, linked = record.all_saved()
    assert (saved.opened_by, linked.opened_by, linked.app and linked.app["flow"]) == (
        None, "@demo_bot", "direct_link",
    )  # fmt: skip
    assert first.init_data is not None
    assert first.init_data.hash is not None
    assert linked.target.endswith("/demo_bot/notes?startapp=***")
    assert first.init_data.hash not in json.dumps([saved.to_json(), linked.to_json()])
    assert [one.question for one in linked.questions] == ["hidden_link", "write_access"]
    assert [one.method for one in linked.exchanges] == [
        "messages.getBotApp", "messages.requestAppWebView", "bots.invokeWebViewCustomMethod",
    ]  # fmt: skip
    assert [one.method for one in saved.exchanges] == [
        "contacts.resolveUsername", "messages.requestMainWebView", "help.getAppConfig",
    ]  # fmt: skip
    assert [one.text for one in linked.console] == ["second"]
    assert len(linked.screenshots) == len(saved.screenshots) == 1
    assert "a link in the page of @demo_bot" in html(linked)


async def test_a_link_that_opens_nothing_is_recorded_too(browser: Browser) -> None:
    async with Pages({"/": app(FOLLOWING)}) as pages:
        async with launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox):
            sandbox.world.bot("demo_bot").main_app = pages.url("/")
            record = Recording()
            options: dict[str, Any] = {"via": "main_app", "host": "browser"}
            async with record.opening(launcher, "@demo_bot", **options) as first:
                assert first.live is not None
                failed = asyncio.Event()
                first.live.on_failure = lambda _: failed.set()
                await failed.wait()
            saved, linked = record.all_saved()
    assert (linked.opened, linked.stopped_at) == (False, "questions")
    assert [(one.kind, one.text.partition(":")[0]) for one in saved.seen] == [
        ("not done", "web_app_open_tg_link"),
    ]


async def test_all_of_the_console_is_recorded_but_not_without_end(browser: Browser) -> None:
    """The first 100 messages of a level; one that comes after them on another level is there."""
    saved, _ = await shown(browser)
    levels = [one.level for one in saved.console]
    assert levels[:3] == ["error", "info", "warning"]
    assert levels.count("log") == 100
    assert levels[-1] == "error", "the request that failed"
    assert saved.messages_left_out == 50
    mistake, info, long = saved.console[:3]
    assert mistake.text.startswith("#tgWebAppData=***")
    assert info.text.startswith("half a pair: ")
    assert info.text.endswith("&signature=***&hash=***")
    assert SavedLaunch.from_json(json.loads(json.dumps(saved.to_json()))) == saved, "also with half a pair"
    assert len(long.text) == 1_000
    assert 0 < mistake.at <= saved.console[-1].at <= saved.seconds
    assert saved.seen, "and what was seen beside it"


@pytest.mark.parametrize("target", [LINK, "@demo_bot", "https://t.me/bob_builds?attach=demo_bot"])
async def test_no_secret_is_saved_but_on_request(target: str) -> None:
    """Canaries: everything that opens the app again, or signs somebody in."""
    sandbox = Sandbox()
    options: dict[str, Any] = {"via": "menu_button"} if target == "@demo_bot" else {}
    settings = Settings(server="sandbox", _env_file=None)
    async with sandbox, Launcher(settings, sandbox=sandbox, timing=CALM) as launcher:
        for reveal in (False, True):
            record = Recording(reveal=reveal)
            async with record.opening(launcher, target, **options) as opened:
                await launcher.client.get_me()
            saved = record.saved()
            data = opened.init_data
            assert data is not None
            secrets = set(filter(None, (data.raw, data.hash, data.signature, data.query_id)))
            secrets |= _hashes(record)
            text = json.dumps(saved.to_json()) + html(saved)
            assert {secret for secret in secrets if secret in text} == (secrets if reveal else set())
            assert sandbox.api_hash not in text


def _hashes(record: Recording) -> set[str]:
    """The access hashes in what was sent."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if hasattr(value, "access_hash"):
            found.add(str(value.access_hash))
        for inner in vars(value).values() if hasattr(value, "__dict__") else ():
            look(inner)

    for exchange in record.inspection.exchanges:
        look(exchange.request)
    assert found
    return found


async def test_what_a_page_repeats_of_its_secrets_is_struck_out(browser: Browser) -> None:
    saved, opened = await shown(browser)
    data = opened.init_data
    assert data is not None
    text = json.dumps(saved.to_json()) + html(saved)
    for secret in (data.raw, data.hash, data.signature, "canary-of-the-token", "canary-of-the-value"):
        assert secret is not None
        assert secret not in text
    assert "mine" in text  # the rest of the event is there
    revealed, opened = await shown(browser, reveal=True)
    assert opened.init_data is not None
    assert opened.init_data.hash in json.dumps(revealed.to_json())
    assert "canary-of-the-token" in html(revealed)
    assert "This report holds secrets." in html(revealed)
    assert "This report holds secrets." not in html(saved)


async def test_a_phone_number_that_telegram_told_is_struck_out_of_everything() -> None:
    async with launching() as (launcher, _):
        record = Recording()
        async with record.opening(launcher, "@demo_bot", via="main_app", start_param=f"of_{PHONE}"):
            await launcher.client.get_me()
        saved = record.saved()
    assert saved.options["start_param"] == "of_***"
    assert PHONE not in json.dumps(saved.to_json())


async def test_the_hash_of_an_invite_link_is_a_secret() -> None:
    saved = await kept(Sandbox(), "https://t.me/+GuardedChannelInvite")
    assert saved.target == "https://t.me/+***"
    assert "GuardedChannelInvite" not in json.dumps(saved.to_json()) + html(saved)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("custom_method_invoked", '{"req_id":"1","result":"a"}', '{"req_id":"1","result":"***"}'),
        (
            "x",
            '{"a":[{"token":"t","hash":"h"}],"hash":3}',
            '{"a":[{"token":"***","hash":"***"}],"hash":3}',
        ),
        ("x", '{"inner":"{\\"phone_number\\":\\"1\\"}"}', '{"inner":"{\\"phone_number\\":\\"***\\"}"}'),
        ("x", "no json", "no json"),
        ("x", '{"a": 1}', '{"a": 1}'),
        ("x", None, None),
    ],
)
async def test_events_are_told_without_what_they_keep(name: str, data: str | None, told: str | None) -> None:
    assert event_text(name, data) == told


# The file


async def test_a_file_says_the_same_again(tmp_path: Path) -> None:
    saved = await kept(Sandbox(), "@demo_bot", via="menu_button")
    file = tmp_path / "launch.json"
    saved.write(file)
    again = SavedLaunch.read(file)
    assert again == saved
    assert html(again) == html(saved)
    assert json.loads(file.read_text())["version"] == 1


async def test_a_file_with_secrets_is_for_its_owner(tmp_path: Path) -> None:
    saved = await kept(Sandbox(), LINK, reveal=True)
    file = tmp_path / "launch.json"
    file.write_text("older")
    file.chmod(0o644)
    saved.write(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert SavedLaunch.read(file).revealed


def small(**changed: Any) -> dict[str, Any]:
    """The least that a file says."""
    launch = {
        "format": "miniapp-launch", "version": 1, "target": "@a", "when": "2026-01-01T00:00:00Z",
        "seconds": 0, "server": "sandbox", "parameters": {},
    }  # fmt: skip
    return launch | changed


LEAST = json.dumps(small())
NESTED = "[" * 100 + "]" * 100
EVENT = {"at": 0, "direction": "outgoing", "name": "x"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a saved launch"),
        (json.dumps({"format": "har"}), "is not a saved launch"),
        (json.dumps(small(version=2)), "of version 2; this program reads version 1"),
        (json.dumps(small(version="1" * 1000)), "this program reads version 1"),
        (json.dumps(small(seconds=-1)), "seconds: Input should be greater than or equal to 0"),
        (json.dumps(small(seconds="soon")), "seconds: Input should be a valid number"),
        (LEAST.replace('"seconds": 0', '"seconds": NaN'), "is not JSON"),
        (
            LEAST.replace('"seconds": 0', '"seconds": 1e999'),
            "seconds: Input",
        ),
        (json.dumps(small(surprise=1)), "surprise: Extra inputs are not permitted"),
        (
            json.dumps(small(events=[EVENT, EVENT | {"direction": "up"}])),
            "events.1.direction: Input",
        ),
        (json.dumps(small(screenshots=[{"at": 0, "name": "x", "png": "PHN2Zz4="}])), "screenshots.0.png: "),
        (json.dumps(small(screenshots=[{"at": 0, "name": "x", "png": '"><b>'}])), "screenshots.0.png: "),
        (json.dumps(small(bot=1)).replace("1}", NESTED + "}"), "nested too deeply"),
        (LEAST.replace("{}", "[" * 100_000 + "]" * 100_000), "nested too deeply"),
    ],
)
async def test_a_wrong_file_is_told_by_the_place(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "launch.json"
    file.write_text(content)
    with pytest.raises(BadInput) as caught:
        SavedLaunch.read(file)
    assert str(file) in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value)) < len(str(file)) + 300


async def test_files_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="No such file"):
        SavedLaunch.read(tmp_path / "none.json")
    large = tmp_path / "large.json"
    large.write_bytes(b" " * (64 * 2**20 + 1))
    with pytest.raises(BadInput, match="larger than 64 MiB"):
        SavedLaunch.read(large)


async def test_the_least_file_makes_a_page() -> None:
    assert "Not opened" in html(SavedLaunch.from_json(small()))


# Made again

PLACES: list[tuple[str, dict[str, Any]]] = [
    (LINK, {}),
    ("https://t.me/demo_bot/closed", {}),
    ("https://t.me/demo_bot?startapp=y&mode=fullscreen", {}),
    ("@demo_bot", {"via": "main_app", "parameters": OpenParameters("ios", "compact")}),  # type: ignore[arg-type]
    ("@demo_bot", {"via": "keyboard_button"}),
    ("@demo_bot", {"via": "inline_button"}),
    ("@demo_bot", {"via": "menu_button"}),
    ("@demo_bot", {"via": "attachment_menu"}),
    ("@demo_bot", {"via": "side_menu"}),
    ("@demo_bot", {"via": "inline_mode"}),
    ("https://t.me/bob_builds?attach=demo_bot", {}),
    ("https://t.me/+GuardedChannelInvite", {}),
    ("https://t.me/demo_bot/nix", {}),
    ("https://t.me/nobody_bot/app", {}),
    ("https://t.me/demo_bot/closed", {"consent": Consent(otherwise="decline")}),
    ("@restricted_bot", {}),
    ("@plain_bot", {}),
]


@pytest.mark.parametrize(("target", "options"), PLACES)
async def test_a_saved_launch_can_be_made_again(target: str, options: dict[str, Any]) -> None:
    """The same link, bot, questions, requests, answer and checks, from the file alone."""
    first = await kept(Sandbox(), target, **options)
    file = SavedLaunch.from_json(json.loads(json.dumps(first.to_json())))
    again = await kept(replayed(file), link_of(file), **options)
    assert difference(first, again) == []
    assert [one.method for one in again.exchanges] == [one.method for one in first.exchanges]


async def test_who_opened_the_app_is_who_opens_it_again() -> None:
    """Not somebody with a number of our own: the page is told the same of the same person."""
    sandbox = Sandbox()
    bob = sandbox.world.user("bob_builds")
    bob.last_name, bob.language_code, bob.premium = "Builder", "pl", True
    bob.photo_url = "https://t.me/i/userpic/320/bob.svg"
    bob.writes_allowed.add(sandbox.world.bot("demo_bot").id)
    settings = Settings(server="sandbox", _env_file=None)
    async with sandbox, Launcher(settings, "bob_builds", sandbox=sandbox, timing=CALM) as launcher:
        record = Recording()
        async with record.opening(launcher, LINK, consent=ALLOW) as first:
            pass
    assert first.init_data is not None
    replay = replayed(record.saved())
    async with replay, Launcher(settings, sandbox=replay, timing=CALM) as launcher:
        async with launcher.open(LINK, consent=ALLOW) as again:
            pass
    assert again.init_data is not None
    assert again.init_data.user == first.init_data.user
    assert again.init_data.hash != first.init_data.hash


async def test_what_telegram_refused_is_refused_again() -> None:
    """Also when nothing in the world is the reason."""
    sandbox = Sandbox()
    sandbox.faults.on("messages.requestAppWebView", Fail(400, "CHANNEL_PRIVATE"), times=None)
    first = await kept(sandbox, LINK)
    again = await kept(replayed(first), LINK)
    assert again.failure == first.failure
    assert difference(first, again) == []


async def test_a_launch_that_came_to_no_bot_is_not_served() -> None:
    saved = await kept(Sandbox(), "https://t.me/demo_guarded")
    with pytest.raises(BadInput, match="came to no bot"):
        replayed(saved)


@pytest.mark.parametrize(
    "bot",
    [
        {},
        {"id": "x", "username": 1},
        {"id": 10**30},
        {"id": 1001, "username": "x"},
        {"username": "\ud800"},
    ],
)
async def test_a_file_may_say_anything_of_its_bot(bot: dict[str, Any]) -> None:
    answer, params = {"url": 1, "fullsize": "x"}, {"default_colors": [1]}
    init_data = {"user": 3, "receiver": {"id": 1001}}
    app = {"flow": "chat_join"}
    wild = small(bot=bot, app=app, answer=answer, launch_params=params, init_data=init_data)
    saved = SavedLaunch.from_json(json.loads(json.dumps(wild)))
    try:
        async with replayed(saved):
            pass
    except BadInput as refused:
        assert "taken" in str(refused)  # noqa: PT017 - either is well
    assert html(saved)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://a.example/#tgWebAppData=x&tgWebAppVersion=9", "https://a.example/"),
        ("https://a.example/?q=1&tgWebAppStartParam=s#tgWebAppVersion=9", "https://a.example/?q=1"),
        ("https://a.example/?tgWebAppStartParam=s&q=1#tgWebAppData=9", "https://a.example/?q=1"),
        ("https://a.example/?tgWebAppStartParam=s#tgWebAppData=9", "https://a.example/"),
        ("https://a.example/#/route?tgWebAppData=x", "https://a.example/#/route"),
        ("https://a.example/#a=b&tgWebAppData=x", "https://a.example/#a=b"),
        ("https://a.example/?tgWebAppVersion=1", "https://a.example/?tgWebAppVersion=1"),
        ("", ""),
    ],
)
async def test_the_owners_address_of_an_app(url: str, own: str) -> None:
    assert address(url) == own


# Compared


async def test_platforms_differ_in_what_they_say() -> None:
    async def on(platform: str) -> SavedLaunch:
        return await kept(Sandbox(), LINK, parameters=OpenParameters(platform))

    changes = difference(await on("android"), await on("tdesktop"))
    assert [(one.section, one.where, one.before, one.after) for one in changes] == [
        ("client", "platform", "android", "tdesktop"),
        ("requests", "messages.requestAppWebView.platform", "android", "tdesktop"),
        ("launch parameters", "platform", "android", "tdesktop"),
    ]


async def test_two_launches_of_one_app_do_not_differ() -> None:
    launches = [await kept(Sandbox(), "@demo_bot", via="menu_button") for _ in range(2)]
    assert launches[0] != launches[1]
    assert difference(*launches) == []


async def test_two_sandboxes_have_other_ports_and_the_same_pages(browser: Browser) -> None:
    launches = []
    for _ in range(2):
        async with Sandbox() as sandbox, Site(sandbox):
            settings = Settings(server="sandbox", _env_file=None)
            async with Launcher(settings, sandbox=sandbox, timing=CALM, browser=browser) as launcher:
                record = Recording(pictures=False)
                async with record.opening(launcher, LINK, host="browser", consent=ALLOW) as opened:
                    await opened.ready()
                    await opened.page.evaluate("fetch('/no-such-page')")
                launches.append(record.saved())
    one, other = launches
    assert {request.origin for request in one.network}.isdisjoint(
        {request.origin for request in other.network}
    )
    assert "GET http://127.0.0.1/no-such-page" in str(difference(one, changed(network=[])))
    assert difference(one, other) == []


async def test_only_ports_of_this_machine_are_left_out() -> None:
    for host, told in (
        ("http://127.0.0.1:5000", "http://127.0.0.1"),
        ("ws://localhost:5000", "ws://localhost"),
        ("https://[::1]:5000", "https://[::1]"),
        ("https://a.example:5000", "https://a.example:5000"),
        ("https://127.0.0.1.example:5000", "https://127.0.0.1.example:5000"),
    ):
        assert difference(changed(network=[REQUEST | {"origin": host}]), changed(network=[])) == [
            Change("network", f"GET {told}/x", 200, None)
        ]


def changed(**fields: Any) -> SavedLaunch:
    return SavedLaunch.from_json(small(**fields))


PLACE = "https://a.example/x"
FAILED = {"verdict": "failed"}
CHECK = {"name": "hash", "verdict": "passed", "text": ""}
REQUEST = {"at": 0, "method": "GET", "origin": "https://a.example", "path": "/x", "status": 200}
STEP = {"id": "L1", "name": "login", "verdict": "pass"}
CALL = {"method": "a.b", "parameters": {"x": 1}, "seconds": 0}


CHANGES: list[tuple[dict[str, Any], dict[str, Any], tuple[Any, ...]]] = [
    ({"bot": {"verified": False}}, {"bot": {"verified": True}}, ("bot", "verified", False, True)),
    ({"app": {"hash": 1}}, {"app": {"hash": 2}}, ("app", "hash", 1, 2)),
    ({"init_data": {"hash": "a"}}, {"init_data": {}}, ("init data", "hash", "present", None)),
    ({"checks": [CHECK]}, {"checks": [CHECK | FAILED]}, ("checks", "hash", "passed", "failed")),
    ({"events": [EVENT]}, {"events": [EVENT, EVENT]}, ("events from the page", "x", 1, 2)),
    ({"network": [REQUEST]}, {"network": [REQUEST | {"status": 500}]}, ("network", f"GET {PLACE}", 200, 500)),
    ({"metapro": [STEP]}, {"metapro": []}, ("metapro", "L1 login", "pass", None)),
    ({"exchanges": [CALL]}, {"exchanges": [CALL, CALL]}, ("requests", "a.b (2)", None, {"x": 1})),
    ({"answer": {"url": f"{PLACE}#tgWebAppData=1"}}, {"answer": {}}, ("answer", "url", PLACE, None)),
    ({"closed": "app"}, {"closed": "caller"}, ("launch", "closed", "app", "caller")),
    ({"readings": {"tdlib": {"kind": "A"}}}, {"readings": {}}, ("link", "tdlib", {"kind": "A"}, None)),
]


@pytest.mark.parametrize(("before", "after", "found"), CHANGES)
async def test_each_kind_of_change_is_found(
    before: dict[str, Any], after: dict[str, Any], found: tuple[Any, ...]
) -> None:
    one, other = changed(**before), changed(**after)
    assert found in [(each.section, each.where, each.before, each.after) for each in difference(one, other)]
    assert difference(one, one) == []
