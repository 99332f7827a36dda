"""Where an app is opened from, and how a message that comes of it will be sent.

The same chat, reply, author and silence that a web view was requested with are repeated in every prolong
(core.telegram.org/method/messages.prolongWebView).
"""

from dataclasses import dataclass
from typing import Any

from telethon.tl import types

__all__ = ["Context", "topic_reply"]


@dataclass(frozen=True, slots=True)
class Context:
    """`peer` and `send_as` are InputPeers, `reply_to` an InputReplyToMessage; None is absent."""

    peer: Any
    reply_to: Any = None
    send_as: Any = None
    silent: bool | None = None


def topic_reply(topic: int | None, reply_to: int | None) -> Any:
    """`inputReplyToMessage` for a reply, a forum topic (`top_msg_id`) or both; None for neither.

    A message for a topic is a reply to the message that opened it (core.telegram.org/api/forum).
    """
    if topic is None and reply_to is None:
        return None
    return types.InputReplyToMessage(reply_to_msg_id=reply_to or topic, top_msg_id=topic)
