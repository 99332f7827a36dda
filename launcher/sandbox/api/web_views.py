"""Opening web views and keeping them open: messages.request…WebView and messages.prolongWebView.

Every request is checked for what its method page says, then answered with a URL that is complete. Only a web
view that a bot can answer gets a `query_id`. Who learns what of the user: see `init_data`.
Documentation: core.telegram.org/api/bots/webapps, and the page of each method.
"""

from __future__ import annotations

import json
import re
from typing import Any

from telethon.tl import functions, types

from launcher.sandbox.api.bot_apps import app_named, open_app
from launcher.sandbox.callers import person
from launcher.sandbox.init_data import attachment_fields, origin_fields, signed, user_field
from launcher.sandbox.inline_queries import InlineQueries
from launcher.sandbox.join_queries import JoinQueries
from launcher.sandbox.launch_url import Launch, launch_url
from launcher.sandbox.peers import bot_named, peer_named
from launcher.sandbox.placement import check_may_write, placement
from launcher.sandbox.rpc import Call, RpcError, handles
from launcher.sandbox.web_view_queries import WebViewQueries, WebViewQuery
from launcher.sandbox.world import Bot, Channel, Group, Peer, PeerType, User

__all__: list[str] = []

_PLATFORM = re.compile(r"[A-Za-z0-9_]{0,64}")
_START_PARAM = re.compile(r"[A-Za-z0-9_-]{0,512}")

_REQUEST_ERRORS = (
    "BOT_INVALID", "BOT_WEBVIEW_DISABLED", "CHAT_WRITE_FORBIDDEN", "INPUT_USER_DEACTIVATED", "MSG_ID_INVALID",
    "PEER_ID_INVALID", "PRIVACY_PREMIUM_REQUIRED", "SEND_AS_PEER_INVALID", "THEME_PARAMS_INVALID",
    "URL_INVALID", "YOU_BLOCKED_USER",
)  # fmt: skip


@handles(
    functions.messages.RequestWebViewRequest,
    docs="core.telegram.org/method/messages.requestWebView",
    errors=_REQUEST_ERRORS,
)
async def request_web_view(call: Call) -> Any:
    user, bot = person(call), _usable_bot(call, call.request.bot)
    peer = peer_named(call, call.request.peer)
    if bot.deleted:
        raise RpcError(400, "INPUT_USER_DEACTIVATED")
    _check_texts(call)
    button = _button_url(call, bot, peer)
    app = button or _attachment_url(call, user, bot, peer)
    if bot.id in user.blocked:
        raise RpcError(400, "YOU_BLOCKED_USER")
    check_may_write(call, peer)
    place = placement(call, peer, call.request)
    attached = {} if button else attachment_fields(call.sandbox, user, peer)
    start_param = call.request.start_param if not button or _start_param_always_counts(call) else None
    query = call.sandbox.part(WebViewQueries).open(user.id, bot.id, peer.id, place)
    fields = {
        "query_id": query.text,
        "user": user_field(user, bot),
        **attached,
        "start_param": start_param or None,
    }
    return _web_view(call, bot, app, fields, start_param, query.id)


@handles(
    functions.messages.RequestSimpleWebViewRequest,
    docs="core.telegram.org/method/messages.requestSimpleWebView",
    errors=("BOT_INVALID", "URL_INVALID"),
)
async def request_simple_web_view(call: Call) -> Any:
    user, bot = person(call), _usable_bot(call, call.request.bot)
    _check_texts(call)
    if call.request.from_side_menu:
        start_param = call.request.start_param or None
        fields = {"user": user_field(user, bot), "start_param": start_param}
        return _web_view(call, bot, _side_menu_url(call, user, bot), fields, start_param)
    _check_issued(call, bot)
    return _web_view(call, bot, call.request.url)


@handles(
    functions.messages.RequestAppWebViewRequest,
    docs="core.telegram.org/method/messages.requestAppWebView",
    errors=("BOT_APP_BOT_INVALID", "BOT_APP_INVALID", "BOT_APP_SHORTNAME_INVALID", "THEME_PARAMS_INVALID"),
)
async def request_app_web_view(call: Call) -> Any:
    user = person(call)
    bot, app = app_named(call, call.request.app)
    _check_unrestricted(call, bot, "BOT_APP_BOT_INVALID")
    peer = _peer_of_a_link(call)
    _check_texts(call)
    open_app(call, user, bot, app)
    fields = {
        "user": user_field(user, bot),
        **origin_fields(call.sandbox, user, peer),
        "start_param": call.request.start_param or None,
    }
    return _web_view(call, bot, app.url, fields, call.request.start_param)


