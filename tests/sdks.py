"""Real SDKs in real Chromium: a page that calls one feature after another, and a person who answers.

An SDK is a page that loads it, a table of `Feature` rows that run in one launch, and a table of `Ending`
rows, each in a launch of its own, since it ends the app. A row's script runs in the page; what its promise
gives, or with `ours` what our side knows then, has to be `value`, or `framed` in a web client's iframe where
that client cannot do it. The matrix of all rows is kept in `tests/data/sdk_matrix.md`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from telethon.tl import functions, types

from flows import BadInput, Bill, Consent, OpenParameters, Prompt
from launcher.effects import Choices
from launcher.hosting import Hosting
from launcher.hosts.browser import Browser
from launcher.launcher import Launcher
from launcher.mini_app import CloseReason, MiniApp
from launcher.sandbox import Sandbox
from tests.pages import Answer, Pages
from tests.running import bot_client, launching

__all__ = [
    "SAME", "SDK", "Ending", "Feature", "ending_failures", "failures", "quick_on", "showing", "tell",
]  # fmt: skip

TRANSPORTS = {"android": "native", "web": "iframe"}
"""A platform for each way in which a client and a page talk."""
TO_AND_FRO = ("launch", "ready", "theme", "main button", "popup", "phone", "cloud storage", "story")
"""Features that are tried with Web A too: its frame hears and is heard, beside what it does otherwise."""
MATRIX = Path(__file__).parent / "data" / "sdk_matrix.md"
SAME = object()
ALICE = 1001
_SECONDS = 30.0

_START = """script => {
  window.result = Promise.resolve().then(() => (0, eval)(script))
    .catch(failure => 'refused: ' + failure.name);
}"""

Act = Callable[[MiniApp], Awaitable[Any]]


def quick_on(platform: str) -> pytest.MarkDecorator:
    """Run a test by both transports, in the quick suite on this platform only: the official script natively
    and tma.js in a frame are both transports and both libraries."""
    return pytest.mark.parametrize(
        "platform",
        [pytest.param(one, marks=() if one == platform else pytest.mark.slow) for one in TRANSPORTS],
    )


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature and how it ends.

    The user agrees to the questions in `allows`, chooses `chat`, pays if `pays`, and has a phone that
    differs by `given` (attribute paths of the device). `do` is what they do when the page has sent `when`,
    or at once.
    """

    name: str
    outcome: str
    script: str
    value: Any = None
    when: str = ""
    do: Act | None = None
    allows: tuple[str, ...] = ()
    chat: str | None = None
    pays: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)
    ours: Callable[[MiniApp], Any] | None = None
    framed: Any = SAME

    def expected(self, platform: str) -> Any:
        return self.value if platform == "android" or self.framed is SAME else self.framed


@dataclass(frozen=True, slots=True)
class Ending:
    """A feature that ends the app opened by the flow `via`, and why it is closed then; None for one that is
    not obeyed, so that the app stays open."""

    name: str
    outcome: str
    via: str
    script: str
    sent: str
    reason: CloseReason | None
    ours: Callable[[Sandbox], Any] | None = None
    value: Any = None


@dataclass(frozen=True, slots=True)
class SDK:
    """The package with its version, a page's `body` that loads it, and its rows; `weba` are those of Web A,
    which lacks more than Web K."""

    name: str
    body: str
    features: tuple[Feature, ...]
    weba: tuple[Feature, ...]
    endings: tuple[Ending, ...]
    lacks: Mapping[str, str]
    """What it has not, with the reason."""

    @property
    def on_weba(self) -> tuple[Feature, ...]:
        """The rows that are run in Web A's frame."""
        return (*(row for row in self.features if row.name in TO_AND_FRO), *self.weba)


@dataclass(slots=True)
class Person:
    """Who sits before the app, row by row."""

    row: Feature | None = None

    def agrees(self, prompt: Prompt) -> bool:
        always = {"first_launch", "inactive_app"} if self.row is None else set()
        allowed = always | set(self.row.allows if self.row else ())
        return all(str(question) in allowed for question in prompt.questions)

    def chooses(self, purpose: object) -> str | None:
        return self.row.chat if self.row else None

    def pays(self, bill: Bill) -> bool:
        return self.row is not None and self.row.pays


