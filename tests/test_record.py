"""A test that is written by doing: what is heard in real Chromium, and what is written of it."""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
import threading
from asyncio import create_subprocess_exec, subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from flows import BadInput, Consent, OpenParameters
from launcher.cli import app as command_line
from launcher.cli.record import _begin, _typed
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.record import Recorded, record
from launcher.record.steps import (
    Answered,
    Clicked,
    Closed,
    Filled,
    Locator,
    Pressed,
    SecretFilled,
    Step,
    quoted,
)
from tests.browsers import SECONDS, browser
from tests.conftest import need
from tests.pages import Pages, app
from tests.running import CALM, launching
from tests.test_docs import code_blocks

__all__ = ["browser"]

in_browser = pytest.mark.asyncio(loop_scope="session")
"""For tests in the browser of the session."""

HOSTILE = 'Say "it\'s \\ done"); import os #'
BODY = """
<button>Go</button>
<div role=button aria-label="Icon"><svg></svg></div>
<button data-testid=first>Same</button><button data-testid=second>Same</button>
<button id=left>Twin</button><button id=right>Twin</button>
<div id=card><p>A card to press</p></div>
<i></i><i style="display:inline-block;width:9px;height:9px"></i>
<label>Name <input id=name></label>
<input placeholder="Your city">
<label><input type=checkbox> Agree</label>
<label for=size>Size</label><select id=size><option value=s>Small<option value=l>Large</select>
<form><input type=password aria-label="Secret word"><input aria-label="Search"><button>Find</button></form>
<div contenteditable data-testid=notes></div>
<button id=hostile></button>
<button id=quit>Quit</button>
"""
SCRIPT = f"""
const did = [];
const note = (what) => did.push(what);
document.querySelector('#hostile').textContent = {json.dumps(HOSTILE)};
for (const one of document.querySelectorAll('button:not(#quit), [role=button], p, i'))
  one.addEventListener('click', () => note([...document.body.querySelectorAll('*')].indexOf(one)));
for (const one of document.querySelectorAll('input, select, [contenteditable]'))
  one.addEventListener('change', () => note(one.type === 'checkbox' ? one.checked : one.value));
document.querySelector('form').addEventListener('submit', (event) => {{
  event.preventDefault();
  note('sent');
}});
document.querySelector('#quit').addEventListener('click', async () => {{
  const notes = document.querySelector('[contenteditable]').innerText;
  await fetch('/did?' + encodeURIComponent(JSON.stringify([...did, notes])));
  post('web_app_close');
}});
post('web_app_ready');
"""
LINES = """
# everything there is on the page
click "text=Go"
click "[aria-label=Icon]"
click "[data-testid=second]"
click "#right"

click p
click "i >> nth=1"
fill "#name" Alice
fill [placeholder] Łódź
click [type=checkbox]
key "#size" l
fill [type=password] sesame-open
fill [aria-label=Search] "two words"
key [aria-label=Search] Enter
fill [contenteditable] "a note"
click "#hostile"
click "#quit"
closed
"""


async def lines(text: str) -> AsyncIterator[str]:
    for line in text.splitlines():
        yield line


@asynccontextmanager
async def showing(browser: Browser, page: str) -> AsyncIterator[tuple[Launcher, Pages]]:
    """The main app of the demo bot is this page."""
    async with (
        Pages({"/": page, "/did": ""}) as pages,
        launching(CALM, seconds=2 * SECONDS, browser=browser) as (launcher, sandbox),
    ):
        sandbox.world.bot("demo_bot").main_app = pages.url()
        yield launcher, pages


async def play(source: str, launcher: Launcher) -> None:
    """Run the written test as pytest would, with this launcher."""

    def mini_app_open(target: str, **options: Any) -> Any:
        return launcher.open(target, host="browser", **options)

    module: dict[str, Any] = {}
    exec(compile(source, "test_recorded.py", "exec"), module)
    (test,) = (value for name, value in module.items() if name.startswith("test_"))
    await test(mini_app_open)


