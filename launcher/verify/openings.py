"""Every way to open an app that a bot offers, each tried once.

What a bot offers is found where a client finds it: on its profile, in the menus, above inline results, under
its messages. Links are those that the caller names, and those in the bot's messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from flows import BadInput, Consent, MiniAppError, links
from flows.buttons import buttons_of, links_of
from flows.errors import answers
from launcher.tracing import traced
from launcher.verify.contact import ENDING, Contact
from launcher.verify.findings import Opened

__all__ = ["flow_of", "openings"]

_OFFERED = (
    "main_app", "menu_button", "attachment_menu", "side_menu", "inline_mode", "keyboard_button",
    "inline_button",
)  # fmt: skip
_MOST = 8
"""Requests that one opening takes at most, when nothing is remembered of the bot."""
_MESSAGES = 50
_LINKS = 3
"""Links from messages that are tried: they are likely to be alike."""
_FLOWS: dict[type, str] = {
    links.DirectLink: "direct_link",
    links.MainAppLink: "main_app",
    links.AttachLink: "attachment_menu",
}
_OPENING = "WebViewRequest"


async def openings(contact: Contact, named: Iterable[str], consent: Consent) -> AsyncIterator[Opened]:
    """Open one app after the other, and close it at once. `named` are links of the caller."""
    name = f"@{contact.bot.username}"
    for flow in _OFFERED:
        yield await _opened(contact, flow, name, flow, consent)
    for link in dict.fromkeys([*named, *await _links_in_messages(contact)]):
        yield await _opened(contact, flow_of(link), link, None, consent)


async def _opened(contact: Contact, flow: str, target: str, via: str | None, consent: Consent) -> Opened:
    await contact.budget.take(_MOST)
    with traced() as exchanges:
        try:
            async with contact.launcher.open(target, via=via, consent=consent) as app:
                flow = app.flow
        except ENDING:
            raise
        except MiniAppError as failure:
            return Opened(flow, target, why=failure.meaning)
        finally:
            contact.spend(len(exchanges))
            contact.budget.spend(-_MOST)
    deciding = [one for one in exchanges if type(one.request).__name__.endswith(_OPENING)]
    return Opened(flow, target, deciding[-1])


async def _links_in_messages(contact: Contact) -> list[str]:
    """The direct links to this bot's apps that stand in the chat with it."""
    await contact.budget.take(1)
    contact.requests += 1
    with answers("messages.getHistory"):
        messages = await contact.launcher.client.get_messages(contact.bot.input_peer, limit=_MESSAGES)
    found = [
        url
        for message in messages
        for url in (*(button.url for button in buttons_of(message)), *(url for _, url in links_of(message)))
        if url and _leads_to(contact, url)
    ]
    return list(dict.fromkeys(found))[:_LINKS]


def _leads_to(contact: Contact, url: str) -> bool:
    try:
        link = links.parse(url)
    except links.NotALink:
        return False
    return isinstance(link, links.DirectLink) and link.bot.lower() == contact.bot.username.lower()


def flow_of(link: str) -> str:
    """The flow that a link to an app means. Raises BadInput for any other: following it would do more than
    open an app (join a chat, start a bot)."""
    try:
        kind = type(links.parse(link))
    except links.NotALink as reason:
        raise BadInput(f"{link!r} is not a link to Telegram: {reason}.", "Give t.me/bot/app.") from None
    if kind not in _FLOWS:
        raise BadInput(
            f"{link!r} is no link to an app.", "Give t.me/bot/app, t.me/bot?startapp or ?startattach."
        )
    return _FLOWS[kind]
