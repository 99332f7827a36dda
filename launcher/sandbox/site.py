"""The sample Mini Apps, and the small web server that shows them.

    async with Sandbox() as sandbox, Site(sandbox) as site:
        ...  # whatever opens a Mini App now opens http://127.0.0.1:port/<flow>

The page speaks the bridge itself, without any library, and shows on screen what it was told: how it was
opened, by whom, in which colours and size, and every event in both directions. There is one address for
each way to open an app, so that a picture of the page says which one it was; the attachment menu and the
side menu of a bot share an address in Telegram, and the page tells them apart by its init data.

The apps of @metapro_demo_bot are another page, at `/metapro`, which does what Metapro's own Mini App does.
It learns where Metapro's services are from `/metapro/config.json`: those of the stand-in that the site was
given.

`Site` puts its own addresses in place of the world's, which no host has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, Router
from telethon.tl import types

from launcher.sandbox.default_world import METAPRO_BOT_NAME
from launcher.sandbox.keyboards import buttons
from launcher.sandbox.server import Sandbox
from launcher.sandbox.web_server import WebServer
from launcher.sandbox.world import Bot, Channel, World

if TYPE_CHECKING:
    from launcher.sandbox.metapro import MetaproStandIn

__all__ = ["FLOWS", "Site", "lead_to"]

FLOWS = (
    "keyboard_button", "inline_button", "menu_button", "attachment_menu", "side_menu", "inline_mode",
    "direct_link", "main_app", "chat_join",
)  # fmt: skip

_FILES = {
    **dict.fromkeys(FLOWS, "index.html"),
    "metapro": "metapro.html",
    **{name: name for name in ("style.css", "app.js", "metapro.js")},
}
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


class Site:
    """The server: `async with Site(sandbox) as site:`. On entering, the addresses in the world of `sandbox`,
    if it is given, become those of the site; `port` 0 is any free one. `metapro` is the stand-in that the
    page `metapro` speaks to; without one the page says that it has none."""

    def __init__(
        self, sandbox: Sandbox | None = None, *, port: int = 0, metapro: MetaproStandIn | None = None
    ) -> None:
        self.metapro = metapro
        self._sandbox = sandbox
        routes = [Route("/metapro/config.json", self._config), Route("/{name:path}", _page)]
        self._server = WebServer(Router(routes), port=port)

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def origin(self) -> str:
        """Scheme, host and port of all pages."""
        return self._server.url

    def url(self, page: str) -> str:
        """The address of the page for one of `FLOWS`, or of `metapro`."""
        return f"{self.origin}/{page}"

    async def __aenter__(self) -> Self:
        await self._server.__aenter__()
        if self._sandbox is not None:
            lead_to(self._sandbox.world, self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._server.__aexit__()

    async def _config(self, _: Request) -> Response:
        if self.metapro is None:
            return _missing("There is no stand-in of Metapro behind this site.")
        return JSONResponse(self.metapro.app_config(), headers=_FRESH)


_FRESH = {"cache-control": "no-store"}


async def _page(request: Request) -> Response:
    name = _FILES.get(request.path_params["name"].strip("/"))
    if name is None:
        return _missing("There is no such page.")
    content = (files("launcher.sandbox") / "sample_app" / name).read_bytes()
    return Response(content, media_type=_TYPES[name.rpartition(".")[2]], headers=_FRESH)


def _missing(text: str) -> Response:
    return PlainTextResponse(text, 404, _FRESH)


# Whose address is changed


def lead_to(world: World, url: Callable[[str], str]) -> None:
    """Let everything in a world that opens an app at an address nobody has (`.example`) open `url(flow)`, and
    what the bot of the Metapro app opens `url("metapro")`. Other addresses and links to Telegram stay."""
    places = [place for bot in world.bots() for place in _of_bot(bot)]
    for owner, field, page in [*places, *_of_chats(world), *_of_dialogs(world)]:
        before = getattr(owner, field)
        if before and (urlsplit(before).hostname or "").endswith(".example"):
            setattr(owner, field, url(page))
    for bot in world.bots():
        bot.webview_buttons |= {url("keyboard_button"), url("inline_button"), url("metapro")}


Place = tuple[Any, str, str]
"""An object, the name of its field that holds an address, and the flow that opens it."""


def _of_bot(bot: Bot) -> Iterator[Place]:
    for owner, field, flow in _offered_by(bot):
        yield owner, field, "metapro" if bot.username == METAPRO_BOT_NAME else flow


def _offered_by(bot: Bot) -> Iterator[Place]:
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
    if bot.start_answer is not None:
        yield from _of_markup(bot.start_answer.markup)


def _of_chats(world: World) -> Iterator[Place]:
    for peer in world.peers.values():
        if isinstance(peer, Channel):
            yield peer, "guard_url", "chat_join"


def _of_dialogs(world: World) -> Iterator[Place]:
    for box in world.boxes.values():
        for message in box.messages.values():
            yield from _of_markup(message.markup)


def _of_markup(markup: Any) -> Iterator[Place]:
    for button in buttons(markup):
        match button.type:
            case types.ButtonTypeSimpleWebView():
                yield button.type, "url", "keyboard_button"
            case types.InlineButtonTypeWebView():
                yield button.type, "url", "inline_button"