@in_browser
@pytest.mark.parametrize("platform", [pytest.param("android", marks=pytest.mark.slow), "weba"])
async def test_the_written_test_does_it_again(
    browser: Browser, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a page that tells what was done with it; weba shows it in a frame."""
    monkeypatch.setenv("MINI_APP_SECRET", "sesame-open")
    options: dict[str, Any] = {"via": "main_app", "parameters": OpenParameters(platform)}
    async with showing(browser, app(SCRIPT, BODY)) as (launcher, pages):
        recorded = await record(launcher, "@demo_bot", lines(LINES), **options)
        source = recorded.source()
        await play(source, launcher)
    first, second = (asked for asked in pages.asked if asked.startswith("/did"))
    assert first == second
    assert "sent" in first
    assert "sesame-open" not in source
    assert (platform in source) is (platform != "android")
    kinds = [step.locator.kind for step in recorded.steps if isinstance(step, Clicked)]
    assert kinds == [
        "role", "role", "test_id", "css", "text", "css", "role", "role", "role",
    ]  # fmt: skip
    selectors = {step.locator.value for step in recorded.steps if isinstance(step, Clicked)}
    assert {"#right", "second", "A card to press", HOSTILE} < selectors


@in_browser
async def test_a_password_stays_one_when_the_page_shows_it(browser: Browser) -> None:
    body = '<input id=word type=password aria-label="Word"><button id=show>Show</button>'
    script = (
        "document.querySelector('#show').onclick = () => { document.querySelector('#word').type = 'text'; };"
    )
    typed = 'fill "#word" ses\nclick "#show"\nfill "#word" sesame-open'
    async with showing(browser, app(f"{script} post('web_app_ready');", body)) as (launcher, _):
        recorded = await record(launcher, "@demo_bot", lines(typed), via="main_app")
    assert [type(step) for step in recorded.steps][:3] == [SecretFilled, Clicked, SecretFilled]
    assert "ses" not in recorded.source()
    assert recorded.source().count("MINI_APP_SECRET") >= 2


@in_browser
async def test_what_is_done_in_a_row_is_kept_in_its_order(
    browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what can be pressed is said meanwhile."""
    page = app(
        "post('web_app_setup_main_button', {is_visible: true, text: 'Pay'});"
        "post('web_app_setup_back_button', {is_visible: true});"
        "const buttons = [{type: 'ok', id: 'yes'}];"
        "const ask = () => post('web_app_open_popup', {message: 'Sure?', title: 'Well', buttons});"
        "post('web_app_ready');",
        "<button onclick=ask()>Ask</button><input placeholder=Text>",
    )
    done = "b\nclick text=Ask\npopup yes\nfill input a\nfill input ab\nm\nclick text=Ask\ndismiss\nclose"
    async with showing(browser, page) as (launcher, _):
        recorded = await record(launcher, "@demo_bot", lines(done), opened=_begin, via="main_app")
    ask = Clicked(Locator("role", "Ask", "button"))
    assert recorded.ready
    assert recorded.steps == [
        Pressed("back_button"),
        ask,
        Answered("Sure?", "Well", "yes"),
        Filled(Locator("placeholder", "Text"), "ab"),
        Pressed("main_button", "Pay"),
        ask,
        Answered("Sure?", "Well", None),
        Closed(None),
    ]
    said = capsys.readouterr().err.splitlines()
    for line in (
        "  main                  press the main button",
        "main button: 'Pay': type m",
        "back button: type b",
        "popup: 'Sure?': type popup 'yes' or dismiss",
    ):
        assert line in said


@in_browser
async def test_a_page_cannot_write_the_test(browser: Browser) -> None:
    """It finds no function to report by, its own clicks are not a person's, and what it calls its elements is
    text; what would give the launch away is not written."""
    page = app(
        "const hash = new URLSearchParams(new URLSearchParams(location.hash.slice(1)).get('tgWebAppData'));"
        "document.querySelector('button').textContent = hash.get('hash');"
        "document.querySelector('button').click();"
        "for (const name of Object.getOwnPropertyNames(window))"
        "  if (/^r[0-9a-f]{16}$/.test(name)) window[name](JSON.stringify({what: 'click', by: {}}));"
        "document.title = Object.getOwnPropertyNames(window).filter((name) => /^r[0-9a-f]{16}$/.test(name));"
        "post('web_app_ready');",
        "<button></button>",
    )
    titles: list[str] = []

    async def close_when_seen(live: Any) -> AsyncIterator[str]:
        yield "click button"
        titles.append(await live[0].page.title())

    live: list[Any] = []
    async with showing(browser, page) as (launcher, _):
        recorded = await record(
            launcher, "@demo_bot", close_when_seen(live), opened=live.append, via="main_app"
        )
        secret = live[0].init_data.hash
    assert titles == [""]
    assert len(recorded.steps) == 1
    assert secret not in recorded.source()
    ast.parse(recorded.source())


@in_browser
async def test_what_cannot_be_done_is_said_and_the_rest_goes_on(browser: Browser) -> None:
    refused: list[BadInput] = []
    done = "jump\nfill input\nclick 'open\nclick text=>>>\nclose"
    async with showing(browser, app("post('web_app_ready');")) as (launcher, _):
        recorded = await record(launcher, "@demo_bot", lines(done), refused=refused.append, via="main_app")
        with pytest.raises(BadInput, match="no command 'jump'"):
            await record(launcher, "@demo_bot", lines("jump"), via="main_app")
        assert launcher.apps == set()
    assert recorded.steps == [Closed(None)]
    assert [str(one).partition(":")[0].partition(".")[0] for one in refused] == [
        "There is no command 'jump'",
        "fill takes SELECTOR TEXT",
        '"click \'open" cannot be read',
        "click 'text=>>>' failed",
    ]


# What is written


@pytest.mark.parametrize("text", ["", "plain", "it's", 'say "hi"', "both ' and \"", "\\ \n \x00 \u202e ü 😀"])
def test_a_text_is_written_so_that_python_reads_it(text: str) -> None:
    assert ast.literal_eval(quoted(text)) == text


def written(*steps: Step, target: str = "@demo_bot", **options: Any) -> str:
    return Recorded(target, options, steps=list(steps)).source()


def test_options_are_those_of_the_recording() -> None:
    source = written(
        via="inline_mode", query="tea", start_param=None, silent=None, button=(0, 1),
        consent=Consent("write_access"), parameters=OpenParameters("ios"),
    )  # fmt: skip
    assert (
        'mini_app_open("@demo_bot", via="inline_mode", query="tea", button=(0, 1), '
        'consent=Consent("write_access"), parameters=OpenParameters(platform="ios"))'
    ) in source
    assert "from launcher import Consent, OpenParameters\n" in source
    assert 'mini_app_open("@demo_bot")' in written(consent=Consent(), parameters=OpenParameters())


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("https://t.me/demo_bot/app?startapp=x", "test_demo_bot_app"),
        ("@demo_bot", "test_demo_bot"),
        ("t.me/+AbC", "test_abc"),
        ("тест?", "test_тест"),
        ("+", "test_mini_app"),
    ],
)
def test_a_test_is_named_after_its_target(target: str, name: str) -> None:
    module = ast.parse(written(Closed("app"), target=target))
    assert [node.name for node in module.body if isinstance(node, ast.AsyncFunctionDef)] == [name]


