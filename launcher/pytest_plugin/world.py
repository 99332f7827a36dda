"""The world of a test's sandbox: `mini_app_world.add_bot("pizza_bot", apps=["menu"])`.

It begins as `launcher.sandbox.default_world` describes: Alice and three more people, @demo_bot that can do
everything, and its like. A test adds bots with what they offer, and says what they do. Addresses that a test
does not give lead to the sample page, which speaks the bridge and has a button for each thing to try.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from telethon import TelegramClient

    from launcher.sandbox import Bot, Sandbox, World

__all__ = ["BotProgram", "MiniAppWorld"]

BotProgram: TypeAlias = "Callable[[TelegramClient], Awaitable[None] | None]"
Addresses: TypeAlias = Iterable[str] | Mapping[str, str]
"""Names, or names with the address of each."""

_FIRST_BOT = 7_000_100_001


class MiniAppWorld:
    """What is in the sandbox, as data to be edited (`world`), before and while it runs.

    `sandbox` is the running data centre, once the launcher or an app is entered: its `log` is what was asked
    of it, its `faults` make a call go wrong.
    """

    def __init__(self) -> None:
        from launcher.sandbox.default_world import default_world

        self.world: World = default_world()
        self.sandbox: Sandbox | None = None
        self._programs: dict[str, BotProgram] = {}
        self._port = 0

    def add_bot(
        self,
        username: str,
        *,
        apps: Addresses = (),
        main_app: str | bool = False,
        menu: str | bool = False,
        buttons: Addresses = (),
        keyboard: Addresses = (),
        handler: BotProgram | None = None,
    ) -> Bot:
        """A new bot, which has written to everybody already.

        `apps` are the short names of its direct-link apps (t.me/<bot>/<short name>), `main_app` is behind its
        profile, `menu` beside the message field; True means the sample page. `buttons` are texts of inline
        buttons below its message, `keyboard` those of keys below the chat, whose apps can send data.
        `handler` is the bot's program: called with its signed-in Telethon client when the sandbox starts, to
        register handlers. Raises ValueError for a user name that is taken.
        """
        from launcher.sandbox import App, Bot, MenuButton

        number = _FIRST_BOT + len(list(self.world.bots()))
        bot = Bot(number, username, username.removesuffix("_bot").title(), f"{number}:{'test':0<35}")
        sample = f"https://{username.replace('_', '-')}.example/"
        bot.apps = {
            name: App(name, name.title(), url, id=number + place)
            for place, (name, url) in enumerate(_addresses(apps, sample).items())
        }
        bot.main_app = sample if main_app is True else main_app or None
        if menu:
            bot.menu_button = MenuButton("Open", sample if menu is True else menu)
        self.world.add(bot)
        self._write(bot, _inline(_addresses(buttons, sample)))
        self._write(bot, _keys(_addresses(keyboard, sample)))
        if handler is not None:
            self._programs[username] = handler
        return bot

    def _write(self, bot: Bot, markup: Any) -> None:
        """A message of the bot to everybody, if there is a keyboard to send."""
        from launcher.sandbox.keyboards import web_view_urls
        from launcher.sandbox.world import Message

        if markup is None:
            return
        bot.webview_buttons |= web_view_urls(markup)
        for person in self.world.users():
            for owner, chat in ((person.id, bot.id), (bot.id, person.id)):
                self.world.boxes[owner].add(Message(0, chat, bot.id, "Press a button", markup=markup))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Sandbox]:
        """The sandbox with its sample site, and every bot at work."""
        from launcher.sandbox import Sandbox
        from launcher.sandbox.site import Site

        async with Sandbox(self.world) as sandbox, Site(sandbox, port=self._port) as site:
            self._port = site.port  # the same one next time: the world's addresses lead there
            self.sandbox = sandbox
            async with _at_work(sandbox, self._programs):
                yield sandbox


@asynccontextmanager
async def _at_work(sandbox: Sandbox, programs: Mapping[str, BotProgram]) -> AsyncIterator[None]:
    from contextlib import AsyncExitStack
    from inspect import isawaitable

    from telethon import TelegramClient

    async with AsyncExitStack() as stack:
        for username, program in programs.items():
            client = TelegramClient(sandbox.sign_in(username), sandbox.api_id, sandbox.api_hash)
            await client.connect()
            stack.push_async_callback(client.disconnect)
            if isawaitable(started := program(client)):
                await started
        yield


def _addresses(given: Addresses, sample: str) -> dict[str, str]:
    return dict(given) if isinstance(given, Mapping) else dict.fromkeys(given, sample)


def _inline(addresses: Mapping[str, str]) -> Any:
    from telethon.tl import types

    rows = [
        types.KeyboardInlineButtonRow([types.KeyboardInlineButton(text, types.InlineButtonTypeWebView(url))])
        for text, url in addresses.items()
    ]
    return types.ReplyInlineMarkup(rows) if rows else None


def _keys(addresses: Mapping[str, str]) -> Any:
    from telethon.tl import types

    rows = [
        types.KeyboardButtonRow([types.KeyboardButton(text, types.ButtonTypeSimpleWebView(url))])
        for text, url in addresses.items()
    ]
    return types.ReplyKeyboardMarkup(rows, resize=True) if rows else None
