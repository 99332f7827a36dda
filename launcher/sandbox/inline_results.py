"""What an inline result posts when it is chosen, or when a bot answers a web view with it.

Documentation: core.telegram.org/type/InputBotInlineMessage. The sandbox keeps text; media is not its subject.
"""

from __future__ import annotations

from typing import Any

from telethon.tl import types

from launcher.sandbox.mailbox import post
from launcher.sandbox.placement import Placement
from launcher.sandbox.rpc import Call, RpcError
from launcher.sandbox.world import Message

__all__ = ["input_article", "post_result", "shown", "text_of"]

_TEXTS = (types.InputBotInlineMessageText, types.InputBotInlineMessageMediaAuto)


def text_of(call: Call, result: Any) -> Any:
    """The `message`, `entities` and `reply_markup` of a result; an assumed error for one that posts media."""
    name = "inline_results_post_text"
    if isinstance(result.send_message, _TEXTS):
        return result.send_message
    if call.sandbox.assumptions.holds(name):
        raise RpcError(400, "SEND_MESSAGE_TYPE_INVALID", name)
    return types.InputBotInlineMessageText(message=getattr(result, "title", None) or result.id)


def post_result(
    call: Call, result: Any, sender: int, peer: int, place: Placement, bot: int, **options: Any
) -> Message:
    """Post what a result says, through its bot, at a place; further `options` are those of `mailbox.post`."""
    text = text_of(call, result)
    return post(
        call.sandbox,
        sender,
        peer,
        text.message,
        markup=text.reply_markup,
        entities=text.entities or (),
        reply_to=place.reply_to,
        topic=place.topic,
        silent=place.silent,
        via_bot=bot,
        **options,
    )


def input_article(result_id: str, text: str) -> Any:
    """A result as a bot sends it, for bots that answer by themselves."""
    return types.InputBotInlineResult(
        id=result_id, type="article", title=text, send_message=types.InputBotInlineMessageText(message=text)
    )


def shown(call: Call, result: Any) -> Any:
    """A result as the person who typed the query is shown it."""
    text = text_of(call, result)
    return types.BotInlineResult(
        id=result.id,
        type=getattr(result, "type", "article"),
        title=getattr(result, "title", None),
        description=getattr(result, "description", None),
        url=getattr(result, "url", None),
        send_message=types.BotInlineMessageText(
            message=text.message, entities=text.entities, reply_markup=text.reply_markup
        ),
    )