@handles(
    functions.messages.RequestMainWebViewRequest,
    docs="core.telegram.org/method/messages.requestMainWebView",
    errors=("BOT_INVALID",),
)
async def request_main_web_view(call: Call) -> Any:
    user, bot = person(call), _usable_bot(call, call.request.bot)
    if bot.main_app is None:
        raise RpcError(400, "BOT_INVALID")
    peer = _peer_of_the_main_app(call)
    _check_texts(call)
    start_param = call.request.start_param or None
    linked = start_param is not None and peer is not None
    tells = linked and call.sandbox.assumptions.holds("main_app_from_a_link_learns_the_kind_of_chat")
    origin = origin_fields(call.sandbox, user, peer) if tells and peer is not None else {}
    fields = {"user": user_field(user, bot), **origin, "start_param": start_param}
    return _web_view(call, bot, bot.main_app, fields, start_param)


@handles(
    functions.messages.RequestChatJoinWebViewRequest,
    docs="core.telegram.org/method/messages.requestChatJoinWebView",
)
async def request_chat_join_web_view(call: Call) -> Any:
    user = person(call)
    query = call.sandbox.part(JoinQueries).of_user(call.request.query_id, user.id)
    if query is None or query.url is None:
        name = "unknown_join_query_is_query_id_invalid"
        holds = call.sandbox.assumptions.holds(name)
        raise RpcError(400, "QUERY_ID_INVALID" if holds else "INVITE_HASH_EXPIRED", name)
    _check_texts(call)
    bot = call.sandbox.world.bot(query.bot)
    knows = call.sandbox.assumptions.holds("join_guard_learns_the_user")
    fields = {
        "user": user_field(user, bot) if knows else None,
        "chat_join_request_query_id": str(query.id),
    }
    return _web_view(call, bot, query.url, fields)


@handles(
    functions.messages.ProlongWebViewRequest,
    docs="core.telegram.org/method/messages.prolongWebView",
    errors=("BOT_INVALID", "QUERY_ID_INVALID"),
)
async def prolong_web_view(call: Call) -> bool:
    bot = bot_named(call, call.request.bot)
    queries = call.sandbox.part(WebViewQueries)
    query = queries.of_user(call.request.query_id, person(call).id)
    if query is None:
        raise RpcError(400, "QUERY_ID_INVALID")
    _check_same(call, query, bot)
    _prolong(call, queries, query)
    return True


def _check_same(call: Call, query: WebViewQuery, bot: Bot) -> None:
    name = "prolonging_repeats_bot_and_peer"
    peer = peer_named(call, call.request.peer, "QUERY_ID_INVALID")
    if (bot.id, peer.id) != (query.bot, query.peer) and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "QUERY_ID_INVALID", name)


def _prolong(call: Call, queries: WebViewQueries, query: WebViewQuery) -> None:
    place = query.place
    try:
        asked = placement(call, call.sandbox.world[query.peer], call.request)
        if call.sandbox.assumptions.holds("the_last_prolong_places_the_answer"):
            place = asked
    except RpcError as error:
        name = "prolonging_checks_reply_and_author"
        if call.sandbox.assumptions.holds(name):
            raise RpcError(error.code, error.name, name) from error
    queries.prolong(query, place)


def _usable_bot(call: Call, named: Any) -> Bot:
    bot = bot_named(call, named)
    _check_unrestricted(call, bot, "BOT_INVALID")
    return bot


def _check_unrestricted(call: Call, bot: Bot, error: str) -> None:
    """Clients are told to refuse a bot that is restricted for their user by themselves."""
    name = "restricted_bots_open_no_web_views"
    if call.me.id in bot.restricted_for and call.sandbox.assumptions.holds(name):
        raise RpcError(400, error, name)


def _button_url(call: Call, bot: Bot, peer: Peer) -> str | None:
    """The checked address of a button or menu button; None for the attachment menu, which sends none."""
    request = call.request
    if request.url is None and not request.from_bot_menu:
        return None
    if peer is not bot:
        raise RpcError(400, "BOT_WEBVIEW_DISABLED")
    if request.from_bot_menu:
        button = bot.menu_button_of(call.me.id)
        issued = set() if button is None else {button.url}
    else:
        issued = bot.webview_buttons
    if request.url not in issued:
        raise RpcError(400, "URL_INVALID")
    return str(request.url)


def _attachment_url(call: Call, user: User, bot: Bot, peer: Peer) -> str:
    menu = bot.attach_menu
    if menu is None or not menu.in_attach_menu:
        raise RpcError(400, "BOT_INVALID")
    _check_installed(call, user, bot)
    name = "the_attachment_menu_checks_the_kind_of_chat"
    if call.sandbox.assumptions.holds(name) and _peer_type(bot, peer) not in menu.peer_types:
        raise RpcError(400, "BOT_WEBVIEW_DISABLED", name)
    return menu.url


