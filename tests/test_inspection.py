"""An inspection tells every stage of a launch, stops where the launch stops, and gives no secret away."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from telethon.tl import TLObject, functions, types

from flows import DARK, Consent, MiniAppError, OpenMode, OpenParameters, Prompt
from launcher.inspection import Inspection, inspect_link, print_inspection
from launcher.inspection.readings import agreement
from launcher.launcher import Launcher
from launcher.masks import answer_summary, masked_target, parameters, tl_json
from launcher.mini_app import MiniApp
from launcher.plain_text import plain
from launcher.sandbox import Act, DropBefore, Fail, FloodWait, Sandbox
from launcher.sandbox.default_world import ALICE, ATTACH_BOT, DEMO_BOT
from launcher.settings import Settings
from launcher.timing import Timing
from launcher.tracing import traced

LINK = "https://t.me/demo_bot/app?startapp=x"
KEYS = {
    "target", "opened", "ok", "stopped_at", "error", "link", "bot", "app", "questions", "requests", "answer",
    "checks",
}  # fmt: skip


def launcher(sandbox: Sandbox | None = None, *, prolong_every: float = 60.0, **settings: Any) -> Launcher:
    values = {"bot_token": None, **settings}
    return Launcher(
        Settings(_env_file=None, server="sandbox", **values),
        sandbox=sandbox,
        timing=Timing(prolong_every=prolong_every, retries=()),
    )


def printed(inspection: Inspection, width: int = 120) -> str:
    console = Console(file=StringIO(), width=width)
    print_inspection(inspection, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def verdicts(value: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["verdict"] for check in value["checks"]}


# What is shown of a launch


async def test_a_direct_link_stage_by_stage() -> None:
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        mine = OpenParameters("ios", OpenMode.COMPACT, DARK)
        inspection = await inspect_link(alice, LINK, parameters=mine)
    value = json.loads(json.dumps(inspection.to_json()))
    assert value.keys() == KEYS
    assert (value["opened"], value["ok"], value["stopped_at"], value["error"]) == (True, True, None, None)
    read = {"kind": "DirectLink", "bot": "demo_bot", "app": "app", "start_param": "x", "mode": "fullsize"}
    assert value["link"] == {
        **read,
        "spelled": LINK,
        "readings": {"tdlib": read, "tdesktop": read, "old documentation": read},
    }
    assert (value["bot"]["id"], value["bot"]["username"]) == (DEMO_BOT, "demo_bot")
    assert (value["bot"]["has_main_app"], value["bot"]["remembered"]) == (True, False)
    app = value["app"]
    assert (app["flow"], app["title"], app["short_name"], app["hash"]) == ("direct_link", "The app", "app", 1)
    assert (app["inactive"], app["request_write_access"], app["access_hash"]) == (False, False, "***")
    assert value["questions"] == [
        {"question": "first_launch", "bot": "demo_bot", "detail": "open The app", "allowed": True}
    ]
    assert [request["method"] for request in value["requests"]] == [
        "contacts.resolveUsername", "messages.getBotApp", "messages.requestAppWebView",
    ]  # fmt: skip
    answer = value["answer"]
    assert (answer["query_id"], answer["mode"], answer["origin"]) == (None, "compact", "https://demo.example")
    assert answer["launch_params"]["platform"] == "ios"
    assert answer["launch_params"]["theme_params"]["bg_color"] == DARK.bg_color
    assert answer["launch_params"]["start_param"] == answer["init_data"]["start_param"] == "x"
    assert answer["init_data"]["user"]["id"] == ALICE
    assert set(verdicts(value).values()) == {"passed"}
    assert list(verdicts(value)) == ["launch parameters", "identity", "age", "signature", "hash"]


async def test_requests_are_told_as_the_server_heard_them() -> None:
    """Absent parameters stay absent: the names are those in the data centre's own log."""
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        sandbox.log.clear()
        value = (await inspect_link(alice, "t.me/demo_bot?startapp=y&mode=fullscreen")).to_json()
    told = [(request["method"], set(request["parameters"])) for request in value["requests"]]
    heard = [(line.method, set(line.parameters)) for line in sandbox.log]
    # the client catches up with its updates meanwhile, which is none of this launch's doing
    assert told == [line for line in heard if not line[0].startswith("updates.")]
    main = value["requests"][-1]
    assert main["parameters"]["start_param"] == "y"
    assert main["parameters"]["fullscreen"] is True
    assert main["parameters"]["peer"] == {"_": "inputPeerUser", "user_id": DEMO_BOT, "access_hash": "***"}
    assert main["answer"]["_"] == "webViewResultUrl"
    assert main["answer"]["fullscreen"] is True
    assert main["seconds"] > 0
    assert main["error"] is None