# The command


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Standard input is a terminal; what is written to this descriptor is typed. Who reads it has to end."""
    before = set(threading.enumerate())
    keyboard, screen = os.openpty()
    with os.fdopen(screen) as typed:
        monkeypatch.setattr(sys, "stdin", typed)
        yield keyboard
        for reader in set(threading.enumerate()) - before:
            reader.join(SECONDS)
    os.close(keyboard)


async def test_lines_are_read_until_ctrl_d(terminal: int) -> None:
    os.write(terminal, b"m\n\npopup yes\n\x04")
    assert [line async for line in _typed()] == ["m\n", "\n", "popup yes\n"]


async def test_ctrl_c_ends_the_lines_and_not_the_program(terminal: int) -> None:
    before = signal.getsignal(signal.SIGINT)
    os.write(terminal, b"m\n")
    typed = _typed()
    assert await anext(typed) == "m\n"
    assert signal.getsignal(signal.SIGINT) is not before
    signal.raise_signal(signal.SIGINT)
    assert [line async for line in typed] == []
    os.write(terminal, b"\x04")  # the thread ends as well


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test of the sample app, recorded by the README's script."""
    folder = tmp_path_factory.mktemp("recorded")
    (script,) = (text for text in code_blocks("text") if text.startswith("# order.txt"))
    (folder / "script.txt").write_text(script)
    result = CliRunner().invoke(
        command_line,
        ["record", "@demo_bot", "--via", "keyboard_button", "--server", "sandbox",
         "--script", str(folder / "script.txt"), "-o", str(folder / "test_order.py")],
    )  # fmt: skip
    if "browser" in result.output and result.exit_code:
        need("Chromium", result.output)
    assert result.exit_code == 0, result.output
    source = (folder / "test_order.py").read_text()
    other = source.replace('(app).to_have_popup("Three', '(app, 0.5).to_have_popup("Four')
    (folder / "test_other.py").write_text(other)
    return folder / "test_order.py"


