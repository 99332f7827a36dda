"""The sample Mini App, and the small web server that shows it.

    async with Sandbox() as sandbox, Site(sandbox) as site:
        ...  # whatever opens a Mini App now opens http://127.0.0.1:port/<flow>

The page speaks the bridge itself, without any library, and shows on screen what it was told: how it was
opened, by whom, in which colours and size, and every event in both directions. There is one address for
each way to open an app, so that a picture of the page says which one it was; the attachment menu and the
side menu of a bot share an address in Telegram, and the page tells them apart by its init data.

`Site` puts its own addresses in place of the world's, which no host has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.resources import files
from typing import Any, Self
from urllib.parse import urlsplit

from telethon.tl import types

from launcher.sandbox.keyboards import buttons
from launcher.sandbox.server import HOST, Sandbox
from launcher.sandbox.world import Channel, World

__all__ = ["FLOWS", "Site"]

FLOWS = (
    "keyboard_button", "inline_button", "menu_button", "attachment_menu", "side_menu", "inline_mode",
    "direct_link", "main_app", "chat_join",
)  # fmt: skip

_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
_PATIENCE = 10.0
"""Seconds in which a browser has said what it wants."""


class Site:
    """The server: `async with Site(sandbox) as site:`. On entering, the addresses in the world of `sandbox`,
    if it is given, become those of the site; `port` 0 is any free one."""

    def __init__(self, sandbox: Sandbox | None = None, *, port: int = 0) -> None:
        self.port = port
        self._sandbox = sandbox
        self._connections: set[asyncio.Task[Any]] = set()

    def url(self, flow: str) -> str:
        """The address of the page for one of `FLOWS`."""
        return f"http://{HOST}:{self.port}/{flow}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, HOST, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        if self._sandbox is not None:
            lead_to(self._sandbox.world, self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_answer(head.decode("latin-1").split("\r\n", 1)[0]))
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the other side has gone, or is no browser
        except asyncio.CancelledError:
            pass  # the site ends; asyncio's streams would report a cancelled connection as a failure
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _answer(request: str) -> bytes:
    """The whole response to a request line."""
    method, _, rest = request.partition(" ")
    if method not in ("GET", "HEAD"):
        return _response("405 Method Not Allowed", "text/plain", b"", method)
    path = rest.partition(" ")[0].partition("?")[0].strip("/")
    name = "index.html" if path in FLOWS else path
    kind = _TYPES.get(name.rpartition(".")[2])
    if kind is None or name not in ("index.html", "style.css", "app.js"):
        return _response("404 Not Found", "text/plain", b"There is no such page.", method)
    return _response("200 OK", kind, (files("launcher.sandbox") / "sample_app" / name).read_bytes(), method)


def _response(status: str, kind: str, body: bytes, method: str) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + (b"" if method == "HEAD" else body)


# Whose address is changed


def lead_to(world: World, url: Callable[[str], str]) -> None:
    """Let everything in a world that opens an app at an address nobody has open `url(flow)`. Other addresses
    and links to Telegram stay."""
    for owner, field, flow in [*_of_bots(world), *_of_chats(world), *_of_buttons(world)]:
        before = getattr(owner, field)
        if before and (urlsplit(before).hostname or "").endswith(".example"):
            setattr(owner, field, url(flow))
    for bot in world.bots():
        bot.webview_buttons |= {url("keyboard_button"), url("inline_button")}


Place = tuple[Any, str, str]
"""An object, the name of its field that holds an address, and the flow that opens it."""


def _of_bots(world: World) -> Iterator[Place]:
    for bot in world.bots():
        yield bot, "main_app", "main_app"
        for app in bot.apps.values():
            yield app, "url", "direct_link"
        for menu_button in (bot.menu_button, *bot.menu_buttons.values()):
            if menu_button is not None:
                yield menu_button, "url", "menu_button"
        if bot.attach_menu is not None:
            flow = "attachment_menu" if bot.attach_menu.in_attach_menu else "side_menu"
            yield bot.attach_menu, "url", flow
        if bot.inline is not None and bot.inline.switch_webview is not None:
            yield bot.inline.switch_webview, "url", "inline_mode"


def _of_chats(world: World) -> Iterator[Place]:
    for peer in world.peers.values():
        if isinstance(peer, Channel):
            yield peer, "guard_url", "chat_join"


def _of_buttons(world: World) -> Iterator[Place]:
    markups = [message.markup for box in world.boxes.values() for message in box.messages.values()]
    markups += [bot.start_answer.markup for bot in world.bots() if bot.start_answer is not None]
    for markup in markups:
        for button in buttons(markup):
            match button.type:
                case types.ButtonTypeSimpleWebView():
                    yield button.type, "url", "keyboard_button"
                case types.InlineButtonTypeWebView():
                    yield button.type, "url", "inline_button"