async def test_telethons_own_requests_are_told_too() -> None:
    async with launcher() as alice:
        value = (await inspect_link(alice, "@demo_bot", via="keyboard_button")).to_json()
    assert value["link"] is None
    assert "messages.getHistory" in [request["method"] for request in value["requests"]]
    assert value["app"]["button_text"] == "Order"
    assert value["answer"]["init_data"] is None
    assert verdicts(value) == {"launch parameters": "passed", "identity": "passed"}


async def test_clients_that_disagree_are_shown() -> None:
    async with launcher() as alice:
        inspection = await inspect_link(alice, "https://demo_bot.t.me/app?startapp=x")
    readings = inspection.to_json()["link"]["readings"]
    assert (readings["tdlib"]["kind"], readings["tdesktop"]["kind"]) == ("DirectLink", "UsernameLink")
    shown = " ".join(printed(inspection).split())
    assert "for TDLib DirectLink bot=demo_bot" in shown
    assert "Of 3 readings Telegram Desktop differs from TDLib: what the link opens depends on where" in shown


@pytest.mark.parametrize(
    ("readings", "told"),
    [
        ("AAA", "All 3 readings agree: TDLib, Telegram Desktop and the older documentation."),
        ("---", "All 3 readings agree: TDLib, Telegram Desktop and the older documentation."),
        ("ABA", "Of 3 readings Telegram Desktop differs from TDLib: "),
        ("AAB", "Of 3 readings the older documentation differs from TDLib: "),
        ("ABB", "Of 3 readings Telegram Desktop and the older documentation differ from TDLib: "),
        ("A-A", "Of 3 readings Telegram Desktop differs from TDLib: "),
        ("-AA", "Of 3 readings Telegram Desktop and the older documentation differ from TDLib: "),
    ],
)
async def test_it_is_said_who_reads_a_link_otherwise(readings: str, told: str) -> None:
    """`-` is somebody who reads no link, each for a reason of his own."""
    values = [
        {"kind": None, "reason": str(number)} if kind == "-" else {"kind": kind, "bot": "a"}
        for number, kind in enumerate(readings)
    ]
    names = ("tdlib", "tdesktop", "old documentation")
    assert agreement(dict(zip(names, values, strict=True))).startswith(told)


@pytest.mark.parametrize(
    ("target", "options"),
    [
        (LINK, {}),
        ("@demo_bot", {"via": "menu_button"}),
        ("https://t.me/bob_builds?attach=demo_bot", {}),
        ("https://t.me/+GuardedChannelInvite", {}),
    ],
)
async def test_secrets_are_masked_unless_revealed(target: str, options: dict[str, Any]) -> None:
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        inspection = await inspect_link(alice, target, **options)
        revealed = await inspect_link(alice, target, reveal=True, **options)
    for launch, shown in ((inspection, False), (revealed, True)):
        view = launch.web_view
        assert view is not None
        assert view.init_data is not None
        data = view.init_data
        assert data.signature is not None
        secrets = {view.url, data.raw, data.hash, data.signature}
        secrets |= set(filter(None, (data.query_id, data.chat_join_request_query_id)))
        secrets |= {str(view.query_id)} if view.query_id else set()
        query = launch.to_json()["answer"]["query_id"]
        assert query == (None if view.query_id is None else str(view.query_id) if shown else "***")
        json_text = json.dumps(launch.to_json())
        assert {secret for secret in secrets if json.dumps(secret).strip('"') in json_text} == (
            secrets if shown else set()
        )
        text = json_text + printed(launch, 5000)
        never = {key.key.hex() for key in sandbox.keys.values()} | {bot.token for bot in sandbox.world.bots()}
        assert [secret for secret in never if secret in text] == []
    masked = json.dumps(inspection.to_json()) + printed(inspection, 5000)
    assert inspection.bot is not None
    assert str(inspection.bot.access_hash) not in masked
    assert "GuardedChannelInvite" not in masked


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("https://t.me/+AbcDefGhi_1", "https://t.me/+***"),
        ("t.me/joinchat/AbcDefGhi_1", "t.me/joinchat/***"),
        ("tg://join?invite=AbcDefGhi_1", "tg://join?invite=***"),
        ("https://t.me/+Abc%44efGhi_1", "https://t.me/+***"),
        ("https://t.me/+48123456789", "https://t.me/+***"),
        ("https://shop.example/#tgWebAppData=canary", "https://shop.example/#tgWebAppData=***"),
        (LINK, LINK),
        ("@demo_bot", "@demo_bot"),
        ("nothing", "nothing"),
    ],
)
def test_a_target_is_told_without_what_it_opens(target: str, told: str) -> None:
    assert masked_target(target) == told


