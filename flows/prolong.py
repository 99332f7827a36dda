"""Keeping a web view's query alive: to be called every 60 seconds while the app is open, iff a query id came.

Documentation: core.telegram.org/method/messages.prolongWebView. QUERY_ID_INVALID means that the app is over.
"""

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import Bot
from flows.context import Context
from flows.errors import call

__all__ = ["prolong"]


async def prolong(client: TelegramClient, bot: Bot, context: Context, query_id: int) -> None:
    """`messages.prolongWebView` with the launch's own context. Raises QueryExpired when the app is over.

    The method answers a `Bool`; what false means is not documented, and TDLib only logs it.
    """
    request = functions.messages.ProlongWebViewRequest(
        peer=context.peer,
        bot=bot.input_user,
        query_id=query_id,
        silent=context.silent,
        reply_to=context.reply_to,
        send_as=context.send_as,
    )
    await call(client, request)