def _side_menu_url(call: Call, user: User, bot: Bot) -> str:
    if bot.attach_menu is None or not bot.attach_menu.in_side_menu:
        raise RpcError(400, "BOT_INVALID")
    _check_installed(call, user, bot)
    return bot.attach_menu.url


def _check_installed(call: Call, user: User, bot: Bot) -> None:
    name = "apps_in_menus_open_only_when_installed"
    if bot.id not in user.attach_menu and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "BOT_INVALID", name)


def _peer_type(bot: Bot, peer: Peer) -> PeerType:
    match peer:
        case Bot():
            return "same_bot_pm" if peer is bot else "bot_pm"
        case User():
            return "pm"
        case Channel(kind="channel"):
            return "broadcast"
        case Group() | Channel():
            return "chat"


def _check_issued(call: Call, bot: Bot) -> None:
    """400 URL_INVALID unless the bot gave this address out: with a button, or above inline results."""
    if call.request.from_switch_webview:
        issued = call.sandbox.part(InlineQueries).switch_urls(bot)
    else:
        issued = bot.webview_buttons
    if call.request.url not in issued:
        raise RpcError(400, "URL_INVALID")


def _peer_of_a_link(call: Call) -> Peer:
    name = "an_app_link_in_an_unknown_chat_is_msg_id_invalid"
    error = "MSG_ID_INVALID" if call.sandbox.assumptions.holds(name) else "PEER_ID_INVALID"
    try:
        return peer_named(call, call.request.peer, error)
    except RpcError as raised:
        raise RpcError(raised.code, raised.name, name) from raised


def _peer_of_the_main_app(call: Call) -> Peer | None:
    """None when no chat is open, which the method allows."""
    name = "the_main_app_checks_its_peer"
    if isinstance(call.request.peer, types.InputPeerEmpty):
        return None
    try:
        return peer_named(call, call.request.peer)
    except RpcError as raised:
        if call.sandbox.assumptions.holds(name):
            raise RpcError(raised.code, raised.name, name) from raised
        return None


def _start_param_always_counts(call: Call) -> bool:
    return not call.sandbox.assumptions.holds("buttons_ignore_start_parameters")


def _check_texts(call: Call) -> None:
    """Platform, theme and start parameter: free texts of the client with a documented form."""
    _check_platform(call)
    _check_start_param(call)
    _check_theme(call)


def _check_platform(call: Call) -> None:
    name = "platforms_have_a_checked_form"
    if not _PLATFORM.fullmatch(call.request.platform) and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "PLATFORM_INVALID", name)


def _check_start_param(call: Call) -> None:
    name = "start_parameters_have_a_checked_form"
    value = getattr(call.request, "start_param", None) or ""
    if not _START_PARAM.fullmatch(value) and call.sandbox.assumptions.holds(name):
        raise RpcError(400, "START_PARAM_INVALID", name)


_THEME_DOCUMENTED = (functions.messages.RequestWebViewRequest, functions.messages.RequestAppWebViewRequest)


def _check_theme(call: Call) -> None:
    theme = call.request.theme_params
    if theme is None or _is_object(theme.data):
        return
    if isinstance(call.request, _THEME_DOCUMENTED):
        raise RpcError(400, "THEME_PARAMS_INVALID")
    if call.sandbox.assumptions.holds("every_web_view_checks_its_theme"):
        raise RpcError(400, "THEME_PARAMS_INVALID", "every_web_view_checks_its_theme")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _web_view(
    call: Call,
    bot: Bot,
    app: str,
    fields: dict[str, str | None] | None = None,
    start_param: str | None = None,
    query_id: int | None = None,
) -> Any:
    """The answer: the app's address with the launch fragment, and the display mode."""
    request, theme = call.request, call.request.theme_params
    compact = bool(getattr(request, "compact", False))
    wished = bool(getattr(request, "fullscreen", False))
    fullscreen = wished or (bot.fullscreen and not compact)
    launch = Launch(
        platform=request.platform,
        init_data=None if fields is None else signed(call.sandbox, bot, fields),
        theme_params=theme.data if theme is not None and _is_object(theme.data) else None,
        bot_inline=bot.inline_placeholder is not None,
        show_settings=bot.has_settings,
        fullscreen=fullscreen,
        default_colors=bot.default_colors,
        start_param=start_param,
    )
    return types.WebViewResultUrl(
        url=launch_url(app, launch),
        query_id=query_id,
        fullsize=bot.fullsize and not compact,
        fullscreen=fullscreen,
        same_origin=bot.same_origin,
    )