async def test_the_app_is_not_left_open() -> None:
    async with launcher(prolong_every=0.01) as alice:
        inspection = await inspect_link(alice, "@demo_bot", via="menu_button")
        assert inspection.opened
        assert inspection.web_view is not None
        assert inspection.web_view.query_id is not None
        assert alice.apps == set()


async def test_a_bot_that_is_known_is_remembered() -> None:
    async with launcher() as alice:
        await inspect_link(alice, LINK)
        value = (await inspect_link(alice, LINK)).to_json()
    assert value["bot"]["remembered"] is True
    assert [request["method"] for request in value["requests"]] == [
        "messages.getBotApp",
        "messages.requestAppWebView",
    ]
    assert value["requests"][0]["answer"]["app"] == "botAppNotModified"
    assert value["app"]["title"] == "The app"
    assert value["questions"] == []


async def test_what_the_policy_answers_is_told() -> None:
    asked: list[Prompt] = []

    def ask(prompt: Prompt) -> bool:
        asked.append(prompt)
        return True

    async with launcher() as alice:
        declined = await inspect_link(alice, "t.me/demo_bot/notes")
        allowed = await inspect_link(alice, "t.me/demo_bot/notes", consent=Consent(write_access=ask))
    answers = {line["question"]: line["allowed"] for line in declined.to_json()["questions"]}
    assert answers == {"first_launch": True, "write_access": False}
    assert "write_allowed" not in declined.to_json()["requests"][-1]["parameters"]
    assert [prompt.bot for prompt in asked] == ["demo_bot"]
    assert {line["question"]: line["allowed"] for line in allowed.to_json()["questions"]} == {
        "write_access": True
    }
    assert allowed.to_json()["requests"][-1]["parameters"]["write_allowed"] is True


# Where a launch stops


World = Callable[[Sandbox], Any]


def as_it_is(_: Sandbox) -> None: ...


def fault(method: str, action: Any) -> World:
    return lambda sandbox: sandbox.faults.on(method, action, times=None, account=ALICE)


def block(sandbox: Sandbox) -> None:
    sandbox.world.user(ALICE).blocked.add(DEMO_BOT)


Case = tuple[str, dict[str, Any], World, str, str, bool]
REFUSED: dict[str, Case] = {
    "no link": ("hello there", {}, as_it_is, "link", "BadInput", False),
    "a link to no app": ("https://t.me/addstickers/Cats", {}, as_it_is, "link", "BadInput", False),
    "a bad start parameter": (LINK, {"start_param": "ä"}, as_it_is, "link", "BadInput", False),
    "no such flow": (LINK, {"via": "teleport"}, as_it_is, "link", "BadInput", False),
    "nobody": ("@nobody_there", {}, as_it_is, "bot", "BotNotFound", False),
    "a person": ("https://t.me/alice?startapp", {}, as_it_is, "bot", "CannotOpen", False),
    "a restricted bot": ("t.me/restricted_bot?startapp", {}, as_it_is, "bot", "CannotOpen", True),
    "a broken connection": (
        LINK, {}, fault("contacts.resolveUsername", DropBefore()), "bot", "NotConnected", False,
    ),
    "several ways": ("@demo_bot", {}, as_it_is, "app", "BadInput", True),
    "no such app": ("t.me/demo_bot/nothing", {}, as_it_is, "app", "AppNotFound", True),
    "no main app": ("t.me/plain_bot?startapp", {}, as_it_is, "app", "CannotOpen", True),
    "no menu button": ("@plain_bot", {"via": "menu_button"}, as_it_is, "app", "CannotOpen", True),
    "no attachment": ("t.me/plain_bot?startattach", {}, as_it_is, "app", "CannotOpen", True),
    "no such button": ("@demo_bot", {"button": "Nothing"}, as_it_is, "app", "CannotOpen", True),
    "a lost account": (
        LINK, {}, fault("messages.getBotApp", Fail(401, "AUTH_KEY_UNREGISTERED")), "app", "AccountLost", True,
    ),
    "a question": (
        LINK, {"consent": Consent(first_launch="decline")}, as_it_is, "questions", "ConsentDeclined", True,
    ),
    "an installation": ("t.me/attach_bot?startattach", {}, as_it_is, "questions", "ConsentDeclined", True),
    "a blocked bot": ("@demo_bot", {"via": "menu_button"}, block, "request", "Blocked", True),
    "a refused web view": (
        LINK, {}, fault("messages.requestAppWebView", Fail(400, "BOT_APP_INVALID")), "request", "AppNotFound",
        True,
    ),
    "a flood wait": (
        LINK, {}, fault("messages.requestAppWebView", FloodWait(600)), "request", "FloodWait", True,
    ),
}  # fmt: skip
SECTIONS = {"link": 1, "bot": 2, "app": 3, "questions": 4, "request": 4}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
async def test_a_refused_launch_is_shown_up_to_its_refusal(case: Case) -> None:
    target, options, change, stage, error, has_bot = case
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        change(sandbox)
        inspection = await inspect_link(alice, target, **options)
        assert alice.apps == set()
    value = json.loads(json.dumps(inspection.to_json()))
    assert value.keys() == KEYS
    assert (value["opened"], value["ok"], value["stopped_at"]) == (False, False, stage)
    assert value["error"]["type"] == error
    assert (value["bot"] is not None) is has_bot
    assert (value["answer"], value["checks"]) == (None, [])
    failure = inspection.failure
    assert isinstance(failure, MiniAppError)
    assert (value["error"]["meaning"], value["error"]["remedy"]) == (failure.meaning, failure.remedy)
    assert value["error"]["message"] == str(failure)
    assert None not in value["error"].values()
    text = " ".join(printed(inspection, 300).split())
    assert failure.meaning in text
    assert failure.remedy in text
    titles = [title for title in ("The link", "The bot", "The app", "The questions") if title in text]
    assert len(titles) == SECTIONS[stage]
    assert "The requests" in text
    assert "The answer" not in text