def test_the_command_writes_what_was_done(sample: Path) -> None:
    assert sample.read_text().partition("as app:\n")[2] == (
        "        await expect(app).to_be_ready(timeout=30)\n"
        '        await app.frame.get_by_label("Text", exact=True).fill("Three teas")\n'
        '        await app.frame.get_by_role("button", name="Popup", exact=True).click()\n'
        '        await expect(app).to_have_popup("Three teas", title="Sample")\n'
        '        await app.popup.press("yes")\n'
        '        await expect(app).to_have_main_button(text="Order now")\n'
        "        await app.main_button.press()\n"
        '        await app.frame.get_by_role("button", name="Send data", exact=True).click()\n'
        '        await expect(app).to_have_sent_data("Three teas")\n'
        '        await expect(app).to_be_closed("data_sent")\n'
    )


@pytest.mark.slow
async def test_the_written_test_passes_and_fails_when_the_app_is_another(sample: Path) -> None:
    """Both in one run of pytest's, in a folder of its own, by the plugin."""
    run = await create_subprocess_exec(
        sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:playwright",
        "-W", "ignore", str(sample.parent),
        cwd=sample.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    output = (await run.communicate())[0].decode()
    assert "1 failed, 1 passed" in output, output
    assert "to have a popup with message 'Four teas'" in output


def test_what_a_script_cannot_do_is_told_with_its_line(tmp_path: Path) -> None:
    script, output = tmp_path / "script.txt", tmp_path / "test_order.py"
    script.write_text("# a comment\n\njump\n")
    arguments = ["record", "@demo_bot", "--via", "main_app", "--server", "sandbox", "-o", str(output)]
    result = CliRunner().invoke(command_line, [*arguments, "--script", str(script)])
    if "browser" in str(result.exception):
        need("Chromium", str(result.exception))
    assert isinstance(result.exception, BadInput)
    assert str(result.exception).startswith(f"{script}, line 3: There is no command 'jump'. Type one of")
    assert not output.exists()


def test_a_test_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    output = tmp_path / "test_order.py"
    output.write_text("mine")
    arguments = ["record", "@demo_bot", "--server", "sandbox", "-o", str(output)]
    result = CliRunner().invoke(command_line, arguments)
    assert (result.exit_code, output.read_text()) == (2, "mine")
    assert "--overwrite" in result.output


def test_without_a_display_a_script_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform != "linux":
        pytest.skip("elsewhere the environment does not tell")
    arguments = ["record", "@demo_bot", "--server", "sandbox", "-o", str(tmp_path / "test_it.py")]
    result = CliRunner().invoke(command_line, arguments)
    assert isinstance(result.exception, BadInput)
    assert "--script FILE" in result.exception.remedy


def test_a_folder_that_is_not_there_is_said_before_anything_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "test_x.py"
    result = CliRunner().invoke(command_line, ["record", "@demo_bot", "-o", str(file)])
    assert result.exit_code == 2
