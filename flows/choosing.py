"""Choosing chats: what the person does with a list of them, the caller does with a callable.

It is given what the chats are for and names one of them (or several, where several are wanted) as
`flows.input_peer` understands it; None is the person who closes the list.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from telethon.tl import types

__all__ = ["Choose", "chat_types", "chosen"]

T = TypeVar("T")
Choose: TypeAlias = Callable[[T], Any]
"""Called with what the chats are for; may be asynchronous."""

_WORDS = {
    types.InlineQueryPeerTypePM: "users",
    types.InlineQueryPeerTypeBotPM: "bots",
    types.InlineQueryPeerTypeSameBotPM: "bots",
    types.InlineQueryPeerTypeChat: "groups",
    types.InlineQueryPeerTypeMegagroup: "groups",
    types.InlineQueryPeerTypeBroadcast: "channels",
}


def chat_types(peer_types: list[Any]) -> tuple[str, ...]:
    """TL's kinds of chats in the words of links and web events: users, bots, groups, channels."""
    return tuple(dict.fromkeys(_WORDS[type(kind)] for kind in peer_types))


async def chosen(choose: Choose[T], purpose: T) -> Any:
    """What the callable says."""
    said = choose(purpose)
    return await said if inspect.isawaitable(said) else said
