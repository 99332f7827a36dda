"""What the account alone can see, without writing anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

from telethon import utils
from telethon.tl import functions, types

from flows import WebView
from flows.installation import find_entry
from launcher.tracing import Exchange, traced
from launcher.verify.contact import STRANGER, Contact, Seen, Untested, custom_method, read_json, varied

_PARAM = "verify"
_NOWHERE = 2**31 - 1
"""A message id that no chat has reached."""
_WITH_QUERY = ("menu_button", "inline_button", "attachment_menu")


# The form of what a client sends


async def platforms_have_a_checked_form(contact: Contact) -> Seen:
    request = contact.request("direct_link", "main_app", "menu_button", "inline_button", "keyboard_button")
    exchange = await contact.ask(varied(request, platform="no such client!"))
    return Seen.refused(exchange, "PLATFORM_INVALID")


async def start_parameters_have_a_checked_form(contact: Contact) -> Seen:
    request = contact.request("direct_link", "main_app", "attachment_menu", "side_menu")
    return Seen.refused(await contact.ask(varied(request, start_param="not one!")), "START_PARAM_INVALID")


async def every_web_view_checks_its_theme(contact: Contact) -> Seen:
    request = contact.request("main_app", "side_menu", "keyboard_button", "inline_mode")
    exchange = await contact.ask(varied(request, theme_params=types.DataJSON("[]")))
    return Seen.refused(exchange, "THEME_PARAMS_INVALID")


async def buttons_ignore_start_parameters(contact: Contact) -> Seen:
    request = contact.request("menu_button", "inline_button")
    view, exchange = await contact.web_view(varied(request, start_param=_PARAM))
    told = view.init_data.start_param if view.init_data else None
    return Seen(told is None, exchange, f"the init data has {_field('start_param', told)}")


# Bots, menus and chats


async def restricted_bots_open_no_web_views(contact: Contact) -> Seen:
    bot = contact.bot
    if not bot.restricted:
        raise Untested("it takes a bot that is restricted for this account")
    if not bot.has_main_app:
        raise Untested("the restricted bot has no main app")
    request = functions.messages.RequestMainWebViewRequest(bot.input_peer, bot.input_user, "android")
    return Seen.refused(await contact.ask(request), "BOT_INVALID")


async def apps_in_menus_open_only_when_installed(contact: Contact) -> Seen:
    entry = await _entry(contact)
    if not entry.inactive:
        raise Untested("it takes a bot that is not installed in the account's menus")
    bot = contact.bot
    if entry.show_in_attach_menu:
        request = functions.messages.RequestWebViewRequest(bot.input_peer, bot.input_user, "android")
    else:
        request = functions.messages.RequestSimpleWebViewRequest(
            bot.input_user, "android", from_side_menu=True
        )
    return Seen.refused(await contact.ask(request), "BOT_INVALID")


async def the_attachment_menu_checks_the_kind_of_chat(contact: Contact) -> Seen:
    request, entry = contact.request("attachment_menu"), await _entry(contact)
    chats = {"same_bot_pm": contact.bot.input_peer, "pm": types.InputPeerSelf()}
    others = [peer for kind, peer in chats.items() if kind not in entry.peer_types]
    if not others:
        raise Untested("the bot's attachment app takes every kind of chat that is at hand")
    return Seen.refused(await contact.ask(varied(request, peer=others[0])), "BOT_WEBVIEW_DISABLED")


async def init_data_names_chats_as_the_bot_api_does(contact: Contact) -> Seen:
    request, entry = contact.request("attachment_menu"), await _entry(contact)
    async for chat, _ in _chats(contact):
        kind = "broadcast" if getattr(chat, "broadcast", False) else "chat"
        if kind not in entry.peer_types or (kind == "broadcast" and not chat.admin_rights):
            continue
        view, exchange = await contact.web_view(varied(request, peer=utils.get_input_peer(chat)))
        told = view.init_data.chat if view.init_data else None
        if told is not None:
            return Seen(told.id == utils.get_peer_id(chat), exchange, f"the id has {_sign(told.id)} sign")
    raise Untested("it takes a group or channel in which the attachment app may be opened")


async def an_app_link_in_an_unknown_chat_is_msg_id_invalid(contact: Contact) -> Seen:
    request = contact.request("direct_link")
    return Seen.refused(await contact.ask(varied(request, peer=STRANGER)), "MSG_ID_INVALID")


async def the_main_app_checks_its_peer(contact: Contact) -> Seen:
    request = contact.request("main_app")
    return Seen.refused(await contact.ask(varied(request, peer=STRANGER)), "PEER_ID_INVALID")


async def main_app_from_a_link_learns_the_kind_of_chat(contact: Contact) -> Seen:
    request = varied(contact.request("main_app"), peer=contact.bot.input_peer, start_param=_PARAM)
    view, exchange = await contact.web_view(request)
    told = view.init_data.chat_type if view.init_data else None
    return Seen(told is not None, exchange, f"the init data has {_field('chat_type', told)}")


async def inline_queries_check_their_peer(contact: Contact) -> Seen:
    if not contact.bot.inline:
        raise Untested("it takes a bot with inline mode")
    request = functions.messages.GetInlineBotResultsRequest(contact.bot.input_user, STRANGER, "", "")
    return Seen.refused(await contact.ask(request), "PEER_ID_INVALID")


async def unknown_join_query_is_query_id_invalid(contact: Contact) -> Seen:
    request = functions.messages.RequestChatJoinWebViewRequest(1, "android")
    return Seen.refused(await contact.ask(request), "QUERY_ID_INVALID")


async def join_guard_learns_the_user(contact: Contact) -> Seen:
    exchange = contact.offer("chat_join")
    data = WebView.from_result(exchange.answer).init_data
    user = data.user if data else None
    return Seen(user is not None, exchange, f"the init data has {'the' if user else 'no'} user")


async def difference_names_channels_with_news(contact: Contact) -> Seen:
    last = [last async for chat, last in _chats(contact) if isinstance(chat, types.Channel) and last]
    if not last:
        raise Untested("it takes a channel or supergroup of the account with messages")
    state = await contact.needed(functions.updates.GetStateRequest())
    since = last[0] - timedelta(hours=1)
    exchange = await contact.answered(functions.updates.GetDifferenceRequest(state.pts, since, state.qts))
    updates = getattr(exchange.answer, "other_updates", ())
    named = any(isinstance(one, types.UpdateChannelTooLong) for one in updates)
    return Seen(named, exchange, f"{'a' if named else 'no'} channel is named, and one has news since then")


# Keeping alive


async def prolonging_repeats_bot_and_peer(contact: Contact) -> Seen:
    prolong = await _prolonged(contact)
    exchange = await contact.ask(varied(prolong, peer=types.InputPeerSelf()))
    return Seen.refused(exchange, "QUERY_ID_INVALID")


async def prolonging_checks_reply_and_author(contact: Contact) -> Seen:
    prolong = await _prolonged(contact)
    exchange = await contact.ask(varied(prolong, reply_to=types.InputReplyToMessage(_NOWHERE)))
    return Seen.refused(exchange, "MSG_ID_INVALID")


async def _prolonged(contact: Contact) -> Any:
    """A prolong that went well, to be varied."""
    opening = contact.request(*_WITH_QUERY)
    view, _ = await contact.web_view(opening)
    if view.query_id is None:
        raise Untested("the web view has no query")
    request = functions.messages.ProlongWebViewRequest(opening.peer, opening.bot, view.query_id)
    await contact.needed(request)
    return request


# What pages ask of the servers


async def cloud_storage_names_its_limits(contact: Contact) -> Seen:
    exchange = await contact.ask(custom_method(contact.bot, "getStorageValues", keys=["no key!"]))
    return Seen.refused(exchange, "KEY_INVALID")


async def cloud_storage_leaves_missing_keys_out(contact: Contact) -> Seen:
    key = "miniapp_verify_no_such_key"
    exchange = await contact.answered(custom_method(contact.bot, "getStorageValues", keys=[key]))
    values = read_json(exchange)
    if not isinstance(values, dict):
        raise Untested("the answer does not name values by key")
    holds = key not in values
    return Seen(holds, exchange, f"the missing key is {'left out' if holds else 'there'}")


async def requested_contacts_have_a_plus(contact: Contact) -> Seen:
    exchange, fields = await _shared_contact(contact)
    number = json.loads(fields["contact"][0])["phone_number"]
    plus = str(number).startswith("+")
    return Seen(plus, exchange, f"the number has {'a' if plus else 'no'} plus")


async def requested_contacts_have_a_hash_alone(contact: Contact) -> Seen:
    exchange, fields = await _shared_contact(contact)
    alone = "hash" in fields and "signature" not in fields
    return Seen(alone, exchange, f"it has the fields {', '.join(sorted(fields))}")


async def _shared_contact(contact: Contact) -> tuple[Exchange, dict[str, list[str]]]:
    """The contact that the account has shared with the bot already."""
    exchange = await contact.answered(custom_method(contact.bot, "getRequestedContact"))
    text = read_json(exchange)
    if not isinstance(text, str) or "contact" not in (fields := parse_qs(text)):
        raise Untested("the account has not shared its number with the bot: do so in one of its apps")
    return exchange, fields


async def downloads_are_judged_by_address_and_name(contact: Contact) -> Seen:
    address = "https://example.com/notes.txt"
    request = functions.bots.CheckDownloadFileParamsRequest(contact.bot.input_user, "notes.txt", address)
    if await contact.needed(request) is not True:
        raise Untested("no download is allowed from an https address either")
    exchange = await contact.ask(varied(request, url="http://example.com/notes.txt"))
    holds = exchange.answer is not True
    return Seen(holds, exchange, f"one from an http address is {'refused' if holds else 'allowed'}")


async def an_unknown_request_is_webapp_req_id_invalid(contact: Contact) -> Seen:
    request = functions.messages.SendBotRequestedPeerRequest(
        contact.bot.input_peer, 1, [types.InputPeerSelf()], webapp_req_id="miniapp-verify"
    )
    return Seen.refused(await contact.ask(request), "WEBAPP_REQ_ID_INVALID")


# Signing in


async def revoked_bot_token_is_expired(contact: Contact) -> Seen:
    server = contact.launcher.server
    token = f"{contact.bot.id}:{'A' * 35}"
    request = functions.auth.ImportBotAuthorizationRequest(0, server.api_id, server.api_hash, token)
    return Seen.refused(await contact.ask_as_nobody(request), "ACCESS_TOKEN_EXPIRED")


# What the account has


async def _entry(contact: Contact) -> Any:
    """The bot's entry in the menus, with its kinds of chats. Raises Untested."""
    if not contact.bot.attach_menu:
        raise Untested("it takes a bot with an app in the attachment or side menu")
    with traced() as exchanges:
        try:
            return await find_entry(contact.launcher.client, contact.bot, contact.launcher.cache)
        finally:
            contact.spend(len(exchanges))


async def _chats(contact: Contact) -> AsyncIterator[tuple[Any, datetime | None]]:
    """The account's groups and channels among its latest dialogs, with the time of the last message."""
    request = functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), limit=50, hash=0)
    answer = await contact.needed(request)
    dates = {utils.get_peer_id(one.peer_id): getattr(one, "date", None) for one in answer.messages}
    for chat in _mine(answer.chats):
        yield chat, dates.get(utils.get_peer_id(chat))


def _mine(chats: Any) -> Iterator[Any]:
    known = (chat for chat in chats if isinstance(chat, types.Chat | types.Channel))
    return (chat for chat in known if not chat.left and not getattr(chat, "deactivated", False))


def _field(name: str, value: object) -> str:
    return f"no {name}" if value is None else f"{name} {value!r}"


def _sign(number: int) -> str:
    return "a minus" if number < 0 else "no minus"
