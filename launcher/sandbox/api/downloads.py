"""bots.checkDownloadFileParams: whether a Mini App may offer this file for download.

Documentation: core.telegram.org/method/bots.checkDownloadFileParams,
core.telegram.org/api/web-events#web-app-request-file-download.
"""

from __future__ import annotations

from telethon.tl import functions

from launcher.sandbox.callers import person
from launcher.sandbox.keyboards import is_https
from launcher.sandbox.peers import bot_named
from launcher.sandbox.rpc import Call, handles

__all__: list[str] = []

_URL_LIMIT = 32_768
_NAME_LIMIT = 256


@handles(
    functions.bots.CheckDownloadFileParamsRequest,
    docs="core.telegram.org/method/bots.checkDownloadFileParams",
    errors=("BOT_INVALID",),
)
async def check_download_file_params(call: Call) -> bool:
    """The servers may look at the file itself; here its address and name alone decide."""
    person(call)
    bot_named(call, call.request.bot)
    if not call.sandbox.assumptions.holds("downloads_are_judged_by_address_and_name"):
        return True
    url, name = call.request.url, call.request.file_name
    named_well = 0 < len(name.encode()) < _NAME_LIMIT and not set(name) & {"/", "\\"}
    return named_well and is_https(url) and len(url) <= _URL_LIMIT
