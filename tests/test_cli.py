"""The command line as its users have it: the console script, against a sandbox that is another process.

What is refused is tried in this process, by the same `main`, because starting Python takes most of the time.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

import pytest
from pydantic import SecretStr
from telethon import events
from telethon.tl import functions, types
from typer.testing import CliRunner

from flows import FLOWS, OpenMode, Prompt, Question
from launcher import cli
from launcher.accounts import Accounts
from launcher.bridge.bridge import Bridge
from launcher.cli import options, output
from launcher.cli.failures import report
from launcher.cli.page import Page
from launcher.cli.questions import ask_on_terminal
from launcher.hosts.recordings import NO_FFMPEG
from launcher.page_events import Logged
from launcher.sandbox import ASSUMPTIONS, Sandbox, ready_file
from launcher.servers import server_of
from launcher.settings import Settings
from launcher.sign_in import PasswordAsked, typed_password
from tests.conftest import need
from tests.pages import Pages, app
from tests.programs_beside import program
from tests.running import launching
from tests.test_bridge import MINIMAL, send, settle

SCRIPT = Path(sys.executable).with_name("miniapp")
HEAVY = {
    "asyncio",
    "telethon",
    "pydantic_settings",
    "cryptography",
    "cryptg",
    "httpx",
    "dotenv",
    "flows",
    "launcher.settings",
}
"""Not pydantic: typer itself loads it for the help of a command with options."""
APP = "https://t.me/demo_bot/app"
ALICE, BOB = "9996621111", "9996622222"
CODE, PASSWORD = "22222", "correct horse"
PATIENCE = 60.0
"""Seconds after which a test gives up waiting for something that should come at once."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON value of standard output."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Terminal:
    """A folder to work in, with its own accounts, and the server that commands are for."""

    folder: Path
    server: str

    @property
    def settings(self) -> Settings:
        return Settings(server=self.server, sessions=self.folder / "sessions", _env_file=None)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.settings, server_of(self.settings))

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("TELEGRAM_", "MINI"))
        }
        ours = {"TELEGRAM_SESSIONS": str(self.folder / "sessions"), "TELEGRAM_SERVER": self.server}
        return kept | {"COLUMNS": "120"} | ours | dict(extra or {})

    def run(self, *arguments: str, typed: str = "", env: Mapping[str, str] | None = None) -> Finished:
        done = subprocess.run(
            [SCRIPT, *arguments],
            input=typed, env=self.environment(env), cwd=self.folder, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[Process]:
        """A command while it runs; whatever is left of it at the end is killed."""
        process = await asyncio.create_subprocess_exec(
            SCRIPT, *arguments, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env=self.environment(), cwd=self.folder,
        )  # fmt: skip
        try:
            async with asyncio.timeout(PATIENCE):
                yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The path of the ready file of a sandbox that runs as a program, and ends well when told to."""
    folder = tmp_path_factory.mktemp("sandbox")
    ready_file = folder / "ready.json"
    command = [str(SCRIPT), "sandbox", "--ready-file", str(ready_file), "--json"]
    with program(command, stdout=PIPE, stderr=PIPE, cwd=folder) as started:
        assert started.stdout is not None
        said = json.loads(started.stdout.readline())
        assert said == json.loads(ready_file.read_text())
        yield str(ready_file)
        started.send_signal(signal.SIGTERM)
        rest, progress = started.communicate(timeout=PATIENCE)
    assert (started.returncode, rest) == (0, "")
    assert f"miniapp login --phone {ALICE}" in progress
    assert not ready_file.exists()


@pytest.fixture
def terminal(sandbox: str, tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, sandbox)


@pytest.fixture(scope="session")
def alices(sandbox: str, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal on which Alice is signed in; tests leave her there."""
    terminal = Terminal(tmp_path_factory.mktemp("alice"), sandbox)
    done = terminal.run("login", "--phone", ALICE, typed=f"{CODE}\n")
    assert (done.code, done.out) == (
        0,
        "Signed in as alice (user 1001, +99…11) on the server sandbox; kept in a plain file.\n",
    )
    assert "The code was sent by SMS" in done.err
    assert CODE not in done.err
    return terminal


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs a command line in this process."""

    def run(
        terminal: Terminal, *arguments: str, typed: str = "", env: Mapping[str, str] | None = None
    ) -> Finished:
        monkeypatch.chdir(terminal.folder)
        for name in os.environ:
            monkeypatch.delenv(name)
        for name, value in terminal.environment(env).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["miniapp", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        return Finished(ended.value.code, *capsys.readouterr())

    return run


# Help


def help_of(*command: str) -> str:
    result = CliRunner().invoke(cli.app, [*command, "--help"], env={"COLUMNS": "200"}, terminal_width=200)
    assert result.exit_code == 0
    return result.output


OPENING = (
    "--via --chat --button --topic --reply-to --send-as --silent --start --start-param --query --platform "
    "--mode --theme --allow --ask --reveal"
)
SHOWING = "--host --headed --screenshot --video --trace --sdk"
KEEPING = "--report --save"
OPTIONS = {
    "login": "--phone --qr --bot --account",
    "logout": "--force --account",
    "accounts": "--account export import",
    "accounts export": "--account",
    "accounts import": "--account",
    "open": f"{OPENING} --account --speculate --for --send-data {SHOWING} {KEEPING}",
    "inspect": f"{OPENING} --account --host {KEEPING} --jsonl --output --budget",
    "exporter": "--account --listen --history --web-config",
    "verify": "--link --budget --allow --save --account",
    "sandbox": "--port --ready-file --flip --query-lifetime --metapro --assumptions",
    "worker": "--database --name --once --migrate --status --account",
    "demo": "--reveal --no-browser --report --install-browser",
}


@pytest.mark.parametrize("command", OPTIONS)
def test_help_tells_every_option(command: str) -> None:
    words = set(re.findall(r"[\w-]+", help_of(*command.split())))
    common = {"--server", "--json"} if command != "exporter" else {"--server"}
    assert {*OPTIONS[command].split(), *common} <= words


def test_help_names_every_command() -> None:
    assert {name.split()[0] for name in OPTIONS} <= set(help_of().split())


def test_help_loads_nothing_heavy() -> None:
    """For the program and for each command."""
    script = (
        "import sys; from typer.testing import CliRunner; from launcher.cli import app\n"
        f"for command in {['', *OPTIONS]!r}:\n"
        "    assert CliRunner().invoke(app, [*command.split(), '--help']).exit_code == 0\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "launcher.cli.open" in loaded
    assert not loaded & HEAVY


def test_the_names_in_help_are_those_of_the_flows() -> None:
    assert get_args(options.Flow) == tuple(FLOWS)
    assert get_args(options.Mode) == tuple(OpenMode)


# Signing in


def test_signing_in_with_code_and_password_from_the_environment(terminal: Terminal, inside: Any) -> None:
    secrets = {"TELEGRAM_CODE": CODE, "TELEGRAM_PASSWORD": PASSWORD}
    done = inside(terminal, "login", "work", "--phone", BOB, "--json", env=secrets)
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "name": "work", "server": "sandbox", "encrypted": False, "user_id": 1002, "phone": "+99…22",
        "held_by": None, "problem": None,
    }  # fmt: skip
    assert [account.user_id for account in terminal.accounts.list()] == [1002]


def test_what_is_typed_in_is_asked_for_in_turn_and_not_repeated(terminal: Terminal, inside: Any) -> None:
    """Number, an empty line for another code, a wrong code, the code, the password."""
    typed = f"{BOB}\n\n00000\n{CODE}\n{PASSWORD}\n"
    done = inside(terminal, "login", typed=typed, env={"TELEGRAM_SESSION_PASSPHRASE": "of the files"})
    assert (done.code, done.out) == (
        0,
        "Signed in as bob_builds (user 1002, +99…22) on the server sandbox; kept encrypted.\n",
    )
    asked = ["Phone number", "by SMS", "by a phone call", "That code was wrong", "Two-step password"]
    assert [text for line, text in zip(done.err.splitlines(), asked, strict=True) if text in line] == asked
    assert PASSWORD not in done.err


async def test_signing_in_by_a_qr_code(terminal: Terminal, alices: Terminal) -> None:
    async with terminal.running("login", "--qr", "--json") as login:
        assert login.stderr is not None
        drawn = []
        while not (line := (await login.stderr.readline()).decode()).startswith("tg://login?token="):
            assert line
            drawn.append(line)
        assert "auth.acceptLoginToken" in drawn[0]
        assert sum("█" in line or "▀" in line or "▄" in line for line in drawn) > 10
        token = base64.urlsafe_b64decode(line.strip().partition("=")[2] + "==")
        async with alices.accounts.connect("alice") as client:
            await client(functions.auth.AcceptLoginTokenRequest(token))
        out, err = await login.communicate()
    assert login.returncode == 0, err
    assert (json.loads(out)["name"], json.loads(out)["user_id"]) == ("alice", 1001)


async def test_ctrl_c_ends_a_question_at_once(terminal: Terminal) -> None:
    async with terminal.running("login", "--phone", ALICE) as login:
        assert login.stderr is not None
        assert b"Code:" in await login.stderr.readline()
        login.send_signal(signal.SIGINT)
        out, err = await login.communicate()
    assert (login.returncode, out, err) == (130, b"", b"")


def test_accounts_are_listed_carried_elsewhere_and_signed_out(
    alices: Terminal, terminal: Terminal, inside: Any
) -> None:
    listed = inside(alices, "accounts")
    assert re.search(r"alice .* sandbox .* 1001 .* \+99…11 .* no ", listed.out)
    [alice] = inside(alices, "accounts", "--json").json
    exported = inside(alices, "accounts", "export", "alice").out
    assert inside(alices, "accounts", "export", "alice", "--json").json["account"] == exported.strip()
    assert inside(terminal, "accounts", "import", "typed", typed=exported).code == 0
    environment = {"MINIAPP_ACCOUNT": exported}
    imported = inside(terminal, "accounts", "import", "given", "--json", env=environment)
    assert imported.json == alice | {"name": "given"}
    assert inside(terminal, "accounts", "--json", "--account", "typed").json == [alice | {"name": "typed"}]


def test_signing_out_ends_the_session(terminal: Terminal, inside: Any) -> None:
    token = token_of_the_first_bot(terminal)
    signed_in = inside(terminal, "login", "--bot", typed=f"{token}\n")
    assert "Signed in as demo_bot" in signed_in.out
    assert token not in signed_in.out + signed_in.err
    exported = inside(terminal, "accounts", "export", "demo_bot").out
    assert inside(terminal, "logout", "demo_bot").out == "Signed out demo_bot on the server sandbox.\n"
    assert "No account is signed in" in inside(terminal, "accounts").err
    inside(terminal, "accounts", "import", "ghost", typed=exported)
    refused = inside(terminal, "logout", "ghost", "--json")
    assert refused.json["error"]["type"] == "AccountLost"
    assert refused.json["error"]["message"].endswith(
        "`miniapp logout ghost --force` removes the file all the same."
    )
    assert inside(terminal, "logout", "--account", "ghost", "--force", "--json").json["signed_out"]
    assert terminal.accounts.names() == []


def test_looking_at_the_accounts_needs_no_api_id(terminal: Terminal, inside: Any) -> None:
    listed = inside(terminal, "accounts", "--server", "production")
    assert (listed.code, listed.out) == (0, "")
    assert "No account is signed in on the server production" in listed.err


def token_of_the_first_bot(terminal: Terminal) -> str:
    return str(json.loads(Path(terminal.server).read_text())["bots"][0]["token"])


# Opening

LAUNCHES = {
    "keyboard_button": ("@demo_bot", "--via", "keyboard_button", "--button", "Order"),
    "inline_button": ("@demo_bot", "--via", "inline_button", "--button", "0,0"),
    "menu_button": ("@demo_bot", "--via", "menu_button"),
    "attachment_menu": ("https://t.me/demo_bot?startattach=x", "--allow", "write_access"),
    "side_menu": ("@side_bot", "--via", "side_menu", "--allow", "installation", "--allow", "disclaimer"),
    "inline_mode": ("@demo_bot", "--via", "inline_mode", "--query", "x"),
    "direct_link": (APP, "--start-param", "from_the_command_line"),
    "main_app": ("@demo_bot", "--via", "main_app", "--mode", "fullscreen", "--theme", "dark"),
    "chat_join": ("https://t.me/+GuardedChannelInvite",),
}
NAMELESS = {"keyboard_button", "inline_mode"}
"""The flows whose page is not told who opens it."""
PROLONGED = {"inline_button", "menu_button", "attachment_menu"}


@pytest.mark.parametrize("flow", FLOWS)
def test_opening_every_flow(alices: Terminal, inside: Any, flow: str) -> None:
    done = inside(alices, "open", *LAUNCHES[flow], "--platform", "ios", "--for", "0", "--json")
    assert (done.code, done.err) == (0, "")
    launch = done.json
    assert (launch["flow"], launch["request"]) == (flow, FLOWS[flow].method)
    assert (launch["platform"], launch["closed"], launch["prolongs"]) == ("ios", "caller", 0)
    assert "tgWebAppPlatform=ios" in launch["url"]
    assert launch["query_id"] == ("***" if flow in PROLONGED else None)
    if flow in NAMELESS:
        assert launch["init_data"] is None
    else:
        assert launch["init_data"]["user"]["username"] == "alice"
        assert launch["init_data"]["hash"] == launch["init_data"]["signature"] == "***"
    assert no_secret(done.out)


def test_the_number_of_a_join_request_is_a_secret(alices: Terminal, inside: Any) -> None:
    launch = ("open", *LAUNCHES["chat_join"], "--for", "0", "--json")
    assert inside(alices, *launch).json["init_data"]["chat_join_request_query_id"] == "***"
    assert int(inside(alices, *launch, "--reveal").json["init_data"]["chat_join_request_query_id"])


def test_the_options_reach_the_launch(alices: Terminal, inside: Any) -> None:
    main = inside(alices, "open", *LAUNCHES["main_app"], "--for", "0", "--json").json
    assert main["mode"] == "fullscreen"
    assert '"bg_color":"#181c22"' in unquote(main["url"])
    other = inside(alices, "open", APP, "--platform", "zx81", "--for", "0", "--json")
    assert "No known client calls itself 'zx81'" in other.err
    assert (other.code, other.json["platform"]) == (0, "zx81")
    link = inside(alices, "open", *LAUNCHES["direct_link"], "--for", "0", "--json").json
    assert link["init_data"]["start_param"] == "from_the_command_line"


def test_secrets_are_shown_on_request_alone(alices: Terminal, inside: Any) -> None:
    launch = (*LAUNCHES["inline_button"], "--for", "0")
    told = inside(alices, "open", *launch, "--reveal", "--json").json
    assert not no_secret(told["url"])
    assert told["init_data"]["raw"] in unquote(told["url"])
    assert int(told["query_id"])
    shown = inside(alices, "open", *launch, "--reveal")
    assert not no_secret(shown.out)
    masked = inside(alices, "open", *launch)
    assert "tgWebAppData=***" in masked.out
    assert "Alice Liddell (@alice, 1001)" in masked.out
    assert no_secret(masked.out + masked.err)


def no_secret(text: str) -> bool:
    """Whether nothing in it could be a hash, a signature, a key or a query id."""
    text = unquote(re.sub(r"│\s*\n│\s*", "", text))
    return not re.search(r"[0-9a-fA-F]{32}|[\w-]{60}|(hash|signature|query_id)=(?!\*\*\*)", text)


async def test_an_app_is_prolonged_until_ctrl_c(alices: Terminal) -> None:
    async with alices.running("open", *LAUNCHES["inline_button"], "--prolong-every", "0.05") as opened:
        assert opened.stderr is not None
        lines = [(await opened.stderr.readline()).decode().partition(": ")[2] for _ in range(2)]
        opened.send_signal(signal.SIGINT)
        out, _ = await opened.communicate()
    assert lines == ["prolonged (1)\n", "prolonged (2)\n"]
    assert re.search(r"Closed after [\d.]+ s, prolonged \d+ times: caller\n$", out.decode())
    assert opened.returncode == 130


async def typed_code(_: object) -> str:
    return CODE


async def test_a_lost_connection_is_told_and_being_told_to_end_is_no_failure(tmp_path: Path) -> None:
    async with Sandbox() as sandbox:
        ready_file.write(tmp_path / "ready.json", ready_file.describe(sandbox))
        terminal = Terminal(tmp_path, str(tmp_path / "ready.json"))
        await terminal.accounts.sign_in_by_phone("alice", ALICE, code=typed_code)
        async with terminal.running("open", *LAUNCHES["main_app"]) as opened:
            assert opened.stdout is not None
            assert opened.stderr is not None
            while not (await opened.stdout.readline()).startswith("╰".encode()):
                pass
            sandbox.drop_connections()
            lines = [(await opened.stderr.readline()).decode().partition(": ")[2] for _ in range(2)]
            opened.send_signal(signal.SIGTERM)
            out, _ = await opened.communicate()
    assert lines == ["the connection is lost\n", "the connection is back\n"]
    assert (opened.returncode, out.rstrip()[-8:]) == (0, b": caller")


async def test_sent_data_arrives_at_the_bot(alices: Terminal, terminal: Terminal) -> None:
    token = token_of_the_first_bot(terminal)
    await terminal.accounts.sign_in_bot("bot", SecretStr(token))
    arrived: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def on_message(update: Any) -> None:
        action = getattr(update.message, "action", None)
        if isinstance(action, types.MessageActionWebViewDataSentMe):
            arrived.set_result(action.data)

    async with terminal.accounts.connect("bot") as bot:
        bot.add_event_handler(on_message, events.Raw(types.UpdateNewMessage))
        launch = ("open", *LAUNCHES["keyboard_button"], "--send-data", "two teas", "--json")
        async with alices.running(*launch) as sent:
            assert await arrived == "two teas"
            out, err = await sent.communicate()
    assert (sent.returncode, err) == (0, b"")
    assert json.loads(out)["closed"] == "data_sent"


def test_the_sandbox_in_the_process_needs_nothing_at_all(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, "production")
    done = terminal.run(
        "open", "@demo_bot", "--via", "main_app", "--server", "sandbox", "--for", "0", "--json"
    )
    assert (done.code, done.json["flow"], done.err) == (0, "main_app", "")
    assert list(tmp_path.iterdir()) == []


def test_questions_are_asked_on_the_terminal(alices: Terminal, inside: Any) -> None:
    notes = ("open", "https://t.me/demo_bot/notes", "--ask", "--for", "0", "--json")
    declined = inside(alices, *notes, typed="y\nn\n")
    assert (declined.code, declined.json["flow"]) == (0, "direct_link")
    assert "@demo_bot (open Notes): allow write_access? [y/N]" in declined.err
    assert "Alice" not in declined.err
    refused = inside(alices, "open", "@attach_bot", "--via", "attachment_menu", "--ask", typed="n\nn\nn\n")
    assert refused.code == 1
    assert "The question" in refused.err


# Inspecting and demonstrating


def test_inspecting_takes_the_options_of_opening(alices: Terminal, inside: Any) -> None:
    notes = ("inspect", "https://t.me/demo_bot/notes", "--start-param", "x", "--platform", "weba")
    done = inside(alices, *notes, "--allow", "write_access", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json["opened"]
    assert done.json["requests"][-1]["parameters"]["platform"] == "weba"
    assert done.json["requests"][-1]["parameters"]["write_allowed"]
    assert no_secret(done.out)
    shown = inside(alices, *notes)
    assert shown.code == 0
    assert no_secret(shown.out)
    assert "hash=" in unquote(inside(alices, *notes, "--reveal", "--json").out)


def test_inspecting_what_does_not_open_is_told_in_a_line_as_well(alices: Terminal, inside: Any) -> None:
    done = inside(alices, "inspect", "https://t.me/demo_bot/nosuchapp", "--json")
    assert (done.code, done.json["opened"]) == (1, False)
    assert re.fullmatch("miniapp: messages.getBotApp: 400 BOT_APP_INVALID.*\n", done.err)


def test_the_demonstration_is_as_documented(terminal: Terminal, inside: Any) -> None:
    done = inside(terminal, "demo", "--no-browser", "--json")
    assert (done.code, done.json["ok"], done.json["browser"]) == (0, True, False)
    assert not (terminal.folder / "demo-report").exists()
    assert {launch["flow"] for launch in done.json["launches"]} == set(FLOWS)
    assert no_secret(done.out + done.err)


# Pages

SAMPLE = ("open", "@demo_bot", "--via", "main_app", "--server", "sandbox", "--for", "0")


def test_a_page_is_looked_at_over_http(terminal: Terminal, inside: Any) -> None:
    shown = inside(terminal, *SAMPLE, "--host", "http")
    assert (shown.code, shown.err) == (0, "")
    assert re.search(r"│ status +200 +│\n│ type +text/html; charset=utf-8", shown.out)
    told = inside(terminal, *SAMPLE, "--host", "http", "--json").json
    assert (told["http"]["status"], told["http"]["failure"]) == (200, None)
    assert told["http"]["url"].endswith("/main_app")
    assert (told["ready"], told["events"]) == (None, None)


def test_without_a_host_no_page_is_shown(terminal: Terminal, inside: Any) -> None:
    told = inside(terminal, *SAMPLE, "--json").json
    assert told["url"].startswith("https://demo.example/main#")
    assert [told[name] for name in ("ready", "load_failure", "events", "failures", "http")] == [None] * 5


def test_a_page_is_shown_and_its_events_are_told(terminal: Terminal) -> None:
    done = terminal.run(
        *SAMPLE, "--host", "browser", "--screenshot", "app.png", "--trace", "trace.zip", "--video", "film",
        "--json",
    )  # fmt: skip
    if "Chromium" in done.err:
        need("Chromium", done.err)
    assert done.code == 0, done.err
    assert (done.json["ready"], done.json["load_failure"], done.json["http"]) == (True, None, None)
    assert done.json["failures"] == []
    assert done.json["events"]["outgoing"]["web_app_ready"] == 1
    assert done.json["events"]["incoming"]["theme_changed"] == 1
    lines = [line.partition(": ") for line in done.err.splitlines()]
    assert all(re.fullmatch(r"\d+\.\d s", when) for when, _, _ in lines)
    told = [event for _, _, event in lines]
    assert "page → client: web_app_ready" in told
    asked = told.index("page → client: web_app_request_theme")
    assert any(line.startswith("client → page: theme_changed {") for line in told[asked:])
    assert no_secret(done.out + done.err)
    assert (terminal.folder / "app.png").read_bytes().startswith(b"\x89PNG")
    assert (terminal.folder / "trace.zip").read_bytes().startswith(b"PK")
    kept = {file.suffix for file in (terminal.folder / "film").iterdir()}
    assert kept == ({".jpg"} if NO_FFMPEG in told else {".webm"})


async def test_events_are_told_without_what_a_page_keeps(capsys: pytest.CaptureFixture[str]) -> None:
    kept = Logged("outgoing", "web_app_secure_storage_save_key", '{"key":"pin","value":"canary"}', 0.0)
    token = Logged("outgoing", "web_app_biometry_update_token", '{"token":"canary"}', 0.0)
    async with launching() as (launcher, _), launcher.open("@demo_bot", via="main_app") as opened:
        for reveal in (False, True):
            for event in (kept, token):
                Page(reveal=reveal)._tell(opened, event)
    masked = capsys.readouterr().err.splitlines()
    assert masked[0].endswith('web_app_secure_storage_save_key {"key":"pin","value":"***"}')
    assert ["canary" in line for line in masked] == [False, False, True, True]


def test_a_page_that_does_not_load_is_told(tmp_path: Path, inside: Any) -> None:
    """No host has the addresses of a sandbox without its site."""
    with Sandbox().in_thread() as bare:
        path = tmp_path / "bare.json"
        ready_file.write(path, ready_file.describe(bare))
        terminal = Terminal(tmp_path, str(path))
        assert inside(terminal, "login", "--phone", ALICE, typed=f"{CODE}\n").code == 0
        done = inside(terminal, "open", *LAUNCHES["main_app"], "--for", "0", "--host", "browser", "--json")
    if "Chromium" in done.err:
        need("Chromium", done.err)
    assert (done.code, done.json["ready"]) == (1, False)
    assert done.json["load_failure"] in done.err


@pytest.mark.parametrize("as_json", [True, pytest.param(False, marks=pytest.mark.slow)])
async def test_a_page_that_is_closed_for_what_it_does_says_why(tmp_path: Path, as_json: bool) -> None:
    flood = app("for (let i = 0; i < 20000; i++) post('web_app_expand')")
    async with Sandbox() as sandbox, Pages({"/": flood}) as pages:
        sandbox.world.bot("demo_bot").main_app = pages.url("/")
        ready_file.write(tmp_path / "ready.json", ready_file.describe(sandbox))
        terminal = Terminal(tmp_path, str(tmp_path / "ready.json"))
        await terminal.accounts.sign_in_by_phone("alice", ALICE, code=typed_code)
        json_too = ["--json"] if as_json else []
        async with terminal.running("open", *LAUNCHES["main_app"], "--host", "browser", *json_too) as opened:
            out, told = await opened.communicate()
    if b"Chromium" in told:
        need("Chromium", told.decode())
    assert opened.returncode == 1
    if as_json:
        assert json.loads(out)["host_end"] == {"reason": "the page went over a limit", "detail": "events"}
    else:
        assert out.decode().endswith(": host_gone (the page went over a limit: events)\n")


def test_the_sandbox_of_another_process_shows_its_pages(alices: Terminal, inside: Any) -> None:
    told = inside(alices, "open", APP, "--for", "0", "--host", "http", "--json").json
    site = json.loads(Path(alices.server).read_text())["site"]
    assert (told["http"]["url"], told["http"]["status"]) == (f"{site}/direct_link", 200)


def test_without_a_browser_a_page_is_refused_in_a_line(terminal: Terminal, inside: Any) -> None:
    done = inside(terminal, *SAMPLE, "--screenshot", "app.png", env={"CHROMIUM_PATH": "no-such-program"})
    assert (done.code, done.err) == (
        1,
        "miniapp: The app's page cannot be shown. CHROMIUM_PATH does not name a program. "
        "Correct it, or unset it to have one found.\n",
    )


def test_without_playwright_a_page_is_refused_in_a_line(
    terminal: Terminal, inside: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith(("playwright", "launcher.hosts.browser"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Without("playwright"), *sys.meta_path])
    done = inside(terminal, *SAMPLE, "--host", "browser")
    assert done.code == 1
    assert done.err.endswith(
        "Playwright is not installed. Run: pip install 'miniapp-launcher[browser]', "
        "or from a clone: pip install '.[browser]'\n"
    )
    assert done.err.count("\n") == 1


class _Without:
    """What an import finds where a package is not installed."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {self._package!r}", name=self._package)