@dataclass(frozen=True, slots=True)
class Stand:
    """An SDK's page on its server, an account and its person."""

    launcher: Launcher
    sandbox: Sandbox
    person: Person
    platform: str
    sdk: Path | None

    @asynccontextmanager
    async def shown(self, via: str = "attachment_menu") -> AsyncIterator[MiniApp]:
        """The page in a launch of its own, ready."""
        hosting = Hosting("browser", choices=Choices(self.person.chooses, self.person.pays), sdk=self.sdk)
        opening = self.launcher.open(
            "@demo_bot",
            via=via,
            host="browser",
            hosting=hosting,
            parameters=OpenParameters(platform=self.platform),
            consent=Consent(otherwise=self.person.agrees),
        )
        async with opening as live:
            async with asyncio.timeout(2 * _SECONDS):
                await live.ready()
            yield live


@asynccontextmanager
async def showing(
    browser: Browser, body: str, platform: str, files: Mapping[str, Answer], sdk: Path | None = None
) -> AsyncIterator[Stand]:
    """A sandbox whose demo bot's apps are a page with this body; Alice has Premium there."""
    page = f"<!doctype html><title>app</title>{body}"
    async with (
        Pages({"/": page, **files}) as pages,
        launching(seconds=600, browser=browser) as (launcher, sandbox),
    ):
        _lead_to(sandbox, pages.url("/"))
        yield Stand(launcher, sandbox, Person(), platform, sdk)


def _lead_to(sandbox: Sandbox, url: str) -> None:
    world = sandbox.world
    bot = world.bot("demo_bot")
    alice = world.user(ALICE)
    alice.premium = True
    alice.writes_allowed.discard(bot.id)
    assert bot.attach_menu
    bot.main_app = bot.apps["app"].url = bot.attach_menu.url = url
    for message in world.boxes[ALICE].messages.values():
        for row in getattr(message.markup, "rows", ()):
            for button in row.buttons:
                if isinstance(button.type, types.ButtonTypeSimpleWebView):
                    button.type.url = url
    bot.webview_buttons.add(url)


async def prepare_messages(stand: Stand, live: MiniApp, count: int = 2) -> None:
    """Let the bot prepare messages for Alice; the page finds their ids in `prepared`."""
    async with bot_client(stand.sandbox) as bot:
        user = await bot.get_input_entity("alice")
        ids = []
        for number in range(count):
            text = types.InputBotInlineMessageText(f"Prepared {number}")
            article = types.InputBotInlineResult(str(number), "article", text)
            saved = await bot(functions.messages.SavePreparedInlineMessageRequest(article, user))
            ids.append(saved.id)
    await live.frame.evaluate("ids => { window.prepared = ids; }", ids)


async def failures(stand: Stand, features: tuple[Feature, ...]) -> list[str]:
    """Run the rows one after another in one page; what went otherwise than they say."""
    found = []
    async with stand.shown() as live:
        await prepare_messages(stand, live)
        for feature in features:
            problem = await _problem(stand, live, feature)
            if problem:
                found.append(f"{feature.name}, {feature.outcome}: {problem}")
    return found


async def _problem(stand: Stand, live: MiniApp, feature: Feature) -> str | None:
    stand.person.row = feature
    expected = feature.expected(stand.platform)
    try:
        async with asyncio.timeout(_SECONDS):
            with _phone(live, feature.given):
                value = await _run(live, feature)
                ours = feature.ours(live) if feature.ours else None
    except Exception as failure:
        return f"{type(failure).__name__} {failure}; {[event.name for event in live.events][-4:]}"
    got = ours if feature.ours else value
    return None if got == expected else f"{got!r} and not {expected!r}"


async def _run(live: MiniApp, feature: Feature) -> Any:
    if feature.when:
        async with live.expect(feature.when, timeout=_SECONDS):
            await live.frame.evaluate(_START, feature.script)
    else:
        await live.frame.evaluate(_START, feature.script)
        await live.frame.evaluate("0")  # by now the script listens
    if feature.do:
        await feature.do(live)
    return await live.frame.evaluate("result")