async def test_a_refused_request_is_in_the_list_with_its_error() -> None:
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        value = (await inspect_link(alice, "t.me/demo_bot/nothing")).to_json()
    request = value["requests"][-1]
    assert (request["method"], request["answer"]) == ("messages.getBotApp", None)
    assert request["error"]["name"] == value["error"]["name"] == "BOT_APP_INVALID"
    assert value["error"]["code"] == 400
    assert value["error"]["source"].startswith("core.telegram.org/")


async def test_what_was_offered_is_shown_though_it_was_refused() -> None:
    async with launcher() as alice:
        offered = (await inspect_link(alice, "t.me/attach_bot?startattach")).to_json()["app"]
        no = Consent(first_launch="decline")
        notes = (await inspect_link(alice, "t.me/demo_bot/notes", consent=no)).to_json()["app"]
    assert offered["bot"]["bot_id"] == ATTACH_BOT
    assert offered["bot"]["inactive"] is True
    assert offered["bot"]["request_write_access"] is True
    assert notes["request_write_access"] is True
    assert (notes["app"]["title"], notes["app"]["access_hash"]) == ("Notes", "***")


# Checks that fail


def another_key(call: Any) -> None:
    call.sandbox.init_data_key = Ed25519PrivateKey.generate()


async def test_a_signature_by_another_key_fails_and_shows_what_was_signed() -> None:
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        sandbox.faults.on("messages.requestWebView", Act(another_key))
        inspection = await inspect_link(alice, "@demo_bot", via="menu_button")
        sandbox.faults.on("messages.requestWebView", Act(another_key))
        revealed = await inspect_link(alice, "@demo_bot", via="menu_button", reveal=True)
    value = inspection.to_json()
    assert (value["opened"], value["ok"]) == (True, False)
    assert verdicts(value)["signature"] == "failed"
    assert verdicts(value)["hash"] == "passed"
    (failed,) = (check for check in value["checks"] if check["verdict"] == "failed")
    assert failed["remedy"]
    assert "query_id=***" in failed["data_check_string"].split("\n")
    assert inspection.web_view is not None
    assert inspection.web_view.init_data is not None
    assert str(inspection.web_view.init_data.query_id) not in json.dumps(value) + printed(inspection, 5000)
    assert revealed.web_view is not None
    assert revealed.web_view.init_data is not None
    assert f"query_id={revealed.web_view.init_data.query_id}" in json.dumps(revealed.to_json())
    assert "Not every check passed." in printed(inspection)


@pytest.mark.parametrize(
    ("token", "verdict"),
    [
        (f"{DEMO_BOT}:{'not-the-secret':0<35}", "failed"),
        ("1234:another-bots-token", "skipped"),
        (f"{DEMO_BOT}:no token at all", "skipped"),
    ],
)
async def test_the_token_of_the_settings_checks_the_hash(token: str, verdict: str) -> None:
    async with Sandbox() as sandbox, launcher(sandbox, bot_token=token) as alice:
        inspection = await inspect_link(alice, LINK)
    assert verdicts(inspection.to_json())["hash"] == verdict
    assert token not in json.dumps(inspection.to_json()) + printed(inspection)


