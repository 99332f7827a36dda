"""What shows only when the bot itself asks, or when something is written: a message, a grant.

The bot signs in with its token for the length of the verification. What writes is done for a name that the
caller has allowed, and says so in its text.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import Any

from telethon.tl import functions, types

from launcher.verify.contact import Contact, Seen, Untested, custom_method, read_json, varied

_TEXT = "Written by miniapp verify."
_HOUR = 3600.0


# Without a trace


async def bots_get_bot_method_invalid(contact: Contact) -> Seen:
    request = functions.messages.RequestMainWebViewRequest(
        types.InputPeerEmpty(), types.InputUserSelf(), "android"
    )
    return Seen.refused(await contact.ask_as_bot(request), "BOT_METHOD_INVALID")


async def a_decided_join_query_is_over(contact: Contact) -> Seen:
    request = functions.bots.SetJoinChatResultsRequest(1, types.JoinChatBotResultQueued())
    seen = Seen.refused(await contact.ask_as_bot(request), "QUERY_ID_INVALID")
    if "BOT_GUARD_NOT_SUPPORTED" in seen.what:
        raise Untested("it takes a bot that may guard chats")
    return seen


async def an_unknown_checkout_is_query_id_invalid(contact: Contact) -> Seen:
    request = functions.messages.SetBotPrecheckoutResultsRequest(1, error=_TEXT)
    return Seen.refused(await contact.ask_as_bot(request), "QUERY_ID_INVALID")


async def a_menu_button_of_an_unknown_user_is_user_id_invalid(contact: Contact) -> Seen:
    request = functions.bots.SetBotMenuButtonRequest(types.InputUser(1, 1), types.BotMenuButtonDefault())
    return Seen.refused(await contact.ask_as_bot(request), "USER_ID_INVALID")


# Write access


async def write_access_nobody_asked_for_is_ignored(contact: Contact) -> Seen:
    offer, allowed = (
        contact.offer("direct_link"),
        functions.bots.CanSendMessageRequest(contact.bot.input_user),
    )
    if offer.request.write_allowed or await contact.needed(allowed):
        raise Untested("it takes an account that has not let the bot write to it")
    app = await contact.needed(functions.messages.GetBotAppRequest(offer.request.app, 0))
    if app.request_write_access:
        raise Untested("it takes an app that does not ask for write access")
    await contact.web_view(varied(offer.request, write_allowed=True))
    exchange = await contact.answered(allowed)
    return Seen(exchange.answer is False, exchange, f"the bot may write: {_spoken(exchange.answer)}")


async def write_access_is_granted_once(contact: Contact) -> Seen:
    request = functions.bots.AllowSendMessageRequest(contact.bot.input_user)
    await contact.needed(request)
    exchange = await contact.answered(request)
    posted = [one for one in _updates(exchange.answer) if isinstance(one, types.UpdateNewMessage)]
    what = "posts another service message" if posted else "posts nothing"
    return Seen(not posted, exchange, f"granting it again {what}")


# Messages


async def duplicate_random_id_is_silent(contact: Contact) -> Seen:
    request = functions.messages.SendMessageRequest(contact.bot.input_peer, _TEXT)
    await contact.needed(request)
    return Seen.taken(await contact.ask(request))


async def keyboards_of_people_are_dropped(contact: Contact) -> Seen:
    key = types.KeyboardButton("Nothing", types.ButtonTypeDefault())
    keyboard = types.ReplyKeyboardMarkup([types.KeyboardButtonRow([key])])
    request = functions.messages.SendMessageRequest(types.InputPeerSelf(), _TEXT, reply_markup=keyboard)
    seen = Seen.taken(await contact.ask(request))
    kept = any(_markup(one) for one in _updates(seen.exchange.answer))
    return Seen(seen.holds and not kept, seen.exchange, "the keyboard is kept" if kept else seen.what)


async def web_view_data_has_1_to_4096_bytes(contact: Contact) -> Seen:
    bot = contact.request("keyboard_button").bot
    request = functions.messages.SendWebViewDataRequest(bot, "miniapp verify", "x" * 4097)
    return Seen.refused(await contact.ask(request), "DATA_TOO_LONG")


async def the_last_prolong_places_the_answer(contact: Contact) -> Seen:
    opening = contact.request("menu_button", "inline_button")
    view, _ = await contact.web_view(opening)
    query, text = view.query_id, view.init_data and view.init_data.query_id
    if query is None or text is None:
        raise Untested("the web view has no query")
    await contact.needed(
        functions.messages.ProlongWebViewRequest(opening.peer, opening.bot, query, silent=True)
    )
    said = f"{_TEXT} {secrets.token_hex(4)}"
    answer = functions.messages.SendWebViewResultMessageRequest(text, _article(said))
    await contact.needed(answer, as_bot=True)
    history = functions.messages.GetHistoryRequest(
        opening.peer, offset_id=0, offset_date=None, add_offset=0, limit=10, max_id=0, min_id=0, hash=0
    )
    exchange = await contact.ask(history)
    found = [one for one in getattr(exchange.answer, "messages", ()) if getattr(one, "message", "") == said]
    if not found:
        raise Untested("the bot's answer is not in the chat")
    silent = bool(found[0].silent)
    return Seen(
        silent, exchange, f"the answer is {'silent' if silent else 'not silent'}, as the last prolong was"
    )


# Prepared messages


async def prepared_messages_live_for_an_hour(contact: Contact) -> Seen:
    now = read_json(await contact.ask(custom_method(contact.bot, "getCurrentTime")))
    if not isinstance(now, int):
        raise Untested("the server does not tell the time")
    request = functions.messages.SavePreparedInlineMessageRequest(
        _article(_TEXT), await contact.user_for_bot()
    )
    exchange = await contact.ask_as_bot(request)
    if exchange.failure is not None:
        raise Untested("no message can be prepared")
    life = (exchange.answer.expire_date - datetime.fromtimestamp(now, UTC)).total_seconds()
    return Seen(abs(life - _HOUR) < _HOUR / 4, exchange, f"it expires after {life / 60:.0f} minutes")


async def prepared_messages_without_kinds_go_anywhere(contact: Contact) -> Seen:
    exchange = await contact.answered(await _prepared(contact, None))
    kinds = len(getattr(exchange.answer, "peer_types", ()))
    return Seen(kinds > 1, exchange, f"it is shown with {kinds or 'no'} kinds")


async def prepared_messages_go_to_their_kinds_of_chats(contact: Contact) -> Seen:
    fetch = await _prepared(contact, [types.InlineQueryPeerTypeBroadcast()])
    found = await contact.needed(fetch)
    return Seen.refused(await contact.ask(_share(found, types.InputPeerSelf())), "PEER_ID_INVALID")


async def a_sent_prepared_message_is_expired(contact: Contact) -> Seen:
    fetch = await _prepared(contact, [types.InlineQueryPeerTypePM()])
    await contact.needed(_share(await contact.needed(fetch), types.InputPeerSelf()))
    return Seen.refused(await contact.ask(fetch), "ID_EXPIRED")


async def _prepared(contact: Contact, kinds: list[Any] | None) -> Any:
    """The request that fetches a message which the bot has just prepared for the account."""
    user = await contact.user_for_bot()
    save = functions.messages.SavePreparedInlineMessageRequest(_article(_TEXT), user, peer_types=kinds)
    saved = await contact.needed(save, as_bot=True)
    return functions.messages.GetPreparedInlineMessageRequest(contact.bot.input_user, saved.id)


def _share(found: Any, peer: Any) -> Any:
    return functions.messages.SendInlineBotResultRequest(peer, found.query_id, found.result.id)


def _article(text: str) -> Any:
    said = types.InputBotInlineMessageText(text)
    return types.InputBotInlineResult("1", "article", said, title=_TEXT)


# Chats that a bot asks for


async def a_request_of_an_app_is_answered_once(contact: Contact) -> Seen:
    request = await _asked_for(contact, is_bot=False)
    await contact.needed(request)
    return Seen.refused(await contact.ask(request))


async def requested_peers_have_to_fit(contact: Contact) -> Seen:
    exchange = await contact.ask(await _asked_for(contact, is_bot=True))
    return Seen.refused(exchange, "PEER_ID_INVALID")


async def _asked_for(contact: Contact, *, is_bot: bool) -> Any:
    """The bot asks for a bot or a person; the request gives it the account itself."""
    asks = types.InputButtonTypeRequestPeer(1, types.RequestPeerTypeUser(bot=is_bot), 1)
    button = types.KeyboardButton("miniapp verify", asks)
    request = functions.bots.RequestWebViewButtonRequest(await contact.user_for_bot(), button)
    prepared = await contact.needed(request, as_bot=True)
    return functions.messages.SendBotRequestedPeerRequest(
        contact.bot.input_peer, 1, [types.InputPeerSelf()], webapp_req_id=prepared.webapp_req_id
    )


def _updates(answer: Any) -> list[Any]:
    return list(getattr(answer, "updates", None) or ())


def _markup(update: Any) -> Any:
    return getattr(getattr(update, "message", None), "reply_markup", None)


def _spoken(value: object) -> str:
    return "yes" if value is True else "no"
