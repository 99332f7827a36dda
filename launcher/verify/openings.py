"""Every way to open an app that a bot offers, each tried once.

What a bot offers is found where a client finds it: on its profile, in the menus, above inline results, under
its messages. Links are those that the caller names, and those in the bot's messages. The link of a chat that
the bot guards is followed only by leave: it asks to join the chat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flows import BadInput, Consent, MiniAppError, links
from flows.buttons import buttons_of, links_of
from flows.errors import answers
from launcher.masks import masked_target
from launcher.tracing import traced
from launcher.verify.contact import ENDING, Contact
from launcher.verify.findings import Opened

__all__ = ["JOIN", "MOST", "Way", "flow_of", "opened", "ways_to_open"]

_OFFERED = (
    "main_app", "menu_button", "attachment_menu", "side_menu", "inline_mode", "keyboard_button",
    "inline_button",
)  # fmt: skip
JOIN = "chat_join"
MOST = 8
"""Requests that one opening takes at most, when nothing is remembered of the bot."""
_MESSAGES = 50
_LINKS = 3
"""Links from messages that are tried: they are likely to be alike."""
_FLOWS: dict[type, str] = {
    links.DirectLink: "direct_link",
    links.MainAppLink: "main_app",
    links.AttachLink: "attachment_menu",
    links.InviteLink: JOIN,
}
_OPENING = "WebViewRequest"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to open an app: a flow of the bot, or a link, whose flow its kind tells; `why_not` is why it is
    not tried."""

    flow: str
    target: str
    via: str | None = None
    why_not: str | None = None

    @property
    def shown(self) -> str:
        """The target as it may be told: an invite link lets anybody in who reads it."""
        return masked_target(self.target)

    def __str__(self) -> str:
        return self.flow.replace("_", " ") if self.via else self.shown


async def ways_to_open(contact: Contact, named: Iterable[str], *, joining: bool) -> list[Way]:
    """What is to be tried. `named` are links of the caller; `joining` lets those of chats be followed."""
    name = f"@{contact.bot.username}"
    found = dict.fromkeys([*named, *await _links_in_messages(contact)])
    by_link = [_by_link(link, joining) for link in found]
    if JOIN not in [way.flow for way in by_link]:
        by_link.append(Way(JOIN, name, why_not="it takes --link t.me/+… to a chat that the bot guards"))
    return [*(Way(flow, name, flow) for flow in _OFFERED), *by_link]


def _by_link(link: str, joining: bool) -> Way:
    flow = flow_of(link)
    alone = flow == JOIN and not joining
    return Way(flow, link, why_not=f"it asks to join the chat, which takes --allow {JOIN}" if alone else None)


async def opened(contact: Contact, way: Way, consent: Consent) -> Opened:
    """Open an app and close it at once; what Telegram refuses is no error."""
    if way.why_not is not None:
        return Opened(way.flow, way.shown, why=way.why_not)
    await contact.budget.take(MOST)
    flow = way.flow
    with traced() as exchanges:
        try:
            async with contact.launcher.open(way.target, via=way.via, consent=consent) as app:
                flow = app.flow
                if app.app.bot.id != contact.bot.id:
                    return Opened(flow, way.shown, why=f"this is an app of @{app.app.bot.username}")
        except ENDING:
            raise
        except MiniAppError as failure:
            return Opened(flow, way.shown, why=failure.meaning)
        finally:
            contact.spend(len(exchanges))
            contact.budget.spend(-MOST)
    deciding = [one for one in exchanges if type(one.request).__name__.endswith(_OPENING)]
    return Opened(flow, way.shown, deciding[-1])


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
    """The flow that a link to an app, or to a chat, means. Raises BadInput for any other: following it would
    do more than open an app (start a bot)."""
    shown = masked_target(link)
    try:
        kind = type(links.parse(link))
    except links.NotALink as reason:
        raise BadInput(f"{shown!r} is not a link to Telegram: {reason}.", "Give t.me/bot/app.") from None
    if kind not in _FLOWS:
        raise BadInput(
            f"{shown!r} is no link to an app.",
            "Give t.me/bot/app, t.me/bot?startapp or ?startattach, or t.me/+… of a chat that the bot guards.",
        )
    return _FLOWS[kind]
