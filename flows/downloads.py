"""A page offers a file for download.

The client asks Telegram whether the page may offer this file, then the person, and saves it; the page learns
only that the download has begun.
Documentation: core.telegram.org/api/web-events#web-app-request-file-download,
core.telegram.org/method/bots.checkDownloadFileParams
"""

from __future__ import annotations

from typing import Literal

from telethon import TelegramClient
from telethon.tl import functions

from flows.cache import Bot
from flows.consent import Consent, Question
from flows.errors import call
from flows.wire_text import wire_text

__all__ = ["request_download"]

_URL_LIMIT = 32_768
_NAME_LIMIT = 256


async def request_download(
    client: TelegramClient, bot: Bot, url: str, file_name: str, consent: Consent
) -> Literal["downloading", "cancelled"]:
    """`bots.checkDownloadFileParams`, then the question DOWNLOAD: the status of `file_download_requested`.

    Saving the file is left to the caller. Raises RpcFailed and NotConnected.
    """
    url, file_name = wire_text(url), wire_text(file_name)
    if not _is_sound(url, file_name):
        return "cancelled"
    request = functions.bots.CheckDownloadFileParamsRequest(bot=bot.input_user, file_name=file_name, url=url)
    if not await call(client, request):
        return "cancelled"
    if not await consent.allows(Question.DOWNLOAD, bot.username, f"download {file_name}"):
        return "cancelled"
    return "downloading"


def _is_sound(url: str, file_name: str) -> bool:
    """TDLib's rule for what is worth asking about: it keeps a name from leaving the folder."""
    named_well = 0 < len(file_name.encode()) < _NAME_LIMIT and not set(file_name) & {"/", "\\"}
    return named_well and file_name not in (".", "..") and len(url) <= _URL_LIMIT