async def test_old_init_data_fails() -> None:
    later = itertools.count(1_800_000_000, 1000)
    sandbox = Sandbox(clock=lambda: float(next(later)))
    async with sandbox, launcher(sandbox) as alice:
        value = (await inspect_link(alice, LINK)).to_json()
    assert verdicts(value)["age"] == "failed"


# What strangers write


async def test_hostile_texts_cannot_steer_the_terminal() -> None:
    async with Sandbox() as sandbox, launcher(sandbox) as alice:
        sandbox.world.bot(DEMO_BOT).apps["app"].title = "[red]Evil[/red]\x1b[2J\u202e\r\nnew"
        inspection = await inspect_link(alice, LINK)
        hostile = await inspect_link(alice, "\x1b]0;owned\x07https://t.me/[bold]x")
    text = printed(inspection, 200)
    assert "[red]Evil[/red]\\x1b[2J\\u202e\\x0d\\x0anew" in text
    for shown in (text, printed(hostile)):
        assert not {char for char in shown if not char.isprintable()} - {"\n"}
    assert "\\x1b]0;owned\\x07" in printed(hostile)


@pytest.mark.parametrize("width", [40, 80, 200])
async def test_every_width_can_be_printed(width: int) -> None:
    async with launcher() as alice:
        text = printed(await inspect_link(alice, LINK), width)
    assert "7 The checks" in text
    assert "Opened, and closed again." in text


def test_what_does_not_print_is_escaped() -> None:
    assert plain("a\tb\x00\u202e\ud800\U000e0001é") == "a\\x09b\\x00\\u202e\\ud800\\U000e0001é"


# Traces


async def test_a_trace_holds_the_blocks_own_requests_only() -> None:
    """Another task's prolongs go on meanwhile, and are not in it."""
    prolonged = asyncio.Event()

    def on_prolong(app: MiniApp, _: MiniAppError | None) -> None:
        if app.prolongs >= 2:
            prolonged.set()

    async with launcher(prolong_every=0.01) as alice:
        async with alice.open("@demo_bot", via="menu_button") as app:
            app.on_prolong = on_prolong
            with traced() as exchanges:
                await alice.client.get_messages("demo_bot", limit=1)
                await prolonged.wait()
        await alice.client.get_messages("demo_bot", limit=1)
    methods = {exchange.method for exchange in exchanges}
    assert "messages.getHistory" in methods
    assert "messages.prolongWebView" not in methods
    assert len(exchanges) == len(methods)


class Fields(TLObject):  # type: ignore[misc]  # Telethon is untyped
    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


@pytest.mark.parametrize(
    "name",
    [
        "access_hash", "api_hash", "bot_auth_token", "bot_query_id", "bytes", "chat_join_request_query_id",
        "code", "file_reference", "hash", "password", "phone", "phone_code", "phone_code_hash",
        "phone_number", "query_id", "signature", "token",
    ],
)  # fmt: skip
def test_a_secret_field_is_masked_unless_revealed(name: str) -> None:
    secret = Fields(**{name: "sesame"})
    assert parameters(secret) == {name: "***"}
    assert parameters(secret, reveal=True) == {name: "sesame"}


def test_tl_as_json() -> None:
    peer = types.InputPeerUser(1, 2)
    assert tl_json([peer, b"abc"]) == [{"_": "inputPeerUser", "user_id": 1, "access_hash": "***"}, "3 bytes"]
    assert tl_json(peer, reveal=True)["access_hash"] == "2", "a number of 64 bits is a text"
    markup = types.ReplyKeyboardMarkup([], resize=True, single_use=False)
    assert parameters(markup) == {"rows": [], "resize": True}
    assert answer_summary([1, 2]) == {"_": "vector", "length": 2}
    assert answer_summary(True) is True


def test_what_a_page_keeps_and_pays_with_is_masked() -> None:
    secret = types.DataJSON('{"id": "tok_visa"}')
    card = functions.payments.SendPaymentFormRequest(
        1, types.InputInvoiceSlug("slug"), types.InputPaymentCredentials(secret)
    )
    saved = functions.bots.InvokeWebViewCustomMethodRequest(types.InputUser(1, 2), "save", secret)
    for shown in (parameters(card), parameters(saved), answer_summary(secret)):
        assert "tok_visa" not in str(shown)
    assert "tok_visa" in str(parameters(card, reveal=True))
    assert answer_summary(secret, reveal=True) == {"_": "dataJSON", "data": secret.data}