# What strangers write


HOSTILE = "[red]\x1b]0;owned\x07\u202egnirts\n:boom:"
HARMLESS = r"[red]\x1b]0;owned\x07\u202egnirts\x0a:boom:"


def test_what_strangers_write_steers_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.show_table(("name",), [(HOSTILE,)])
    output.show_panel(HOSTILE, [("title", HOSTILE)])
    output.show_line(HOSTILE)
    output.say(HOSTILE)
    shown = capsys.readouterr()
    assert (shown.out.count(HARMLESS), shown.err.count(HARMLESS)) == (4, 1)
    assert not set("\x1b\x07\u202e") & set(shown.out + shown.err)
    output.show_json(HOSTILE)
    json_line = capsys.readouterr().out
    assert json_line.removesuffix("\n").isprintable()
    assert json.loads(json_line) == HOSTILE


async def password_for(hint: str) -> str:
    return await typed_password(None)(PasswordAsked(hint))


def test_what_strangers_write_is_escaped_in_questions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\nsecret\n"))
    assert ask_on_terminal(Prompt((Question.PHONE,), "demo_bot", HOSTILE)) == [Question.PHONE]
    assert asyncio.run(password_for(HOSTILE)) == "secret"
    asked = capsys.readouterr().err
    assert asked.count(HARMLESS) == 2
    assert "\x1b" not in asked