@contextmanager
def _phone(live: MiniApp, given: Mapping[str, Any]) -> Iterator[None]:
    """The phone as it is given, while the block runs."""
    before = {}
    for path, value in given.items():
        owner, name = _owner(live, path)
        before[path] = getattr(owner, name)
        setattr(owner, name, value)
    try:
        yield
    finally:
        for path, value in before.items():
            setattr(*_owner(live, path), value)


def _owner(live: MiniApp, path: str) -> tuple[Any, str]:
    *way, name = path.split(".")
    owner: Any = live.device
    for step in way:
        owner = getattr(owner, step)
    return owner, name


async def ending_failures(stand: Stand, endings: tuple[Ending, ...]) -> list[str]:
    """Run each row in a launch of its own; what went otherwise than they say."""
    found = []
    stand.person.row = None
    for ending in endings:
        problem = await _ending_problem(stand, ending)
        if problem:
            found.append(f"{ending.name}, {ending.outcome}: {problem}")
    return found


async def _ending_problem(stand: Stand, ending: Ending) -> str | None:
    async with stand.shown(ending.via) as live:
        async with live.expect(ending.sent, timeout=_SECONDS):
            await live.frame.evaluate(_START, ending.script)
        if ending.reason is None:
            got: Any = await live.frame.evaluate("result")
            if live.is_closed:
                return f"it is closed: {live.reason}"
            return None if got == ending.value else f"{got!r} and not {ending.value!r}"
        async with asyncio.timeout(_SECONDS):
            reason = await live.closed()
    if reason is not ending.reason:
        return f"closed because of {reason}"
    ours = ending.ours(stand.sandbox) if ending.ours else ending.value
    return None if ours == ending.value else f"{ours!r} and not {ending.value!r}"


# What the person does


def tell(change: str, *arguments: Any, **named: Any) -> Act:
    """Something happens to the phone, of which its client tells the page."""
    return lambda live: getattr(live.phone, change)(*arguments, **named)


def press(button: str) -> Act:
    """The person presses one of the client's buttons."""

    async def act(live: MiniApp) -> None:
        await getattr(live, button).press()

    return act


def cannot_press(button: str) -> Act:
    """The person finds the button out of use."""

    async def act(live: MiniApp) -> None:
        try:
            await getattr(live, button).press()
        except BadInput:
            return
        raise AssertionError(f"the {button} could be pressed")

    return act


def choose(button_id: str) -> Act:
    return lambda live: live.popup.press(button_id)


async def dismiss(live: MiniApp) -> None:
    await live.popup.dismiss()


def scan(text: str) -> Act:
    return lambda live: live.qr.scan(text)


async def close_scanner(live: MiniApp) -> None:
    await live.qr.close()


async def follow(live: MiniApp) -> None:
    """The app that a link has opened comes, and is closed again."""
    second = await live.next_app()
    await second.ready()
    await second.close()


# The matrix


def matrix(sdks: tuple[SDK, ...]) -> str:
    """All rows of all SDKs as a page of Markdown; every one of them is run and passes."""
    return "\n\n".join(["# What pages with real SDKs get", *(_section(sdk) for sdk in sdks)]) + "\n"


def _section(sdk: SDK) -> str:
    rows: dict[str, list[str]] = {}
    listed: tuple[Feature | Ending, ...] = (*sdk.features, *sdk.endings)
    for row in listed:
        rows.setdefault(row.name, []).append(row.outcome)
    count = len(sdk.features) + len(sdk.endings)
    ways = " and ".join(f"{way} ({platform})" for platform, way in TRANSPORTS.items())
    return "\n".join(
        [
            f"## {sdk.name}",
            "",
            f"{len(rows)} features, {count} outcomes, each in {ways}: {count * len(TRANSPORTS)} checks.",
            "",
            "| feature | outcomes |",
            "|---|---|",
            *(f"| {name} | {'; '.join(outcomes)} |" for name, outcomes in rows.items()),
            "",
            f"In the iframe of weba {len(sdk.on_weba)} checks, with what that client does otherwise:",
            "",
            *(f"- {row.name}: {row.outcome}" for row in sdk.weba),
            "",
            "It has no:",
            "",
            *(f"- {name}: {reason}" for name, reason in sdk.lacks.items()),
        ]
    )