# What is refused

THEME_FILE = "broken-theme.json"
REFUSED: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no link": (("open", "https://example.com/"), 1, "This is not a link to Telegram"),
    "broken link": (("open", "https://t.me/"), 1, "This is not a link to Telegram"),
    "link of another kind": (("open", "https://t.me/addstickers/x"), 1, "it opens no Mini App"),
    "unknown bot": (("open", "@nobody_at_all_bot"), 1, "@nobody_at_all_bot: contacts.resolveUsername: 400"),
    "a user": (("open", "@bob_builds", "--via", "main_app"), 1, "is not a bot"),
    "unknown app": (("open", "https://t.me/demo_bot/nosuchapp"), 1, "messages.getBotApp"),
    "several ways": (("open", "@demo_bot"), 1, "Name one with --via."),
    "no such button": (("open", "@demo_bot", "--button", "Nope\x1b[2J"), 1, "with the button 'Nope"),
    "no such place": (("open", "@demo_bot", "--button", "7,7"), 1, "with the button (7, 7)"),
    "no app in sight": (("open", "@plain_bot"), 1, "offers no Mini App that a client can see"),
    "link that cannot be": (("open", "t.me/demo_bot?startapp=%zz"), 1, "The link's startapp:"),
    "no menu button": (("open", "@plain_bot", "--via", "menu_button"), 1, "opens no Mini App"),
    "no main app": (("open", "@plain_bot", "--via", "main_app"), 1, "no main Mini App"),
    "no inline mode": (("open", "@plain_bot", "--via", "inline_mode"), 1, "inline queries"),
    "no attachment": (("open", "@plain_bot", "--via", "attachment_menu"), 1, "attachment"),
    "restricted": (("open", "@restricted_bot", "--via", "main_app"), 1, "restricts"),
    "start parameter": (("open", APP, "--start-param", "a b"), 2, "--start-param: "),
    "long start parameter": (("open", APP, "--start-param", "a" * 513), 2, "--start-param: "),
    "start parameter of a menu": (
        ("open", "@demo_bot", "--via", "menu_button", "--start-param", "x"), 2, "use --start PAYLOAD",
    ),
    "declined": (("open", "@attach_bot", "--via", "attachment_menu"), 1, "installation"),
    "theme": (("open", APP, "--theme", '{"bg_color": "red"}'), 2, "bg_color"),
    "theme file": (("open", APP, "--theme", THEME_FILE), 2, "not a JSON object"),
    "no theme file": (("open", APP, "--theme", "nosuch.json"), 2, "No such file"),
    "platform": (("open", APP, "--platform", "my phone"), 2, "--platform"),
    "question": (("open", APP, "--allow", "everything"), 2, "no question 'everything'"),
    "no data": (("open", *LAUNCHES["keyboard_button"], "--send-data", ""), 2, "0 bytes"),
    "long data": (("open", *LAUNCHES["keyboard_button"], "--send-data", "é" * 2049), 2, "4098 bytes"),
    "a picture over http": (("open", APP, "--host", "http", "--screenshot", "x.png"), 2, "--host"),
    "no such script": (("open", APP, "--sdk", "nosuch.js"), 2, "nosuch.js"),
    "data elsewhere": (("open", APP, "--send-data", "x"), 1, "cannot send data"),
    "unknown account": (("open", APP, "--account", "zoe"), 1, "No account 'zoe'"),
    "no ready file": (
        ("open", APP, "--server", "nosuch.json"), 1,
        "--server is 'nosuch.json', and there is no such file: its sandbox has ended or never ran.",
    ),
    "no server": (("open", APP, "--server", "sandbx"), 2, "--server is 'sandbx', which is neither a server"),
    "broken ready file": (("accounts", "--server", THEME_FILE), 2, "not a ready file"),
    "no API id": (("login", "--server", "production"), 1, "TELEGRAM_API_ID"),
    "accounts of the process": (("accounts", "--server", "sandbox"), 1, "--ready-file"),
    "sign-in in the process": (("login", "--phone", ALICE, "--server", "sandbox"), 1, "--ready-file"),
    "no phone number": (("login", "--phone", "x"), 1, "not a phone number"),
    "nobody types": (("login", "--phone", ALICE), 1, "standard input has ended"),
    "unknown token": (("login", "--bot"), 1, "standard input has ended"),
    "name of an account": (("login", "../x", "--phone", ALICE), 1, "cannot be the name"),
    "sign out nobody": (("logout", "zoe"), 1, "There are: alice. Check the name"),
    "export nobody": (("accounts", "export", "zoe"), 1, "There are: alice. Check the name"),
    "list nobody": (("accounts", "--account", "zoe"), 1, "There are: alice. Check the name"),
    "import nothing": (("accounts", "import", "x"), 1, "not an exported session"),
    "unknown assumption": (("sandbox", "--flip", "nope"), 2, "--assumptions"),
    "unknown switch": (
        ("sandbox", "--metapro", "nope=1"), 2, "there is no switch 'nope'; there are success, auth_scheme, ",
    ),
    "switch without a position": (
        ("sandbox", "--metapro", "sliding"), 2, "sliding is turned by sliding=VALUE; it takes true, false.",
    ),
    "impossible position": (
        ("sandbox", "--metapro", "success=204"), 2, "success cannot be '204'; it takes 200, 201.",
    ),
    "impossible number": (
        ("sandbox", "--metapro", "hash_lifetime=-1"), 2, "'-1'; it takes a number from 0 on, null.",
    ),
    "impossible outage": (
        ("sandbox", "--metapro", 'outages={"nft":"gone"}'), 2, "it takes a JSON object of one of (users, nft",
    ),
    "sandbox elsewhere": (("sandbox", "--server", "test"), 2, "'test' is not"),
    "demo elsewhere": (("demo", "--server", "test"), 2, "'test' is not"),
    "folder of the ready file": (("sandbox", "--ready-file", "nosuch/ready.json"), 1, "there is no folder"),
    "two ways to sign in": (("login", "--qr", "--bot"), 2, "choose one"),
    "unknown flow": (("open", APP, "--via", "magic"), 2, "'magic' is not one of"),
    "unknown option": (("open", APP, "--magic"), 2, "No such option"),
    "unknown command": (("opne",), 2, "Did you mean 'open'?"),
    "no name": (("logout",), 2, "name the account"),
    "two names": (("logout", "zoe", "--account", "alice"), 2, "differ"),
    "no target": (("open",), 2, "Missing argument"),
    "no number": (("open", APP, "--topic", "x"), 2, "--topic"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_told_in_one_line(alices: Terminal, inside: Any, case: str) -> None:
    arguments, code, told = REFUSED[case]
    alices.folder.joinpath(THEME_FILE).write_text("[1")
    done = inside(alices, *arguments, "--json")
    *questions, line = done.err.splitlines()
    assert done.code == code
    assert line == f"miniapp: {done.json['error']['message']}"
    assert told in line
    assert line.isprintable()
    assert all("Code:" in question or "Token" in question for question in questions)


def test_wrong_secrets_are_told_without_them(terminal: Terminal, inside: Any) -> None:
    wrong_code = inside(terminal, "login", "--phone", ALICE, env={"TELEGRAM_CODE": "31337"})
    secrets = {"TELEGRAM_CODE": CODE, "TELEGRAM_PASSWORD": "swordfish"}
    wrong_password = inside(terminal, "login", "--phone", BOB, env=secrets)
    unknown = inside(terminal, "login", "--phone", "9996629999", env={"TELEGRAM_CODE": CODE})
    wrong_token = inside(terminal, "login", "--bot", env={"TELEGRAM_BOT_TOKEN": "7000002001:wrong"})
    assert "TELEGRAM_CODE is wrong" in wrong_code.err
    assert "TELEGRAM_PASSWORD is wrong" in wrong_password.err
    assert "ACCESS_TOKEN" in wrong_token.err
    assert "PHONE_NUMBER_UNOCCUPIED" in unknown.err
    for done in (wrong_code, wrong_password, wrong_token, unknown):
        assert (done.code, done.out, done.err.count("\n")) == (1, "", 1)
        assert not re.search("31337|swordfish|:wrong", done.err)
    assert terminal.accounts.names() == []


def test_what_is_broken_on_the_disk_is_told(terminal: Terminal, inside: Any) -> None:
    folder = terminal.folder / "sessions"
    folder.write_text("a file where the folder should be")
    no_folder = inside(terminal, "login", "--phone", ALICE, env={"TELEGRAM_CODE": CODE})
    assert (no_folder.code, no_folder.err.count("\n")) == (1, 1)
    assert "sessions" in no_folder.err
    folder.unlink()
    terminal.accounts.folder.mkdir(parents=True)
    terminal.accounts.folder.joinpath("alice.session").write_text("miniapp-session 9 nonsense")
    assert inside(terminal, "open", APP).code == 1
    [alice] = inside(terminal, "accounts", "--json").json
    assert inside(terminal, "accounts").out.splitlines()[-1] == f"alice: {alice['problem']}"
    assert "alice.session" in alice["problem"]
    terminal.folder.joinpath(".env").write_text("TELEGRAM_API_ID=1\nwhat is this\n")
    broken = inside(terminal, "accounts")
    assert (broken.code, broken.out, broken.err.count("\n")) == (1, "", 1)
    assert "line 2" in broken.err


def test_a_program_is_told_of_an_error_as_well(alices: Terminal, inside: Any) -> None:
    command = ("open", "@plain_bot", "--via", "main_app")
    told, done = inside(alices, *command), inside(alices, *command, "--json")
    assert (told.code, told.out) == (1, "")
    assert (done.code, done.json["error"]["type"]) == (1, "CannotOpen")
    assert done.json["error"]["remedy"]
    assert told.err == done.err == f"miniapp: {done.json['error']['message']}\n"


def test_a_defect_shows_where_but_not_what(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match="the secret") as defect:
        int("the secret")
    assert report(defect.value, as_json=False) == 1
    short = capsys.readouterr().err
    monkeypatch.setenv("MINIAPP_DEBUG", "1")
    report(defect.value, as_json=False)
    shown = capsys.readouterr().err
    assert short == "miniapp: This is a defect of miniapp (ValueError). MINIAPP_DEBUG=1 shows where.\n"
    assert "test_cli.py" in shown
    assert "secret'" not in shown


def test_the_log_of_libraries_is_not_for_people() -> None:
    script = (
        "import logging; from launcher.cli.running import run\n"
        "async def work(): logging.getLogger('telethon.network').error('attempt 1 failed')\n"
        "run(work())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_pipe_that_nobody_reads_is_no_error(alices: Terminal) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [SCRIPT, "accounts", "--json"],
            stdout=writing, stderr=PIPE, env=alices.environment(), cwd=alices.folder, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, b"")


# The sandbox


def test_a_taken_port_is_told(terminal: Terminal, inside: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = inside(terminal, "sandbox", "--port", str(port))
    assert (done.code, done.err.count("\n")) == (1, 1)
    assert f"The port {port} of 127.0.0.1 cannot be listened on." in done.err


def test_assumptions_are_listed(terminal: Terminal, inside: Any) -> None:
    rows = inside(terminal, "sandbox", "--assumptions", "--json").json
    assert [row["name"] for row in rows] == list(ASSUMPTIONS)
    listed = inside(terminal, "sandbox", "--assumptions", env={"COLUMNS": "80"}).out.splitlines()
    assert listed[::3] == list(ASSUMPTIONS)
    assert all(line.startswith("    ") for line in listed[1::3] + listed[2::3])


def test_the_version_is_told(terminal: Terminal, inside: Any) -> None:
    assert inside(terminal, "--version").out == f"miniapp {version('miniapp-launcher')}\n"


def test_the_events_of_the_bridge_are_listed(terminal: Terminal, inside: Any) -> None:
    rows = inside(terminal, "events", "--json").json
    assert len(rows) == 63 + 56 + 4
    for row in rows:
        if row["replies"]:
            bridge = Bridge()
            said = settle(bridge, send(bridge, row["name"], MINIMAL.get(row["name"])))
            assert row["answered"]
            assert {name for name, _ in said} & set(row["replies"]), row["name"]
    old = inside(terminal, "events", "--version", "6.0", "--json").json
    assert "web_app_close" in {row["name"] for row in old}
    assert "web_app_open_popup" not in {row["name"] for row in old}
    table = inside(terminal, "events")
    assert (table.code, "page to client: 65" in table.out, "client to page: 58" in table.out) == (
        0,
        True,
        True,
    )
    narrow = inside(terminal, "events", env={"COLUMNS": "80"})
    words = set(re.split(r"[\s│→]+", narrow.out))
    assert {row["name"] for row in rows} | {name for row in rows for name in row["replies"]} <= words
    assert {len(line) for line in narrow.out.splitlines() if line[:1] == "│"} == {80}
    wrong = inside(terminal, "events", "--version", "new")
    assert (wrong.code, wrong.err) == (
        1, "miniapp: --version cannot be used: 'new' is no Mini Apps version; write it like 8.0.\n",
    )  # fmt: skip
